"""Layers of mlx.nn that take both kinds of arrays and run on the selected backend.

Same constructors, same parameters, same loading: only `__call__` differs.
"""

from typing import Any

from mlx import nn

from mlx_fastops import operations, recurrent
from mlx_fastops._arrays import A, Array


class Conv1d(nn.Conv1d):
    """mlx.nn.Conv1d: x (B, T, C) -> (B, T_out, O); weight (O, K, C/groups)."""

    def __call__(
        self, x: A, *, leaky_slope: float | None = None, residual: Array | None = None
    ) -> A:
        """Convolve on the selected backend; leaky ReLU before and a sum after it, if given."""
        return operations.conv1d(
            x,
            self.weight,
            self.get("bias"),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            leaky_slope=leaky_slope,
            residual=residual,
        )


class ConvTranspose1d(nn.ConvTranspose1d):
    """mlx.nn.ConvTranspose1d: x (B, T, C) -> (B, T_out, O); weight (O, K, C)."""

    def __call__(self, x: A) -> A:
        """Convolve transposed on the selected backend."""
        return operations.conv_transpose1d(
            x,
            self.weight,
            self.get("bias"),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            output_padding=self.output_padding,
        )


class Conv2d(nn.Conv2d):
    """mlx.nn.Conv2d: x (B, H, W, C) -> (B, H_out, W_out, O); weight (O, KH, KW, C/groups)."""

    def __call__(self, x: A, *, relu: bool = False) -> A:
        """Convolve on the selected backend; ReLU after it, if asked."""
        return operations.conv2d(
            x,
            self.weight,
            self.get("bias"),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            relu=relu,
        )


class ConvTranspose2d(nn.ConvTranspose2d):
    """mlx.nn.ConvTranspose2d: x (B, H, W, C) -> (B, H_out, W_out, O); weight (O, KH, KW, C)."""

    def __call__(self, x: A) -> A:
        """Convolve transposed on the selected backend."""
        return operations.conv_transpose2d(
            x,
            self.weight,
            self.get("bias"),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            output_padding=self.output_padding,
        )


class Linear(nn.Linear):
    """mlx.nn.Linear: x (..., I) -> (..., O); weight (O, I)."""

    def __call__(self, x: A) -> A:
        """Multiply on the selected backend."""
        return operations.linear(x, self.weight, self.get("bias"))


class GRU(nn.GRU):
    """mlx.nn.GRU: x (B, T, I) or (T, I) -> every hidden state (B, T, H) or (T, H)."""

    def __call__(self, x: A, hidden: Array | None = None, *, reverse: bool = False) -> A:
        """Run over time from the state `hidden` (B, H), backwards if `reverse`."""
        if x.ndim == 2:
            state = None if hidden is None else hidden.reshape(1, -1)
            y: Any = self(x[None], state, reverse=reverse)
            return y[0]
        return recurrent.gru(x, self.Wx, self.Wh, self.b, self.bhn, reverse=reverse, h0=hidden)
