"""A voice out of a training checkpoint (`G_*.pth`): what the tensors say, checked against the user.

A checkpoint has no configuration. Version, F0 and speakers are shapes of its tensors, the rate that
of the published set with its kernels; what the user says can only settle what is left open.

Several checkpoints of one training are averaged: the mean of where the last steps led
(arXiv:1706.03762, 6.1; arXiv:1803.05407).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from .blending import blend, difference
from .voicefile import VoiceFile, read_voice

_WIDTHS = {256: "v1", 768: "v2"}


def extract(
    path: Path,
    *,
    sample_rate: int | None = None,
    version: str | None = None,
    f0: bool | None = None,
) -> VoiceFile:
    """Read a training checkpoint as a voice, posterior encoder and optimizer left out.

    `sample_rate` in Hz, `version` "v1" or "v2" and `f0` override what is left open; where they
    contradict the tensors, and for files that are no checkpoint, ValueError says what was found.
    """
    voice = read_voice(path, sample_rate=sample_rate)
    if voice.kind not in ("training checkpoint", "state dict"):
        raise ValueError(
            f"{path} is a {voice.kind}, not a training checkpoint (G_*.pth): mlx-rvc export turns "
            "one form of a voice into another"
        )
    config = voice.config
    if sample_rate is not None and sample_rate != config.sample_rate:
        raise ValueError(
            f"{path} is a voice of {config.sample_rate} Hz, not of {sample_rate}: leave the rate "
            "out, or give the right file"
        )
    if f0 is not None and f0 != config.f0:
        found, said = ("with", "without") if config.f0 else ("without", "with")
        raise ValueError(
            f"{path} was trained {found} F0, as its tensors show, not {said}: leave the flag out, "
            "or give the right file"
        )
    if version is not None and version != config.version:
        known = _WIDTHS.get(config.feature_channels)
        if known is not None:
            raise ValueError(
                f"{path} takes features {config.feature_channels} wide, so it is {known}, not "
                f"{version}: leave the version out, or give the right file"
            )
        config = replace(config, version=version)
    iteration = voice.metadata.get("iteration")
    epoch = "" if iteration is None else f", epoch {iteration}"
    metadata = {"info": f"extracted from {path.name}{epoch}"}
    return replace(voice, config=config, metadata=metadata)


def extract_mean(
    paths: Sequence[Path],
    *,
    sample_rate: int | None = None,
    version: str | None = None,
    f0: bool | None = None,
) -> VoiceFile:
    """Read checkpoints of one training as one voice: the mean of their tensors as stored.

    One path is `extract`. The mean is taken in float64, of magnitude and direction of weight norm
    each for itself, and given in float32. Checkpoints must agree in every size, F0 and rate; that
    they are of one training is for the caller to know. Raises ValueError as `extract` does, for
    checkpoints that do not fit one another, and for one that is given twice.
    """
    for one, other in combinations(paths, 2):
        if one.exists() and other.exists() and one.samefile(other):
            raise ValueError(f"{other} is given twice and would weigh twice; give it once")
    options = {"sample_rate": sample_rate, "version": version, "f0": f0}
    first, *others = (extract(path, **options) for path in paths)
    if not others:
        return first
    for other in others:
        found = difference(first, other)
        if found is not None:
            raise ValueError(
                f"{other.path} does not fit {first.path}: {found}; checkpoints of one training "
                "are averaged"
            )
    mean = blend([first, *others], [1] * len(paths))
    info = f"mean of {len(paths)} checkpoints, {', '.join(path.name for path in paths)}"
    return replace(mean, kind="mean of checkpoints", metadata={"info": info})
