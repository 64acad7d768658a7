"""Every layout of checkpoints gives the same model."""

import json
import shutil

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

from mlx_contentvec import ContentvecConfig, ContentvecModel, sanitize
from mlx_contentvec.layouts import rename
from mlx_contentvec.sizes import config_from_tensors

POS_CONV = "encoder.pos_conv_embed.conv."
G, V = POS_CONV + "weight_g", POS_CONV + "weight_v"


def folded_names(weights):
    """The older spelling of weight norm, as files saved by transformers 4.27 have it."""
    ends = {"original0": "weight_g", "original1": "weight_v"}
    return {
        POS_CONV + ends[k.split(".")[-1]] if "parametrizations" in k else k: v
        for k, v in weights.items()
    }


def same(left, right):
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def test_both_spellings_of_weight_norm(post_norm):
    old = folded_names(post_norm.weights)
    assert {G, V} <= old.keys()
    same(sanitize(old), sanitize(post_norm.weights))


@pytest.mark.parametrize("prefix", ["hubert.", "model."])
def test_prefix(post_norm, prefix):
    prefixed = {
        key if key.startswith("final_proj") else prefix + key: value
        for key, value in post_norm.weights.items()
    }
    same(sanitize(prefixed), sanitize(post_norm.weights))


def test_own_layout_is_left_as_it_is(post_norm):
    ours = sanitize(post_norm.weights)
    same(sanitize(ours), ours)


def test_sanitize_is_pure(post_norm):
    before = {key: value.copy() for key, value in post_norm.weights.items()}
    out = sanitize(post_norm.weights)
    same(post_norm.weights, before)
    assert "masked_spec_embed" in before
    assert "masked_spec_embed" not in out


@pytest.mark.parametrize("name", ["fairseq.pt", "fairseq_legacy.pt"])
def test_fairseq_file(post_norm, golden_folder, tmp_path, name):
    """A pickle with an object of a fairseq class in it, in half precision."""
    shutil.copy(golden_folder / name, tmp_path / "hubert_base.pt")
    (tmp_path / "config.json").write_text(json.dumps(post_norm.hf_config))
    model = ContentvecModel.from_pretrained(tmp_path)
    half = {k: v.astype(np.float16) for k, v in post_norm.weights.items()}
    reference = ContentvecModel(post_norm.config)
    reference.load_weights([(k, mx.array(v)) for k, v in sanitize(half).items()])
    for layer, project in ((3, False), (2, True)):
        ours = np.array(model.extract(post_norm.audio, layer=layer, project=project))
        theirs = np.array(reference.extract(post_norm.audio, layer=layer, project=project))
        np.testing.assert_array_equal(ours, theirs)
        golden = post_norm.steps["last" if layer == 3 else "projected_2"]
        np.testing.assert_allclose(ours, golden, atol=2e-2)  # half precision of the weights


def test_lexandstuff_file(post_norm, golden_folder, tmp_path):
    path = tmp_path / "contentvec_base.safetensors"
    shutil.copy(golden_folder / "lexandstuff.safetensors", path)
    (tmp_path / "config.json").write_text(json.dumps(post_norm.hf_config))
    model = ContentvecModel.from_pretrained(path)
    out = np.array(model.extract(post_norm.audio))
    np.testing.assert_allclose(out, post_norm.steps["last"], rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="no final_proj"):
        model.extract(post_norm.audio, layer=2, project=True)


# The names and shapes of the published files, whose tensors are views of one number here.


def published(hugging_face=True, lexandstuff=False):
    def zeros(*shape):
        return np.broadcast_to(np.float32(1), shape)

    def conv(out, taps, channels):
        return zeros(out, taps, channels) if lexandstuff else zeros(out, channels, taps)

    tensors = {}
    for i, (taps, channels) in enumerate(
        zip((10, 3, 3, 3, 3, 2, 2), (1,) + (512,) * 6, strict=True)
    ):
        inner = "conv" if hugging_face or lexandstuff else "0"
        tensors[f"feature_extractor.conv_layers.{i}.{inner}.weight"] = conv(512, taps, channels)
    norm = "layer_norm" if hugging_face else "norm" if lexandstuff else "2"
    front = {
        f"feature_extractor.conv_layers.0.{norm}": (512,),
        "feature_projection.layer_norm" if hugging_face else "layer_norm": (512,),
        "feature_projection.projection" if hugging_face else "post_extract_proj": (768, 512),
        "encoder.layer_norm": (768,),
    }
    attention = "attention" if hugging_face else "self_attn"
    first_norm = "layer_norm" if hugging_face else "self_attn_layer_norm"
    dense = ("feed_forward.intermediate_dense", "feed_forward.output_dense")
    wide, narrow = dense if hugging_face else ("fc1", "fc2")
    for i in range(12):
        layer = f"encoder.layers.{i}."
        for part in "kvq":
            front[f"{layer}{attention}.{part}_proj"] = (768, 768)
        front[f"{layer}{attention}.out_proj"] = (768, 768)
        front |= {layer + first_norm: (768,), layer + "final_layer_norm": (768,)}
        front |= {layer + wide: (3072, 768), layer + narrow: (768, 3072)}
    if not lexandstuff:
        front["final_proj"] = (256, 768)
    for name, shape in front.items():
        tensors[name + ".weight"] = zeros(*shape)
        tensors[name + ".bias"] = zeros(shape[0])
    if hugging_face:
        tensors |= {V: zeros(768, 48, 128), G: zeros(1, 1, 128), POS_CONV + "bias": zeros(768)}
        tensors["masked_spec_embed"] = zeros(768)
    elif lexandstuff:
        place = "encoder.pos_conv.layers.0."
        tensors |= {place + "v": zeros(768, 128, 48), place + "g": zeros(1, 128, 1)}
        tensors |= {place + "module.weight": zeros(768, 128, 48), place + "module.bias": zeros(768)}
    else:
        place = "encoder.pos_conv.0."
        tensors |= {place + "weight_v": zeros(768, 48, 128), place + "weight_g": zeros(1, 1, 128)}
        tensors |= {place + "bias": zeros(768), "mask_emb": zeros(768)}
        tensors["label_embs_concat"] = zeros(504, 256)
    return tensors


@pytest.mark.parametrize(
    ("layout", "count"),
    [
        ({}, 213),
        ({"hugging_face": False}, 214),
        ({"hugging_face": False, "lexandstuff": True}, 211),
    ],
)
def test_published_names_fit_the_full_model(layout, count):
    tensors = published(**layout)
    assert len(tensors) == count
    ours = sanitize(tensors)
    config = config_from_tensors(ours)
    projection = None if layout.get("lexandstuff") else 256
    assert config == ContentvecConfig(classifier_proj_size=projection)
    parameters = dict(tree_flatten(ContentvecModel(config).parameters()))
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in parameters.items()}
    assert all(isinstance(v, mx.array) for v in parameters.values())


def test_unknown_names_are_kept():
    for name in ("lm_head.weight", "encoder.layers.0.adapter_layer.norm.weight", "final_proj.bias"):
        assert rename(name) == name


def test_half_a_weight_norm(post_norm):
    weights = folded_names(post_norm.weights)
    del weights[G]
    with pytest.raises(ValueError, match=r"half a weight norm.*weight_v' without.*weight_g"):
        sanitize(weights)


def test_weight_norm_over_another_axis_is_refused(post_norm):
    weights = folded_names(post_norm.weights)
    weights[G] = np.ones((24, 1, 1), np.float32)
    with pytest.raises(ValueError, match="expected one g per tap"):
        sanitize(weights)


def test_dead_tap_is_refused(post_norm):
    weights = folded_names(post_norm.weights)
    weights[V] = weights[V].copy()
    weights[V][:, :, 3] = 0
    with pytest.raises(ValueError, match="tap of zeros"):
        sanitize(weights)


def test_two_tensors_for_one_place(post_norm):
    weights = post_norm.weights | {"post_extract_proj.bias": np.zeros(24, np.float32)}
    with pytest.raises(ValueError, match=r"post_extract_proj.bias.*expected only one"):
        sanitize(weights)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match=r"no HuBERT.*enc_p\.emb_phone\.weight"):
        sanitize({"enc_p.emb_phone.weight": np.zeros((192, 768), np.float32)})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"feature_extractor.conv_layers.6.conv.weight": (512, 3, 512)}, "their strides"),
        ({"feature_extractor.conv_layers.1.layer_norm.weight": (512,)}, "before or after"),
        ({POS_CONV + "weight": (192, 64, 24)}, "192 wide.*attention heads.*config.json"),
        ({"encoder.layers.99999999.layer_norm.weight": (768,)}, "layer 99999999"),
        ({POS_CONV + "weight": (768, 48)}, r"shape \(768, 48\); expected 3 axes"),
    ],
)
def test_sizes_that_cannot_be_seen_are_asked_for(change, text):
    tensors = sanitize(published())
    for name, shape in change.items():
        tensors[name] = np.broadcast_to(np.float32(0), shape)
    with pytest.raises(ValueError, match=text):
        config_from_tensors(tensors)


def test_gap_between_layers_is_a_missing_tensor():
    tensors = sanitize(published())
    for name in [name for name in tensors if name.startswith("encoder.layers.5.")]:
        del tensors[name]
    config = config_from_tensors(tensors)
    assert config.num_hidden_layers == 12
