"""What the runs of a row come to: medians, spreads, ratios, GFLOP/s."""

import statistics
from dataclasses import dataclass

WIDE = 0.15  # a spread, of either side, beyond which a row is marked


@dataclass(frozen=True)
class Spread:
    """Median, least and most of a few numbers, and how many there were."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Of at least one number."""
        return cls(statistics.median(values), min(values), max(values), len(values))

    @property
    def width(self) -> float:
        """Distance of the extremes, as a share of the median."""
        return (self.high - self.low) / self.median


@dataclass(frozen=True)
class Summary:
    """One row, summed up. Rates in GFLOP/s, times in seconds."""

    seconds: float
    ours: Spread
    other: Spread
    ratio: Spread
    ours_gflops: float
    other_gflops: float

    @classmethod
    def of(cls, row: dict) -> "Summary":
        """Of a row of result.json; the ratio is the median of the pairs that ran side by side."""
        ours, other = row["times"]["ours"], row["times"]["other"]
        ratios = [b / a for a, b in zip(ours, other, strict=True)]
        mine, theirs = Spread.of(ours), Spread.of(other)
        operations = 2 * row["macs"] / 1e9
        return cls(
            row["seconds"],
            mine,
            theirs,
            Spread.of(ratios),
            operations / mine.median,
            operations / theirs.median,
        )

    @property
    def real_time_factor(self) -> float:
        """Our seconds for a second of audio."""
        return self.ours.median / self.seconds

    @property
    def wide(self) -> bool:
        """Whether the times of either side lie far apart."""
        return max(self.ours.width, self.other.width) > WIDE


def gemm_peak(data: dict) -> float:
    """The machine's GEMM peak, GFLOP/s: the best that either library reached, start or end."""
    return max((max(row["gflops"].values()) for row in data["gemm"]), default=float("nan"))
