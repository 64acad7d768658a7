"""The regression bar: figures that a sample must reach, less the noise that was measured.

Every figure of the stored bar is the mean over several seeds of the conversion's noise, and its
noise is their whole spread, or where they agree more closely one step of the figure: a word, a
character, a unit of the last digit that tables show.
"""

from .figures import FIGURES, Sums


def rows(data: dict) -> dict[str, list[dict]]:
    """The conversions of a record by row, "speech to 0"."""
    found: dict[str, list[dict]] = {}
    for item in data["items"]:
        if item["run"] == "conversion":
            found.setdefault(f"{item['kind']} to {item['speaker']}", []).append(item)
    return found


def measured(data: dict) -> dict[str, dict[str, dict[str, float]]]:
    """The bar of a record with several seeds: value and noise by row and figure."""
    bar: dict[str, dict[str, dict[str, float]]] = {}
    for row, items in rows(data).items():
        seeds = sorted({item["seed"] for item in items})
        if len(seeds) < 3:
            raise ValueError(f"{len(seeds)} seeds; noise needs at least 3 (--seeds)")
        bar[row] = {}
        for name, figure in FIGURES.items():
            by_seed = [
                Sums.of(name, [item for item in items if item["seed"] == seed]) for seed in seeds
            ]
            if not figure.judged or any(sums is None for sums in by_seed):
                continue
            values = [sums.value for sums in by_seed]
            step = 1 / by_seed[0].denominators.sum() if figure.over else 10.0**-figure.digits
            bar[row][name] = {
                "value": round(sum(values) / len(values), 5),
                "noise": round(max(max(values) - min(values), step), 5),
            }
    return bar


def compare(bar: dict, data: dict) -> tuple[list[str], list[str]]:
    """Set a record beside a bar: a line for each figure, and those that are too bad.

    A row or figure of the bar that the record lacks is too bad too.
    """
    lines, failures = [], []
    found = rows(data)
    for row, figures in bar.items():
        for name, wanted in figures.items():
            sums = Sums.of(name, found.get(row, []))
            figure = FIGURES[name]
            if sums is None:
                failures.append(f"{row}: {figure.title} was not measured")
                continue
            drop = wanted["value"] - sums.value
            if figure.lower_is_better:
                drop = -drop
            line = (
                f"{row}: {figure.title} {sums.value:.3f}, stored {wanted['value']:.3f}, "
                f"noise {wanted['noise']:.3f}"
            )
            lines.append(line)
            if drop > wanted["noise"]:
                failures.append(f"{line}: worse by {drop:.3f}")
    return lines, failures
