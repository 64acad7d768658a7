"""Convolutions, matrix products and GRU for MLX: its own ops, or BLAS where MLX is slow."""

from mlx_fastops._arrays import Array, native, to_mlx, to_numpy
from mlx_fastops._backend import Backend, selected_backend, use_backend
from mlx_fastops.activations import gelu, layer_norm, leaky_relu, relu, sigmoid, softmax, tanh
from mlx_fastops.layers import GRU, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Linear
from mlx_fastops.operations import (
    attention,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    gru,
    linear,
    matmul,
)

__all__ = [
    "GRU",
    "Array",
    "Backend",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Linear",
    "attention",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "gelu",
    "gru",
    "layer_norm",
    "leaky_relu",
    "linear",
    "matmul",
    "native",
    "relu",
    "selected_backend",
    "sigmoid",
    "softmax",
    "tanh",
    "to_mlx",
    "to_numpy",
    "use_backend",
]
