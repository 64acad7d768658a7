"""From the names and axes of a checkpoint to those of `ContentvecModel`.

Five layouts are read; they differ only in names, axes and how the positional convolution's weight
norm is spelled, so one table of names serves them all:

    Hugging Face         conv_layers.0.conv.weight (512, 1, 10)  pos_conv_embed.conv.weight_g, _v
    the same, re-saved   as above           pos_conv_embed.conv.parametrizations.weight.original0, 1
    fairseq              conv_layers.0.0.weight (512, 1, 10)     pos_conv.0.weight_g, _v
    lexandstuff          conv_layers.0.conv.weight (512, 10, 1)  pos_conv.layers.0.g, v
    ours                 conv_layers.0.conv.weight (512, 10, 1)  pos_conv_embed.conv.weight, folded
"""

import re
from collections.abc import Mapping

import numpy as np

PREFIXES = ("hubert.", "model.")  # HubertForCTC and wrappers put the encoder under a name

# Only training reads these.
TRAINING_ONLY = frozenset({"masked_spec_embed", "mask_emb", "label_embs_concat"})

_POS_CONV = "encoder.pos_conv_embed.conv."
_RENAMES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        # fairseq: Sequential(conv, dropout, norm, gelu); a layer norm sits between two transposes
        (r"^feature_extractor\.conv_layers\.(\d+)\.0\.", r"feature_extractor.conv_layers.\1.conv."),
        (
            r"^feature_extractor\.conv_layers\.(\d+)\.2\.(?:1\.)?",
            r"feature_extractor.conv_layers.\1.layer_norm.",
        ),
        (
            r"^feature_extractor\.conv_layers\.(\d+)\.norm\.",
            r"feature_extractor.conv_layers.\1.layer_norm.",
        ),
        (r"^layer_norm\.", "feature_projection.layer_norm."),
        (r"^post_extract_proj\.", "feature_projection.projection."),
        (r"^encoder\.pos_conv\.(?:layers\.)?0\.(?:module\.)?", _POS_CONV),
        (r"^(encoder\.pos_conv_embed\.conv\.)parametrizations\.weight\.original0$", r"\1weight_g"),
        (r"^(encoder\.pos_conv_embed\.conv\.)parametrizations\.weight\.original1$", r"\1weight_v"),
        (r"^(encoder\.pos_conv_embed\.conv\.)([gv])$", r"\1weight_\2"),
        (r"^(encoder\.layers\.\d+\.)self_attn\.", r"\1attention."),
        (r"^(encoder\.layers\.\d+\.)self_attn_layer_norm\.", r"\1layer_norm."),
        (r"^(encoder\.layers\.\d+\.)fc1\.", r"\1feed_forward.intermediate_dense."),
        (r"^(encoder\.layers\.\d+\.)fc2\.", r"\1feed_forward.output_dense."),
    )
)
_FIRST_CONV = "feature_extractor.conv_layers.0.conv.weight"


def sanitize(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename, put channels last, fold the weight norm, drop what only training needs.

    Args:
        tensors: a state dict in any of the layouts above, float16 or float32.

    Returns:
        Float32 arrays by `ContentvecModel`'s names. Names that no layout knows are kept, so that
        strict loading can name them.

    Raises:
        ValueError: no HuBERT at all, two tensors for one place, or half a weight norm.
    """
    renamed: dict[str, np.ndarray] = {}
    origin: dict[str, str] = {}
    prefix = _prefix(tensors)
    for key, tensor in tensors.items():
        name = rename(key.removeprefix(prefix))
        if name in TRAINING_ONLY:
            continue
        if name in renamed:
            raise ValueError(f"{origin[name]!r} and {key!r} are both {name!r}; expected only one")
        renamed[name], origin[name] = tensor, key
    first = renamed.get(_FIRST_CONV)
    if first is None:
        raise ValueError(
            "this is no HuBERT or ContentVec checkpoint: no first convolution among "
            f"{len(tensors)} tensor(s){_examples(tensors)}; expected Hugging Face, fairseq or "
            "lexandstuff names"
        )
    if first.ndim == 3 and first.shape[1] == 1 and first.shape[2] != 1:  # torch: (out, in, taps)
        for name, tensor in renamed.items():
            if tensor.ndim == 3:
                renamed[name] = tensor.transpose(0, 2, 1)
    _fold_positional(renamed)
    return {name: np.asarray(tensor, dtype=np.float32) for name, tensor in renamed.items()}


def rename(key: str) -> str:
    """Our name for a checkpoint's key (without prefix); an unknown key stays as it is."""
    for pattern, new in _RENAMES:
        key = pattern.sub(new, key)
    return key


def _prefix(tensors: Mapping[str, np.ndarray]) -> str:
    """The name the encoder stands under, or nothing; a `final_proj` may stand beside it."""
    for prefix in PREFIXES:
        if any(key.startswith(prefix + "feature_extractor.") for key in tensors):
            return prefix
    return ""


def _fold_positional(tensors: dict[str, np.ndarray]) -> None:
    """weight = g · v / ‖v‖, one norm per tap (torch: `weight_norm(dim=2)`); v is (out, taps, in).

    Beside g and v a plain weight is a left-over of the framework that saved the file, not theirs.
    """
    g_name, v_name = _POS_CONV + "weight_g", _POS_CONV + "weight_v"
    if (g_name in tensors) != (v_name in tensors):
        found, missing = (g_name, v_name) if g_name in tensors else (v_name, g_name)
        raise ValueError(f"half a weight norm: {found!r} without {missing!r}")
    if g_name not in tensors:
        return
    v = np.asarray(tensors.pop(v_name), dtype=np.float64)
    g = np.asarray(tensors.pop(g_name), dtype=np.float64)
    if v.ndim != 3 or g.shape != (1, v.shape[1], 1):
        raise ValueError(
            f"the positional convolution's weight norm has g {g.shape} for v {v.shape} "
            "(out, taps, in); expected one g per tap"
        )
    norm = np.sqrt(np.square(v).sum(axis=(0, 2), keepdims=True))
    # A tap of zeros has no direction: torch gives NaN there, and a NaN would hide in the audio.
    if not norm.all():
        raise ValueError("the positional convolution has a tap of zeros; the file is damaged")
    tensors[_POS_CONV + "weight"] = (g * (v / norm)).astype(np.float32)


def _examples(tensors: Mapping[str, np.ndarray]) -> str:
    names = sorted(tensors)[:3]
    return f" ({', '.join(names)}{', ...' if len(tensors) > 3 else ''})" if names else ""
