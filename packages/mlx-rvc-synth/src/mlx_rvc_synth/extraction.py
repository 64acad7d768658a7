"""A voice out of a training checkpoint (`G_*.pth`): what the tensors say, checked against the user.

A checkpoint has no configuration. Version, F0 and speakers are shapes of its tensors, the rate that
of the published set with its kernels; what the user says can only settle what is left open.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
