"""One run of the recipe: its folder, its configuration, its log."""

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


def configuration(quick: bool, started: bool = False) -> dict:
    config = tomllib.loads((HERE / "config.toml").read_text())
    for name, wanted in (("more", started), ("quick", quick)):
        over = config.pop(name)
        if wanted:
            for table, values in over.items():
                config[table] |= values
    return config


@dataclass
class Run:
    """`start`: where a run before left its encoder and its voice (`checkpoint.py`), if anywhere.

    `keep_encoder`: that encoder is not trained further.
    """

    folder: Path
    config: dict
    start: Path | None = None
    keep_encoder: bool = False

    @property
    def seed(self) -> int:
        return self.config["seed"]

    def path(self, *parts: str) -> Path:
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, text: str) -> None:
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}"
        print(line, flush=True)
        with self.path("log.txt").open("a") as file:
            file.write(line + "\n")
