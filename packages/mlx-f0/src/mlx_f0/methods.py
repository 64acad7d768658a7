"""F0 methods by name: what they have in common, which are installed, and how one is loaded.

A package brings a method with an entry point in the group `mlx_f0.methods`: its name is the name
of the method, its value a class with `from_pretrained(source=None)` that makes an `F0Method`.
Nothing is imported before a method is asked for.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

GROUP = "mlx_f0.methods"

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""

Source: TypeAlias = "str | os.PathLike[str]"
"""Weights: a file, a folder or whatever else the method's `from_pretrained` takes."""

_HYBRID = re.compile(r"hybrid\[(.*)\]")


@runtime_checkable
class F0Method(Protocol):
    """What every F0 method can do; `mlx_f0.testing.check_method` proves it.

    Both functions give float32, Hz, 0 = unvoiced, one value for every 10 ms of audio: frame i is
    centred on second i / 100, and n samples at 16 kHz have n // 160 + 1 frames. They raise
    ValueError of one line for audio, a threshold or a range that they cannot take. The default of
    `threshold`, and what it is compared with, is the method's own; so are the defaults of `f0_min`
    and `f0_max`.

    A class may say `offline = True`: its `from_pretrained()` fetches nothing.
    """

    def infer_from_audio(
        self,
        audio: np.ndarray,
        sample_rate: float = ...,
        threshold: Any = ...,
        *,
        f0_min: Any = ...,
        f0_max: Any = ...,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Mono floats (n,), or a batch (B, n), of any rate in Hz, to F0 (frames,), (B, frames)."""
        ...

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: Any = ...,
        *,
        f0_min: Any = ...,
        f0_max: Any = ...,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """`read(start, stop)` gives a stretch of a 16 kHz recording; the same F0 (frames,)."""
        ...

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for."""
        ...


def available() -> list[str]:
    """Names of the installed methods, sorted; nothing is imported."""
    return sorted(_entries())


def parts(name: str) -> list[str]:
    """Names of the methods in `name`: itself, or a and b of `hybrid[a+b]`.

    Raises:
        ValueError: a method that is not installed, or a hybrid of fewer than two different ones;
            the message lists the installed ones.
    """
    installed = available()
    match = _HYBRID.fullmatch(name)
    names = [name] if match is None else [part.strip() for part in match[1].split("+")]
    for part in names:
        if part not in installed:
            inside = f" in {name}" if match else ""
            raise ValueError(
                f"F0 method {part!r}{inside} is unknown; installed are {', '.join(installed)}; "
                f"hybrid[a+b] joins several"
            )
    if match is not None and (len(names) < 2 or len(set(names)) < len(names)):
        raise ValueError(f"{name} is no hybrid; name two or more different F0 methods, as in a+b")
    return names


def load(name: str, source: Source | Mapping[str, Source] | None = None) -> F0Method:
    """Load a method by its name.

    Args:
        name: one of `available()`, or `hybrid[a+b]` of several.
        source: its weights; by default the method's own. For a hybrid a mapping from the names of
            its parts.

    Raises:
        ValueError: an unknown name, weights that cannot be had (then the methods that need none
            are named), or a plug-in that cannot be imported or is no F0 method; one line.
    """
    names = parts(name)
    if isinstance(source, Mapping):
        foreign = sorted(set(source) - set(names))
        if foreign:
            raise ValueError(f"weights are given for {', '.join(foreign)}, which {name} is not")
        sources = dict(source)
    elif source is None or len(names) == 1:
        sources = {} if source is None else {names[0]: source}
    else:
        raise ValueError(f"whose weights is {source}? For {name} give a mapping, name to weights")
    loaded = [_load_one(part, sources.get(part)) for part in names]
    if len(loaded) == 1:
        return loaded[0]
    from .hybrid import Hybrid

    return Hybrid(loaded)


def offline() -> list[str]:
    """Names of the installed methods that fetch nothing; imports all, passes over broken ones."""
    found = []
    for name, entry in sorted(_entries().items()):
        try:
            ready = bool(getattr(entry.load(), "offline", False))
        except Exception:  # a broken plug-in must not hide the others
            continue
        if ready:
            found.append(name)
    return found


def _entries() -> dict[str, importlib.metadata.EntryPoint]:
    """Entry points by name; of two with one name the first on the path."""
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found


def _load_one(name: str, source: Source | None) -> F0Method:
    entry = _entries()[name]
    try:
        method = entry.load().from_pretrained(source)
    except (ValueError, OSError) as error:
        if source is not None:
            raise
        others = [other for other in offline() if other != name]
        raise ValueError(
            f"{error}, or choose an F0 method that works offline: {', '.join(others) or 'none'}"
        ) from error
    except Exception as error:
        text = " ".join(str(error).split())
        raise ValueError(
            f"the F0 method {name!r} cannot be loaded ({entry.value}: {type(error).__name__}: "
            f"{text}); repair or remove the package that brings it"
        ) from error
    if not isinstance(method, F0Method):
        raise ValueError(
            f"the F0 method {name!r} ({entry.value}) lacks infer_from_audio, infer_from_reader or "
            f"warmup; repair or remove the package that brings it"
        )
    return method
