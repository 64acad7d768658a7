"""The model as a whole: audio in, F0 out, and the files its weights come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import mlx_fastops
import mlx_weights
from mlx_recording import Recording, prepare

from .blocks import BLOCK_FRAMES, salience_blocks
from .config import FCPEConfig
from .decoding import check_options, decode
from .mel import frame_count
from .network import CFNaiveMelPE
from .weights import config_from_checkpoint, is_folded, locate, sanitize

MODEL_TYPE = "fcpe"

Progress = Callable[[int, int], None]
Finish = Callable[[np.ndarray], np.ndarray]


class FCPE:
    """Pitch of voice, 100 times a second.

    Attributes:
        offline: nothing is fetched; the weights are in the package.
        network: the MLX module.
        config: its sizes.
    """

    offline: ClassVar[bool] = True

    def __init__(self, network: CFNaiveMelPE):
        """Wrap a network whose weights are loaded; see `from_pretrained`."""
        self.network = network

    @property
    def config(self) -> FCPEConfig:
        """Sizes of the network and its spectrogram."""
        return self.network.config

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> FCPE:
        """Load weights.

        Args:
            source: torchfcpe's `fcpe_c_v001.pt`, a file of `save_pretrained`, or a folder with
                one. By default the file that the environment variable MLX_FCPE names, else the
                shipped one.

        Raises:
            ValueError: the file cannot be found or is not a complete FCPE model; the message says
                which file or tensor, and what to do.
        """
        path = locate(source)
        tensors, config = _read(path)
        network = CFNaiveMelPE(config)
        mlx_weights.load_strict(network, tensors, source=path, consume=True)
        return cls(network)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `model.safetensors` (float32), which `from_pretrained` reads."""
        tensors = {
            name: np.asarray(value) for name, value in tree_flatten(self.network.parameters())
        }
        config = {"model_type": MODEL_TYPE, **self.config.to_dict()}
        mlx_weights.save_model(Path(folder), tensors, config)

    def infer_from_audio(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float = 16000,
        threshold: float = 0.006,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        decoder: str = "local_argmax",
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording of any length.

        Args:
            audio: mono floats within ±1, shape (n,) or a batch (B, n), n >= 1.
            sample_rate: of the audio, Hz; other rates than the model's are resampled (soxr HQ).
            threshold: salience, 0 to 1, above which a frame is voiced.
            f0_min: a frame below it, Hz, is unvoiced; the network reaches down to 32.7 Hz.
            f0_max: a frame above it, Hz, is unvoiced; the network reaches up to 1975.5 Hz.
            decoder: "local_argmax", the mean around the strongest pitch class, or "argmax", the
                mean of all.
            progress: called with (frames done, frames in all) now and then.

        Returns:
            float32 of shape (frames,) or (B, frames): Hz, 0 = unvoiced. Frame f is centred on
            second f / 100; there are n // 160 + 1 at 16 kHz.

        Raises:
            ValueError: no samples, NaN or infinite samples, integers, another shape, a rate that
                is not positive, a threshold outside 0 to 1, an unknown decoder or an empty range.
        """
        finish = self._decoder(threshold, decoder, f0_min, f0_max)
        return self._by_clip(audio, sample_rate, progress, finish)

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float = 0.006,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        decoder: str = "local_argmax",
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording that need not be in memory; the same bits as `infer_from_audio`.

        Args:
            read: called with (start, stop), 0 <= start < stop <= samples, gives mono floats of
                shape (stop - start,) at the model's rate. What lies beyond one block is read
                twice: the network normalises by the whole recording.
            samples: length of the recording at the model's rate, at least 1.
            threshold: as for `infer_from_audio`; so are the arguments after it.
            f0_min: Hz.
            f0_max: Hz.
            decoder: "local_argmax" or "argmax".
            progress: called with (frames done, frames in all) now and then.

        Returns:
            float32 of shape (frames,), as `infer_from_audio` gives it.

        Raises:
            ValueError: as `infer_from_audio` does, for what is read.
        """
        finish = self._decoder(threshold, decoder, f0_min, f0_max)
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
            float32 of shape (frames, out_dims) or (B, frames, out_dims), 0 to 1. Bin i lies at
            10 Hz * 2 ** (cent_table[i] / 1200), with the network's `cent_table`.
        """
        return self._by_clip(audio, sample_rate, progress, lambda block: block)

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, with a second of silence.

        On a GPU `mlx_fastops.warmup` chooses among forms of the convolutions, once per machine and
        version; on a CPU it touches the weights.
        """
        silence = np.zeros(self.config.sr, np.float32)
        mlx_fastops.warmup(lambda: self.infer_from_audio(silence, self.config.sr))

    def _decoder(self, threshold: float, decoder: str, f0_min: float, f0_max: float) -> Finish:
        """What makes F0 of a block's salience. Raises ValueError before any work is done."""
        check_options(threshold, decoder, f0_min, f0_max)
        cents = np.array(self.network.cent_table)
        return lambda block: decode(
            block, cents, threshold, decoder=decoder, f0_min=f0_min, f0_max=f0_max
        )

    def _by_clip(
        self,
        audio: np.ndarray | mx.array,
        sample_rate: float,
        progress: Progress | None,
        finish: Finish,
    ) -> np.ndarray:
        """Apply `finish` to the salience of each block and join the results in time."""
        clips, single = prepare(audio, sample_rate, self.config.sr)
        # Short clips share a pass, long ones take turns: memory stays that of one block.
        together = max(BLOCK_FRAMES // frame_count(clips.shape[1], self.config), 1)
        rows = [
            self._joined(Recording.of(clips[first : first + together]), progress, finish)
            for first in range(0, len(clips), together)
        ]
        result = np.concatenate(rows)
        return result[0] if single else result

    def _joined(
        self, recording: Recording, progress: Progress | None, finish: Finish
    ) -> np.ndarray:
        blocks = salience_blocks(
            self.network, recording, block_frames=BLOCK_FRAMES, progress=progress
        )
        return np.concatenate([finish(block) for block in blocks], axis=1)


def _read(path: Path) -> tuple[dict[str, np.ndarray], FCPEConfig]:
    """Sanitized tensors of a weight file, and the sizes of its network."""
    checkpoint: Any = mlx_weights.read_checkpoint(path)
    if not isinstance(checkpoint, dict):
        raise mlx_weights.WeightsError(
            f"{path} holds a {type(checkpoint).__name__}; expected a dict with an FCPE model"
        )
    tensors = sanitize(checkpoint, source=str(path))
    if not is_folded(checkpoint):
        return tensors, config_from_checkpoint(checkpoint, source=str(path))
    beside = path.with_name("config.json")
    if not beside.is_file():
        raise mlx_weights.WeightsError(
            f"{path} was saved with a config.json, which is not beside it: copy both"
        )
    config = mlx_weights.read_config(beside)
    if config.pop("model_type", None) != MODEL_TYPE:
        raise mlx_weights.WeightsError(
            f"{beside} is not the config.json of an FCPE model (model_type {MODEL_TYPE!r}):"
            f" it does not belong to {path.name}"
        )
    return tensors, FCPEConfig.from_dict(config)
