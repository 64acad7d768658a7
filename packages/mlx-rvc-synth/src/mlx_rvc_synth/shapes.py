"""What the tensors of a voice say about its configuration.

Nearly everything: only the upsampling rates, the dilations and the sample rate are not shapes.
Training checkpoints carry no configuration, so for them the rates are looked up among the sets
that RVC and Applio train with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .config import HIFIGAN, noise_conv_shape
from .vocoders import vocoder_of, vocoder_sizes

Tensors = dict[str, np.ndarray]


class OpenRateError(ValueError):
    """No configuration, and kernels of no published upsampling or of several; `found` says which.

    The advice depends on the file, so that whoever knows it may say another one.
    """

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"{found}: {advice}")
        self.found = found


class RateSet(NamedTuple):
    """One upsampling that the published training configurations use."""

    sample_rate: int
    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    spec_channels: int


# RVC v1 and v2 and Applio. 40 kHz is the same in both versions.
RATE_SETS = (
    RateSet(32000, (10, 4, 2, 2, 2), (16, 16, 4, 4, 4), 513),
    RateSet(48000, (10, 6, 2, 2, 2), (16, 16, 4, 4, 4), 1025),
    RateSet(40000, (10, 10, 2, 2), (16, 16, 4, 4), 1025),
    RateSet(32000, (10, 8, 2, 2), (20, 16, 4, 4), 513),
    RateSet(48000, (12, 10, 2, 2), (24, 20, 4, 4), 1025),
    RateSet(24000, (10, 6, 2, 2), (20, 12, 4, 4), 513),
)


def observe(tensors: Tensors) -> dict[str, Any]:
    """`SynthConfig` fields that follow from sanitized tensors (MLX layout).

    Raises ValueError naming the first tensor that is needed and not there.
    """

    def shape(name: str, ndim: int) -> tuple[int, ...]:
        if name not in tensors:
            raise ValueError(f"{name} is missing: this is not a complete RVC voice")
        if tensors[name].ndim != ndim:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {ndim} axes")
        return tensors[name].shape

    hidden, features = shape("enc_p.emb_phone.weight", 2)
    _, offsets, head = shape("enc_p.encoder.attn_layers.0.emb_rel_k", 3)
    filters, kernel, _ = shape("enc_p.encoder.ffn_layers.0.conv_1.weight", 3)
    speakers, gin = shape("emb_g.weight", 2)
    flow_kernel = shape("flow.flows.0.enc.in_layers.0.weight", 3)[1]
    if head == 0 or hidden % head:
        raise ValueError(f"emb_rel_k is {head} wide, which does not divide {hidden} channels")

    vocoder = vocoder_of(tensors) or HIFIGAN
    observed: dict[str, Any] = {
        "feature_channels": features,
        "hidden_channels": hidden,
        "filter_channels": filters,
        "kernel_size": kernel,
        "n_heads": hidden // head,
        "n_layers": count(tensors, "enc_p.encoder.attn_layers"),
        "window_size": (offsets - 1) // 2,
        "spk_embed_dim": speakers,
        "gin_channels": gin,
        "n_flows": count(tensors, "flow.flows"),
        "flow_n_layers": count(tensors, "flow.flows.0.enc.in_layers"),
        "flow_kernel_size": flow_kernel,
        "f0": "enc_p.emb_pitch.weight" in tensors,
    }
    if vocoder == HIFIGAN:
        observed |= _hifigan_sizes(tensors, shape)
    else:
        observed |= vocoder_sizes(vocoder, shape, partial(count, tensors))
    if features in (256, 768):
        observed["version"] = "v1" if features == 256 else "v2"
    return observed


def _hifigan_sizes(
    tensors: Tensors, shape: Callable[[str, int], tuple[int, ...]]
) -> dict[str, Any]:
    initial, _, inter = shape("dec.conv_pre.weight", 3)
    stages = count(tensors, "dec.ups")
    blocks = count(tensors, "dec.resblocks")
    if not stages or not blocks or blocks % stages:
        raise ValueError(f"{blocks} dec.resblocks do not spread over {stages} dec.ups")
    kind = "1" if "dec.resblocks.0.convs1.0.weight" in tensors else "2"
    convs = "convs1" if kind == "1" else "convs"
    return {
        "vocoder": HIFIGAN,
        "inter_channels": inter,
        "upsample_initial_channel": initial,
        "upsample_kernel_sizes": tuple(shape(f"dec.ups.{i}.weight", 3)[1] for i in range(stages)),
        "resblock": kind,
        "resblock_kernel_sizes": tuple(
            shape(f"dec.resblocks.{i}.{convs}.0.weight", 3)[1] for i in range(blocks // stages)
        ),
    }


def recover_rates(
    observed: dict[str, Any], tensors: Tensors, spec: int | None, sample_rate: int | None = None
) -> RateSet:
    """The published upsampling whose kernels these are; `spec` = inputs of enc_q, if it was there.

    `sample_rate`, in Hz, chooses among several. Raises ValueError when none or more than one fits.
    """
    kernels = observed.get("upsample_kernel_sizes")
    stages = count(tensors, "dec.upsample_conv_blocks")  # RefineGAN, which has no kernels
    fitting = [
        known
        for known in RATE_SETS
        if spec in (None, known.spec_channels)
        and (
            len(known.rates) == stages
            if kernels is None
            else known.kernels == kernels
            and (not observed["f0"] or _noise_kernels(known) == _noise_kernels_of(tensors))
        )
    ]
    if sample_rate is not None and fitting:
        chosen = [known for known in fitting if known.sample_rate == sample_rate]
        if not chosen:
            raise ValueError(
                f"its tensors are those of {_rates(fitting)}, not of {sample_rate} Hz: leave the "
                "rate out, or give the right file"
            )
        fitting = chosen
    if len(fitting) == 1:
        return fitting[0]
    advice = "extract a small model with the program that trained it, which stores them"
    if fitting:
        raise OpenRateError(
            f"this checkpoint without configuration may be of {_rates(fitting)}",
            "extract a voice with mlx-rvc extract --sample-rate",
        )
    found = f"{stages} stages" if kernels is None else f"upsampling kernels {list(kernels)}"
    raise OpenRateError(
        f"this checkpoint has no configuration and its {found} are of no published one", advice
    )


def dilations(tensors: Tensors, resblock: str, blocks: int) -> tuple[tuple[int, ...], ...]:
    """The dilations RVC uses, as many as there are convolutions in a block."""
    convs = "convs1" if resblock == "1" else "convs"
    steps = count(tensors, f"dec.resblocks.0.{convs}") or count(tensors, "dec.mrfs.0.0.layers")
    usual = (1, 3, 5) if resblock == "1" else (1, 3)
    if steps != len(usual):
        raise ValueError(
            f"a residual block has {steps} steps; without a configuration their dilations are "
            f"known for {len(usual)} only: extract a small model with the program that trained it"
        )
    return (usual,) * blocks


def count(tensors: Tensors, prefix: str) -> int:
    """How many numbered entries a list of layers has."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({match[1] for name in tensors if (match := pattern.match(name))})


def _rates(known: list[RateSet]) -> str:
    return " or ".join(f"{rates.sample_rate} Hz" for rates in known)


def _noise_kernels(known: RateSet) -> tuple[int, ...]:
    strides = [int(np.prod(known.rates[i + 1 :])) for i in range(len(known.rates))]
    return tuple(noise_conv_shape(stride)[0] for stride in strides)


def _noise_kernels_of(tensors: Tensors) -> tuple[int, ...]:
    names = [f"dec.noise_convs.{i}.weight" for i in range(count(tensors, "dec.noise_convs"))]
    return tuple(
        tensors[name].shape[1] for name in names if getattr(tensors.get(name), "ndim", 0) == 3
    )
