"""The pitch methods that are compared: ours by their entry points, the originals beside them.

Each is made by a function without arguments and then called with audio, float32 (n,) at 16 kHz; it
gives F0, (n // 160 + 1,) in Hz, 0 = unvoiced, within `RANGE_HZ`, with its own default threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

import numpy as np

RATE, STEP = 16000, 160
RANGE_HZ = (50.0, 1100.0)
ORIGINAL = " (original)"

Method = Callable[[np.ndarray], np.ndarray]


def available() -> dict[str, Callable[[], Method]]:
    """How to make each method, by name; the original's name is ours and `ORIGINAL`."""
    makers = {point.name: _ours(point) for point in entry_points(group="mlx_f0.methods")}
    makers |= {f"{name}{ORIGINAL}": maker for name, maker in ORIGINALS.items()}
    return dict(sorted({**makers, "harvest": _harvest, "dio": _dio}.items()))


def _ours(point) -> Callable[[], Method]:
    def make() -> Method:
        model = point.load().from_pretrained()
        low, high = RANGE_HZ
        return lambda audio: model.infer_from_audio(audio, RATE, f0_min=low, f0_max=high)

    return make


def _swift_f0() -> Method:
    import swift_f0

    from mlx_swift_f0 import to_grid

    detector = swift_f0.SwiftF0()

    def run(audio: np.ndarray) -> np.ndarray:
        result = detector.detect(audio, RATE, *RANGE_HZ)
        voiced = np.where(result.confidence >= 0.5, result.pitch_hz, 0)
        return to_grid(voiced, 0, len(audio) // STEP + 1)

    return run


def _fcpe() -> Method:
    import torch
    from torchfcpe import spawn_bundled_infer_model

    model = spawn_bundled_infer_model(device="cpu")

    def run(audio: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            f0 = model.infer(
                torch.from_numpy(audio)[None, :, None],
                sr=RATE,
                decoder_mode="local_argmax",
                threshold=0.006,
                f0_min=RANGE_HZ[0],
                f0_max=RANGE_HZ[1],
                interp_uv=False,
                output_interp_target_length=len(audio) // STEP + 1,
            )
        return f0.numpy().reshape(-1)

    return run


def _crepe(size: str) -> Callable[[], Method]:
    def make() -> Method:
        import sys
        import types

        import torch

        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))  # only reads files
        import torchcrepe

        def run(audio: np.ndarray) -> np.ndarray:
            # As RVC does it: Viterbi, filters of three frames, periodicity from 0.1 on.
            with torch.no_grad():
                f0, strength = torchcrepe.predict(
                    torch.from_numpy(audio)[None],
                    RATE,
                    STEP,
                    *RANGE_HZ,
                    size,
                    batch_size=512,
                    device="cpu",
                    return_periodicity=True,
                )
                strength = torchcrepe.filter.median(strength, 3)
                f0 = torchcrepe.filter.mean(f0, 3)
            f0[strength < 0.1] = 0
            return f0[0].numpy()

        return run

    return make


ORIGINALS = {
    "swift-f0": _swift_f0,
    "fcpe": _fcpe,
    "crepe": _crepe("full"),
    "crepe-tiny": _crepe("tiny"),
}


def _harvest() -> Method:
    import pyworld

    low, high = RANGE_HZ

    def run(audio: np.ndarray) -> np.ndarray:
        f0, _ = pyworld.harvest(audio.astype(np.float64), RATE, low, high, 10.0)
        return f0[: len(audio) // STEP + 1]

    return run


def _dio() -> Method:
    import pyworld

    low, high = RANGE_HZ

    def run(audio: np.ndarray) -> np.ndarray:
        wide = audio.astype(np.float64)
        f0, time = pyworld.dio(wide, RATE, low, high, frame_period=10.0)
        return pyworld.stonemask(wide, f0, time, RATE)[: len(audio) // STEP + 1]

    return run
