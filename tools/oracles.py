"""Independent implementations that parity tests and golden scripts compare with.

They live in an environment of their own (tests/parity/requirements.txt), never in the product.
"""

import importlib.util
import sys
import types
from pathlib import Path


def import_hf_rvc():
    """Make `huggingface_hub_rvc.core.*` importable without its heavy top-level package."""
    name = "huggingface_hub_rvc"
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{name} is not installed; see tests/parity/requirements.txt")
        package = types.ModuleType(name)
        package.__path__ = [str(Path(spec.origin).parent)]
        sys.modules[name] = package
    return sys.modules[name]
