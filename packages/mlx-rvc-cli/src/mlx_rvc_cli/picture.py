"""Pictures of sound: waveform, spectrogram and F0 in one PNG, columns side by side.

draw("pair.png", [[Waveform(x, 16000, "input"), Spectrogram(x, 16000, f0_hz=f0)],
                  [Waveform(y, 40000, "output"), Spectrogram(y, 40000, f0_hz=g)]])
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlx_rvc_cli.errors import CommandError, printable
from mlx_rvc_cli.files import atomic_path, check_folder

if TYPE_CHECKING:
    import numpy as np

_WAVE = "#2a6f97"
_PITCH = "#d1495b"
_OVERLAY = "#38d9f5"
_FLOOR = 80.0  # dB below the loudest point
_COLUMNS = 1600  # time steps of a spectrogram, about what a PNG of this size can show
_ROWS = 512  # frequency steps


@dataclass(frozen=True)
class Waveform:
    """Samples (n,) or (n, channels), drawn as the range of values per pixel."""

    audio: np.ndarray
    sample_rate: int
    title: str = "waveform"


@dataclass(frozen=True)
class Spectrogram:
    """Level in dB over time and frequency; `f0_hz` (frames,) at `f0_rate`/s is drawn on top."""

    audio: np.ndarray
    sample_rate: int
    title: str = "spectrogram"
    scale: Literal["log", "linear"] = "log"
    f0_hz: np.ndarray | None = None
    f0_rate: float = 100.0
    max_hz: float | None = None  # None = half the sample rate


@dataclass(frozen=True)
class F0:
    """Fundamental frequency (frames,) in Hz, 0 = unvoiced (a gap).

    `expected_hz` (frames,) is a second curve to compare with, drawn thin behind the first.
    """

    f0_hz: np.ndarray
    rate: float = 100.0  # frames per second
    title: str = "F0"
    expected_hz: np.ndarray | None = None


Panel = Waveform | Spectrogram | F0


def draw(
    path: str | os.PathLike[str],
    panels: Sequence[Panel] | Sequence[Sequence[Panel]],
    *,
    title: str | None = None,
) -> None:
    """Write a PNG, atomically: one column of panels, or several columns side by side.

    Panels in one row share their axis of values, and all panels of a column their time axis, so
    that an input and an output can be compared. Raises CommandError for another extension than
    .png, a missing folder, and when there is nothing to draw.
    """
    path = Path(path)
    check_picture(path)
    columns = [[p] if isinstance(p, Panel) else list(p) for p in panels]
    if panels and isinstance(panels[0], Panel):
        columns = [[panel for column in columns for panel in column]]
    if not columns or not all(columns):
        raise CommandError(f"{path}: there is nothing to draw")
    figure = _figure(columns, title)
    with warnings.catch_warnings(), atomic_path(path) as temporary:
        # A title in a script that the font lacks shows boxes; that is no reason to warn.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(temporary, dpi=120, format="png")


def check_picture(path: str | os.PathLike[str]) -> None:
    """Raise CommandError when no picture can be made at `path`: not .png, or no such folder."""
    if Path(path).suffix.lower() != ".png":
        raise CommandError(f"{path}: pictures are written as .png")
    check_folder(path)


def _figure(columns: list[list[Panel]], title: str | None) -> Any:
    # Figure alone, without pyplot: no window system, no state between calls.
    from matplotlib.figure import Figure

    rows = max(len(column) for column in columns)
    heights = [
        max(
            1.0 if isinstance(column[row], Waveform) else 1.8
            for column in columns
            if row < len(column)
        )
        for row in range(rows)
    ]
    figure = Figure(
        figsize=(max(9.0, 6.5 * len(columns)), 0.9 + 1.7 * sum(heights)), layout="constrained"
    )
    grid = figure.add_gridspec(rows, len(columns), height_ratios=heights)
    if title:
        figure.suptitle(_literal(title), fontsize=13)
    first_in_row: dict[tuple[int, type], Any] = {}
    for x, column in enumerate(columns):
        seconds = max(_seconds(panel) for panel in column)
        for y, panel in enumerate(column):
            share = (
                first_in_row.get((y, type(panel))) if not isinstance(panel, Spectrogram) else None
            )
            axes = figure.add_subplot(grid[y, x], sharey=share)
            first_in_row.setdefault((y, type(panel)), axes)
            _draw_panel(axes, panel)
            axes.set_xlim(0, max(seconds, 1e-3))
            axes.set_title(_literal(panel.title), fontsize=10, loc="left")
            axes.tick_params(labelsize=8, labelbottom=y == len(column) - 1)
            if y == len(column) - 1:
                axes.set_xlabel("time (s)", fontsize=9)
    return figure


def _literal(text: str) -> str:
    return printable(text).replace("$", r"\$")  # file names are not formulas


def _seconds(panel: Panel) -> float:
    if isinstance(panel, F0):
        return len(panel.f0_hz) / panel.rate
    return len(panel.audio) / panel.sample_rate


def _draw_panel(axes: Any, panel: Panel) -> None:
    if isinstance(panel, Waveform):
        _draw_waveform(axes, panel)
    elif isinstance(panel, Spectrogram):
        _draw_spectrogram(axes, panel)
    else:
        _draw_f0(axes, panel)


def _mono(audio: np.ndarray) -> np.ndarray:
    import numpy as np

    audio = np.asarray(audio, np.float32)
    return audio if audio.ndim == 1 else audio.mean(axis=1)


def _draw_waveform(axes: Any, panel: Waveform) -> None:
    import numpy as np

    audio = _mono(panel.audio)
    step = max(1, len(audio) // 2000)
    if step > 1:
        whole = audio[: len(audio) // step * step].reshape(-1, step)
        times = (np.arange(len(whole)) + 0.5) * step / panel.sample_rate
        axes.fill_between(times, whole.min(axis=1), whole.max(axis=1), color=_WAVE, linewidth=0.3)
    else:
        axes.plot(np.arange(len(audio)) / panel.sample_rate, audio, color=_WAVE, linewidth=0.8)
    top = max(1.0, float(np.abs(audio).max(initial=0.0))) * 1.05
    axes.set_ylim(min(-top, axes.get_ylim()[0]), max(top, axes.get_ylim()[1]))
    axes.axhline(0, color="0.6", linewidth=0.4)
    axes.set_ylabel("amplitude", fontsize=9)


def _draw_spectrogram(axes: Any, panel: Spectrogram) -> None:
    import numpy as np

    level, times, bins_hz = _levels(_mono(panel.audio), panel.sample_rate)
    top = min(panel.max_hz or panel.sample_rate / 2, panel.sample_rate / 2)
    if panel.scale == "log":
        rows_hz = np.geomspace(min(50.0, top / 2), top, _ROWS)
        unit, unit_name = 1.0, "Hz"
    else:
        rows_hz = np.linspace(0.0, top, _ROWS)
        unit, unit_name = 1000.0, "kHz"
    picture = _at_rows(level, bins_hz, rows_hz)
    loudest = float(picture.max(initial=-120.0))
    mesh = axes.pcolormesh(
        times,
        rows_hz / unit,
        picture,
        shading="nearest",
        cmap="magma",
        vmin=loudest - _FLOOR,
        vmax=loudest,
        rasterized=True,
    )
    if panel.scale == "log":
        axes.set_yscale("log")
        ticks = [hz for hz in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if hz <= top]
        axes.set_yticks(ticks, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in ticks])
        axes.minorticks_off()
    axes.set_ylim(rows_hz[0] / unit, top / unit)
    axes.set_ylabel(f"frequency ({unit_name})", fontsize=9)
    if panel.f0_hz is not None:
        axes.plot(*_voiced(panel.f0_hz, panel.f0_rate, unit), color=_OVERLAY, linewidth=1.1)
    axes.figure.colorbar(mesh, ax=axes, pad=0.01, aspect=30).set_label("dB", fontsize=8)


def _levels(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return level in dB (bins, frames), frame centres in s, and bin frequencies in Hz."""
    import numpy as np

    size = 1 << max(8, round(np.log2(0.046 * sample_rate)))  # about 46 ms
    hop = max(size // 8, -(-len(audio) // _COLUMNS))
    padded = np.pad(audio, (size // 2, size // 2 + hop))
    starts = np.arange(0, len(audio) + 1, hop)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    scale = 2 / window.sum()  # a full-scale sine reads 0 dB
    level = np.empty((size // 2 + 1, len(starts)), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)
    for i in range(0, len(starts), 256):
        spectrum = np.abs(np.fft.rfft(frames[starts[i : i + 256]] * window, axis=1)) * scale
        level[:, i : i + 256] = 20 * np.log10(np.maximum(spectrum, 1e-6)).T
    return level, starts / sample_rate, np.fft.rfftfreq(size, 1 / sample_rate)


def _at_rows(level: np.ndarray, bins_hz: np.ndarray, rows_hz: np.ndarray) -> np.ndarray:
    """Take rows at `rows_hz`: between bins linear, and the loudest where many bins meet."""
    import numpy as np

    place = np.interp(rows_hz, bins_hz, np.arange(len(bins_hz)))
    low = np.minimum(place.astype(int), len(bins_hz) - 2)
    share = (place - low)[:, None].astype(np.float32)
    out = level[low] * (1 - share) + level[low + 1] * share
    edges = np.append(np.floor(place).astype(int), len(bins_hz) - 1)
    for row in range(len(rows_hz)):
        if edges[row + 1] - edges[row] > 1:
            out[row] = level[edges[row] : edges[row + 1]].max(axis=0)
    return out


def _draw_f0(axes: Any, panel: F0) -> None:
    import numpy as np

    times, hz = _voiced(panel.f0_hz, panel.rate, 1.0)
    axes.plot(times, hz, color=_PITCH, linewidth=1.3, label="measured")
    if panel.expected_hz is not None:
        times, expected = _voiced(panel.expected_hz, panel.rate, 1.0)
        axes.plot(times, expected, color="0.45", linewidth=0.8, label="expected", zorder=1)
        axes.legend(fontsize=8, loc="upper right", ncols=2)
        hz = np.concatenate([hz, expected])
    if np.isfinite(hz).any():
        axes.set_yscale("log")
        low, high = np.nanmin(hz) / 1.15, np.nanmax(hz) * 1.15
        if axes.get_shared_y_axes().get_siblings(axes)[1:]:
            old = axes.get_ylim()
            low, high = min(low, old[0]), max(high, old[1])
        axes.set_ylim(low, high)
        ticks = [
            t for t in (30, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1100) if low <= t <= high
        ]
        axes.set_yticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
    axes.grid(True, color="0.85", linewidth=0.5)
    axes.set_ylabel("F0 (Hz)", fontsize=9)


def _voiced(f0_hz: np.ndarray, rate: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    f0 = np.asarray(f0_hz, np.float64).reshape(-1)
    return np.arange(len(f0)) / rate, np.where(f0 > 0, f0 / unit, np.nan)
