"""The converter: recording -> content features and F0 -> index -> voice model -> recording.

The steps and constants are those of RVC-WebUI 2023-2025 (`infer/modules/vc/pipeline.py`) with its
length defect mended: the output has exactly the input's duration and nothing drifts.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

import mlx_rvc_demo
from mlx_rvc import cleaning, index_fit
from mlx_rvc.encoder import contradiction, load_encoder
from mlx_rvc.f0 import check_files, saved
from mlx_rvc.flow import flow
from mlx_rvc.options import ConversionOptions, OptionFields
from mlx_rvc.output import Output
from mlx_rvc.recording import MODEL_RATE, Recording, blocks_of, mono, prepare
from mlx_rvc.run import Conversion, NoiseSource, Progress, Run, StageEnd
from mlx_rvc.speakers import Speakers
from mlx_rvc.stages import Stages
from mlx_rvc.stereo import FieldMeter, measured
from mlx_rvc.voice import find_voice, index_inside

if TYPE_CHECKING:
    from mlx_f0 import F0Method
    from mlx_rvc_cli.tags import Tags


class RVCPipeline(Stages):
    """A voice with all it needs, loaded once and used for any number of conversions.

    Several threads may convert with one pipeline: the models take turns, reading, filtering and
    writing go side by side.
    """

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

        voice: a name of the user's library (`mlx-rvc voices`; its preset is not applied), `.pth`,
            `.safetensors`, folder, hub repository ("owner/name"), or "demo".
        index: the voice's `.index` file, if any; the default is the one that the library has with
            the voice, or whose vectors are in the voice's own file.
        contentvec, rmvpe: file, folder or hub repository of the content encoder and the F0
            model; an encoder's name too, such as "spin". Unset, the encoder that the voice names
            and the usual RMVPE are fetched once and kept; RMVPE is loaded when it is first needed.

        Raises ValueError (one line: found, expected, next step) for anything that does not fit.
        """
        from mlx_rvc_index import FeatureIndex
        from mlx_rvc_synth import Synthesizer

        f0_method, speakers = "rmvpe", None
        if str(voice) == "demo":
            bundle = mlx_rvc_demo.bundle()
            voice, speakers = bundle.voice, Speakers.bundled(bundle)
            if rmvpe is None:
                f0_method = bundle.f0_method  # works without a download, as all of the demo does
        else:
            chosen = find_voice(voice, index)
            voice, index = chosen.model, chosen.index or index_inside(chosen.model)
        loaded_index = None if index is None else FeatureIndex.load(index)
        synthesizer = Synthesizer.from_pretrained(voice)
        embedder = synthesizer.metadata.get("embedder")
        encoder = load_encoder(embedder, contentvec)
        pipeline = cls(
            synthesizer,
            encoder,
            index=loaded_index,
            rmvpe=rmvpe,
            f0_method=f0_method,
            speakers=speakers,
        )
        if note := contradiction(embedder, contentvec):
            pipeline.notes = (note,)
        return pipeline

    def convert_array(
        self,
        audio: np.ndarray,
        sample_rate: int,
        *,
        options: ConversionOptions | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        on_stage: StageEnd | None = None,
        noise: NoiseSource | None = None,
        **changes: Unpack[OptionFields],
    ) -> tuple[np.ndarray, int]:
        """Convert audio in memory.

        audio: float (samples,) or (samples, channels), mixed down to mono; full scale is 1.
        sample_rate: of the input, in Hz. Options (`ConversionOptions`) as an object, as keyword
        arguments, or both: then the keywords change the object's. cancel: an event that ends the
        conversion, soon after it is set. on_stage: see `StageEnd`.

        Returns float32 (round(samples * rate / sample_rate),), with keep_stereo (..., 2), and its
        rate in Hz. Raises ValueError for options out of range and for audio that is empty or not
        finite, and `Cancelled`; what a callback raises passes through.
        """
        run = _run(ConversionOptions.of(options, **changes), progress, noise, cancel, on_stage)
        self.check_fits(run.options)
        audio = np.asarray(audio)
        channels = audio.shape[1] if audio.ndim == 2 else 1
        recording = _prepared(blocks_of(audio), channels, sample_rate, run)
        result, rate = flow(self, recording, run)
        with saved(run.options, run.curves):
            return result[:], rate

    def convert(
        self,
        *,
        input_path: str | Path,
        output_path: str | Path,
        options: ConversionOptions | None = None,
        progress: Progress | None = None,
        bit_depth: int | None = None,
        keep_tags: bool = False,
        cancel: threading.Event | None = None,
        on_stage: StageEnd | None = None,
        **changes: Unpack[OptionFields],
    ) -> Conversion:
        """Convert an audio file into another; the output's format follows its extension.

        "-" is standard input or output (a wav file). Options, cancel and on_stage as in
        `convert_array`; bit_depth, keep_tags: see `Output`. A rate that the format cannot hold
        becomes the nearest that it can; `Conversion.notes` says so. The output appears under its
        name only when it is whole. Raises ValueError, OSError or `Cancelled`.
        """
        run = _run(
            ConversionOptions.of(options, **changes), progress, cancel=cancel, on_stage=on_stage
        )
        output = Output(Path(output_path), bit_depth, keep_tags)
        _check_apart(input_path, output_path, run.options)
        self.check_fits(run.options)
        output.check(self._rate(run.options))
        return self._convert_to_file(*_read(input_path, run, keep_tags), output, run)

    def warmup(
        self, progress: Progress | None = None, *, f0_method: "str | F0Method | None" = None
    ) -> float:
        """Do once what the first conversion would do on top of its work: load, compile, choose.

        On a GPU each stage compiles, and times what its device might do in two ways, once per
        machine and version (`mlx_fastops.warmup`). Then a second of silence is converted, so that
        all has run; the F0 method is loaded, the voice's usual one unless another is given. Returns
        the seconds that it took.
        """
        start = time.perf_counter()
        for stage in (self.encoder, self.synthesizer):
            warm = getattr(stage, "warmup", None)  # not all that can take a stage's place has one
            if warm is not None:
                warm()
        if self.synthesizer.config.f0:
            self.method(f0_method).warmup()
        self.convert_array(
            np.zeros(MODEL_RATE, np.float32),
            MODEL_RATE,
            progress=progress,
            f0_method=f0_method,
            seed=0,
        )
        return time.perf_counter() - start

    def _rate(self, options: ConversionOptions) -> int:
        """The sample rate in Hz that is wanted for the output."""
        return options.output_rate or self.synthesizer.config.sample_rate

    def _convert_to_file(
        self, recording: Recording, tags: "Tags | None", output: Output, run: Run
    ) -> Conversion:
        wanted = self._rate(run.options)
        # Resampled once, to what the file will hold.
        rate = output.rate(wanted)
        if not recording.length_at(rate):
            raise ValueError(
                f"the recording of {recording.samples} samples at {recording.sample_rate} Hz is "
                f"less than half a sample at {rate} Hz; name a longer one"
            )
        run = replace(run, options=replace(run.options, output_rate=rate))
        result, rate = flow(self, recording, run)
        with run.timed("writing"), saved(run.options, run.curves):
            output.write(result, rate, tags, run.check)
        return Conversion(
            output.path,
            len(result) / rate,
            rate,
            sum(run.seconds.values()),
            run.seconds,
            f0_outside=sum(curve.outside for curve in run.curves),
            notes=(
                *self.notes,
                *index_fit.notes(run.index_closeness),
                *output.notes(wanted, tags),
            ),
            speaker=self.speakers.number(run.options.speaker),
            auto_shift=run.curves[0].auto_shift if run.curves else None,
            silence_s=run.silence_s,
        )


def convert_voice(
    input_path: str | Path,
    output_path: str | Path,
    model: str | Path,
    *,
    index: str | Path | None = None,
    contentvec: str | Path | None = None,
    rmvpe: str | Path | None = None,
    options: ConversionOptions | None = None,
    progress: Progress | None = None,
    bit_depth: int | None = None,
    keep_tags: bool = False,
    cancel: threading.Event | None = None,
    on_stage: StageEnd | None = None,
    **changes: Unpack[OptionFields],
) -> Conversion:
    """Convert one file with one voice; `RVCPipeline` keeps a voice for many.

    See `RVCPipeline.from_pretrained`, `RVCPipeline.convert` and `ConversionOptions`. Settings,
    input and output are checked before the models load, which takes longer than anything a user
    may have to correct.
    """
    run = _run(ConversionOptions.of(options, **changes), progress, cancel=cancel, on_stage=on_stage)
    run.options.check_rmvpe(rmvpe)
    _check_apart(input_path, output_path, run.options)
    output = Output(Path(output_path), bit_depth, keep_tags)
    output.check(run.options.output_rate)
    recording, tags = _read(input_path, run, keep_tags)
    run.check()
    start = time.perf_counter()
    pipeline = RVCPipeline.from_pretrained(model, index=index, contentvec=contentvec, rmvpe=rmvpe)
    if on_stage is not None:  # told, but no work on the recording: not among its seconds
        on_stage("loading", time.perf_counter() - start)
    pipeline.check_fits(run.options)
    return pipeline._convert_to_file(recording, tags, output, run)


def _run(
    options: ConversionOptions,
    progress: Progress | None = None,
    noise: NoiseSource | None = None,
    cancel: threading.Event | None = None,
    on_stage: StageEnd | None = None,
) -> Run:
    """A conversion about to begin, which has all that it needs besides the models."""
    check_files(options)
    if options.clean:
        cleaning.check_installed()
    return Run(options, progress, noise, cancel, on_stage)


def _check_apart(
    input_path: str | Path, output_path: str | Path, options: ConversionOptions
) -> None:
    """Refuse to replace the recording by what is made of it: the original would be lost."""
    source, target = Path(input_path), Path(output_path)
    if _same(source, target) and str(target) != "-":  # a pipe in, another one out
        raise ValueError(f"input and output are the same file, {target}; name another output")
    if options.save_f0 is not None:
        curve = Path(options.save_f0)
        if _same(source, curve) or _same(target, curve):
            raise ValueError(
                f"F0 would be written to {curve}, which is the recording or its conversion; name "
                f"another file"
            )


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _read(path: str | Path, run: Run, tags: bool) -> "tuple[Recording, Tags | None]":
    from mlx_rvc_cli.audio import AudioReader

    with AudioReader(path, tags=tags) as reader:
        return _prepared(iter(reader), reader.channels, reader.sample_rate, run), reader.tags


def _prepared(blocks: Iterator[np.ndarray], channels: int, sample_rate: int, run: Run) -> Recording:
    """The recording of blocks (n,) or (n, channels), its audio at 16 kHz as the models want it."""
    meter = None
    if run.options.keep_stereo:
        if channels != 2:
            raise ValueError(
                f"the stereo field is to be kept of a recording of 2 channels, this one has "
                f"{channels}; leave out keep_stereo"
            )
        meter = FieldMeter(sample_rate)
        blocks = measured(blocks, meter)

    def checked() -> Iterator[np.ndarray]:
        for block in blocks:
            run.check()
            yield mono(block)

    with run.timed("preparation"):
        recording = Recording.taken(checked(), sample_rate)
        field = None if meter is None else meter.field()
        recording = replace(recording, audio=prepare(recording.audio), field=field)
    if run.options.clean:
        with run.timed("cleaning"):
            cleaned = cleaning.clean(recording.audio, run.options.clean)
        recording = replace(recording, audio=cleaned)
    return recording
