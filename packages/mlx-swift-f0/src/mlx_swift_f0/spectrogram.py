"""The three log spectrograms SwiftF0 reads, from stretches of a recording.

    sample        256 t - 1024    - 512   - 256   256 t   + 256   + 512          + 1024
    window 2048   [-----------------------------------|-----------------------------------)
    window 1024                   [-------------------|-------------------)
    window 512                            [-----------|-----------)
    its own hop                                       [-----------)

Frame t is centred on sample 256 t. What lies outside the recording is zero. The last partial hop
has no frame of its own, but is heard by those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx_recording import Recording

from .config import SwiftF0Config


@dataclass(frozen=True)
class Filterbank:
    """A sparse matrix (bins, bands) as the weight file holds it.

    Attributes:
        places: of each value its place in the matrix, row by row; integers (K,).
        values: float32 (K,).
    """

    places: np.ndarray
    values: np.ndarray

    def dense(self, bins: int, bands: int) -> np.ndarray:
        """The matrix, float64 (bins, bands).

        Raises:
            ValueError: places and values that are no such matrix.
        """
        fits = self.places.ndim == 1 and self.places.shape == self.values.shape
        if not (fits and self.places.dtype.kind in "iu" and self.values.dtype.kind == "f"):
            raise ValueError(
                f"has places of {self.places.dtype} {self.places.shape} and values of"
                f" {self.values.dtype} {self.values.shape}; expected integers and floats, (K,) each"
            )
        if self.places.size and not 0 <= self.places.min() <= self.places.max() < bins * bands:
            raise ValueError(
                f"has places from {self.places.min()} to {self.places.max()}; expected 0 to"
                f" {bins * bands - 1} for {bins} bins and {bands} bands"
            )
        matrix = np.zeros(bins * bands)
        matrix[self.places] = self.values
        return matrix.reshape(bins, bands)


class Spectrogram:
    """log(|FFT of a Hann window| · filterbank + floor) for each window.

    Computed in float64: where nothing sounds, the logarithm would show float32's own noise.

    Attributes:
        config: windows, hop and bands.
        banks: one filterbank for each window.
    """

    def __init__(self, config: SwiftF0Config, banks: Sequence[Filterbank]):
        """Raises ValueError for filterbanks that do not fit the sizes; says which."""
        if len(banks) != len(config.windows):
            raise ValueError(
                f"{len(banks)} filterbanks are given; expected {len(config.windows)}, one for"
                " each window"
            )
        self.config = config
        self.banks = tuple(banks)
        self._parts = []
        for i, (size, bank) in enumerate(zip(config.windows, banks, strict=True)):
            try:
                matrix = bank.dense(size // 2 + 1, config.n_bands)
            except ValueError as error:
                raise ValueError(f"filterbank {i} {error}") from None
            window = np.sin(np.pi * np.arange(size) / size) ** 2  # periodic Hann
            self._parts.append((size, window, matrix))

    def __call__(self, recording: Recording, first: int, last: int) -> tuple[np.ndarray, ...]:
        """Frames [first, last) from the samples that they see alone.

        Returns:
            float32 (B, last - first, n_bands, windows), and the peak of each frame's own hop,
            float32 (B, last - first).
        """
        hop, half = self.config.hop_length, max(self.config.windows) // 2
        count = last - first
        start, stop = first * hop - half, (last - 1) * hop + max(half, hop)
        low, high = max(start, 0), min(stop, recording.samples)
        heard = recording.read(low, high)
        heard = np.pad(heard, ((0, 0), (low - start, stop - high)))
        out = np.empty((len(heard), count, self.config.n_bands, len(self._parts)), np.float32)
        for i, (size, window, matrix) in enumerate(self._parts):
            views = np.lib.stride_tricks.sliding_window_view(heard, size, axis=1)
            frames = views[:, half - size // 2 :: hop][:, :count]  # (B, T, size)
            magnitude = np.abs(np.fft.rfft(frames * window))
            out[..., i] = np.log(magnitude @ matrix + self.config.log_floor)
        hops = heard[:, half : half + count * hop].reshape(-1, count, hop)
        return out, np.abs(hops).max(axis=2)
