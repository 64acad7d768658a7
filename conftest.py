"""Settings that every test of the workspace needs before mlx is imported."""

import os
import shutil

import pytest

# On a GPU mlx may run float32 at reduced precision by default: parity would then fail by rounding.
os.environ["MLX_ENABLE_TF32"] = "0"

# A user's measured choices of forms must not decide what a test runs, nor a test add to them.
os.environ["MLX_FASTOPS_TUNING"] = "off"


@pytest.fixture
def compiler():
    """Needed by tests of mx.compile, which on a CPU does nothing without a C++ compiler."""
    if shutil.which("g++") is None:
        message = "mx.compile needs g++ on a CPU, which is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)  # there nothing may be left out
        pytest.skip(message)
