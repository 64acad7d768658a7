"""ContentVec and its kin: what is said in a recording, with little of who says it.

Reference: ContentVec (https://arxiv.org/abs/2204.09224), HuBERT (https://arxiv.org/abs/2106.07447);
transformers `modeling_hubert.py`, `HubertModel`. RVC reads layer 12 (v2 voices) or layer 9 through
`final_proj` (v1 voices).
"""

from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops as fastops
from mlx_contentvec.arrays import Array
from mlx_contentvec.config import ContentvecConfig
from mlx_contentvec.encoder import Encoder
from mlx_contentvec.features import FeatureExtractor, FeatureProjection


class ContentvecModel(nn.Module):
    """A HuBERT encoder; its parts bear the names of Hugging Face checkpoints."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self.config = config
        self.feature_extractor = FeatureExtractor(config)
        self.feature_projection = FeatureProjection(config)
        self.encoder = Encoder(config)
        if config.classifier_proj_size is not None:
            self.final_proj = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.origin: str | None = None  # the file it was loaded from
        self._on_device = fastops.Bucketed(self._transform, self)

    @classmethod
    def from_pretrained(cls, source: str | Path | None = None) -> "ContentvecModel":
        """Load an encoder; nothing is left unset, and nothing in the file unused.

        Args:
            source: a file or folder in any layout of `sanitize`, the name of a hub repository, an
                encoder's name (`known.KNOWN`: "spin", "japanese-hubert-base" ...), or None: the
                environment variable MLX_CONTENTVEC, else ContentVec from the hub.

        Raises:
            ValueError: the file cannot be had, is no HuBERT, or does not fit its configuration.
        """
        from mlx_contentvec.loading import load

        return load(source)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`, which `from_pretrained` reads back."""
        from mlx_contentvec.loading import save

        save(self, Path(folder))

    def __call__(self, audio: mx.array | np.ndarray) -> dict[str, mx.array]:
        """{"x": features of the last layer, (B, frames, hidden)}, as the published package has it.

        For audio and errors see `extract`.
        """
        return {"x": self.extract(audio)}

    def extract(
        self,
        audio: mx.array | np.ndarray,
        layer: int | None = None,
        project: bool = False,
    ) -> mx.array:
        """Features of one layer, 50 frames a second.

        Args:
            audio: (n,) or (B, n) samples at 16 kHz, at least 400 (25 ms).
            layer: 1 to `num_hidden_layers`, None for the last; later layers are not computed. Layer
                i is Hugging Face's `hidden_states[i]` and fairseq's `output_layer=i`.
            project: apply `final_proj` (v1 voices: layer 9, 256 wide).

        Returns:
            (B, frames, hidden), or (B, frames, classifier_proj_size) when projected, float32;
            frames = (n − 80) // 320.

        Raises:
            ValueError: no such layer, no `final_proj`, or audio of a shape, length or kind that
                cannot be used.
        """
        config = self.config
        last = config.num_hidden_layers
        if layer is None:
            layer = last
        if isinstance(layer, bool) or not isinstance(layer, int) or not 1 <= layer <= last:
            raise ValueError(f"layer is {layer!r}; this encoder has layers 1 to {last}")
        if project and config.classifier_proj_size is None:
            raise ValueError(
                "these weights have no final_proj, which v1 voices need; load an encoder that has "
                "it, such as Resources/embedders/contentvec of IAHispano/Applio"
            )
        x = self.feature_extractor(self._samples(audio))  # (B, T, conv_dim[-1])
        if fastops.compiles():
            return self._on_device(x, layer=layer, project=project)
        return fastops.to_mlx(self._transform(None, x, layer=layer, project=project))

    def _transform(self, mask: mx.array | None, x: Array, *, layer: int, project: bool) -> Array:
        """Features of the convolutions (B, T, conv_dim[-1]) -> those of a layer."""
        x = self.feature_projection(x)  # (B, T, hidden)
        x = self.encoder(x, layer, mask)  # (B, T, hidden)
        if project:
            x = fastops.linear(x, self.final_proj.weight, self.final_proj.bias)
        return x

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, by encoding some silence.

        On a GPU (10 s of silence) this compiles, and times the forms of convolution among which
        `mlx_fastops.warmup` chooses: once per machine and version, in at most ten seconds more. On
        a CPU (1 s) it touches the weights.
        """
        silence = np.zeros(160000 if fastops.compiles() else 16000, np.float32)
        fastops.warmup(lambda: self.extract(silence))
        if fastops.compiles():  # `fastops.warmup` measures without compiling
            mx.eval(self.extract(silence))

    def frames(self, samples: int) -> int:
        """Frames that `samples` of audio give: (samples − 80) // 320 for the usual stack."""
        return self.config.frames(samples)

    def _samples(self, audio: mx.array | np.ndarray) -> np.ndarray:
        """Checked audio as (B, n) float32; normalised only where the model was trained so."""
        if isinstance(audio, mx.array) and audio.dtype == mx.bfloat16:
            audio = audio.astype(mx.float32)  # NumPy has no bfloat16
        samples = np.asarray(audio)
        if samples.dtype.kind != "f":
            raise ValueError(f"audio is {samples.dtype}; expected floating point in −1..1")
        samples = np.ascontiguousarray(samples, dtype=np.float32)
        if samples.ndim not in (1, 2) or (samples.ndim == 2 and not len(samples)):
            raise ValueError(f"audio has shape {samples.shape}; expected (n,) or (batch, n)")
        samples = np.atleast_2d(samples)
        shortest = self.config.receptive_field
        if samples.shape[1] < shortest:
            raise ValueError(
                f"audio has {samples.shape[1]} samples; expected at least {shortest} "
                f"({shortest / 16:g} ms at 16 kHz): pad it"
            )
        if not np.isfinite(samples).all():
            raise ValueError("audio has samples that are not finite; expected numbers in −1..1")
        if self.config.do_normalize:  # as transformers' feature extractor does, with its epsilon
            mean = samples.mean(axis=1, keepdims=True, dtype=np.float64)
            variance = samples.var(axis=1, keepdims=True, dtype=np.float64)
            samples = ((samples - mean) / np.sqrt(variance + 1e-7)).astype(np.float32)
        return samples
