"""The converter: recording -> content features and F0 -> index -> voice model -> recording.

The steps and constants are those of RVC-WebUI 2023-2025 (`infer/modules/vc/pipeline.py`) with its
length defect mended: the output has exactly the input's duration and nothing drifts.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from mlx_rvc import chunks, f0
from mlx_rvc.controls import ControlFields, Controls
from mlx_rvc.encoder import load_encoder
from mlx_rvc.envelope import match_envelope
from mlx_rvc.protect import protect_unvoiced
from mlx_rvc.recording import MODEL_RATE, prepare
from mlx_rvc.run import Conversion, NoiseSource, Progress, Run

if TYPE_CHECKING:
    from mlx_contentvec import ContentvecModel
    from mlx_rmvpe import RMVPE
    from mlx_rvc_index import FeatureIndex
    from mlx_rvc_synth import Synthesizer

PEAK = 0.99
"""Highest output magnitude; louder output is scaled down, never clipped."""

F0_SHARE = 0.2
"""Share of the work that F0 takes, roughly; for the progress only."""


class RVCPipeline:
    """A voice with all it needs, loaded once and used for any number of conversions."""

    def __init__(
        self,
        synthesizer: "Synthesizer",
        encoder: "ContentvecModel",
        *,
        index: "FeatureIndex | None" = None,
        rmvpe: "str | Path | RMVPE | None" = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.encoder = encoder
        self.index = index
        self._rmvpe = rmvpe
        self._check_widths()

    @classmethod
    def from_pretrained(
        cls,
        voice: str | Path,
        *,
        index: str | Path | None = None,
        contentvec: str | Path | None = None,
        rmvpe: str | Path | None = None,
    ) -> "RVCPipeline":
        """Load a voice.

        voice: `.pth`, `.safetensors`, folder, hub repository ("owner/name"), or "demo".
        index: the voice's `.index` file, if any.
        contentvec, rmvpe: file, folder or hub repository of the content encoder and the F0
            model. Unset, the encoder that the voice names and the usual RMVPE are fetched once
            and kept; RMVPE is loaded when it is first needed.

        Raises ValueError (one line: found, expected, next step) for anything that does not fit.
        """
        import mlx_rvc_demo
        from mlx_rvc_index import FeatureIndex
        from mlx_rvc_synth import Synthesizer

        if str(voice) == "demo":
            voice = mlx_rvc_demo.bundle().voice
        loaded_index = None if index is None else FeatureIndex.load(index)
        synthesizer = Synthesizer.from_pretrained(voice)
        encoder = load_encoder(synthesizer.metadata.get("embedder"), contentvec)
        return cls(synthesizer, encoder, index=loaded_index, rmvpe=rmvpe)

    def convert_array(
        self,
        audio: np.ndarray,
        sample_rate: int,
        *,
        progress: Progress | None = None,
        noise: NoiseSource | None = None,
        **controls: Unpack[ControlFields],
    ) -> tuple[np.ndarray, int]:
        """Convert audio in memory.

        audio: float (samples,) or (samples, channels), mixed down to mono; full scale is 1.
        sample_rate: of the input, in Hz. controls: see `Controls`.

        Returns float32 (round(samples * rate / sample_rate),) and its rate in Hz. Raises
        ValueError for controls out of range and for audio that is empty or not finite.
        """
        return self._convert(audio, sample_rate, Run(Controls(**controls), progress, noise))

    def convert(
        self,
        *,
        input_path: str | Path,
        output_path: str | Path,
        progress: Progress | None = None,
        **controls: Unpack[ControlFields],
    ) -> Conversion:
        """Convert an audio file into another; the output's format follows its extension.

        The output appears under its name only when it is whole. Raises ValueError or OSError.
        """
        from mlx_rvc_cli.audio import read_audio

        run = Run(Controls(**controls), progress)
        _check_apart(input_path, output_path)
        self._check_output(output_path, run.controls)
        return self._convert_to_file(*read_audio(input_path), output_path, run)

    def _check_output(self, output_path: str | Path, controls: Controls) -> None:
        from mlx_rvc_cli.audio import check_output

        check_output(output_path, self._output_rate(controls))

    def _convert_to_file(
        self, audio: np.ndarray, sample_rate: int, output_path: str | Path, run: Run
    ) -> Conversion:
        from mlx_rvc_cli.audio import write_audio

        start = time.perf_counter()
        result, rate = self._convert(audio, sample_rate, run)
        seconds = time.perf_counter() - start
        write_audio(output_path, result, rate)
        return Conversion(Path(output_path), len(result) / rate, rate, seconds, run.seconds)

    def _output_rate(self, controls: Controls) -> int:
        return controls.output_rate or self.synthesizer.config.sample_rate

    def _convert(self, audio: np.ndarray, sample_rate: int, run: Run) -> tuple[np.ndarray, int]:
        from mlx_rvc_cli.audio import resample

        mono = _mono(np.asarray(audio))
        controls = run.controls
        self._check_fits(controls)
        with run.timed("preparation"):
            recording = prepare(_at_model_rate(resample(mono, sample_rate, MODEL_RATE)))
        voice_rate = self.synthesizer.config.sample_rate
        target_rate = self._output_rate(controls)
        length = round(len(mono) * target_rate / sample_rate)
        # Rounded up, so that resampling has the last sample too.
        voice_length = length
        if target_rate != voice_rate:
            voice_length = -(-len(mono) * voice_rate // sample_rate)

        result = self._convert_recording(recording, run, voice_length)
        if controls.rms_mix_rate != 1:
            with run.timed("envelope"):
                result = match_envelope(
                    recording, MODEL_RATE, result, voice_rate, controls.rms_mix_rate
                )
        if target_rate != voice_rate:
            with run.timed("resampling"):
                result = resample(result, voice_rate, target_rate)[:length]
        excess = float(np.abs(result).max(initial=0.0)) / PEAK
        return (result / excess if excess > 1 else result).astype(np.float32), target_rate

    def _convert_recording(self, recording: np.ndarray, run: Run, length: int) -> np.ndarray:
        """Audio (samples,) at 16 kHz to `length` samples at the voice's rate."""
        padded = np.pad(recording, chunks.PAD, mode="reflect")
        f0_hz = self._f0(padded, run)
        run.report(F0_SHARE)
        pieces = chunks.plan(recording)
        hop = self.synthesizer.config.sample_rate // 100
        output = np.empty(length, dtype=np.float32)
        for number, chunk in enumerate(pieces):
            audio = self._convert_chunk(number, chunk, padded, f0_hz, run)
            first = chunk.start // chunks.HOP * hop
            last = length if chunk.stop is None else chunk.stop // chunks.HOP * hop
            skip = chunks.PAD // chunks.HOP * hop
            output[first:last] = audio[skip : skip + last - first]
            run.report(F0_SHARE + (1 - F0_SHARE) * (number + 1) / len(pieces))
        return output

    def _convert_chunk(
        self,
        number: int,
        chunk: chunks.Chunk,
        padded: np.ndarray,
        f0_hz: np.ndarray | None,
        run: Run,
    ) -> np.ndarray:
        """One chunk with its context to audio (samples,) at the voice's rate, context included."""
        controls = run.controls
        with run.timed("content"):
            features = self._features(chunk.audio(padded))  # (frames at 50 a second, channels)
        blended = features
        if self.index is not None and controls.index_rate > 0:
            with run.timed("index"):
                blended = self.index.blend(features, rate=controls.index_rate)
        blended = np.repeat(blended, 2, axis=0)  # 100 a second, as F0
        if f0_hz is not None:
            f0_hz = chunk.frames(f0_hz)[: len(blended)]
            blended = protect_unvoiced(
                blended, np.repeat(features, 2, axis=0), f0_hz, controls.protect
            )
        # Each chunk has noise of its own: repeated noise is heard as a loop.
        noise = None if run.noise is None else run.noise(number, len(blended))
        with run.timed("voice"):
            audio = self.synthesizer.infer(
                blended[None],
                None if f0_hz is None else f0_hz[None],
                speaker=controls.speaker,
                seed=None if controls.seed is None else controls.seed + number,
                noise=noise,
            )
            return np.asarray(audio)[0]

    def _features(self, audio: np.ndarray) -> np.ndarray:
        """Audio (samples,) at 16 kHz to content features (frames, channels) of the voice's kind."""
        v1 = self.synthesizer.config.version == "v1"
        if v1 and self.encoder.config.hidden_size != self.synthesizer.config.feature_channels:
            features = self.encoder.extract(audio.astype(np.float32), layer=V1_LAYER, project=True)
        else:
            features = self.encoder.extract(audio.astype(np.float32))
        return np.asarray(features)[0]

    def _f0(self, padded: np.ndarray, run: Run) -> np.ndarray | None:
        """F0 in Hz (frames,) of the padded recording, shifted; None for a voice without F0."""
        if not self.synthesizer.config.f0:
            return None
        with run.timed("f0"):
            frames = len(padded) // chunks.HOP
            curve = self._f0_method(run.controls.f0_method)(padded)
            return f0.shift(curve[:frames], run.controls.pitch)

    def _f0_method(self, name: str) -> f0.F0Method:
        if name == "harvest":
            return f0.harvest
        if name == "dio":
            return f0.dio
        from mlx_rmvpe import RMVPE

        if self._rmvpe is None:
            try:
                self._rmvpe = RMVPE.from_pretrained()
            except ValueError as error:
                raise ValueError(
                    f"{error}, or choose the F0 method harvest, which needs no weights"
                ) from error
        elif not isinstance(self._rmvpe, RMVPE):
            self._rmvpe = RMVPE.from_pretrained(self._rmvpe)
        return self._rmvpe.infer_from_audio

    def _check_fits(self, controls: Controls) -> None:
        """Refuse settings that this voice cannot follow, rather than drop them."""
        voice = self.synthesizer.config
        if controls.speaker >= voice.speakers:
            raise ValueError(
                f"speaker is {controls.speaker}; this voice has {voice.speakers}, numbered 0 to "
                f"{voice.speakers - 1}"
            )
        if controls.pitch and not voice.f0:
            raise ValueError(
                f"pitch is {controls.pitch}, but this voice was trained without F0 and cannot be "
                f"shifted; leave pitch at 0 or take a voice with F0"
            )

    def _check_widths(self) -> None:
        wanted = self.synthesizer.config.feature_channels
        encoder = self.encoder.config
        given = {encoder.hidden_size}
        if self.synthesizer.config.version == "v1":
            given = {encoder.hidden_size, encoder.classifier_proj_size}
        if wanted not in given:
            raise ValueError(
                f"the voice takes features {wanted} wide, the content encoder gives "
                f"{encoder.hidden_size}; give the encoder it was trained with (--contentvec)"
            )
        if self.index is not None and self.index.dim != wanted:
            raise ValueError(
                f"the index holds features {self.index.dim} wide, the voice takes {wanted}; "
                f"give the index that was made with this voice"
            )


V1_LAYER = 9
"""v1 voices take hidden layer 9 through the encoder's final projection (256 wide)."""


def convert_voice(
    input_path: str | Path,
    output_path: str | Path,
    model: str | Path,
    *,
    index: str | Path | None = None,
    contentvec: str | Path | None = None,
    rmvpe: str | Path | None = None,
    progress: Progress | None = None,
    **controls: Unpack[ControlFields],
) -> Conversion:
    """Convert one file with one voice; `RVCPipeline` keeps a voice for many.

    See `RVCPipeline.from_pretrained` and `Controls`. Settings, input and output are checked before
    the models load, which takes longer than anything a user may have to correct.
    """
    from mlx_rvc_cli.audio import check_output, read_audio

    run = Run(Controls(**controls), progress)
    if rmvpe is not None and run.controls.f0_method != "rmvpe":
        raise ValueError(
            f"weights for RMVPE are given, but the F0 method is {run.controls.f0_method}; leave "
            f"out one of them"
        )
    _check_apart(input_path, output_path)
    check_output(output_path, run.controls.output_rate)
    audio, sample_rate = read_audio(input_path)
    pipeline = RVCPipeline.from_pretrained(model, index=index, contentvec=contentvec, rmvpe=rmvpe)
    pipeline._check_output(output_path, run.controls)
    return pipeline._convert_to_file(audio, sample_rate, output_path, run)


def _check_apart(input_path: str | Path, output_path: str | Path) -> None:
    """Refuse to replace the recording by its conversion: the original would be lost."""
    source, target = Path(input_path), Path(output_path)
    if source.exists() and target.exists() and source.samefile(target):
        raise ValueError(f"input and output are the same file, {target}; name another output")


def _mono(audio: np.ndarray) -> np.ndarray:
    """Audio (samples,) or (samples, channels) as float32 (samples,), checked."""
    if audio.ndim not in (1, 2):
        raise ValueError(
            f"the audio has the shape {audio.shape}; expected (samples,) or (samples, channels)"
        )
    if not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(
            f"the audio is of type {audio.dtype}; expected float with full scale 1 "
            f"(16-bit samples: divide by 32768)"
        )
    if audio.size == 0:
        raise ValueError("the audio is empty; expected at least one sample")
    if not np.isfinite(audio).all():
        raise ValueError("the audio holds NaN or infinite samples; export it again and retry")
    return (audio if audio.ndim == 1 else audio.mean(axis=1)).astype(np.float32)


def _at_model_rate(audio: np.ndarray) -> np.ndarray:
    """Keep one sample of a recording so short that none is left at 16 kHz."""
    return audio if len(audio) else np.zeros(1, dtype=np.float32)
