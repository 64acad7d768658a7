"""pitch.png: raw pitch and overall accuracy by condition, raw pitch by true F0, ours only."""

from __future__ import annotations

from pathlib import Path

from .conditions import CONDITIONS
from .groups import range_name
from .signals import RANGES_HZ


def draw(record: dict, path: Path) -> None:
    """Three tables in colour; the originals are within 0.2 points of ours and are left out."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = {
        name: each["scores"]
        for name, each in record["methods"].items()
        if each["scores"] and "(original" not in name
    }
    if not rows:  # originals alone
        rows = {name: each["scores"] for name, each in record["methods"].items() if each["scores"]}
    there = next(iter(rows.values()))
    conditions = [name for name in CONDITIONS if name in there]
    ranges = [name for name in (range_name(*each) for each in RANGES_HZ) if name in there]
    panels = (
        ("raw pitch accuracy, %", "pitch", conditions),
        ("overall accuracy, %", "overall", conditions),
        ("raw pitch by true F0, clean, %", "pitch", ranges),
    )
    with plt.rc_context({"font.size": 8, "axes.titlesize": 9, "axes.titlelocation": "left"}):
        figure, axes = plt.subplots(
            1, len(panels), figsize=(13, 1.6 + 0.32 * len(rows)), layout="constrained", sharey=True,
            width_ratios=[len(panel[2]) + 3 for panel in panels],
        )  # fmt: skip
        for axis, (title, measure, groups) in zip(axes, panels, strict=True):
            _panel(
                axis, title, groups, [[row[g][measure] for g in groups] for row in rows.values()]
            )
        axes[0].set_yticks(range(len(rows)), list(rows))
        figure.savefig(path, dpi=130)
        plt.close(figure)


def _panel(axis, title: str, groups: list[str], values: list[list[float]]) -> None:
    axis.imshow(values, vmin=30, vmax=100, cmap="viridis", aspect="auto")
    axis.set_title(title)
    axis.set_xticks(range(len(groups)), groups, rotation=45, ha="right")
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            colour = "black" if value > 75 else "white"
            axis.text(x, y, f"{value:.0f}", ha="center", va="center", color=colour)
