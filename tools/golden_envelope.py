"""Golden file of the loudness envelope: librosa's RMS and PyTorch's linear interpolation.

Usage (in the environment of tests/parity/requirements.txt): python tools/golden_envelope.py
"""

from pathlib import Path

import librosa
import numpy as np
import torch
from torch.nn import functional as F

TARGET = Path(__file__).parents[1] / "packages/mlx-rvc/tests/golden/envelope.npz"
SOURCE_RATE, TARGET_RATE, RATE = 1600, 2400, 0.25


def curve(audio: np.ndarray, sample_rate: int, length: int) -> tuple[np.ndarray, torch.Tensor]:
    rms = librosa.feature.rms(
        y=audio, frame_length=sample_rate // 2 * 2, hop_length=sample_rate // 2
    )
    return rms[0], F.interpolate(torch.from_numpy(rms)[None], size=length, mode="linear").squeeze()


def main() -> None:
    rng = np.random.default_rng(0)
    swell = 0.1 + np.abs(np.sin(np.linspace(0, 9, 5000)))
    source = (rng.standard_normal(5000) * swell).astype(np.float32)
    target = rng.standard_normal(7400).astype(np.float32)
    source_rms, wanted = curve(source, SOURCE_RATE, len(target))
    target_rms, own = curve(target, TARGET_RATE, len(target))
    own = own.clamp(min=1e-6)
    result = torch.from_numpy(target) * wanted ** (1 - RATE) * own ** (RATE - 1)
    TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        TARGET,
        source=source,
        target=target,
        source_rms=source_rms,
        target_rms=target_rms,
        result=result.numpy(),
    )


if __name__ == "__main__":
    main()
