"""Golden file of mlx-swift-f0, from the original program (swift-f0 0.3.0, its ONNX model).

    python tools/golden_swift_f0.py            (in the oracle environment)

Writes packages/mlx-swift-f0/tests/golden/swift_f0.npz: a sound as int16, F0 and confidence of the
whole of it within three bands, and of short parts of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import swift_f0

GOLDEN = Path(__file__).parents[1] / "packages/mlx-swift-f0/tests/golden/swift_f0.npz"
LIMIT = 200_000  # bytes
BANDS = {"whole": (46.875, 2093.75), "voice": (50.0, 1100.0), "narrow": (150.0, 250.0)}
SHORT = (1, 100, 255, 256, 257, 511, 512, 3000)
SHORT_START = 8000  # in the middle of the glide


def tone(f0_hz: np.ndarray, partials: int) -> np.ndarray:
    """A tone with overtones that fall off evenly."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / 16000
    return sum(np.sin(k * phase) / k for k in range(1, partials + 1))


def sound() -> np.ndarray:
    """A glide, digital silence, a high tone, noise, vibrato; int16 of 2.1 s."""
    rng = np.random.default_rng(0)
    time = np.arange(8000) / 16000
    parts = [
        0.15 * tone(np.geomspace(110, 330, 12000), 8) + 0.002 * rng.standard_normal(12000),
        np.zeros(3200),
        0.1 * tone(np.full(5600, 1500.0), 3) + 0.002 * rng.standard_normal(5600),
        0.05 * rng.standard_normal(4800),
        0.1 * tone(200 * 2 ** (np.sin(2 * np.pi * 6 * time) / 24), 12),
        0.02 * rng.standard_normal(57),  # no whole hop
    ]
    return np.round(32767 * np.clip(np.concatenate(parts), -1, 1)).astype(np.int16)


def main() -> None:
    """Write the file and check its size."""
    original = swift_f0.SwiftF0(threads=1)
    samples = sound()
    audio = samples.astype(np.float32) / 32768
    out = {"audio": samples}
    for name, (low, high) in BANDS.items():
        result = original.detect(audio, 16000, fmin=low, fmax=high)
        out[f"{name}/f0"], out[f"{name}/confidence"] = result.pitch_hz, result.confidence
    for length in SHORT:
        result = original.detect(audio[SHORT_START : SHORT_START + length], 16000)
        out[f"short/{length}/f0"] = result.pitch_hz
        out[f"short/{length}/confidence"] = result.confidence
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(GOLDEN, **out)
    size = GOLDEN.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{GOLDEN.name} has {size} bytes, more than {LIMIT}")


if __name__ == "__main__":
    main()
