"""table.md and plot.png of a run, from its result.json."""

import shutil
import statistics
from pathlib import Path

import record
from stages import STAGES, macs
from summary import Spread, Summary, gemm_peak

BEGIN, END = "<!-- result -->", "<!-- /result -->"


def write(folder: Path) -> None:
    """Write both files beside result.json; a record without rows gives the table only."""
    data = record.read(folder)
    (folder / "table.md").write_text(markdown(data))
    if any(row["against"] == "pytorch" for row in data["rows"]):
        from plot import draw

        draw(data, folder / "plot.png")


def fill_in(folder: Path, readme: Path) -> None:
    """Put the tables between the marks of a Markdown file, plot and record beside it."""
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{readme} has no place for the result; expected {BEGIN} and {END} once")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    picture = ""
    if (folder / "plot.png").exists():
        shutil.copyfile(folder / "plot.png", readme.with_name("plot.png"))
        picture = "![Time against length of audio, ours and PyTorch's](plot.png)\n\n"
    shutil.copyfile(folder / "result.json", readme.with_name("result.json"))
    tables = (folder / "table.md").read_text()
    readme.write_text(f"{before}{BEGIN}\n{picture}{tables}{END}{after}")


def markdown(data: dict) -> str:
    """Every table of a run, one after another."""
    parts = [
        _about(data),
        _against_pytorch(data),
        _memory(data),
        _scale(data),
        _native(data),
        _gemm(data),
        _startup(data),
        _arithmetic(data),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _about(data: dict) -> str:
    m, blas = data["machine"], data["machine"]["blas"]
    versions = ", ".join(f"{name} {found}" for name, found in m["versions"].items())
    settings = "".join(f", {name}={value}" for name, value in m["environment"].items())
    state = f"finished {data['finished']}" if "finished" in data else "NOT FINISHED"
    return (
        f"{m['processor']} ({m['architecture']}), {m['cores']} cores, {m['memory_gb']} GB, "
        f"{m['system']}; MLX on the {m['device']}, {data['threads']} threads on both sides; "
        f"Python {m['python']}, {versions}; NumPy's BLAS {blas.get('internal_api')} "
        f"{blas.get('version')} ({blas.get('architecture')}){settings}. Commit {m['commit']}, "
        f"started {data['started']}, {state}."
    )


def _seconds(spread: Spread) -> str:
    def number(value: float) -> str:
        return f"{value:.3f}" if spread.median < 0.1 else f"{value:.2f}"

    if spread.runs == 1:  # one run has no range
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)}-{number(spread.high)})"


def _ratio(spread: Spread) -> str:
    digits = 0 if spread.median >= 20 else 2
    median = f"**{spread.median:.{digits}f}**"
    if spread.runs == 1:
        return median
    return f"{median} ({spread.low:.{digits}f}-{spread.high:.{digits}f})"


def _title(row: dict) -> str:
    title = STAGES[row["stage"]].title
    return f"{title}, {row['rate']}" if row["rate"] else title


def _rows(data: dict, against: str) -> list[dict]:
    order = list(STAGES)
    rows = [row for row in data["rows"] if row["against"] == against]
    return sorted(rows, key=lambda r: (order.index(r["stage"]), r["rate"] != "48k", r["seconds"]))


def _load(row: dict) -> str:
    load = row["load"]
    average = "" if load["after"] is None else f"{load['before']:.1f} → {load['after']:.1f}"
    return average if load["steal"] is None else f"{average}, {load['steal']:.1%}"


def _against_pytorch(data: dict) -> str:
    peak = gemm_peak(data)
    header = [
        "stage", "audio (s)", "ours (s)", "PyTorch (s)", "ratio", "ours, s per s of audio",
        "GFLOP/s, ours / PyTorch", "share of GEMM peak", "difference", "runs", "load, steal",
    ]  # fmt: skip
    lines, wide = [], False
    for row in _rows(data, "pytorch"):
        found = Summary.of(row)
        wide |= found.wide
        lines.append([
            _title(row) + (" ‡" if found.wide else ""),
            f"{row['seconds']:g}",
            _seconds(found.ours),
            _seconds(found.other),
            _ratio(found.ratio),
            f"{found.real_time_factor:.3g}",
            f"{found.ours_gflops:.0f} / {found.other_gflops:.0f}",
            f"{found.ours_gflops / peak:.0%}",
            f"{row['difference']:.0e}",
            str(row["repeats"]),
            _load(row),
        ])  # fmt: skip
    if not lines:
        return ""
    note = "‡ The times of one side lie more than 15 % apart.\n" if wide else ""
    return f"### Against PyTorch\n\n{_table(header, lines)}\n\n{note}".rstrip()


def _memory(data: dict) -> str:
    peaks = {(r["rate"], r["seconds"], r["side"]): r for r in data["memory"]}
    lines = []
    for rate, seconds in sorted({key[:2] for key in peaks}, key=lambda k: (k[0] != "48k", k[1])):
        ours, theirs = (peaks.get((rate, seconds, side)) for side in ("ours", "pytorch"))
        if ours and theirs:
            cells = [f"{side['loaded_mb']:.0f} → {side['peak_mb']:.0f}" for side in (ours, theirs)]
            share = f"{ours['peak_mb'] / theirs['peak_mb']:.2f}"
            lines.append([rate, f"{seconds:g}", *cells, share])
    if not lines:
        return ""
    header = ["voice", "audio (s)", "ours (MB)", "PyTorch (MB)", "ours / PyTorch"]
    return (
        "### Peak memory of the process, whole chain\n\n"
        f"{_table(header, lines)}\n\nAfter loading → at most."
    )


def _scale(data: dict) -> str:
    lengths = sorted({run["seconds"] for run in data["scale"]})
    if len(lengths) != 2:
        return ""
    names = list(data["scale"][0]["stages"])

    def factor(name: str, seconds: float) -> float:
        runs = [run["stages"][name] for run in data["scale"] if run["seconds"] == seconds]
        return statistics.median(runs) / seconds

    lines = []
    for name in [*names[1:], names[0]]:
        short, long = (factor(name, seconds) for seconds in lengths)
        change = f"{long / short - 1:+.1%}" if short else ""
        lines.append([name, f"{short:.4f}", f"{long:.4f}", change])
    header = ["stage", *(f"at {seconds:g} s" for seconds in lengths), "difference"]
    runs = sum(run["seconds"] == lengths[0] for run in data["scale"])
    return (
        "### Does it scale: seconds for a second of audio, ours\n\n"
        f"{_table(header, lines)}\n\nMedian of {runs}, {data['scale'][0]['rate']}, file to file."
    )


def _native(data: dict) -> str:
    lines = []
    for row in _rows(data, "mlx"):
        found = Summary.of(row)
        cells = [_seconds(found.ours), _seconds(found.other), _ratio(found.ratio)]
        lines.append([_title(row), f"{row['seconds']:g}", *cells, str(row["repeats"])])
    if not lines:
        return ""
    header = ["stage", "audio (s)", "ours (s)", "MLX's native ops (s)", "ratio", "runs"]
    return f"### Against MLX's native operations\n\n{_table(header, lines)}"


def _gemm(data: dict) -> str:
    if not data["gemm"]:
        return ""
    names = list(data["gemm"][0]["gflops"])
    titles = [name.replace("numpy", "NumPy").replace("_", ", ") for name in names]
    titles = [f"{t} thread{'s' * (t[-1] != '1')}" if t[-1].isdigit() else t for t in titles]
    lines = [
        [row["when"], *(f"{row['gflops'][name]:.0f}" for name in names), _load(row)]
        for row in data["gemm"]
    ]
    return "### GEMM of the machine, GFLOP/s (float32, 2048³, best of 8)\n\n" + _table(
        ["when", *titles, "load, steal"], lines
    )


def _startup(data: dict) -> str:
    if "startup" not in data:
        return ""
    lines = [[f"`{name}`", _seconds(Spread.of(runs))] for name, runs in data["startup"].items()]
    return f"### Start-up\n\n{_table(['command', 'seconds'], lines)}"


def _arithmetic(data: dict) -> str:
    lines = []
    for stage in STAGES.values():
        for rate in data["rates"] if stage.by_rate else [None]:
            title = f"{stage.title}, {rate}" if rate else stage.title
            cells = [f"{macs(stage, rate, seconds) / seconds / 1e9:.2f}" for seconds in (10, 300)]
            lines.append([title, *cells])
    header = ["stage", "in 10 s", "in 300 s"]
    return f"### Arithmetic: GMAC for a second of audio\n\n{_table(header, lines)}"
