"""pitch.md and pitch.png of a run, and whether ours are what their originals are."""

from __future__ import annotations

import shutil
from pathlib import Path

from .conditions import CONDITIONS
from .curves import CURVES
from .groups import ALL, range_name
from .methods import ORIGINAL
from .scores import TITLES
from .signals import RANGES_HZ

BEGIN, END = "<!-- result -->", "<!-- /result -->"
ALLOWED_POINTS = 0.2
RANGES = [range_name(*each) for each in RANGES_HZ]
MEASURES = {
    "overall": "Overall accuracy by condition, %",
    "pitch": "Raw pitch accuracy by condition, %",
    "false_alarm": "False alarms by condition, %",
}


def apart(methods: dict[str, dict]) -> dict[str, dict]:
    """For each method with its original beside it, the largest difference of any measure.

    Over every group of the signals with exact truth (of the heavy methods, the sub-sample in all
    and by range: its conditions are one or two signals each).
    """
    found = {}
    for name, mine in methods.items():
        other = methods.get(name + ORIGINAL)
        if other is None:
            continue
        scores = [each["scores"] or _broad(each["sub_sample"]) for each in (mine, other)]
        differences = {
            (group, measure): abs(value - scores[1][group][measure])
            for group, row in scores[0].items()
            for measure, value in row.items()
        }
        where = max(differences, key=differences.__getitem__)
        overall = max(value for (group, _), value in differences.items() if group == ALL)
        found[name] = {
            "points": differences[where],
            "where": f"{TITLES[where[1]]}, {where[0]}",
            "points_in_all": overall,
        }
    return found


def _broad(groups: dict[str, dict]) -> dict[str, dict]:
    return {name: row for name, row in groups.items() if name not in CONDITIONS}


def status(record: dict) -> int:
    """The exit status: 1 where a method is not its original, failed, or nothing was measured."""
    different = any(each["points"] > ALLOWED_POINTS for each in record["apart"].values())
    return int(different or bool(record["failed"]) or not record["methods"])


def verdict(record: dict) -> str:
    """A line for each method that has an original, or that was not measured."""
    lines = []
    for name, each in record["apart"].items():
        equal = "equal" if each["points"] <= ALLOWED_POINTS else "NOT EQUAL"
        lines.append(
            f"{name}: {equal} to its original; at most {each['points']:.2f} points apart "
            f"({each['where']}), {each['points_in_all']:.2f} over all signals"
        )
    lines += [f"{name} was not measured: {why}" for name, why in record["missing"].items()]
    lines += [f"{name} FAILED: {why}" for name, why in record["failed"].items()]
    return "\n".join(lines)


def write(record: dict, folder: Path) -> None:
    """Write pitch.md and, where anything was measured, pitch.png."""
    (folder / "pitch.md").write_text(markdown(record))
    if any(each["scores"] for each in record["methods"].values()):
        from .plot import draw

        draw(record, folder / "pitch.png")


def fill_in(folder: Path, document: Path) -> None:
    """Put the tables between the marks of a Markdown file, plot and record beside it."""
    text = document.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{document} has no place for the result; expected {BEGIN} and {END} once")
    for name in ("pitch.png", "pitch.json"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, document.with_name(name))
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    document.write_text(f"{before}{BEGIN}\n{(folder / 'pitch.md').read_text()}{END}{after}")


def markdown(record: dict) -> str:
    """Every table of a run, one after another."""
    methods = record["methods"]
    mine = {name: each for name, each in methods.items() if "(original" not in name}
    parts = [
        _about(record["about"]),
        "![Accuracy by condition and by F0](pitch.png)",
        "### All signals\n\n" + _measures(methods, "scores"),
        "### The sub-sample that the heavy methods hear\n\n" + _measures(methods, "sub_sample"),
        "### Ours and the originals\n\n" + _equality(record),
        *(
            f"### {title}\n\n{_groups(mine, CONDITIONS, measure)}"
            for measure, title in MEASURES.items()
        ),
        "### Raw pitch accuracy by true F0 and by curve (clean), %\n\n"
        + _groups(mine, [*RANGES, *CURVES], "pitch"),
        "### Real recordings, by what the other trackers agree on\n\n" + _agreement(methods),
        _missing(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _about(about: dict) -> str:
    versions = ", ".join(f"{name} {found}" for name, found in about["versions"].items())
    sample = " A quick sample." if about["quick"] else ""
    return (
        f"{about['date']}, {about['processor']}, {about['cores']} cores, one thread, shared with "
        f"other programs (load average {about['load']} at the start of the last part); "
        f"{about['system']}, Python {about['python']}, MLX on the {about['device']}; {versions}; "
        f"commit {about['commit']}. {about['signals']} signals, {about['seconds']:.0f} s; the "
        f"sub-sample {about['sub_sample_signals']}, {about['sub_sample_seconds']:.0f} s.{sample}"
    )


def _measures(methods: dict[str, dict], key: str) -> str:
    rows = []
    for name, each in methods.items():
        if each[key] is not None:
            row = each[key][ALL]
            rows.append([name, *(f"{row[measure]:.1f}" for measure in TITLES), *_factor(each)])
    return table(["%", *TITLES.values(), "real-time factor (range)", "of the processor"], rows)


def _factor(each: dict) -> list[str]:
    time = each["time"]
    if time is None:
        return ["-", "-"]
    span = f"{time['median']:.3g} ({time['low']:.2g}-{time['high']:.2g})"
    return [span, f"{time['processor']:.2g}"]


def _equality(record: dict) -> str:
    rows = []
    for name, each in record["apart"].items():
        ratio = record["methods"][name]["ratio"]
        speed = "-" if ratio is None else f"{ratio[0]:.2f} ({ratio[1]:.2f}-{ratio[2]:.2f})"
        equal = "yes" if each["points"] <= ALLOWED_POINTS else "**no**"
        rows.append(
            [name, f"{each['points_in_all']:.2f}", f"{each['points']:.2f}", each["where"], equal,
             speed]
        )  # fmt: skip
    return table(
        ["method", "points apart, all signals", "points apart, any group", "where",
         f"within {ALLOWED_POINTS}", "speed: original's processor time / ours (range)"],
        rows,
    )  # fmt: skip


def _groups(methods: dict[str, dict], groups, measure: str) -> str:
    scored = {name: each["scores"] for name, each in methods.items() if each["scores"]}
    there = [group for group in groups if any(group in row for row in scored.values())]
    columns = {group: [row[group][measure] for row in scored.values()] for group in there}
    best = {g: (min if measure == "false_alarm" else max)(v) for g, v in columns.items()}
    rows = []
    for name, row in scored.items():
        values = []
        for group in there:
            text = f"{row[group][measure]:.1f}"
            values.append(f"**{text}**" if text == f"{best[group]:.1f}" else text)
        rows.append([name, *values])
    return table(["%", *there], rows)


def _agreement(methods: dict[str, dict]) -> str:
    names = ("pitch", "octave", "recall", "false_alarm", "overall")
    rows = []
    for name, each in methods.items():
        for kind, row in each["agreement"].items():
            if row is not None:
                values = [f"{row[key]:.1f}" if key in row else "-" for key in (*names, "counted")]
                rows.append([name, kind, *values])
    return table(["%", "clips", *(TITLES[each] for each in names), "frames that count"], rows)


def _missing(record: dict) -> str:
    told = [f"- {name}: {why}" for name, why in (record["missing"] | record["failed"]).items()]
    return "### Not measured\n\n" + "\n".join(told) if told else ""
