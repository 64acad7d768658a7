"""Sizes of RVC's published voices, and the level of speech for random ones; for parity tests."""

import golden_synth
import torch

BLOCKS = ["1", [3, 7, 11], [[1, 3, 5]] * 3]
RATES = {
    (1, 32): ([10, 4, 2, 2, 2], [16, 16, 4, 4, 4]),
    (1, 40): ([10, 10, 2, 2], [16, 16, 4, 4]),
    (1, 48): ([10, 6, 2, 2, 2], [16, 16, 4, 4, 4]),
    (2, 32): ([10, 8, 2, 2], [20, 16, 4, 4]),
    (2, 40): ([10, 10, 2, 2], [16, 16, 4, 4]),
    (2, 48): ([12, 10, 2, 2], [24, 20, 4, 4]),
}


def full_config(version, kilohertz):
    """RVC's list of 18 values for a version (1, 2) and a rate (32, 40, 48 kHz)."""
    spec = 513 if kilohertz == 32 else 1025
    rates, kernels = RATES[version, kilohertz]
    sizes = [spec, 32, 192, 192, 768, 2, 6, 3, 0]
    return [*sizes, *BLOCKS, rates, 512, kernels, 109, 256, kilohertz * 1000]


def calibrate(model, f0, inputs, speaker):
    """Scale the last layer so that the audio has the level of speech: errors then show."""
    seen = []
    hook = model.dec.conv_post.register_forward_hook(lambda _m, _i, output: seen.append(output))
    golden_synth.infer(model, f0, inputs, speaker)
    hook.remove()
    with torch.no_grad():
        weight = model.dec.conv_post.weight
        weight.mul_(0.2 / max(seen[0].std(), seen[0].abs().mean()))
        weight.copy_(weight.half().float())
