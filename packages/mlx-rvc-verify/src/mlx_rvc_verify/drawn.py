"""Networks of the published sizes with seeded random weights: for `--random-weights` and tests.

The weights are drawn so that every layer matters; a network's usual starting values would leave
the later layers nearly the identity, and their errors unseen.
"""

from __future__ import annotations

from typing import Any

from mlx_rvc_verify.beside import module


def draw_hubert(model: Any, projection: Any, *, seed: int = 7) -> None:
    """Draw the weights of a HubertModel and its projection: features of deviation about 1.

    Matrices of variance 1 / inputs (at transformers' own 0.02 the layers would change little),
    norms and biases not at 1 and 0.
    """
    torch = module("torch")
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *projection.named_parameters()]:
            if name.endswith("original0") or ("norm" in name and name.endswith("weight")):
                tensor.copy_(1 + 0.1 * torch.randn_like(tensor))
            elif tensor.ndim == 1:
                tensor.copy_(0.1 * torch.randn_like(tensor))
            elif "conv_layers" not in name:  # those keep their Kaiming values
                tensor.copy_(torch.randn_like(tensor) / tensor[0].numel() ** 0.5)


def draw_rmvpe(model: Any, *, seed: int, sharpness: float) -> None:
    """Draw RMVPE's weights: normalisation far from identity, peaks in the salience."""
    torch = module("torch")
    nn = torch.nn
    generator = torch.Generator().manual_seed(seed)

    def uniform(like: Any, low: float, high: float) -> Any:
        return torch.rand(like.shape, generator=generator) * (high - low) + low

    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.data = uniform(layer.weight, 0.3, 0.8)
            layer.bias.data = uniform(layer.bias, -0.3, 0.3)
            layer.running_mean = uniform(layer.running_mean, -0.3, 0.3)
            layer.running_var = uniform(layer.running_var, 0.5, 1.5)
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            fan_in = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                fan_in = layer.in_channels * 9 / 4
            bound = (3 / fan_in) ** 0.5
            layer.weight.data = uniform(layer.weight, -bound, bound)
            if layer.bias is not None:
                layer.bias.data = uniform(layer.bias, -0.3, 0.3)
        elif isinstance(layer, nn.GRU):
            for name, parameter in layer.named_parameters():
                # Wider recurrent weights make a chaotic GRU, in which rounding grows without end.
                width = layer.input_size if "weight_ih" in name else layer.hidden_size
                bound = (0.5 if "weight_ih" in name else 1.0) / width**0.5
                parameter.data = uniform(parameter, -bound, bound)
        elif isinstance(layer, nn.Linear):
            layer.weight.data = uniform(layer.weight, -sharpness, sharpness)
            layer.bias.data = uniform(layer.bias, -4.0, -2.0)
