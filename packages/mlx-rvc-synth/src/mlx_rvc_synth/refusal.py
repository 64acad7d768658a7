"""Files that are no RVC voice of a kind that can be converted here, told apart by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlx_weights.errors import shown

from .config import VOCODERS
from .other_models import related_model, single_model
from .vocoders import vocoder_named

_LONGEST_NAME = 300
"""Letters; the longest name of a voice's tensor has 60."""


def refuse_odd_names(names: Iterable[Any], path: Path) -> None:
    """ValueError for names that would not print as they are, which go into other messages."""
    for name in names:
        if isinstance(name, str) and not (name.isprintable() and len(name) <= _LONGEST_NAME):
            raise ValueError(
                f"{path} holds something under the name '{shown(name)}', which no voice does: "
                "fetch the file again, from a place you trust"
            )


def refuse_other_files(content: dict[str, Any], tensors: dict[str, Any], path: Path) -> None:
    """ValueError for discriminators, optimizers, encoders and whatever else is not a voice."""
    names = [
        name.removeprefix("_orig_mod.").removeprefix("module.")
        for name in tensors
        if isinstance(name, str)
    ]
    if any(name.startswith("discriminators.") for name in names):
        count = len({name.split(".")[1] for name in names if name.startswith("discriminators.")})
        version = {7: " of v1", 9: " of v2"}.get(count, "")
        raise ValueError(
            f"{path} is a discriminator{version} (D_*.pth), which only training needs; "
            "give the generator (G_*.pth) or the extracted voice"
        )
    what = related_model(names)
    if what is None and any(name.startswith("enc_p.") for name in names):
        return
    what = what or single_model(names, content)
    if what:
        raise ValueError(f"{path} is {what}")
    if "optimizer" in content or "param_groups" in content:
        raise ValueError(
            f"{path} holds the state of an optimizer and no model; "
            "give the generator (G_*.pth) or the extracted voice"
        )
    held = ", ".join(map(shown, sorted(map(str, content or tensors))[:5])) or "nothing"
    raise ValueError(
        f"{path} is no RVC voice: it holds {held}; expected a dict with weight and config "
        "(a voice), or a training checkpoint (G_*.pth)"
    )


def refuse_other_vocoders(tensors: dict[str, Any], metadata: dict[str, Any], path: Path) -> None:
    """ValueError for voices that name a vocoder which this package does not have."""
    said = metadata.get("vocoder")
    if said and vocoder_named(said) is None:
        raise ValueError(
            f"{path} uses the vocoder {shown(said)}; supported are {', '.join(VOCODERS)}: convert "
            "with the program that trained it"
        )
