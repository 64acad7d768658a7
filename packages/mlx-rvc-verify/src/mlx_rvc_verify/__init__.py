"""Compare each stage of mlx-rvc with PyTorch's: same weights, same inputs, same noise."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_verify.other_stages import compare_content as compare_content
    from mlx_rvc_verify.other_stages import compare_index as compare_index
    from mlx_rvc_verify.other_stages import compare_rmvpe as compare_rmvpe
    from mlx_rvc_verify.verdict import STAGES as STAGES
    from mlx_rvc_verify.verdict import Result as Result
    from mlx_rvc_verify.verification import Verification as Verification
    from mlx_rvc_verify.verification import verify as verify
    from mlx_rvc_verify.voice_stages import compare_voice as compare_voice

_HOME = {
    "STAGES": "verdict",
    "Result": "verdict",
    "Verification": "verification",
    "compare_content": "other_stages",
    "compare_index": "other_stages",
    "compare_rmvpe": "other_stages",
    "compare_voice": "voice_stages",
    "verify": "verification",
}

__all__ = [
    "STAGES",
    "Result",
    "Verification",
    "compare_content",
    "compare_index",
    "compare_rmvpe",
    "compare_voice",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Lazy: the command line imports this package for --help, without NumPy or torch.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
