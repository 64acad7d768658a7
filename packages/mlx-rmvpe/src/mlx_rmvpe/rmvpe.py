"""The model as a whole: audio in, F0 out, and the files its weights come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import mlx_weights
from mlx_recording import Recording, prepare

from .blocks import BLOCK_FRAMES, salience_blocks
from .config import RMVPEConfig
from .decoding import bins_within, check_threshold, decode
from .network import E2E
from .weights import config_from_tensors, is_folded, sanitize

DEFAULT_WEIGHTS = mlx_weights.HubFile(
    repo="lj1995/VoiceConversionWebUI",
    filename="rmvpe.pt",
    sha256="6d62215f4306e3ca278246188607209f09af3dc77ed4232efdd069798c4ec193",
)
ENVIRONMENT_VARIABLE = "MLX_RMVPE"
FILE_NAMES = ("model.safetensors", "rmvpe.safetensors", "rmvpe.pt")
MODEL_TYPE = "rmvpe"

Progress = Callable[[int, int], None]


class RMVPE:
    """Pitch of voice, 100 times a second.

    Attributes:
        network: the MLX module.
        config: its sizes.
    """

    def __init__(self, network: E2E):
        """Wrap a network whose weights are loaded; see `from_pretrained`."""
        self.network = network

    @property
    def config(self) -> RMVPEConfig:
        """Sizes of the network and its spectrogram."""
        return self.network.config

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> RMVPE:
        """Load weights.

        Args:
            source: a file (`rmvpe.pt`, the safetensors of lexandstuff/mlx-rmvpe, or one of
                `save_pretrained`), a folder with one, or a hub repository. By default the file
                that the environment variable MLX_RMVPE names, else `rmvpe.pt` of
                lj1995/VoiceConversionWebUI from the hub. What comes from the hub is checked,
                converted once and kept in the user's cache.

        Raises:
            ValueError: the weights cannot be found or fetched, or the file is not a complete
                RMVPE model; the message says which file or tensor, and what to do.
        """
        given = os.environ.get(ENVIRONMENT_VARIABLE) if source is None else source
        path = mlx_weights.locate(
            source,
            # A repository may hold what `save_pretrained` writes; the default one does not.
            default=replace(DEFAULT_WEIGHTS, companions=("config.json",) if given else ()),
            env=ENVIRONMENT_VARIABLE,
            option="--rmvpe",
            filenames=FILE_NAMES,
        )
        # The user's own file is read in place; what came from the hub is converted once.
        if not given or not Path(given).expanduser().exists():
            folder = mlx_weights.converted(path, name="rmvpe", version=1, convert=_read)
            path = folder / "model.safetensors"
        tensors, config = _read(path)
        sizes = {name: value for name, value in config.items() if name != "model_type"}
        network = E2E(RMVPEConfig.from_dict(sizes))
        mlx_weights.load_strict(network, tensors, source=path, consume=True)
        return cls(network)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `model.safetensors` (float32), which `from_pretrained` reads."""
        tensors = {
            name: np.asarray(value) for name, value in tree_flatten(self.network.parameters())
        }
        mlx_weights.save_model(
            Path(folder), tensors, {"model_type": MODEL_TYPE, **self.config.to_dict()}
        )

    def infer_from_audio(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = 16000,
        threshold: float = 0.03,
        *,
        f0_min: float | None = None,
        f0_max: float | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording of any length.

        Args:
            audio: mono floats within ±1, shape (n,) or a batch (B, n), n >= 1.
            sample_rate: of the audio, Hz; other rates than the model's are resampled (soxr HQ).
            threshold: salience, 0 to 1, above which a frame is voiced.
            f0_min: lowest F0, Hz; None is all that the network knows (31.7 Hz), as in RVC.
            f0_max: highest F0, Hz; None likewise (2 kHz).
            progress: called with (frames done, frames in all) now and then.

        Returns:
            float32 of shape (frames,) or (B, frames): Hz, 0 = unvoiced. Frame f is centred on
            second f / 100; there are n // 160 + 1 at 16 kHz.

        Raises:
            ValueError: no samples, NaN or infinite samples, integers, another shape, a rate that
                is not positive, a threshold outside 0 to 1, or a range without a pitch class.
        """
        finish = self._decoder(threshold, f0_min, f0_max)
        return self._by_block(audio, sample_rate, progress, finish)

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float = 0.03,
        *,
        f0_min: float | None = None,
        f0_max: float | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording that need not be in memory; the same numbers.

        Args:
            read: called with (start, stop), 0 <= start < stop <= samples, gives mono floats of
                shape (stop - start,) at the model's rate. Blocks overlap: it is asked for some
                samples twice, never for more than a block (under two minutes).
            samples: length of the recording, at least 1.
            threshold: as for `infer_from_audio`.
            f0_min: likewise.
            f0_max: likewise.
            progress: likewise.

        Returns:
            float32 of shape (frames,), as `infer_from_audio` gives it.

        Raises:
            ValueError: as `infer_from_audio` does, for what is read.
        """
        finish = self._decoder(threshold, f0_min, f0_max)
        return self._joined(Recording.checked(read, samples), progress, finish)[0]

    def salience(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = 16000,
        *,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Strength of each pitch class, of which `decode` makes F0.

        Arguments and errors as for `infer_from_audio`.

        Returns:
            float32 of shape (frames, n_bins) or (B, frames, n_bins), 0 to 1. Bin i lies at
            10 Hz * 2 ** ((1997.38 + 20 i) / 1200): 31.7 Hz to 2 kHz.
        """
        return self._by_block(audio, sample_rate, progress, lambda block: block)

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, with a second of silence.

        On a GPU this compiles, and checks the GRU's kernel; on a CPU it touches the weights.
        """
        silence = np.zeros(self.config.sample_rate, np.float32)
        self.infer_from_audio(silence, self.config.sample_rate)

    def _decoder(
        self, threshold: float, f0_min: float | None, f0_max: float | None
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Salience of a block to F0; what cannot be is refused before any work."""
        check_threshold(threshold)
        bins_within(f0_min, f0_max, self.config.n_bins)
        return partial(decode, threshold=threshold, f0_min=f0_min, f0_max=f0_max)

    def _by_block(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float,
        progress: Progress | None,
        finish: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """Apply `finish` to the salience of each block and join the results in time."""
        clips, single = prepare(audio, sample_rate, self.config.sample_rate)
        # Short clips share a pass, long ones take turns: memory stays that of one block.
        frames = clips.shape[1] // self.config.hop_length + 1
        together = max(BLOCK_FRAMES // frames, 1)
        rows = []
        for first in range(0, len(clips), together):
            some = clips[first : first + together]
            rows.append(self._joined(Recording.of(some), progress, finish))
        result = np.concatenate(rows)
        return result[0] if single else result

    def _joined(
        self,
        recording: Recording,
        progress: Progress | None,
        finish: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        blocks = salience_blocks(
            self.network, recording, block_frames=BLOCK_FRAMES, progress=progress
        )
        return np.concatenate([finish(block) for _, block in blocks][::-1], axis=1)


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Sanitized tensors of a weight file, and what a `config.json` says of them."""
    path = Path(path)
    checkpoint = mlx_weights.read_checkpoint(path)
    tensors = sanitize(checkpoint, source=str(path))
    if not is_folded(checkpoint):
        config = config_from_tensors(tensors, source=str(path))
        return tensors, {"model_type": MODEL_TYPE, **config.to_dict()}
    beside = path.with_name("config.json")
    if not beside.is_file():
        raise mlx_weights.WeightsError(
            f"{path} was saved with a config.json, which is not beside it: copy both"
        )
    config = mlx_weights.read_config(beside)
    if config.get("model_type") != MODEL_TYPE:
        raise mlx_weights.WeightsError(
            f"{beside} has model_type {config.get('model_type')!r}, expected {MODEL_TYPE!r}:"
            f" it does not belong to {path.name}"
        )
    return tensors, config
