"""Which vocoder a voice has, by the names of its tensors, and what their shapes say of its sizes.

What a file says of itself is only compared: a label that is wrong is told, and not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .config import HIFIGAN, MRF, REFINE

_MARKS = {
    HIFIGAN: ("dec.ups.", "dec.resblocks."),
    MRF: ("dec.upsamples.", "dec.mrfs."),
    REFINE: ("dec.upsample_conv_blocks.", "dec.downsample_blocks.", "dec.mel_conv."),
}

# How programs spell the three, in lower case.
_SPELLINGS = {
    **dict.fromkeys(
        ("hifi-gan", "hifigan", "hifi-gan-nsf", "hifi-gan nsf", "nsf-hifi-gan", "default"), HIFIGAN
    ),
    **dict.fromkeys(("mrf hifi-gan", "mrf-hifi-gan", "mrf hifigan", "hifi-gan mrf"), MRF),
    **dict.fromkeys(("refinegan", "refine-gan"), REFINE),
}

# As fixed in Applio's code: its configuration has no say in them.
_REFINE_DILATIONS = (1, 3, 5)

Shape = Callable[[str, int], tuple[int, ...]]
Count = Callable[[str], int]


def vocoder_of(names: Iterable[str]) -> str | None:
    """Applio's name of the vocoder with these tensors; None where there is none known."""
    names = list(names)
    for vocoder, prefixes in _MARKS.items():
        if any(name.startswith(prefixes) for name in names):
            return vocoder
    return None


def vocoder_named(label: Any) -> str | None:
    """Applio's name of the vocoder that a file calls so; None for others."""
    return _SPELLINGS.get(str(label).strip().lower())


def vocoder_sizes(vocoder: str, shape: Shape, count: Count) -> dict[str, Any]:
    """`SynthConfig` fields that follow from the vocoder's tensors (sanitized, MLX layout).

    `shape` gives the shape of a tensor, which must be there with as many axes; `count` how many
    numbered entries a list has.
    """
    if vocoder == MRF:
        return _mrf_sizes(shape, count)
    return _refine_sizes(shape, count)


def _mrf_sizes(shape: Shape, count: Count) -> dict[str, Any]:
    initial, _, inter = shape("dec.conv_pre.weight", 3)
    stages, blocks = count("dec.upsamples"), count("dec.mrfs.0")
    if not stages or not blocks:
        raise ValueError(f"{stages} dec.upsamples with {blocks} blocks in dec.mrfs.0: no vocoder")
    return {
        "vocoder": MRF,
        "inter_channels": inter,
        "upsample_initial_channel": initial,
        "upsample_kernel_sizes": tuple(
            shape(f"dec.upsamples.{i}.weight", 3)[1] for i in range(stages)
        ),
        "resblock": "1",
        "resblock_kernel_sizes": tuple(
            shape(f"dec.mrfs.0.{i}.layers.0.conv1.weight", 3)[1] for i in range(blocks)
        ),
    }


def _refine_sizes(shape: Shape, count: Count) -> dict[str, Any]:
    half, _, inter = shape("dec.mel_conv.weight", 3)
    first = "dec.upsample_conv_blocks.0.blocks"
    blocks = count(first)
    if not blocks:
        raise ValueError(f"{first} holds no block: this is not a complete RVC voice")
    return {
        "vocoder": REFINE,
        "inter_channels": inter,
        "upsample_initial_channel": 2 * half,
        "resblock": "1",
        "resblock_kernel_sizes": tuple(
            shape(f"{first}.{i}.1.convs1.0.weight", 3)[1] for i in range(blocks)
        ),
        "resblock_dilation_sizes": (_REFINE_DILATIONS,) * blocks,
    }
