"""The model as a whole: audio in, F0 out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import mlx_weights
from mlx_recording import Recording, prepare

from . import weights_file
from .blocks import clips_at_once, native_frames
from .config import SwiftF0Config
from .decoding import check_band, check_threshold
from .grid import frame_count, to_grid
from .network import Network
from .spectrogram import Spectrogram
from .stream import Stream

Band = tuple[float, float]
Progress = Callable[[int, int], None]


class SwiftF0:
    """Pitch of voice and of single instruments, 100 times a second.

    Attributes:
        offline: nothing is fetched; the weights are in the package.
        network: the MLX module.
        spectrogram: of its input.
        config: sizes of both.
    """

    offline: ClassVar[bool] = True

    def __init__(self, network: Network, spectrogram: Spectrogram):
        """Wrap a network whose weights are loaded; see `from_pretrained`."""
        self.network = network
        self.spectrogram = spectrogram

    @property
    def config(self) -> SwiftF0Config:
        """Sizes of the network and its spectrograms."""
        return self.network.config

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> SwiftF0:
        """Load weights.

        Args:
            source: a file of `save_pretrained`, or a folder with one. By default what the
                environment variable MLX_SWIFT_F0 names, else the shipped weights.

        Raises:
            ValueError: the file cannot be found or is not a complete SwiftF0 model; the message
                says which file or tensor, and what to do.
        """
        path = weights_file.locate(source)
        tensors, banks, config = weights_file.read(path)
        network = Network(config)
        mlx_weights.load_strict(network, tensors, source=path, consume=True)
        try:
            return cls(network, Spectrogram(config, banks))
        except ValueError as error:
            raise mlx_weights.WeightsError(f"{path}: {error}") from None

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `model.safetensors`, which `from_pretrained` reads."""
        tensors = {name: np.asarray(v) for name, v in tree_flatten(self.network.parameters())}
        weights_file.save(Path(folder), tensors, self.spectrogram.banks, self.config)

    def infer_from_audio(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = 16000,
        threshold: float = 0.5,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording of any length.

        Args:
            audio: mono floats within ±1, shape (n,) or a batch (B, n), n >= 1.
            sample_rate: of the audio, Hz; other rates than the model's are resampled (soxr HQ).
            threshold: confidence, 0 to 1, from which a frame is voiced.
            f0_min: lowest F0, Hz; the model reaches down to 46.875 Hz.
            f0_max: highest F0, Hz; the model reaches up to 2093.75 Hz. A frame whose strongest
                pitch lies outside the two is unvoiced.
            progress: called with (frames of the model done, frames in all) now and then; clips
                that do not fit into one pass count anew.

        Returns:
            float32 of shape (frames,) or (B, frames): Hz, 0 = unvoiced. Frame f is centred on
            second f / 100; there are n // 160 + 1 at 16 kHz. The model's own frames are 16 ms
            apart: `to_grid` says how these are made of them.

        Raises:
            ValueError: no samples, NaN or infinite samples, integers, another shape, a rate that
                is not positive, a threshold outside 0 to 1, or a range that holds no pitch class.
        """
        check_threshold(threshold)
        band = check_band(f0_min, f0_max, self.config)
        clips, single = prepare(audio, sample_rate, self.config.sample_rate)
        f0, confidence = self._clips(clips, band, progress)
        curve = self._curve(f0, confidence, threshold, clips.shape[1])
        return curve[0] if single else curve

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float = 0.5,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording that need not be in memory; the same bits as `infer_from_audio`.

        Args:
            read: called with (start, stop), 0 <= start < stop <= samples, gives mono floats of
                shape (stop - start,) at the model's rate. Blocks overlap: it is asked for some
                samples twice, never for more than 17 s.
            samples: length of the recording at the model's rate, at least 1.
            threshold: as for `infer_from_audio`; so are the arguments after it.
            f0_min: Hz.
            f0_max: Hz.
            progress: called with (frames of the model done, frames in all) now and then.

        Returns:
            float32 of shape (frames,), as `infer_from_audio` gives it.

        Raises:
            ValueError: as `infer_from_audio` does, for what is read.
        """
        check_threshold(threshold)
        band = check_band(f0_min, f0_max, self.config)
        recording = Recording.checked(read, samples)
        f0, confidence = self._frames(recording, band, progress)
        return self._curve(f0, confidence, threshold, samples)[0]

    def native(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = 16000,
        *,
        f0_min: float = 46.875,
        f0_max: float = 2093.75,
        progress: Progress | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the model itself says: F0 and confidence every 16 ms.

        Arguments and errors as for `infer_from_audio`, the range being the model's whole one.

        Returns:
            Both float32 of shape (frames,) or (B, frames): F0 in Hz, also where nothing is voiced,
            and confidence, 0 to 1; a frame is meant to be voiced from 0.5 on. Frame t is centred
            on second t · 0.016; there are max(n // 256, 1) at 16 kHz.
        """
        band = check_band(f0_min, f0_max, self.config)
        clips, single = prepare(audio, sample_rate, self.config.sample_rate)
        f0, confidence = (part.astype(np.float32) for part in self._clips(clips, band, progress))
        return (f0[0], confidence[0]) if single else (f0, confidence)

    def stream(
        self, threshold: float = 0.5, *, f0_min: float = 50.0, f0_max: float = 1100.0
    ) -> Stream:
        """Begin a recording that is still growing: `push` its samples at 16 kHz, then `flush`.

        Arguments and errors as for `infer_from_audio`.
        """
        check_threshold(threshold)
        band = check_band(f0_min, f0_max, self.config)
        return Stream(self.network, self.spectrogram, band, threshold)

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, with a second of silence."""
        self.infer_from_audio(np.zeros(self.config.sample_rate, np.float32))

    def _clips(
        self, clips: np.ndarray, band: Band, progress: Progress | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The model's frames of clips (B, n): short ones share a pass, long ones take turns."""
        together = clips_at_once(clips.shape[1], self.config)
        parts = [
            self._frames(Recording.of(clips[first : first + together]), band, progress)
            for first in range(0, len(clips), together)
        ]
        f0, confidence = (np.concatenate(part) for part in zip(*parts, strict=True))
        return f0, confidence

    def _frames(
        self, recording: Recording, band: Band, progress: Progress | None
    ) -> tuple[np.ndarray, np.ndarray]:
        return native_frames(self.network, self.spectrogram, recording, band, progress=progress)

    def _curve(
        self, f0: np.ndarray, confidence: np.ndarray, threshold: float, samples: int
    ) -> np.ndarray:
        """(B, T) of the model to float32 (B, samples // 160 + 1)."""
        voiced = np.where(confidence >= threshold, f0, 0.0)
        return to_grid(voiced, 0, frame_count(samples), hop_length=self.config.hop_length)
