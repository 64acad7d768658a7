"""WN: the gated convolution stack inside each coupling layer of the flow (WaveGlow, 1811.00002)."""

from __future__ import annotations

from mlx import nn

from mlx_fastops import Conv1d, sigmoid, tanh

from .arrays import Array, within


class WN(nn.Module):
    """`n_layers` gated convolutions with skip connections, conditioned on the speaker.

    The checkpoint's weight norm is folded when it is read, so these are plain convolutions.
    RVC's flow uses dilation 1 throughout.
    """

    def __init__(self, hidden_channels: int, kernel_size: int, n_layers: int, gin_channels: int):
        super().__init__()
        self.hidden_channels = hidden_channels
        self.n_layers = n_layers
        self.cond_layer = Conv1d(gin_channels, 2 * hidden_channels * n_layers, 1)
        self.in_layers = [
            Conv1d(hidden_channels, 2 * hidden_channels, kernel_size, padding=kernel_size // 2)
            for _ in range(n_layers)
        ]
        # The last layer feeds the skip path only.
        self.res_skip_layers = [
            Conv1d(hidden_channels, hidden_channels * (2 if i < n_layers - 1 else 1), 1)
            for i in range(n_layers)
        ]

    def __call__(self, x: Array, g: Array, mask: Array | None = None) -> Array:
        """`x` (B, T, hidden), speaker embedding `g` (B, 1, gin) -> (B, T, hidden)."""
        width = self.hidden_channels
        conditions = self.cond_layer(g)  # (B, 1, 2·hidden·layers)
        output = None
        layers = zip(self.in_layers, self.res_skip_layers, strict=True)
        for i, (in_layer, res_skip_layer) in enumerate(layers):
            gates = in_layer(within(x, mask)) + conditions[..., 2 * width * i : 2 * width * (i + 1)]
            acts = tanh(gates[..., :width]) * sigmoid(gates[..., width:])  # (B, T, hidden)
            res_skip = res_skip_layer(acts)  # (B, T, 2·hidden), the last (B, T, hidden)
            if i < self.n_layers - 1:
                x = x + res_skip[..., :width]
                res_skip = res_skip[..., width:]
            output = res_skip if output is None else output + res_skip
        return output
