"""CREPE pitch (F0) estimation in MLX."""

from .crepe import CREPE, CREPETiny
from .decoding import DECODERS, argmax, viterbi, weighted_argmax
from .filters import mean, median
from .network import Network
from .weights_file import sanitize

__all__ = [
    "CREPE",
    "DECODERS",
    "CREPETiny",
    "Network",
    "argmax",
    "mean",
    "median",
    "sanitize",
    "viterbi",
    "weighted_argmax",
]
