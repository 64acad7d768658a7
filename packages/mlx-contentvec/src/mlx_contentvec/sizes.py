"""The configuration of an encoder whose file came without `config.json`, from its tensors' shapes.

Sizes can be seen; three things cannot. The strides are the usual ones where the kernels are. The
heads are 64 wide, as in every published HuBERT: for other widths a guess would give wrong features
without a sound, so `config.json` is asked for. Norm before or after attention is "after" where only
the first convolution is normed (HuBERT base), and asked for otherwise (HuBERT large).
"""

import re
from collections.abc import Mapping

import numpy as np

from mlx_contentvec.config import ContentvecConfig

HEAD_WIDTH = 64
USUAL_KERNELS = (10, 3, 3, 3, 3, 2, 2)
USUAL_STRIDES = (5, 2, 2, 2, 2, 2, 2)
WIDTHS_WITH_KNOWN_HEADS = (768, 1024)  # base and large


def config_from_tensors(tensors: Mapping[str, np.ndarray]) -> ContentvecConfig:
    """Recover the configuration from tensors that `sanitize` has renamed.

    Raises:
        ValueError: a tensor that shows a size is missing, or a size cannot be seen; the text asks
            for `config.json`.
    """
    convolutions = [
        _shape(tensors, f"feature_extractor.conv_layers.{i}.conv.weight", 3)
        for i in range(_count(tensors, r"feature_extractor\.conv_layers\.(\d+)\."))
    ]
    kernels = tuple(taps for _, taps, _ in convolutions)
    if kernels != USUAL_KERNELS:
        raise _unseen(f"convolution kernels {kernels} are unusual, their strides")
    if "feature_extractor.conv_layers.1.layer_norm.weight" in tensors:
        raise _unseen("every convolution is normed, so whether attention is normed before or after")
    hidden, taps, group = _shape(tensors, "encoder.pos_conv_embed.conv.weight", 3)
    if hidden not in WIDTHS_WITH_KNOWN_HEADS:
        raise _unseen(f"the features are {hidden} wide, the number of attention heads")
    dense = _shape(tensors, "encoder.layers.0.feed_forward.intermediate_dense.weight", 2)
    projection = tensors.get("final_proj.weight")
    return ContentvecConfig(
        hidden_size=hidden,
        num_hidden_layers=_count(tensors, r"encoder\.layers\.(\d+)\."),
        num_attention_heads=hidden // HEAD_WIDTH,
        intermediate_size=dense[0],
        conv_dim=tuple(channels for channels, _, _ in convolutions),
        conv_kernel=kernels,
        conv_stride=USUAL_STRIDES,
        conv_bias="feature_extractor.conv_layers.0.conv.bias" in tensors,
        feat_proj_layer_norm="feature_projection.layer_norm.weight" in tensors,
        num_conv_pos_embeddings=taps,
        num_conv_pos_embedding_groups=hidden // group,
        classifier_proj_size=None if projection is None else projection.shape[0],
    )


def _shape(tensors: Mapping[str, np.ndarray], name: str, axes: int) -> tuple[int, ...]:
    tensor = tensors.get(name)
    if tensor is None:
        raise ValueError(f"{name!r} is missing, so the encoder's sizes cannot be seen")
    if tensor.ndim != axes or 0 in tensor.shape:
        raise ValueError(f"{name!r} has shape {tensor.shape}; expected {axes} axes")
    return tensor.shape


def _count(tensors: Mapping[str, np.ndarray], pattern: str) -> int:
    """One more than the highest number, so that a gap is a missing tensor and not fewer layers."""
    numbers = [int(match[1]) for name in tensors if (match := re.match(pattern, name))]
    count = max(numbers, default=-1) + 1
    if count > len(tensors):  # a name with an absurd number must not become that many layers
        raise ValueError(
            f"there is a layer {count - 1} among {len(tensors)} tensors; expected fewer"
        )
    return count


def _unseen(what: str) -> ValueError:
    return ValueError(
        f"{what} cannot be seen in the weights; put the model's config.json beside it"
    )
