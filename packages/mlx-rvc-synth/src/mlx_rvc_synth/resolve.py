"""One configuration out of what a file declares and what its tensors show.

Where both speak, the tensors are right: they are what the network computes with.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .config import SynthConfig, parse_sample_rate, sizes
from .declared import plain
from .shapes import dilations, observe, recover_rates
from .vocoders import vocoder_named

Tensors = dict[str, np.ndarray]


def resolve(
    tensors: Tensors,
    declared: dict[str, Any],
    metadata: dict[str, Any],
    spec: int | None,
    sample_rate: int | None = None,
) -> tuple[SynthConfig, dict[str, str]]:
    """The configuration of sanitized tensors, and where every value of it came from.

    `declared` are `SynthConfig` fields from the file, `metadata` its other entries (sr, version,
    f0), `spec` the inputs of the posterior encoder where the file still has one, `sample_rate` the
    user's word, in Hz, which chooses where nothing is declared. Raises ValueError where the first
    two contradict each other in a way that no network could have.
    """
    observed = observe(tensors)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, value in declared.items():
        values[name], origins[name] = value, "config"
    for name in ("upsample_rates", "resblock_dilation_sizes"):
        if values.get(name) is None:  # as if it were not there
            values.pop(name, None)
    for name, value in observed.items():
        said = values.get(name)
        agrees = said is None or plain(said) == plain(value) or str(said) == str(value)
        values[name] = value
        origins[name] = "tensors" if agrees else f"tensors (the config says {plain(said)})"
    _complete(values, origins, observed, tensors, spec, sample_rate)
    _version_and_f0(values, origins, metadata)
    said = metadata.get("vocoder")
    if said and vocoder_named(said) != observed["vocoder"]:
        origins["vocoder"] += f" (the file says {said})"
    said = metadata.get("sr")
    if said is not None and _rate_or_none(said) != values["sample_rate"]:
        origins["sample_rate"] += f" (sr says {said})"
    return SynthConfig.from_dict(values), origins


def _complete(
    values: dict[str, Any],
    origins: dict[str, str],
    observed: dict[str, Any],
    tensors: Tensors,
    spec: int | None,
    sample_rate: int | None,
) -> None:
    """Fill in what is neither declared nor a shape."""
    if "upsample_rates" not in values:
        found = recover_rates(observed, tensors, spec, sample_rate)
        values["upsample_rates"] = found.rates
        origins["upsample_rates"] = "published set with these kernels"
        if "sample_rate" not in values:
            values["sample_rate"] = found.sample_rate
            origins["sample_rate"] = "published set with these kernels"
        values.setdefault("spec_channels", found.spec_channels)
        if "upsample_kernel_sizes" not in values:  # RefineGAN has none, its list does
            values["upsample_kernel_sizes"] = found.kernels
            origins["upsample_kernel_sizes"] = "published set with these stages"
    if "sample_rate" not in values:
        values["sample_rate"] = 100 * math.prod(sizes("upsample_rates", values["upsample_rates"]))
        origins["sample_rate"] = "upsample_rates"
    if "resblock_dilation_sizes" not in values:
        blocks = len(observed["resblock_kernel_sizes"])
        values["resblock_dilation_sizes"] = dilations(tensors, observed["resblock"], blocks)
        origins["resblock_dilation_sizes"] = "RVC's default"


def _version_and_f0(
    values: dict[str, Any], origins: dict[str, str], metadata: dict[str, Any]
) -> None:
    said = metadata.get("version")
    if "version" not in values:
        # Widths of other encoders say nothing; files without a version are from before v2.
        values["version"] = said if said in ("v1", "v2") else "v2"
        origins["version"] = "version" if said in ("v1", "v2") else "default for this width"
    elif said is not None and said != values["version"]:
        origins["version"] += f" (version says {said})"
    said = metadata.get("f0")
    if said is not None and _truth(said) != values["f0"]:
        origins["f0"] += f" (f0 says {said})"


def _truth(said: Any) -> bool:
    """What a file means by its f0: 1 and 0, true and false, or the same as text."""
    return str(said).strip().lower() not in ("0", "false", "none", "no", "")


def _rate_or_none(value: Any) -> int | None:
    try:
        return parse_sample_rate(value)
    except ValueError:
        return None
