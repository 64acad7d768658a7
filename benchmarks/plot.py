"""plot.png: time against length for each stage, both axes logarithmic."""

from pathlib import Path

from stages import STAGES, macs
from summary import Summary, gemm_peak

OURS, OTHER, GREY = "#0b6e4f", "#d1495b", "#8a8f98"
PANELS = ("contentvec", "rmvpe", "index", "synthesizer", "chain")
MARKS = {None: ("o", "-"), "48k": ("o", "-"), "40k": ("s", "--")}


def draw(data: dict, path: Path) -> None:
    """Write the plot of every stage that was timed, and of peak memory."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    style = {
        "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
        "axes.edgecolor": GREY, "axes.titlesize": 10, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": 8,
    }  # fmt: skip
    with plt.rc_context(style):
        figure, axes = plt.subplots(2, 3, figsize=(11, 6.6), layout="constrained")
        for axis, name in zip(axes.flat, PANELS, strict=False):
            _stage(axis, data, name)
        _memory(axes.flat[-1], data)
        _legend(figure, data)
        figure.savefig(path, dpi=150)
        plt.close(figure)


def _lengths(axis, lengths: list[float]) -> None:
    """A logarithmic axis with a tick for each length and none between."""
    from matplotlib.ticker import NullFormatter, NullLocator

    axis.set_xscale("log")
    axis.set_xticks(lengths, [f"{length:g}" for length in lengths])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(min(lengths) / 1.4, max(lengths) * 1.4)
    axis.set_xlabel("audio (s)")
    axis.grid(True, which="major", color="#e6e8eb", linewidth=0.7)
    axis.set_axisbelow(True)


def _stage(axis, data: dict, name: str) -> None:
    stage = STAGES[name]
    rows = [row for row in data["rows"] if row["against"] == "pytorch" and row["stage"] == name]
    axis.set_title(stage.title)
    if not rows:
        axis.text(0.5, 0.5, "not timed", ha="center", transform=axis.transAxes, color=GREY)
        axis.set_axis_off()
        return
    lengths = sorted({row["seconds"] for row in rows})
    _lengths(axis, lengths)
    axis.set_yscale("log")
    axis.set_ylabel("seconds")
    for rate in sorted({row["rate"] for row in rows}, key=str, reverse=True):
        mine = sorted((r for r in rows if r["rate"] == rate), key=lambda r: r["seconds"])
        found = [Summary.of(row) for row in mine]
        places = [row["seconds"] for row in mine]
        marker, line = MARKS[rate]
        for color, spreads in ((OTHER, [f.other for f in found]), (OURS, [f.ours for f in found])):
            middle = [s.median for s in spreads]
            reach = [
                [s.median - s.low for s in spreads],
                [s.high - s.median for s in spreads],
            ]
            axis.errorbar(
                places, middle, yerr=reach, color=color, marker=marker, markersize=4.5,
                linestyle=line, linewidth=1.5, capsize=2.5, elinewidth=1,
            )  # fmt: skip
        if rate in (None, data["rates"][0]):
            _limit(axis, data, stage, rate, lengths)
    bottom, top = axis.get_ylim()
    axis.set_ylim(bottom, top * (top / bottom) ** 0.2)  # room for the ratios
    axis.yaxis.set_major_formatter("{x:g}")
    _ratios(axis, rows, lengths)


def _limit(axis, data: dict, stage, rate: str | None, lengths: list[float]) -> None:
    """What the stage would take if it were nothing but products at the GEMM peak."""
    first, last = min(lengths) / 1.3, max(lengths) * 1.3
    places = [first * (last / first) ** (i / 24) for i in range(25)]
    times = [2 * macs(stage, rate, seconds) / 1e9 / gemm_peak(data) for seconds in places]
    axis.plot(places, times, color=GREY, linewidth=1.2, linestyle=":")


def _ratios(axis, rows: list[dict], lengths: list[float]) -> None:
    """The ratio of each length above its place, a line for each rate."""
    place = axis.get_xaxis_transform()
    for seconds in lengths:
        there = [row for row in rows if row["seconds"] == seconds]
        there.sort(key=lambda row: str(row["rate"]), reverse=True)
        lines = [f"{Summary.of(row).ratio.median:.2f}×" for row in there]
        axis.text(
            seconds, 0.98, "\n".join(lines), transform=place, ha="center", va="top",
            color=OURS, fontsize=8, linespacing=1.3,
        )  # fmt: skip


def _memory(axis, data: dict) -> None:
    axis.set_title("peak memory, whole chain")
    if not data["memory"]:
        axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes, color=GREY)
        axis.set_axis_off()
        return
    _lengths(axis, sorted({row["seconds"] for row in data["memory"]}))
    axis.set_ylabel("GB")
    for rate in sorted({row["rate"] for row in data["memory"]}, reverse=True):
        marker, line = MARKS[rate]
        for side, color in (("pytorch", OTHER), ("ours", OURS)):
            rows = [r for r in data["memory"] if r["rate"] == rate and r["side"] == side]
            rows.sort(key=lambda r: r["seconds"])
            axis.plot(
                [r["seconds"] for r in rows], [r["peak_mb"] / 1000 for r in rows], color=color,
                marker=marker, markersize=4.5, linestyle=line, linewidth=1.5,
            )  # fmt: skip
    axis.set_ylim(bottom=0)


def _legend(figure, data: dict) -> None:
    from matplotlib.lines import Line2D

    m = data["machine"]
    marks = [
        Line2D([], [], color=OURS, marker="o", markersize=4.5, label="ours"),
        Line2D([], [], color=OTHER, marker="o", markersize=4.5, label="PyTorch"),
        Line2D(
            [], [], color=GREY, linestyle=":",
            label=f"limit: all products at the GEMM peak, {gemm_peak(data):.0f} GFLOP/s",
        ),
    ]  # fmt: skip
    if len(data["rates"]) > 1:
        for rate in data["rates"]:
            marker, line = MARKS[rate]
            marks.append(
                Line2D([], [], color="#444", marker=marker, linestyle=line, markersize=4.5,
                       label=f"{rate} voice")
            )  # fmt: skip
    below = f", {' above '.join(data['rates'])}" if len(data["rates"]) > 1 else ""
    figure.suptitle(
        f"{m['processor']}, {data['threads']} threads, float32, median and range; "
        f"n× = PyTorch's time over ours{below}",
        x=0.01, ha="left", fontsize=9, color="#444",
    )  # fmt: skip
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
