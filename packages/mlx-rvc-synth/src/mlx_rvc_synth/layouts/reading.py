"""What a layout gives: one voice under RVC's names, before anything is folded or arranged."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..sanitizing import Layout

Tensors = dict[str, np.ndarray]


class Reading(NamedTuple):
    """A voice of another program, its names turned into RVC's."""

    kind: str
    tensors: Tensors
    layout: Layout
    declared: dict[str, Any]
    metadata: dict[str, Any]
