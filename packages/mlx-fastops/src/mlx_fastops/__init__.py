"""Convolutions, matrix products and GRU for MLX: its own ops, or BLAS where MLX is slow."""

from mlx_fastops._arrays import Array, native, to_mlx, to_numpy
from mlx_fastops._backend import Backend, selected_backend, use_backend
from mlx_fastops._compiled import Bucketed, Compiled, bucket, compiles, use_compilation
from mlx_fastops._forms import Form, use_form
from mlx_fastops._tuning import warmup
from mlx_fastops.activations import gelu, layer_norm, leaky_relu, relu, sigmoid, softmax, tanh
from mlx_fastops.layers import GRU, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Linear
from mlx_fastops.operations import (
    attention,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    linear,
    matmul,
)
from mlx_fastops.recurrent import bidirectional_gru, gru

__all__ = [
    "GRU",
    "Array",
    "Backend",
    "Bucketed",
    "Compiled",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Form",
    "Linear",
    "attention",
    "bidirectional_gru",
    "bucket",
    "compiles",
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
    "use_compilation",
    "use_form",
    "warmup",
]
