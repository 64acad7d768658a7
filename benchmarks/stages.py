"""The stages that are timed: what each is, its arithmetic, and how long a piece it may get."""

from dataclasses import dataclass

import arithmetic
from clip import RATE
from models import INDEX, voice_config

from mlx_contentvec import ContentvecConfig
from mlx_rmvpe import RMVPEConfig
from mlx_rvc_synth import SynthConfig
from mlx_rvc_synth.config import config_from_list

# What the chain is asked for, on both sides.
CONTROLS = {"index_rate": 0.75, "protect": 0.33, "rms_mix_rate": 0.25}


@dataclass(frozen=True)
class Stage:
    """One row of the table for each length.

    piece: seconds at most at a time, on both sides; None is all at once. PyTorch's prior encoder
        holds arrays that grow with the square of the length, 14 GB each at 300 s.
    native_seconds: length at which MLX's own CPU ops are timed, which take up to a minute for one
        second of audio.
    part: a part of another stage, timed up to one minute unless it is asked for by name.
    """

    name: str
    title: str
    by_rate: bool = False
    piece: float | None = None
    native_seconds: float | None = None
    part: bool = False


STAGES = {
    stage.name: stage
    for stage in (
        Stage("contentvec", "ContentVec", native_seconds=1),
        Stage("rmvpe", "RMVPE (mel, network, decoding)", native_seconds=1),
        Stage("index", "index (search, blend)"),
        Stage("prior", "prior encoder, flow", by_rate=True, piece=60, native_seconds=1, part=True),
        Stage("vocoder", "vocoder", by_rate=True, piece=60, native_seconds=0.2, part=True),
        Stage("synthesizer", "synthesizer", by_rate=True, piece=60, native_seconds=0.2),
        Stage("chain", "whole chain (RMVPE, index)", by_rate=True, native_seconds=0.2),
    )
}


def synth_config(rate: str) -> SynthConfig:
    """The configuration of the voice that `models` saves."""
    named = config_from_list(voice_config(rate))
    return SynthConfig.from_dict({**named, "feature_channels": 768, "f0": True, "version": "v2"})


def macs(stage: Stage, rate: str | None, seconds: float) -> int:
    """Multiply-accumulates of a stage on a clip of that length, cut into the stage's pieces."""
    whole = stage.piece or seconds
    lengths = [whole] * int(seconds // whole)
    if (rest := seconds - sum(lengths)) > 1e-6:
        lengths.append(rest)
    return sum(_macs(stage.name, rate, length) for length in lengths)


def _macs(name: str, rate: str | None, seconds: float) -> int:
    content, f0 = ContentvecConfig(), RMVPEConfig()
    frames, samples = round(seconds * 100), round(seconds * RATE)
    if name == "contentvec":
        return arithmetic.contentvec(content, samples)
    if name == "rmvpe":
        return arithmetic.rmvpe(f0, samples // f0.hop_length + 1)
    if name == "index":
        return arithmetic.index(INDEX, frames // 2)
    assert rate is not None
    voice = synth_config(rate)
    if name == "chain":
        return arithmetic.conversion(content, f0, voice, INDEX, seconds)
    count = {
        "prior": arithmetic.prior,
        "vocoder": arithmetic.vocoder,
        "synthesizer": arithmetic.synthesizer,
    }
    return count[name](voice, frames)
