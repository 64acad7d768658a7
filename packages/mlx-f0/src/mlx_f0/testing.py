"""Does a method keep the contract of `F0Method`? For the tests of those who write one.

from mlx_f0.testing import check_method

def test_it_keeps_the_contract():
    check_method(MyMethod.from_pretrained())
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .grid import SAMPLE_RATE, frame_count
from .methods import F0Method

LONGEST_LAG = 0.004
"""Seconds that a curve may lie early or late; a curve off by half a frame fails."""

_SLACK = 1.25  # a refinement may leave the range that was searched by a little
_GLIDE = 200.0  # Hz in a second


def check_method(method: F0Method, *, trained: bool = True) -> None:
    """Check the grid, the types, the errors, and that F0 is right and at its time.

    Args:
        method: loaded.
        trained: False for random weights: then what needs real pitch is left out.

    Raises:
        AssertionError: what the method does, and what is expected of it.
    """
    _require(
        isinstance(method, F0Method),
        f"{type(method).__name__} lacks infer_from_audio, infer_from_reader or warmup",
    )
    method.warmup()
    _check_grid(method)
    _check_reader(method)
    _check_batch(method)
    _check_rates(method)
    _check_errors(method)
    if trained:
        _check_range(method)
        _check_pitch(method)
        _check_time(method)


def voice(f0_hz: np.ndarray) -> np.ndarray:
    """A voice-like sound, float32 (n,) at 16 kHz, of F0 in Hz (n,), 0 = silence."""
    phase = 2 * np.pi * np.cumsum(f0_hz, dtype=np.float64) / SAMPLE_RATE
    sound = np.zeros(len(f0_hz))
    for harmonic in range(1, 11):
        sound += np.sin(harmonic * phase) / harmonic * (harmonic * np.asarray(f0_hz) < 7000)
    return np.where(np.asarray(f0_hz) > 0, 0.2 * sound, 0).astype(np.float32)


def _require(kept: object, message: str) -> None:
    if not kept:  # not `assert`: the checks must not depend on how Python was started
        raise AssertionError(message)


def _noise(*shape: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def _check_grid(method: F0Method) -> None:
    for samples in (1, 159, 160, 161, 8000, 16001):
        f0 = method.infer_from_audio(_noise(samples))
        expected = (frame_count(samples),)
        _require(
            isinstance(f0, np.ndarray) and f0.dtype == np.float32 and f0.shape == expected,
            f"{samples} samples gave {getattr(f0, 'dtype', type(f0))} of shape {np.shape(f0)}; "
            f"expected float32 {expected}",
        )
        _require(
            np.isfinite(f0).all() and (f0 >= 0).all(), "F0 must be finite, 0 or above, everywhere"
        )


def _check_reader(method: F0Method) -> None:
    audio = voice(np.full(16000, 220.0)) + 0.1 * _noise(16000)
    asked: list[tuple[int, int]] = []
    told: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> np.ndarray:
        asked.append((start, stop))
        return audio[start:stop]

    found = method.infer_from_reader(
        read, len(audio), progress=lambda done, total: told.append((done, total))
    )
    _require(
        np.array_equal(found, method.infer_from_audio(audio)),
        "a reader gave another curve than the array that it reads",
    )
    _require(
        asked and all(0 <= start < stop <= len(audio) for start, stop in asked),
        f"the reader was asked for {asked}; expected 0 <= start < stop <= {len(audio)}",
    )
    _require(
        told == sorted(told) and told and told[-1][0] == told[-1][1],
        f"progress told {told[:3]} ... {told[-3:]}; expected to rise to (total, total)",
    )


def _check_batch(method: F0Method) -> None:
    batch = np.stack([voice(np.full(8000, 150.0)), voice(np.full(8000, 300.0))])
    found = method.infer_from_audio(batch)
    singles = np.stack([method.infer_from_audio(clip) for clip in batch])
    _require(
        found.shape == singles.shape and np.allclose(found, singles, rtol=1e-4, atol=1e-3),
        f"a batch (2, 8000) gave {found.shape}; expected the curves of its clips",
    )


def _check_rates(method: F0Method) -> None:
    for rate in (8000, 44100):
        frames = len(method.infer_from_audio(_noise(rate), rate))
        _require(frames == 101, f"a second at {rate} Hz gave {frames} frames; expected 101")


def _check_errors(method: F0Method) -> None:
    good = _noise(800)
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("integers", lambda: method.infer_from_audio(np.zeros(800, np.int16))),
        ("no samples", lambda: method.infer_from_audio(np.zeros(0, np.float32))),
        ("NaN", lambda: method.infer_from_audio(np.full(800, np.nan, np.float32))),
        ("three axes", lambda: method.infer_from_audio(np.zeros((2, 2, 800), np.float32))),
        ("a rate of 0", lambda: method.infer_from_audio(good, 0)),
        ("f0_min above f0_max", lambda: method.infer_from_audio(good, f0_min=300, f0_max=200)),
        ("a recording of 0 samples", lambda: method.infer_from_reader(lambda a, b: good, 0)),
        ("a reader that gives too few", lambda: method.infer_from_reader(lambda a, b: good, 900)),
    ]
    for what, call in wrong:
        try:
            call()
        except ValueError as error:
            _require(
                str(error) and "\n" not in str(error),
                f"{what}: the error {str(error)!r} is not one line",
            )
        else:
            raise AssertionError(f"{what}: accepted; expected a ValueError")


def _check_range(method: F0Method) -> None:
    sound = np.concatenate([voice(np.full(8000, hz)) for hz in (100.0, 220.0, 500.0)])
    f0 = method.infer_from_audio(sound, f0_min=150.0, f0_max=350.0)
    outside = f0[(f0 > 0) & ((f0 < 150 / _SLACK) | (f0 > 350 * _SLACK))]
    _require(not len(outside), f"F0 of {outside[:5]} Hz, where 150 to 350 Hz was asked for")


def _check_pitch(method: F0Method) -> None:
    silence = np.zeros(8000)
    for hz in (110.0, 220.0, 440.0):
        f0 = method.infer_from_audio(voice(np.concatenate([silence, np.full(16000, hz), silence])))
        inside, outside = f0[60:140], np.concatenate([f0[:40], f0[-40:]])
        _require((inside > 0).mean() > 0.9, f"a tone of {hz:g} Hz was taken for unvoiced")
        cents = 1200 * np.log2(inside[inside > 0] / hz)
        _require(
            np.abs(np.median(cents)) < 20,
            f"a tone of {hz:g} Hz was heard as {np.median(inside[inside > 0]):.1f} Hz",
        )
        _require((outside > 0).mean() < 0.1, "digital silence was taken for voiced")


def _check_time(method: F0Method) -> None:
    """A glide up and the same down: what is late lies below the one and above the other."""
    up = 200 + _GLIDE * np.arange(SAMPLE_RATE) / SAMPLE_RATE
    errors = []
    for path in (up, up[::-1]):
        f0 = method.infer_from_audio(voice(path))[10:-10]
        true = path[: SAMPLE_RATE : SAMPLE_RATE // 100][10:]
        true, f0 = true[: len(f0)], f0[: len(true)]
        _require((f0 > 0).mean() > 0.9, "a glide from 200 to 400 Hz was taken for unvoiced")
        errors.append(float(np.median((f0 - true)[f0 > 0])))
    lag = (errors[1] - errors[0]) / (2 * _GLIDE)
    _require(
        abs(lag) <= LONGEST_LAG,
        f"the curve is {1000 * lag:+.1f} ms late; frame i must be centred on i * 10 ms",
    )
