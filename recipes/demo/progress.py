"""State, averages and curves of a training that may be broken off at any step."""

import csv
from pathlib import Path

import numpy as np
import torch


def save_state(path: Path, **state) -> None:
    torch.save(state, part := path.with_suffix(".part"))
    part.replace(path)


def load_state(path: Path) -> dict | None:
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def renamed(key: str) -> str:
    """Weight norm's names as files have them since before PyTorch had parametrizations."""
    key = key.replace("parametrizations.weight.original0", "weight_g")
    return key.replace("parametrizations.weight.original1", "weight_v")


def restored(key: str) -> str:
    """The names that PyTorch gives weight norm now; undoes `renamed`."""
    key = key.replace("weight_g", "parametrizations.weight.original0")
    return key.replace("weight_v", "parametrizations.weight.original1")


class Average:
    """Exponential moving average of a model's parameters: the weights that are kept in the end."""

    def __init__(self, model: torch.nn.Module, average: torch.nn.Module, decay: float) -> None:
        self.source, self.average, self.decay = model, average.eval(), decay
        average.load_state_dict(model.state_dict())
        for parameter in average.parameters():
            parameter.requires_grad_(False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 20))
        kept, fresh = list(self.average.parameters()), list(self.source.parameters())
        torch._foreach_lerp_(kept, fresh, 1 - decay)


class Curves:
    """Figures of each step, written as means of `every` steps to a CSV and drawn to a PNG."""

    def __init__(self, path: Path, every: int = 50) -> None:
        self.path, self.every, self.sums = path, every, {}

    def add(self, **figures: float) -> None:
        for name, value in figures.items():
            self.sums.setdefault(name, []).append(float(value))

    def flush(self, step: int) -> str:
        means = {name: float(np.mean(values)) for name, values in self.sums.items()}
        self.sums = {}
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerows(
                (step, name, f"{value:.5g}") for name, value in means.items()
            )
        return " ".join(f"{name} {value:.3f}" for name, value in means.items())

    def draw(self) -> None:
        if not self.path.exists():
            return
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        with self.path.open(newline="") as file:
            rows = list(csv.reader(file))
        names = list(dict.fromkeys(row[1] for row in rows))
        columns = 3
        lines = -(-len(names) // columns)
        figure, axes = pyplot.subplots(
            lines, columns, figsize=(11, 2.2 * lines), squeeze=False, layout="constrained"
        )
        for axis in axes.flat[len(names) :]:
            axis.remove()
        for name, axis in zip(names, axes.flat, strict=False):
            points = [(int(step), float(value)) for step, label, value in rows if label == name]
            axis.plot(*zip(*points, strict=True), linewidth=1)
            axis.set_title(name, fontsize=9)
            axis.tick_params(labelsize=7)
        figure.savefig(self.path.with_suffix(".png"), dpi=110)
        pyplot.close(figure)
