"""The sizes of an RVC voice: one frozen dataclass, with the names of RVC's own constructors.

RVC stores them as a bare list of 18 values (`config` of a small model). Everything else here says
what the list leaves out: the width of the content features, whether the voice takes F0, and the
few sizes that RVC fixes in its code (attention window, flow).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

# The order of RVC's list. Its last entry, the sample rate in Hz, is called `sr` there.
LIST_FIELDS = (
    "spec_channels",
    "segment_size",
    "inter_channels",
    "hidden_channels",
    "filter_channels",
    "n_heads",
    "n_layers",
    "kernel_size",
    "p_dropout",
    "resblock",
    "resblock_kernel_sizes",
    "resblock_dilation_sizes",
    "upsample_rates",
    "upsample_initial_channel",
    "upsample_kernel_sizes",
    "spk_embed_dim",
    "gin_channels",
    "sample_rate",
)

# Sizes that no shape bounds; RVC has at most 5 stages, and dilations of 1 to 5.
_MAX_LAYERS, _MAX_STEP = 64, 1024

FRAME_RATE = 100  # content features and F0, frames a second

# Applio's names of the three vocoders, as it writes them into a voice.
HIFIGAN, MRF, REFINE = VOCODERS = ("HiFi-GAN", "MRF HiFi-GAN", "RefineGAN")
HARMONICS = {HIFIGAN: 1, MRF: 9, REFINE: 1}
"""Sines of each vocoder's source: F0 itself and, in MRF HiFi-GAN, 8 overtones."""
REFINE_START = 16  # channels of RefineGAN's source at the rate of the audio; doubled by each stage


@dataclass(frozen=True)
class SynthConfig:
    """Sizes of one voice. Lists become tuples; every value is checked on construction."""

    inter_channels: int
    hidden_channels: int
    filter_channels: int
    n_heads: int
    n_layers: int
    kernel_size: int
    resblock: str
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    upsample_rates: tuple[int, ...]
    upsample_initial_channel: int
    upsample_kernel_sizes: tuple[int, ...]
    spk_embed_dim: int
    gin_channels: int
    sample_rate: int
    feature_channels: int
    f0: bool
    version: str
    vocoder: str = HIFIGAN
    # Training only; kept because every RVC file carries them.
    spec_channels: int = 1025
    segment_size: int = 32
    p_dropout: float = 0.0
    # Fixed in RVC's code, not in its list.
    window_size: int = 10
    n_flows: int = 4
    flow_kernel_size: int = 5
    flow_n_layers: int = 3

    def __post_init__(self) -> None:
        """Turn lists into tuples and refuse sizes that no network can have."""
        for name in ("resblock_kernel_sizes", "upsample_rates", "upsample_kernel_sizes"):
            object.__setattr__(self, name, sizes(name, getattr(self, name)))
        rows = self.resblock_dilation_sizes
        if not isinstance(rows, list | tuple) or len(rows) > _MAX_LAYERS:
            raise ValueError(f"resblock_dilation_sizes must be a short list, found {rows!r:.60}")
        dilations = tuple(sizes("resblock_dilation_sizes", row) for row in rows)
        object.__setattr__(self, "resblock_dilation_sizes", dilations)
        object.__setattr__(self, "resblock", str(self.resblock))
        self._check()

    @property
    def hop(self) -> int:
        """Samples in one frame of 10 ms."""
        return math.prod(self.upsample_rates)

    @property
    def harmonics(self) -> int:
        """How many sines the source adds up."""
        return HARMONICS[self.vocoder]

    @property
    def speakers(self) -> int:
        """How many rows the speaker table has."""
        return self.spk_embed_dim

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels after each upsampling stage: halved every time."""
        count = len(self.upsample_rates)
        return tuple(self.upsample_initial_channel // 2 ** (i + 1) for i in range(count))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SynthConfig:
        """Build from plain values; an unknown or a missing name is a ValueError."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            from mlx_weights.errors import shown

            some = ", ".join(map(shown, unknown[:5]))
            raise ValueError(
                f"{len(unknown)} unknown configuration keys, {some}; "
                f"this version knows {', '.join(sorted(known))}"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"incomplete configuration of a voice: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them back."""
        return asdict(self)

    def to_list(self) -> list[Any]:
        """RVC's own list of 18 values."""
        values = [getattr(self, name) for name in LIST_FIELDS]
        return [_plain(value) for value in values]

    def _check(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, found {value!r:.60}")
        if self.resblock not in ("1", "2"):
            raise ValueError(f"resblock must be '1' or '2', found {self.resblock!r:.60}")
        if self.version not in ("v1", "v2"):
            raise ValueError(f"version must be v1 or v2, found {self.version!r:.60}")
        if self.vocoder not in VOCODERS:
            raise ValueError(f"vocoder must be {' or '.join(VOCODERS)}, found {self.vocoder!r:.40}")
        if self.hidden_channels % self.n_heads:
            raise ValueError(f"{self.hidden_channels} channels do not split over {self.n_heads}")
        if self.inter_channels % 2:
            raise ValueError(f"inter_channels must be even for the flow: {self.inter_channels}")
        self._check_upsampling()
        self._check_resblocks()
        if self.vocoder != HIFIGAN:
            self._check_vocoder()

    def _check_upsampling(self) -> None:
        if not self.upsample_rates:
            raise ValueError("upsample_rates is empty: a voice needs at least one upsampling stage")
        if len(self.upsample_rates) != len(self.upsample_kernel_sizes):
            raise ValueError(
                f"{len(self.upsample_rates)} upsample_rates {self.upsample_rates} but "
                f"{len(self.upsample_kernel_sizes)} upsample_kernel_sizes"
            )
        if self.hop * FRAME_RATE != self.sample_rate:
            raise ValueError(
                f"upsample_rates {list(self.upsample_rates)} make {self.hop} samples a frame, "
                f"but {self.sample_rate} Hz at {FRAME_RATE} frames a second needs "
                f"{self.sample_rate / FRAME_RATE:g}"
            )
        if self.upsample_initial_channel % 2 ** len(self.upsample_rates):
            raise ValueError(
                f"upsample_initial_channel {self.upsample_initial_channel} cannot be halved "
                f"{len(self.upsample_rates)} times"
            )
        if self.vocoder != REFINE:  # whose upsampling has no kernel
            for rate, kernel in zip(self.upsample_rates, self.upsample_kernel_sizes, strict=True):
                upsample_padding(rate, kernel)

    def _check_resblocks(self) -> None:
        if len(self.resblock_kernel_sizes) != len(self.resblock_dilation_sizes):
            raise ValueError(
                f"{len(self.resblock_kernel_sizes)} resblock_kernel_sizes but "
                f"{len(self.resblock_dilation_sizes)} rows of resblock_dilation_sizes"
            )
        if not self.resblock_kernel_sizes:
            raise ValueError("resblock_kernel_sizes is empty: a stage needs a residual block")
        if any(kernel % 2 == 0 for kernel in self.resblock_kernel_sizes):
            raise ValueError(f"resblock_kernel_sizes must be odd: {self.resblock_kernel_sizes}")

    def _check_vocoder(self) -> None:
        if not self.f0 or self.resblock != "1":
            found = "without F0" if not self.f0 else f"with resblock {self.resblock!r}"
            raise ValueError(f"a voice of {self.vocoder} {found}, which there is none of")
        stages = len(self.upsample_rates)
        if self.vocoder == REFINE and self.upsample_initial_channel != REFINE_START << (stages + 1):
            raise ValueError(
                f"RefineGAN with {stages} stages needs upsample_initial_channel "
                f"{REFINE_START << (stages + 1)}, found {self.upsample_initial_channel}"
            )


def sizes(name: str, values: Any) -> tuple[int, ...]:
    """A short list of sizes as a tuple; ValueError for anything else that a file may hold."""
    if isinstance(values, list | tuple) and len(values) <= _MAX_LAYERS:
        found = tuple(
            int(v) for v in values if isinstance(v, int | np.integer) and 0 < v <= _MAX_STEP
        )
        if len(found) == len(values):
            return found
    raise ValueError(
        f"{name} must be a short list of numbers from 1 to {_MAX_STEP}, found {values!r:.60}"
    )


_POSITIVE = (
    "inter_channels",
    "hidden_channels",
    "filter_channels",
    "n_heads",
    "n_layers",
    "kernel_size",
    "upsample_initial_channel",
    "spk_embed_dim",
    "gin_channels",
    "sample_rate",
    "feature_channels",
    "window_size",
    "n_flows",
    "flow_kernel_size",
    "flow_n_layers",
)


def upsample_padding(rate: int, kernel: int) -> tuple[int, int]:
    """(padding, output_padding) with which a transposed convolution multiplies time by `rate`.

    RVC uses (kernel − rate) // 2. Where that difference is odd (rates 7 and 3 of 44.1 kHz voices,
    kernel = 2 × rate) Applio pads rate // 2 + rate % 2 and adds one sample of output padding::

        length = (T − 1)·rate − 2·padding + kernel + output_padding = T·rate
    """
    difference = kernel - rate
    if rate < 1 or difference < 0 or (difference % 2 and rate % 2 == 0):
        raise ValueError(
            f"an upsampling of {rate} with a kernel of {kernel} does not give {rate} samples "
            "for each one; the kernel must be at least the rate and, for even rates, even"
        )
    return (difference + 1) // 2, difference % 2


def noise_conv_shape(stride: int) -> tuple[int, int]:
    """(kernel, padding) of the convolution that brings the source down by `stride`.

    2·stride wide for even strides (RVC), one less for odd ones (Applio), 1 at the last stage.
    """
    kernel = 1 if stride == 1 else 2 * stride - stride % 2
    return kernel, (kernel - stride) // 2


def parse_sample_rate(value: Any) -> int:
    """Hz from any spelling found in files: 40000, "40000", "40k", "44.1k"."""
    text = str(value).strip().lower()
    try:
        if isinstance(value, bool):
            raise ValueError
        rate = float(text[:-1]) * 1000 if text.endswith("k") else float(text)
    except ValueError:
        raise ValueError(
            f"cannot read {value!r:.60} as a sample rate; expected 40000 or 40k"
        ) from None
    if not rate.is_integer() or rate <= 0:
        raise ValueError(f"a sample rate of {value!r:.60} is not a whole number of Hz")
    return int(rate)


def config_from_list(values: Sequence[Any]) -> dict[str, Any]:
    """Name the values of RVC's list (18 long; 19 in the w-okada fork, with a feature width).

    Returns a plain dict of `SynthConfig` fields; what the tensors say may still replace some.
    """
    values = list(values)
    if len(values) == len(LIST_FIELDS) + 1:
        # The fork keeps its embedding width before the sample rate, which stays last.
        del values[-2]
    if len(values) != len(LIST_FIELDS):
        raise ValueError(
            f"the voice's config has {len(values)} values; RVC writes {len(LIST_FIELDS)}"
        )
    named: dict[str, Any] = dict(zip(LIST_FIELDS, values, strict=True))
    named["sample_rate"] = parse_sample_rate(named["sample_rate"])
    named["resblock"] = str(named["resblock"])
    return named


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
