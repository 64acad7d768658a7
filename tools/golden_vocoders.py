"""Write the golden files of mlx-rvc-synth for Applio's two other vocoders.

python tools/golden_vocoders.py packages/mlx-rvc-synth/tests/golden
"""

import sys
from pathlib import Path

import numpy as np
import torch
from applio_voices import build, example, randomise, small_model, traced

FRAMES, SPEAKER = 19, 1

# RVC's list, as in golden_synth. Odd rates for MRF HiFi-GAN; RefineGAN fixes 256 speaker channels,
# and its widest level at 32 times two to the power of its stages.
BEGIN = [33, 4, 8, 8, 16, 2, 2, 3, 0, "1"]
MRF = [*BEGIN, [3, 7], [[1, 3, 5]] * 2, [3, 4], 16, [6, 8], 3, 4, 1200]
REFINE = [*BEGIN, [1, 3], [[1, 3, 5]] * 2, [3, 4], 128, [6, 8], 3, 256, 1200]
CASES = {
    "mrf": ("MRF HiFi-GAN", MRF, None, 2),
    "refine": ("RefineGAN", REFINE, (1, 3), 1),
}


def main(folder):
    """Write everything into `folder`."""
    for seed, (name, (vocoder, config, kernels, batch)) in enumerate(CASES.items()):
        model = build(vocoder, 256, config, kernels)
        randomise(model, seed, half=True)
        given = example(vocoder, model, config, 256, batch, FRAMES, seed)
        arrays = traced(model, given, SPEAKER)
        inputs = {"phone": given.phone, "f0": given.f0, "latent": given.latent}
        inputs["source"] = given.source
        if given.offsets is not None:
            inputs["offsets"] = given.offsets
        for i, array in enumerate(given.layers or []):
            inputs[f"layer_{i:02}"] = array
        inputs = {f"in_{key}": value for key, value in inputs.items()}
        np.savez_compressed(folder / f"{name}.npz", **inputs, **arrays)
        torch.save(small_model(vocoder, model, config, 256), folder / f"{name}.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
