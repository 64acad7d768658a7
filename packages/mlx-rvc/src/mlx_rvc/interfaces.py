"""What a stage must be able to do: any object with these methods can take its place.

    RVCPipeline(voice, encoder, index=index, f0_method=method)

The F0 method's interface is `mlx_f0.F0Method`. Stages are called by one thread at a time.
Where a stage has a `warmup()`, `RVCPipeline.warmup` calls it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from mlx_rvc_synth import Noise


@runtime_checkable
class ContentEncoder(Protocol):
    """Audio to content features, as `mlx_contentvec.ContentvecModel`.

    config: has `hidden_size`, the width of the features; for v1 voices `classifier_proj_size` too,
    their width after the final projection.
    """

    @property
    def config(self) -> Any:
        """Widths; see above."""
        ...

    def extract(self, audio: np.ndarray, *, layer: Any = ..., project: Any = ...) -> Any:
        """Float32 (n,) at 16 kHz to (1, frames, channels), 50 frames a second.

        Frame i begins at sample 320 * i and is 400 long. layer and project (layer 9, projected)
        are given for v1 voices, and layer for those that name one.
        """
        ...


@runtime_checkable
class FeatureBlender(Protocol):
    """Features drawn to those of a voice, as `mlx_rvc_index.FeatureIndex`; `dim` is their width."""

    @property
    def dim(self) -> int:
        """Width of the features."""
        ...

    def blend(self, features: Any, /, rate: float) -> np.ndarray:
        """Features (frames, dim) to the same shape; rate 0 changes nothing, 1 replaces."""
        ...


@runtime_checkable
class VoiceModel(Protocol):
    """Features, F0 and a speaker to audio, as `mlx_rvc_synth.Synthesizer`.

    config: has `version` ("v1", "v2"), `f0` (whether it takes F0), `feature_channels`, `speakers`
    (how many) and `sample_rate` in Hz, a multiple of 100.
    metadata: may name `embedder_layer` (`mlx_rvc.encoder`), `speaker_names` and
    `median_f0_hz` (`mlx_rvc.speakers`).
    """

    @property
    def config(self) -> Any:
        """Kind and widths; see above."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the voice says about itself."""
        ...

    def infer(
        self,
        features: np.ndarray,
        f0_hz: np.ndarray | None = None,
        *,
        speaker: int = ...,
        seed: int | None = ...,
        noise: "Noise | None" = ...,
        phase: float = ...,
    ) -> Any:
        """(1, frames, feature_channels) and F0 (1, frames), 100 a second, to audio (1, samples).

        F0 is in Hz, 0 = unvoiced, None for a voice that takes none; phase, in cycles, is that of
        the tone before the first frame.
        """
        ...
