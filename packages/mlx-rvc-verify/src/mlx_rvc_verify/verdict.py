"""From two arrays to a verdict: correlation, largest error, and the bar that a stage must pass.

Both sides compute in float32, so that only the order of sums differs. Such rounding is about 1e-7
of a value, and grows with the depth of a network to about 1e-5 of the level. A wrong tensor, axis,
padding or constant shows at 1e-2 and above. The bars lie between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

PASS, FAIL, NOT_COMPARED = "pass", "FAIL", "not compared"

CORRELATION = 0.99999
"""Of every stage: an error of 0.4 % of the level, spread evenly, takes it below."""


@dataclass(frozen=True)
class Bar:
    """What a stage must keep: `error` is the largest allowed, in parts of `unit`; `why` in words.

    unit: "level" (the standard deviation of PyTorch's result), or "1", a fixed scale.
    """

    error: float
    why: str
    unit: str = "level"


BARS = {
    "content": Bar(1e-3, "a dozen layers of attention, largest values 30 times the level"),
    "rmvpe": Bar(1e-4, "a probability of 0 to 1: F0 moves less than 0.1 cent", unit="1"),
    "rmvpe-f0": Bar(1.0, "one cent, a twentieth of a bin; voicing must agree", unit="1"),
    "enc_p": Bar(1e-3, "six layers of attention; mean and log deviation are normalised sums"),
    "flow": Bar(1e-3, "four couplings, each a sum onto what it changes"),
    "source": Bar(5e-3, "PyTorch adds up the phase in float32, ours does in float64"),
    "dec": Bar(1e-3, "60 dB below the voice: not heard, and 100 times the rounding"),
    "audio": Bar(1e-3, "the stages above, one after another"),
    "index": Bar(1e-4, "squared distances, sums of hundreds of squares; neighbours must agree"),
}
"""Each stage's bar, in the order of the table."""

STAGES = tuple(BARS)


@dataclass(frozen=True)
class Result:
    """One row of the table.

    shape: of PyTorch's result. max_error: the largest difference, in the unit of the values (for
    `rmvpe-f0` in cents); `level` the standard deviation of PyTorch's; `limit` what the bar allows.
    mlx_s, torch_s: seconds of the second of two runs. note: why it failed or was not compared.
    """

    stage: str
    verdict: str
    shape: tuple[int, ...] = ()
    correlation: float | None = None
    max_error: float | None = None
    level: float | None = None
    limit: float | None = None
    mlx_s: float | None = None
    torch_s: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def not_compared(stage: str, why: str) -> Result:
    """The row of a stage that could not be compared."""
    return Result(stage, NOT_COMPARED, note=why)


def judge(
    stage: str,
    ours: np.ndarray,
    theirs: np.ndarray,
    *,
    seconds: tuple[float, float] | None = None,
    error: float | None = None,
    faults: Sequence[str] = (),
) -> Result:
    """Compare a stage's two results, arrays of one shape, and hold them against its bar.

    seconds: of MLX and of PyTorch. error: the largest error where it is not the difference of the
    values (cents). faults: what is wrong besides, each a reason to fail.
    """
    bar = BARS[stage]
    mlx_s, torch_s = seconds or (None, None)
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    shape = tuple(theirs.shape)
    if ours.shape != theirs.shape:
        note = f"MLX gives shape {tuple(ours.shape)}, PyTorch {shape}"
        return Result(stage, FAIL, shape, mlx_s=mlx_s, torch_s=torch_s, note=note)
    wrong = [*faults]
    for side, values in (("MLX", ours), ("PyTorch", theirs)):
        if not np.isfinite(values).all():
            wrong.append(f"{side} gives values that are not finite")
    if len(wrong) > len(faults):  # there are no figures of such values
        return Result(stage, FAIL, shape, mlx_s=mlx_s, torch_s=torch_s, note="; ".join(wrong))
    level = float(theirs.std())
    limit = bar.error * (level if bar.unit == "level" else 1.0)
    largest = float(np.abs(ours - theirs).max(initial=0.0)) if error is None else error
    correlation = _correlation(ours.ravel(), theirs.ravel())
    if level == 0:
        wrong.append("PyTorch gives one value everywhere, in which no error would show")
    elif correlation is None or correlation < CORRELATION:
        wrong.append(f"correlation below {CORRELATION}")
    if largest > limit:
        wrong.append(f"max error above {limit:.2g}")
    return Result(
        stage,
        FAIL if wrong else PASS,
        shape,
        correlation,
        largest,
        level,
        limit,
        mlx_s,
        torch_s,
        "; ".join(wrong),
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's, None where one side does not vary."""
    if not (a.size and np.ptp(a) and np.ptp(b)):
        return None
    return float(np.corrcoef(a, b)[0, 1])
