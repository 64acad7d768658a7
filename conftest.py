"""Settings that every test of the workspace needs before mlx is imported."""

import os

# On a GPU mlx may run float32 at reduced precision by default: parity would then fail by rounding.
os.environ["MLX_ENABLE_TF32"] = "0"
