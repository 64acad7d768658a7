"""The tables of a session, in Markdown, from its record."""

from .figures import FIGURES, PROTECTED_RATE, Sums

COLUMNS = (
    "wer", "cer", "sphinx_wer", "to_target", "to_source", "correlation", "accuracy",
    "voiced_accuracy", "voicing_error", "buzz", "sig", "bak", "ovrl",
)  # fmt: skip
COMPARED = ("wer", "cer", "to_target", "correlation", "accuracy", "voicing_error", "ovrl")
SWEPT = ("wer", "cer", "to_target", "to_source", "accuracy", "ovrl")
KINDS = ("speech", "singing")
# Seed-VC's EVAL.md: RVC v2 voices of 48 kHz, four target singers, singing of M4Singer, CER by
# SenseVoice, speakers by Resemblyzer.
PUBLISHED = {
    "to_target": 0.7264, "correlation": 0.9404, "cer": 0.2846,
    "sig": 3.41, "bak": 4.05, "ovrl": 3.12,
}  # fmt: skip
BEGIN, END = "<!-- quality -->", "<!-- /quality -->"


def markdown(data: dict) -> str:
    """Every table that the record has rows for."""
    parts = [_about(data), _conversions(data), _beside_published(data), _against_pytorch(data)]
    parts += [_sweep(data, name) for name in ("index-rate", "protect")]
    return "\n\n".join(part for part in parts if part) + "\n"


def fill_in(text: str, tables: str) -> str:
    """A document with the tables between its marks; ValueError without them."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"no place for the tables; expected {BEGIN} and {END} once")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{tables}{END}{after}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _about(data: dict) -> str:
    about = data["about"]
    controls = "".join(f", {name} {value:g}" for name, value in about["controls"].items())
    versions = ", ".join(f"{name} {found}" for name, found in about["versions"].items())
    targets = "; ".join(
        f"speaker {speaker}: {target['source']}" for speaker, target in about["targets"].items()
    )
    return (
        f"Voice {about['voice']} (sha256 {about['sha256'][:12]}), F0 by {about['f0_method']}, "
        f"{'with' if about['index'] else 'without'} index{controls}; {_count(about['seeds'])} of "
        f"the noise. Targets: {targets}. Python {about['python']}, {versions}; commit "
        f"{about['commit']}, {about['finished']}."
    )


def _count(seeds: int) -> str:
    return f"{seeds} seed{'s' * (seeds != 1)}"


def _number(name: str, value: float) -> str:
    digits = FIGURES[name].digits
    if 0 < value < 0.5 * 10**-digits and name in ("mcd", "lsd"):
        return f"{value:.0e}"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _range(name: str, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return ""
    low, high = (_number(name, bound) for bound in interval)
    return f" ({low}-{high})" if interval[0] >= 0 else f" ({low} to {high})"


def _cell(name: str, items: list[dict]) -> str:
    sums = Sums.of(name, items)
    if sums is None:
        return ""
    return _number(name, sums.value) + _range(name, sums.interval())


def _rows(data: dict, run: str, kind: str, speaker: str) -> list[dict]:
    wanted = (run, kind, int(speaker))
    return [i for i in data["items"] if (i["run"], i["kind"], i["speaker"]) == wanted]


def _shift(items: list[dict]) -> str:
    pitches = sorted({item["pitch"] for item in items})
    return ", ".join(f"{pitch:+g}" for pitch in pitches)


def _conversions(data: dict) -> str:
    lines = []
    for kind in KINDS:
        for place, (speaker, target) in enumerate(data["about"]["targets"].items()):
            found = _rows(data, "conversion", kind, speaker)
            if not found:
                continue
            if place == 0:
                cells = [
                    "" if name == "to_target" else _cell(name, _rows(data, "source", kind, speaker))
                    for name in COLUMNS
                ]
                lines.append([f"{kind}, unconverted", *cells])
            title = f"**{kind} to {speaker}, {target['name']}** ({_shift(found)})"
            lines.append([title, *(_cell(name, found) for name in COLUMNS)])
            own = target["own"] | {"to_source": target["to_readers"][kind]}
            cells = [_number(name, own[name]) if name in own else "" for name in COLUMNS]
            lines.append([f"{target['name']}, own recordings", *cells])
    if not lines:
        return ""
    header = ["", *(FIGURES[name].title for name in COLUMNS)]
    return f"### The voice\n\n{_table(header, lines)}"


def _beside_published(data: dict) -> str:
    lines = []
    for kind in KINDS:
        found = [i for i in data["items"] if (i["run"], i["kind"]) == ("conversion", kind)]
        if found:
            cells = [_cell(name, found) for name in PUBLISHED]
            lines.append([f"this voice, {kind}, all speakers", *cells])
    if not lines:
        return ""
    published = [_number(name, value) for name, value in PUBLISHED.items()]
    header = ["", *(FIGURES[name].title for name in PUBLISHED)]
    rows = [["RVC v2 voices, M4Singer (Seed-VC's EVAL.md)", *published], *lines]
    return f"### Beside the published figures for RVC\n\n{_table(header, rows)}"


def _against_pytorch(data: dict) -> str:
    lines = []
    for kind in KINDS:
        for speaker, target in data["about"]["targets"].items():
            ours, theirs, again = (
                _rows(data, run, kind, speaker)
                for run in ("equal noise, MLX", "equal noise, PyTorch", "other noise, MLX")
            )
            for name in COMPARED:
                a, b, c = (Sums.of(name, items) for items in (ours, theirs, again))
                if a is None or b is None or c is None:
                    continue
                difference, interval = a.less(b)
                noise, _ = a.less(c)
                lines.append([
                    f"{kind} to {speaker}, {target['name']}", FIGURES[name].title,
                    *(_number(name, sums.value) for sums in (a, b)),
                    _signed(name, difference)
                    + ("" if interval is None else
                       f" ({' to '.join(_signed(name, bound) for bound in interval)})"),
                    _signed(name, noise),
                ])  # fmt: skip
            for name in ("mcd", "lsd"):
                b, c = (Sums.of(name, items) for items in (theirs, again))
                if b is not None and c is not None:
                    title = f"{kind} to {speaker}, {target['name']}"
                    cells = [_number(name, sums.value) for sums in (b, c)]
                    lines.append([title, f"{FIGURES[name].title}, apart", "", "", *cells])
    if not lines:
        return ""
    header = ["", "figure", "MLX", "PyTorch", "MLX less PyTorch", "MLX less MLX, other noise"]
    return (
        f"### MLX against PyTorch, the same weights and the same noise\n\n{_table(header, lines)}"
    )


def _signed(name: str, value: float) -> str:
    return f"{value:+.{max(3, FIGURES[name].digits)}f}"


def _sweep(data: dict, name: str) -> str:
    lines = []
    field = name.replace("-", "_")
    for kind in KINDS:
        for speaker, target in data["about"]["targets"].items():
            found = _rows(data, f"sweep {name}", kind, speaker)
            for value in sorted({item[field] for item in found}):
                items = [item for item in found if item[field] == value]
                title = f"{kind} to {speaker}, {target['name']}"
                lines.append([title, f"{value:g}", *(_cell(figure, items) for figure in SWEPT)])
    if not lines:
        return ""
    title = name.replace("-", " ")
    header = ["", title, *(FIGURES[figure].title for figure in SWEPT)]
    others = f", at an index rate of {PROTECTED_RATE:g}" if name == "protect" else ""
    return f"### {title.capitalize()}{others}\n\n{_table(header, lines)}"
