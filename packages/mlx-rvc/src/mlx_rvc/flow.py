"""The way of a recording through the stages, chunk by chunk, in memory that does not grow.

    16 kHz track -> F0 of all of it (blocks)
                 -> chunk by chunk: content, index, voice -> track at the voice's rate
                 -> formants -> loudness -> resampled -> stereo field -> peak   (blocks)

What is as long as the recording lies in tracks (`mlx_rvc.track`); only the F0 curve, 1.4 MB an
hour, is held whole.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from mlx_rvc import chunks
from mlx_rvc.envelope import match_envelope
from mlx_rvc.formant import shift_formants
from mlx_rvc.recording import MODEL_RATE, Recording, peak
from mlx_rvc.run import Run
from mlx_rvc.silence import sounding
from mlx_rvc.stages import Stages
from mlx_rvc.stereo import Placed
from mlx_rvc.track import Padded, Track, spans

PEAK = 0.99
"""Highest output magnitude; louder output is scaled down, never clipped."""

F0_SHARE = 0.2
"""Share of the work that F0 takes, roughly; for the progress only."""

CACHE_LIMIT = 512 << 20
"""Bytes of freed buffers that MLX keeps for reuse during a conversion."""


def flow(stages: Stages, recording: Recording, run: Run) -> tuple[Track | Placed, int]:
    """Convert a recording that is prepared (`mlx_rvc.recording.prepare`).

    Returns the output, float32 of exactly the recording's duration, and its rate in Hz; placed in
    the recording's stereo field if that was measured.
    """
    voice_rate = stages.synthesizer.config.sample_rate
    target_rate = run.options.output_rate or voice_rate
    length = recording.length_at(target_rate)
    # Rounded up, so that resampling has the last sample too.
    voice_length = length
    if target_rate != voice_rate:
        voice_length = -(-recording.samples * voice_rate // recording.sample_rate)

    with _bounded_cache():
        result = _convert(stages, recording.audio, voice_length, run)
    if run.options.formant:
        with run.timed("formant"):
            f0_hz = run.curves[0].recording if run.curves else None
            result = shift_formants(result, voice_rate, run.options.formant, f0_hz)
    if run.options.rms_mix_rate != 1:
        with run.timed("envelope"):
            result = match_envelope(
                recording.audio, MODEL_RATE, result, voice_rate, run.options.rms_mix_rate
            )
    if target_rate != voice_rate:
        with run.timed("resampling"):
            result = _resampled(result, voice_rate, target_rate, length)
    field = recording.field
    placed = result if field is None else Placed(result, target_rate, field)
    excess = peak(placed) / PEAK
    if excess > 1:
        for part in spans(length):
            result[part] = result[part] / excess
    return placed, target_rate


def _convert(stages: Stages, audio: Track, length: int, run: Run) -> Track:
    """Audio at 16 kHz to `length` samples at the voice's rate."""
    padded = Padded(audio, chunks.PAD)
    stretches = None
    if run.options.split_silence is not None:
        with run.timed("silence"):
            stretches = sounding(audio, run.options.split_silence)
    pieces = chunks.plan(audio, run.options.chunk_seconds, stretches)
    silent = sum((p.stop or len(audio)) - p.start for p in pieces if p.silent)
    run.silence_s = silent / MODEL_RATE
    f0 = stages.f0(padded, run, lambda share: run.report(F0_SHARE * share), stretches)
    run.report(F0_SHARE)
    hop = stages.synthesizer.config.sample_rate // 100
    output = Track()
    tail = np.empty(0, np.float32)  # what the chunk before makes of the first samples of this one
    for number, chunk in enumerate(pieces):
        stop = length if chunk.stop is None else chunk.stop // chunks.HOP * hop - hop // 2
        if chunk.silent:
            _append_silence(output, stop, tail)
            tail = np.zeros(hop, np.float32)
        else:
            converted = stages.convert_chunk(number, chunk, padded, f0, run)
            converted = converted[(chunks.PAD - chunk.start) // chunks.HOP * hop + len(output) :]
            piece = converted[: stop - len(output)].copy()
            _fade_in(piece, tail)
            tail = converted[len(piece) : len(piece) + hop]
            output.append(piece)
        run.report(F0_SHARE + (1 - F0_SHARE) * (number + 1) / len(pieces))
    return output


def _append_silence(output: Track, stop: int, tail: np.ndarray) -> None:
    """Let the output fade into silence, which goes on up to sample `stop`."""
    for part in spans(stop - len(output)):
        piece = np.zeros(part.stop - part.start, np.float32)
        if part.start == 0:
            _fade_in(piece, tail)
        output.append(piece)


def _fade_in(piece: np.ndarray, tail: np.ndarray) -> None:
    """Let the beginning of `piece` (samples,), in place, grow out of `tail` (samples,)."""
    faded = min(len(piece), len(tail))
    share = np.linspace(0, 1, faded + 2, dtype=np.float32)[1:-1]
    piece[:faded] = tail[:faded] + share * (piece[:faded] - tail[:faded])


def _resampled(audio: Track, sample_rate: int, target_rate: int, length: int) -> Track:
    """The first `length` samples of the audio at another rate."""
    from mlx_rvc_cli.audio import resample_blocks

    result = Track()
    blocks = (audio[part] for part in spans(len(audio)))
    for block in resample_blocks(blocks, sample_rate, target_rate):
        result.append(block[: length - len(result)])
    return result


_bounds = threading.Lock()
_bounded: list[int] = []
"""The user's limit of MLX's cache, once for each conversion under way, whichever its thread."""


@contextmanager
def _bounded_cache() -> Iterator[None]:
    """Let MLX keep little of what chunks leave, and restore the user's limit afterwards."""
    import mlx.core as mx

    with _bounds:
        before = _bounded[0] if _bounded else mx.set_cache_limit(CACHE_LIMIT)
        mx.set_cache_limit(min(CACHE_LIMIT, before))
        _bounded.append(before)
    try:
        yield
    finally:
        with _bounds:
            _bounded.pop()
            if not _bounded:
                mx.set_cache_limit(before)
