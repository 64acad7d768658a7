import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import mlx_swift_f0


def test_public_names_are_sorted_and_there():
    assert mlx_swift_f0.__all__ == sorted(mlx_swift_f0.__all__)
    for name in mlx_swift_f0.__all__:
        assert getattr(mlx_swift_f0, name).__doc__
    assert set(mlx_swift_f0.__all__) <= set(dir(mlx_swift_f0))
    assert not hasattr(mlx_swift_f0, "nothing")


def test_importing_the_package_loads_no_array_library():
    code = "import sys, mlx_swift_f0; print(sorted({'mlx.core', 'numpy'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_it_is_found_as_a_method():
    [method] = entry_points(group="mlx_f0.methods", name="swift-f0")
    assert method.load() is mlx_swift_f0.SwiftF0


@pytest.mark.parametrize("unwanted", ["onnxruntime", "onnx", "torch"])
def test_what_made_the_weights_is_not_needed(unwanted):
    code = (
        f"import sys; sys.modules[{unwanted!r}] = None\n"
        "from mlx_swift_f0 import SwiftF0; SwiftF0.from_pretrained().warmup()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
