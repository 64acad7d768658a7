"""A picture for each clip: spectrogram and F0 of the source and of its conversions."""

from pathlib import Path

import numpy as np

from . import RATE
from .melody import Curve

WINDOW, HOP = 1024, 160
TOP_HZ = 4000
FRAME_S = 0.016  # SwiftF0's


def draw(path: Path, rows: list[tuple[str, np.ndarray, Curve, Curve | None]]) -> None:
    """Write a PNG, a row for each (title, audio at 16 kHz, its F0, the wanted F0 or None)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    figure, axes = pyplot.subplots(
        len(rows), 1, figsize=(11, 2.5 * len(rows)), dpi=80, sharex=True, squeeze=False
    )
    for axis, (title, audio, found, wanted) in zip(axes[:, 0], rows, strict=True):
        decibels = _spectrogram(audio)
        axis.imshow(
            decibels.T, origin="lower", aspect="auto", cmap="magma", vmin=decibels.max() - 70,
            extent=(0, len(audio) / RATE, 0, RATE / 2),
        )  # fmt: skip
        if wanted is not None:
            _line(axis, wanted, "white", 3.0, "source, shifted")
        _line(axis, found, "deepskyblue", 1.2, "F0")
        axis.set_ylim(0, TOP_HZ)
        axis.set_ylabel("Hz")
        axis.set_title(title, loc="left", fontsize=9)
        axis.legend(loc="upper right", fontsize=7)
    axes[-1, 0].set_xlabel("s")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.canvas.draw()
    # 64 colours: a tenth of the size. Maximum coverage keeps the thin lines' colour.
    shown = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    few = shown.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    pyplot.close(figure)


def _line(axis, curve: Curve, colour: str, width: float, label: str) -> None:
    shown = np.where(curve.voiced, curve.f0_hz, np.nan)
    axis.plot(np.arange(len(shown)) * FRAME_S, shown, color=colour, lw=width, label=label)


def _spectrogram(audio: np.ndarray) -> np.ndarray:
    """Decibels (frames, bins)."""
    padded = np.pad(audio.astype(np.float64), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW))) ** 2
    return 10 * np.log10(np.maximum(power, 1e-10))
