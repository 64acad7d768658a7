import subprocess
import sys

import pytest

import mlx_contentvec


def test_public_names():
    assert mlx_contentvec.__all__ == sorted(mlx_contentvec.__all__)
    for name in mlx_contentvec.__all__:
        assert callable(getattr(mlx_contentvec, name))
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = mlx_contentvec.absent


def test_import_is_light():
    code = "import sys, mlx_contentvec; sys.exit('mlx.core' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
