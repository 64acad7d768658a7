"""FCPE pitch (F0) estimation in MLX."""

from .config import FCPEConfig
from .decoding import DECODERS, decode
from .fcpe import FCPE
from .mel import log_mel, mel_filterbank
from .network import CFNaiveMelPE
from .weights import config_from_checkpoint, sanitize

__all__ = [
    "DECODERS",
    "FCPE",
    "CFNaiveMelPE",
    "FCPEConfig",
    "config_from_checkpoint",
    "decode",
    "log_mel",
    "mel_filterbank",
    "sanitize",
]
