"""The weights that voices share and that do not ship: which they are, and how to have them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx_weights import Held, HubFile


@dataclass(frozen=True)
class Shared:
    """Weights of a stage.

    file: the hub's, with companions. variable: that of the environment that names another file, if
    any. cache: what its converted copies are kept under. load: fetches if need be, converts, and
    loads.
    """

    name: str
    file: "HubFile"
    variable: str | None
    cache: str
    load: Callable[[], object]

    @property
    def given(self) -> str | None:
        """What the environment variable says to take instead."""
        return os.environ.get(self.variable) or None if self.variable else None

    def held(self) -> "list[Held]":
        """What of it is on this machine."""
        from mlx_weights import held

        return held(self.file, self.cache)


USUAL = ("contentvec", "rmvpe")
"""What nearly every voice needs."""


def known() -> tuple[str, ...]:
    """Give all names: the usual ones, then the other content encoders."""
    from mlx_contentvec import known

    return (*USUAL, *(name for name in known.names() if name not in USUAL))


def here() -> list[Shared]:
    """Give the usual weights, and of the others those that are on this machine."""
    return [found for found in shared(list(known())) if found.name in USUAL or found.held()]


def of_voice(model: str) -> list[str]:
    """Give the names of what a voice needs; what cannot be had by name (the demo's) is left out.

    model: as convert's `--model`. Raises ValueError where the voice's encoder is unknown.
    """
    import mlx_rvc_demo
    from mlx_rvc.encoder import encoder_name
    from mlx_rvc.voice import voice_file
    from mlx_rvc_synth import read_voice
    from mlx_rvc_synth.weights import locate_voice

    voice = read_voice(locate_voice(voice_file(model)))
    embedder = voice.metadata.get("embedder")
    needed = [] if embedder == mlx_rvc_demo.NAME else [encoder_name(embedder)]
    return [*needed, "rmvpe"] if voice.config.f0 else needed


def shared(names: list[str] | None = None) -> list[Shared]:
    """Give the shared weights of those names, the usual ones if there are none.

    Raises ValueError for an unknown name.
    """
    from mlx_rvc.encoder import encoder_name

    wanted = []
    for name in names or USUAL:
        plain = name if name == "rmvpe" else encoder_name(name)
        if plain not in known():
            raise ValueError(f"the weights {name!r} are unknown; there are {', '.join(known())}")
        wanted.append(plain)
    return [_one(name) for name in known() if name in wanted]


def _one(name: str) -> Shared:
    return {"contentvec": _contentvec, "rmvpe": _rmvpe}.get(name, lambda: _encoder(name))()


def _encoder(name: str) -> Shared:
    """A content encoder other than the usual one; no environment variable stands in for it."""
    from mlx_contentvec import known, loading

    encoder = known.find(name)
    assert encoder is not None  # `shared` has looked
    return Shared(name, encoder.file, None, encoder.name, lambda: loading.load_known(encoder))


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
