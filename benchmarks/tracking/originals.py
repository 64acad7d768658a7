"""The original implementations, called as RVC-WebUI calls them and brought to the grid of ours.

torchfcpe 0.0.4, torchcrepe 0.0.24, swift-f0 0.3.0 (ONNX Runtime), pyworld and praat-parselmouth
themselves. Each gets one thread.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from importlib import import_module

import numpy as np

RATE, STEP = 16000, 160
RANGE_HZ = (50.0, 1100.0)
LOW, HIGH = RANGE_HZ

Method = Callable[[np.ndarray], np.ndarray]


def harvest() -> Method:
    """pyworld's harvest and stonemask, then SciPy's median over three frames."""
    import pyworld
    from scipy.signal import medfilt

    def run(audio: np.ndarray) -> np.ndarray:
        wide = audio.astype(np.float64)
        f0, time = pyworld.harvest(wide, RATE, LOW, HIGH, 10.0)
        return medfilt(pyworld.stonemask(wide, f0, time, RATE), 3)[: len(audio) // STEP + 1]

    return run


def dio() -> Method:
    """pyworld's dio and stonemask."""
    import pyworld

    def run(audio: np.ndarray) -> np.ndarray:
        wide = audio.astype(np.float64)
        f0, time = pyworld.dio(wide, RATE, LOW, HIGH, frame_period=10.0)
        return pyworld.stonemask(wide, f0, time, RATE)[: len(audio) // STEP + 1]

    return run


def _praat(audio: np.ndarray):
    import parselmouth

    return parselmouth.Sound(audio.astype(np.float64), RATE).to_pitch_ac(
        time_step=STEP / RATE, voicing_threshold=0.6, pitch_floor=LOW, pitch_ceiling=HIGH
    )


def praat() -> Method:
    """Praat's autocorrelation with its frames on the grid: zeros around the clip move them.

    There are no more zeros than the first frame's window needs: after a pause Praat would have to
    pay for the change to a voice that is there from the start. Praat says where its frames are;
    where that is not the grid, this fails.
    """
    import parselmouth  # noqa: F401  (missing is told before anything runs)

    around = round(1.5 * RATE / LOW) + STEP // 4  # half a window, and room for half a step

    def run(audio: np.ndarray) -> np.ndarray:
        frames = len(audio) // STEP + 1
        sound = np.zeros((frames - 1) * STEP + 2 * around)
        kept = audio[: len(sound) - around]
        sound[around : around + len(kept)] = kept
        pitch = _praat(sound)
        place = (pitch.xs() * RATE - around) / STEP
        if pitch.n_frames != frames or np.abs(place - np.arange(frames)).max() > 0.01:
            raise ValueError(f"Praat's {pitch.n_frames} frames start at {place[0]:.2f}, not at 0")
        return pitch.selected_array["frequency"]

    return run


def praat_as_rvc_places_it() -> Method:
    """Praat's frames of the bare clip, in the middle of as many zeros as are missing."""
    import parselmouth  # noqa: F401

    def run(audio: np.ndarray) -> np.ndarray:
        f0 = _praat(audio).selected_array["frequency"]
        missing = len(audio) // STEP + 1 - len(f0)
        return np.pad(f0, ((missing + 1) // 2, missing - (missing + 1) // 2))

    return run


def torchfcpe() -> Method:
    """FCPE in torch, float32 weights."""
    import torch

    _stand_in("torchaudio.transforms", Resample=None)  # other rates only
    _stand_in("torchaudio", transforms=sys.modules["torchaudio.transforms"])
    _stand_in("local_attention", LocalAttention=None)  # other networks only
    from torchfcpe import spawn_bundled_infer_model

    torch.set_num_threads(1)
    model = spawn_bundled_infer_model(device="cpu")

    def run(audio: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            f0 = model.infer(
                torch.from_numpy(audio)[None, :, None],
                sr=RATE,
                decoder_mode="local_argmax",
                threshold=0.006,
                f0_min=LOW,
                f0_max=HIGH,
                interp_uv=False,
                output_interp_target_length=len(audio) // STEP + 1,
            )
        return f0.numpy().reshape(-1)

    return run


def crepe(size: str, *, dither: bool = False) -> Callable[[], Method]:
    """torchcrepe: Viterbi, filters of three frames, unvoiced below a periodicity of 0.1.

    dither: leave in the noise of up to 20 cents that torchcrepe adds to every value, from the same
    seed for every recording.
    """

    def make() -> Method:
        import torch

        for name in ("torchaudio", "resampy"):  # reading and resampling of files
            _stand_in(name)
        import torchcrepe

        torch.set_num_threads(1)
        added = torchcrepe.convert.dither

        def run(audio: np.ndarray) -> np.ndarray:
            np.random.seed(0)  # SciPy's generator, which torchcrepe draws from
            torchcrepe.convert.dither = added if dither else lambda cents: cents
            try:
                with torch.no_grad():
                    f0, strength = torchcrepe.predict(
                        torch.from_numpy(audio)[None],
                        RATE,
                        STEP,
                        LOW,
                        HIGH,
                        size,
                        batch_size=512,
                        device="cpu",
                        return_periodicity=True,
                    )
            finally:
                torchcrepe.convert.dither = added
            strength = torchcrepe.filter.median(strength, 3)
            f0 = torchcrepe.filter.mean(f0, 3)
            f0[strength < 0.1] = 0
            return f0[0].numpy()

        return run

    return make


def swift_f0() -> Method:
    """SwiftF0 in ONNX Runtime; from its frames, every 16 ms, to the grid by the rule of ours."""
    import swift_f0 as package

    from mlx_swift_f0 import to_grid

    detector = package.SwiftF0(threads=1)

    def run(audio: np.ndarray) -> np.ndarray:
        result = detector.detect(audio, RATE, LOW, HIGH)
        voiced = np.where(result.confidence >= 0.5, result.pitch_hz, 0)
        return to_grid(voiced, 0, len(audio) // STEP + 1)

    return run


def _stand_in(name: str, **attributes: object) -> None:
    """An empty module where an import that is not used here would fail."""
    try:
        import_module(name)
    except (ImportError, OSError):
        module = types.ModuleType(name)
        for attribute, value in attributes.items():
            setattr(module, attribute, value)
        sys.modules[name] = module
