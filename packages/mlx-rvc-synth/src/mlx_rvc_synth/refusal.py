"""Files that are no RVC voice of a kind that can be converted here, told apart by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .other_models import related_model, single_model

_VOCODERS = (
    (("dec.mrfs.", "dec.upsamples."), "MRF HiFi-GAN"),
    (
        (
            "dec.upsample_blocks.",
            "dec.downsample_blocks.",
            "dec.upsample_conv_blocks.",
            "dec.mel_conv.",
            "dec.pre_conv.",
        ),
        "RefineGAN",
    ),
)

# How files spell the vocoder that this package has.
_HIFIGAN = {"hifi-gan", "hifigan", "hifi-gan-nsf", "hifi-gan nsf", "nsf-hifi-gan", "default"}


def refuse_other_files(content: dict[str, Any], tensors: dict[str, Any], path: Path) -> None:
    """ValueError for discriminators, optimizers, encoders and whatever else is not a voice."""
    names = [
        name.removeprefix("_orig_mod.").removeprefix("module.")
        for name in tensors
        if isinstance(name, str)
    ]
    if any(name.startswith("discriminators.") for name in names):
        count = len({name.split(".")[1] for name in names if name.startswith("discriminators.")})
        version = {7: " of v1", 9: " of v2"}.get(count, "")
        raise ValueError(
            f"{path} is a discriminator{version} (D_*.pth), which only training needs; "
            "give the generator (G_*.pth) or the extracted voice"
        )
    what = related_model(names)
    if what is None and any(name.startswith("enc_p.") for name in names):
        return
    what = what or single_model(names, content)
    if what:
        raise ValueError(f"{path} is {what}")
    if "optimizer" in content or "param_groups" in content:
        raise ValueError(
            f"{path} holds the state of an optimizer and no model; "
            "give the generator (G_*.pth) or the extracted voice"
        )
    shown = ", ".join(sorted(map(str, content or tensors))[:5]) or "nothing"
    raise ValueError(
        f"{path} is no RVC voice: it holds {shown}; expected a dict with weight and config "
        "(a voice), or a training checkpoint (G_*.pth)"
    )


def refuse_other_vocoders(tensors: dict[str, Any], metadata: dict[str, Any], path: Path) -> None:
    """ValueError for voices whose vocoder is not HiFi-GAN, by tensor names or by what they say."""
    said = metadata.get("vocoder")
    for prefixes, vocoder in _VOCODERS:
        if any(name.startswith(prefixes) for name in tensors):
            raise ValueError(_unsupported(path, vocoder))
    if said and str(said).strip().lower() not in _HIFIGAN:
        raise ValueError(_unsupported(path, str(said)))


def _unsupported(path: Path, vocoder: str) -> str:
    return (
        f"{path} uses the vocoder {vocoder}; supported is HiFi-GAN (NSF): "
        "convert with Applio, or train the voice with HiFi-GAN"
    )
