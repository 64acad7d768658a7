"""Formants: the spectral envelope of a voice stretched along frequency, F0 and timing kept.

    frame -> |X| -> envelope E (true envelope, cepstral) -> X · E(f / ratio) / E(f) -> overlap-add

The gain is real, so the harmonics keep their places and phases: F0 stays exactly. Each frame keeps
its energy, so that loudness stays. Works on blocks: a frame's result depends on nothing else.

Source of the envelope: A. Röbel and X. Rodet, Efficient spectral envelope estimation and its
application to pitch shifting and envelope preservation, DAFx 2005.
"""

import math

import numpy as np

from mlx_rvc.recording import Audio
from mlx_rvc.track import Samples, spans

WINDOW_S = 0.046
"""Length of a frame, at least; over two periods of the lowest voices."""

OVERLAP = 4
PERIODS = 0.7
"""Detail of the envelope in periods of F0, the cepstral order: more would follow the harmonics."""

UNVOICED_HZ = 200.0
"""Stands for F0 where there is none."""

ITERATIONS = 8
"""Rounds in which the envelope rises to the harmonics; more change little."""

LIMIT_DB = 40.0
"""Most that a frequency is raised or lowered, as where one voice has air and the other nothing."""

_FLOOR_DB = 100.0
_BLOCK_FRAMES = 256


def shift_formants(
    audio: Audio, sample_rate: int, semitones: float, f0_hz: np.ndarray | None = None
) -> Audio:
    """Move the formants of audio (samples,) by semitones; upwards is a shorter vocal tract.

    f0_hz: F0 of the audio (frames,), 100 a second, 0 = unvoiced; it says how fine the envelope can
    be. Returns float32 of the audio's kind and length.
    """
    ratio = 2.0 ** (semitones / 12)
    size = 1 << math.ceil(math.log2(WINDOW_S * sample_rate))
    hop = size // OVERLAP
    window = np.hanning(size + 1)[:-1]  # periodic
    result = audio.astype(np.float32)
    for part in spans(len(audio), _BLOCK_FRAMES * hop):
        # The frames that reach into the block, each starting on a multiple of the hop.
        first = part.start - (OVERLAP - 1) * hop
        count = -(-(part.stop - first) // hop)
        samples = _silence_around(audio, first, first + (count - 1) * hop + size)
        frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop] * window
        middles = (first + hop * np.arange(count) + size // 2) / sample_rate
        orders = np.round(PERIODS * sample_rate / _at(f0_hz, middles)).astype(int)
        frames = _moved(frames, ratio, orders) * window
        added = np.zeros(len(samples))
        for number, frame in enumerate(frames):
            added[number * hop : number * hop + size] += frame
        # The squared windows of OVERLAP frames add up to 3/8 of their number.
        inside = added[part.start - first : part.stop - first] / (0.375 * OVERLAP)
        result[part] = inside.astype(np.float32)
    return result


def _at(f0_hz: np.ndarray | None, seconds: np.ndarray) -> np.ndarray:
    """F0 in Hz at moments (count,), of the nearest frame; where there is none, a usual one."""
    if f0_hz is None or not len(f0_hz):
        return np.full(len(seconds), UNVOICED_HZ)
    found = f0_hz[np.clip(np.round(100 * seconds).astype(int), 0, len(f0_hz) - 1)]
    return np.where(found > 0, found, UNVOICED_HZ)


def _moved(frames: np.ndarray, ratio: float, orders: np.ndarray) -> np.ndarray:
    """Windowed frames (count, size) with their envelopes stretched by `ratio`; orders (count,)."""
    spectrum = np.fft.rfft(frames, axis=1)
    power = np.square(np.abs(spectrum))
    envelope = _envelope(power, orders)  # nepers
    bins = np.arange(spectrum.shape[1])
    # Beyond the highest frequency the envelope goes on as it ends.
    places = np.minimum(bins / ratio, bins[-1])
    low = np.minimum(places.astype(int), bins[-1] - 1)
    share = places - low
    wanted = envelope[:, low] * (1 - share) + envelope[:, low + 1] * share
    limit = LIMIT_DB * math.log(10) / 20
    gain = np.exp(np.clip(wanted - envelope, -limit, limit))
    # Parseval over half a spectrum: all bins but the two ends stand for two.
    weight = np.full(len(bins), 2.0)
    weight[[0, -1]] = 1.0
    before, after = power @ weight, (power * gain**2) @ weight
    level = np.sqrt(before / np.where(after > 0, after, 1.0))
    return np.fft.irfft(spectrum * gain * level[:, None], n=frames.shape[1], axis=1)


def _envelope(power: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Log magnitude (count, bins) of the smooth curve over the peaks of power spectra.

    The spectrum is smoothed in the cepstrum, of which orders (count,) coefficients are kept, again
    and again, each time with what lies under the smooth curve raised to it.
    """
    from scipy.fft import dct, idct

    loudest = power.max(axis=1, keepdims=True)
    floor = np.maximum(loudest * 10 ** (-_FLOOR_DB / 10), 1e-30)
    target = 0.5 * np.log(np.maximum(power, floor))
    # A log spectrum is even: its cepstrum is a DCT of type 1 over half of it.
    kept = np.arange(power.shape[1]) <= orders[:, None]
    smooth = target
    for _ in range(ITERATIONS):
        cepstrum = np.asarray(dct(np.maximum(target, smooth), type=1, axis=1))
        # A hard edge: with a softer one each round would smooth the last one's curve again.
        smooth = np.asarray(idct(cepstrum * kept, type=1, axis=1))
    return smooth


def _silence_around(audio: Samples, start: int, stop: int) -> np.ndarray:
    """Samples start to stop, zeros where there are none."""
    inside = audio[max(start, 0) : min(stop, len(audio))]
    before = max(-start, 0)
    return np.pad(inside.astype(np.float64), (before, stop - start - before - len(inside)))
