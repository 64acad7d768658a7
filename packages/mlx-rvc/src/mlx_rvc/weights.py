"""The weights that all voices share and that do not ship: which they are, and how to have them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx_weights import Held, HubFile


@dataclass(frozen=True)
class Shared:
    """Weights of a stage.

    file: the hub's, with companions. variable: the environment variable that names another file.
    cache: what its converted copies are kept under. load: fetches if need be, converts, and loads.
    """

    name: str
    file: "HubFile"
    variable: str
    cache: str
    load: Callable[[], object]

    @property
    def given(self) -> str | None:
        """What the environment variable says to take instead."""
        return os.environ.get(self.variable) or None

    def held(self) -> "list[Held]":
        """What of it is on this machine."""
        from mlx_weights import held

        return held(self.file, self.cache)


NAMES = ("contentvec", "rmvpe")


def shared(names: list[str] | None = None) -> list[Shared]:
    """Give the shared weights of those names, all if there are none.

    Raises ValueError for an unknown name.
    """
    for name in names or ():
        if name not in NAMES:
            raise ValueError(f"the weights {name!r} are unknown; there are {', '.join(NAMES)}")
    return [found for found in (_contentvec(), _rmvpe()) if not names or found.name in names]


def _contentvec() -> Shared:
    from mlx_contentvec import ContentvecModel, loading

    return Shared(
        "contentvec",
        loading.DEFAULT,
        loading.ENV,
        loading.CACHE,
        ContentvecModel.from_pretrained,
    )


def _rmvpe() -> Shared:
    from mlx_rmvpe import RMVPE, rmvpe

    return Shared(
        "rmvpe",
        rmvpe.DEFAULT_WEIGHTS,
        rmvpe.ENVIRONMENT_VARIABLE,
        "rmvpe",
        RMVPE.from_pretrained,
    )
