"""Settings that every test of the workspace needs before mlx is imported."""

import os

# On a GPU mlx may run float32 at reduced precision by default: parity would then fail by rounding.
os.environ["MLX_ENABLE_TF32"] = "0"

# A user's measured choices of forms must not decide what a test runs, nor a test add to them.
os.environ["MLX_FASTOPS_TUNING"] = "off"
