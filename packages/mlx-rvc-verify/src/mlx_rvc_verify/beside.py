"""What the user installs beside this package: PyTorch and the networks in it.

They are no dependency and no extra: an extra of a workspace member stands in the lock file, and
nothing else of mlx-rvc needs them. Everything here is imported by name when it is first asked for.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HF_RVC = "huggingface_hub_rvc"

# huggingface-hub-rvc's own requirements pull gigabytes that the networks never touch.
INSTALL = (
    "pip install torch transformers librosa faiss-cpu && "
    "pip install --no-deps huggingface-hub-rvc==0.1.4"
)


def module(name: str) -> Any:
    """Import one of them, `huggingface_hub_rvc.core.*` included.

    Raises ValueError that says what to install when it is not here.
    """
    require([name.partition(".")[0]])
    if name.partition(".")[0] == HF_RVC:
        import_hf_rvc()
    return importlib.import_module(name)


def require(names: Iterable[str]) -> None:
    """Raise ValueError, of one line, when any of these top-level modules is not installed."""
    missing = [name for name in dict.fromkeys(names) if not _installed(name)]
    if missing:
        raise ValueError(
            f"PyTorch's side of the comparison needs {', '.join(missing)}, which is not installed "
            f"and no dependency of mlx-rvc; install it beside it: {INSTALL}"
        )


def _installed(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def import_hf_rvc() -> types.ModuleType:
    """Make `huggingface_hub_rvc.core.*` importable without its heavy top-level package.

    An empty module with the right path takes its place. Raises ValueError when it is not installed.
    """
    if HF_RVC not in sys.modules:
        require([HF_RVC])
        spec = importlib.util.find_spec(HF_RVC)
        assert spec is not None and spec.origin is not None
        package = types.ModuleType(HF_RVC)
        package.__path__ = [str(Path(spec.origin).parent)]
        sys.modules[HF_RVC] = package
    return sys.modules[HF_RVC]
