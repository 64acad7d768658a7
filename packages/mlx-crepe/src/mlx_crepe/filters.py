"""Filters of a curve, as torchcrepe 0.0.24's `filter.py` defines them: NaN counts as absent.

Beyond the ends there is nothing: a window at an edge holds fewer values.
"""

from __future__ import annotations

import numpy as np


def _windows(curve: np.ndarray, length: int) -> np.ndarray:
    if length < 1 or length % 2 == 0:
        raise ValueError(f"the filter has length {length}; expected an odd number of frames")
    padded = np.pad(np.asarray(curve, np.float32), length // 2, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, length)


def median(curve: np.ndarray, length: int = 3) -> np.ndarray:
    """Median of each window of a curve (frames,); of an even count, the lower middle value.

    NaN where a window holds nothing, or where its median is infinite. Raises ValueError for an
    even length.
    """
    windows = _windows(curve, length)
    absent = np.isnan(windows)
    ordered = np.sort(np.where(absent, np.float32(np.inf), windows), axis=1)
    middle = np.maximum((length - absent.sum(axis=1) - 1) // 2, 0)
    result = np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]
    return np.where(np.isinf(result), np.float32(np.nan), result)


def mean(curve: np.ndarray, length: int = 3) -> np.ndarray:
    """Mean of each window of a curve (frames,); NaN where it holds nothing, or sums to zero.

    Raises ValueError for an even length.
    """
    windows = _windows(curve, length)
    absent = np.isnan(windows)
    total = np.where(absent, np.float32(0), windows).sum(axis=1, dtype=np.float32)
    result = total / np.maximum(length - absent.sum(axis=1), 1).astype(np.float32)
    return np.where(result == 0, np.float32(np.nan), result)
