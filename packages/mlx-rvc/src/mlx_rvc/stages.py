"""The loaded models, and what each of them is asked for."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlx_rvc import chunks, index_fit
from mlx_rvc.content import content_features
from mlx_rvc.encoder import output_layer
from mlx_rvc.f0 import Curve, Methods, estimate
from mlx_rvc.interfaces import ContentEncoder, FeatureBlender, VoiceModel
from mlx_rvc.options import VOICE, ConversionOptions
from mlx_rvc.protect import protect_unvoiced
from mlx_rvc.recording import MODEL_RATE
from mlx_rvc.run import Run
from mlx_rvc.speakers import MEDIAN_KEY, Speakers
from mlx_rvc.track import Samples

if TYPE_CHECKING:
    from mlx_f0 import F0Method
    from mlx_rmvpe import RMVPE


class Stages:
    """A voice, the encoder and the F0 model it needs, and its index: loaded once.

    Each may be any object that keeps its interface (`mlx_rvc.interfaces`, `mlx_f0.F0Method`).
    f0_method: the one that is taken where the options name none, a name or an object. speakers:
    names and usual pitches, by default what the voice's metadata says.

    Raises ValueError when their widths do not fit.
    """

    def __init__(
        self,
        synthesizer: VoiceModel,
        encoder: ContentEncoder,
        *,
        index: FeatureBlender | None = None,
        rmvpe: "str | Path | RMVPE | None" = None,
        f0_method: "str | F0Method" = "rmvpe",
        speakers: Speakers | None = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.encoder = encoder
        self.index = index
        self.methods = Methods(rmvpe)
        self.f0_method = f0_method
        self.speakers = speakers or Speakers.described(
            synthesizer.config.speakers, synthesizer.metadata
        )
        # MLX's graphs and the buffers of kernels are not for several threads at once.
        self._models = threading.RLock()
        self._layer = output_layer(synthesizer.metadata)
        self.notes: tuple[str, ...] = ()  # for each conversion's
        self._check_widths()

    def convert_chunk(
        self,
        number: int,
        chunk: chunks.Chunk,
        padded: Samples,
        f0: Curve | None,
        run: Run,
    ) -> np.ndarray:
        """One chunk with its context to audio (samples,) at the voice's rate, context included.

        padded: the padded recording; f0: over all of it, None for a voice without F0.
        """
        options = run.options
        with self._models, run.timed("content"):
            features = self._features(chunk.audio(padded))  # (frames at 50 a second, channels)
        blended = features
        if self.index is not None and options.index_rate > 0:
            with self._models, run.timed("index"):
                blended = self.index.blend(features, rate=options.index_rate)
                if number < index_fit.CHUNKS:
                    run.index_closeness += index_fit.closeness(self.index, features)
        blended = np.repeat(blended, 2, axis=0)  # 100 a second, as F0
        phase, f0_hz = 0.0, None
        if f0 is not None:
            phase = self._phase(f0.hz[: chunk.start // chunks.HOP])
            f0_hz = chunk.frames(f0.hz)[: len(blended)]
            voiced = chunk.frames(f0.voiced)[: len(blended)]
            blended = protect_unvoiced(
                blended, np.repeat(features, 2, axis=0), voiced, options.protect
            )
        # Each chunk has noise of its own: repeated noise is heard as a loop.
        noise = None if run.noise is None else run.noise(number, len(blended))
        with self._models, run.timed("voice"):
            audio = self.synthesizer.infer(
                blended[None],
                None if f0_hz is None else f0_hz[None],
                speaker=self.speakers.number(options.speaker),
                seed=None if options.seed is None else options.seed + number,
                noise=noise,
                phase=phase,
            )
            return np.asarray(audio)[0]

    def _phase(self, f0_hz: np.ndarray) -> float:
        """Cycles, in [0, 1), after frames (n,) of F0: where the sine source of a chunk goes on.

        The reference starts each chunk at 0, which changes its waveform though not its sound.
        """
        hop_s = chunks.HOP / MODEL_RATE
        return float(np.sum(f0_hz, dtype=np.float64) * hop_s % 1)

    def _features(self, audio: np.ndarray) -> np.ndarray:
        """Audio (samples,) at 16 kHz to content features (frames, channels) of the voice's kind."""
        voice = self.synthesizer.config
        return content_features(
            self.encoder,
            audio,
            version=voice.version,
            width=voice.feature_channels,
            layer=self._layer,
        )

    def method(self, wanted: "str | F0Method | None" = None) -> "F0Method":
        """The F0 method, loaded: the wanted one, else the voice's usual one; see `Methods.get`."""
        return self.methods.get(wanted or self.f0_method)

    def f0(
        self,
        padded: Samples,
        run: Run,
        progress: Callable[[float], None],
        stretches: Sequence[tuple[int, int]] | None = None,
    ) -> Curve | None:
        """F0 of the padded recording as the voice gets it; None for a voice without F0.

        progress: called with the share that is done. stretches: where to listen, see `estimate`.
        """
        if not self.synthesizer.config.f0:
            return None
        with self._models:
            method = self.method(run.options.f0_method)
            with run.timed("f0"):
                curve = estimate(
                    method,
                    padded,
                    run.options,
                    progress,
                    target_hz=self._target_hz(run.options),
                    stretches=stretches,
                )
        run.curves.append(curve)
        return curve

    def _target_hz(self, options: ConversionOptions) -> float | None:
        """The median that auto pitch is after, None without it."""
        if options.auto_pitch == VOICE:
            speaker = self.speakers.number(options.speaker)
            target = self.speakers.medians_hz.get(speaker)
            if target is None:
                raise ValueError(
                    f"auto pitch is {VOICE!r}, but this voice does not say the median pitch of "
                    f"speaker {speaker} ({MEDIAN_KEY} in its metadata); give a median in Hz"
                )
            return target
        return None if options.auto_pitch is None else float(options.auto_pitch)

    def check_fits(self, options: ConversionOptions) -> None:
        """Refuse settings that this voice cannot follow, rather than drop them."""
        self.speakers.number(options.speaker)
        self._target_hz(options)
        if self.synthesizer.config.f0:
            return
        if options.pitch:
            raise ValueError(
                f"pitch is {options.pitch}, but this voice was trained without F0 and cannot be "
                f"shifted; leave pitch at 0 or take a voice with F0"
            )
        for name in ("auto_pitch", "autotune", "f0_file", "save_f0"):
            value = getattr(options, name)
            if value:
                raise ValueError(
                    f"{name} is {value}, but this voice was trained without F0; leave it out or "
                    f"take a voice with F0"
                )

    def _check_widths(self) -> None:
        wanted = self.synthesizer.config.feature_channels
        encoder = self.encoder.config
        given = {encoder.hidden_size}
        if self.synthesizer.config.version == "v1":
            given = {encoder.hidden_size, encoder.classifier_proj_size}
        if wanted not in given:
            named = self.synthesizer.metadata.get("embedder")
            origin = getattr(self.encoder, "origin", None)
            raise ValueError(
                f"the voice takes features {wanted} wide, the content encoder gives "
                f"{encoder.hidden_size}{f' ({origin})' if origin else ''}; give the encoder it was "
                f"trained with (--contentvec), {named or 'which it does not name'}"
            )
        layers = getattr(encoder, "num_hidden_layers", None)
        if self._layer is not None and layers is not None and self._layer > layers:
            raise ValueError(
                f"the voice takes layer {self._layer} of its content encoder, this one has "
                f"{layers}; give the encoder it was trained with (--contentvec)"
            )
        if self.index is not None and self.index.dim != wanted:
            raise ValueError(
                f"the index holds features {self.index.dim} wide, the voice takes {wanted}; "
                f"give the index that was made with this voice"
            )
