import json

import pytest

from mlx_contentvec import ContentvecConfig


def test_defaults_are_contentvecs():
    config = ContentvecConfig()
    assert config.receptive_field == 400
    assert config.stride == 320
    assert config == ContentvecConfig.from_hf({"model_type": "hubert"})


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 719, 720, 16000, 16079, 16080, 48001])
def test_frames(samples):
    assert ContentvecConfig().frames(samples) == max(0, (samples - 80) // 320)


def test_hugging_face_configuration(post_norm):
    config = post_norm.config
    assert config.hidden_size == 24
    assert config.conv_dim == (8, 8, 12, 12, 16, 16, 16)
    assert config.num_conv_pos_embedding_groups == 4
    assert not config.do_normalize
    normalised = ContentvecConfig.from_hf(
        post_norm.hf_config, {"do_normalize": True, "sampling_rate": 16000}
    )
    assert normalised.do_normalize


def test_round_trip_through_json(pre_norm):
    config = pre_norm.config
    assert ContentvecConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_own_configuration_is_strict():
    data = ContentvecConfig().to_dict()
    with pytest.raises(ValueError, match=r"unknown.*hiden_size"):
        ContentvecConfig.from_dict(data | {"hiden_size": 768})
    del data["conv_bias"]
    with pytest.raises(ValueError, match=r"missing.*conv_bias"):
        ContentvecConfig.from_dict(data)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"feat_extract_activation": "silu"}, "feat_extract_activation is 'silu'"),
        ({"feat_extract_norm": "batch"}, "feat_extract_norm is 'batch'"),
        ({"conv_pos_batch_norm": True}, "conv_pos_batch_norm"),
        ({"conv_dim": [512] * 6}, "one entry per layer, got 6, 7 and 7"),
        ({"num_attention_heads": 7}, "not a multiple of num_attention_heads 7"),
        ({"num_conv_pos_embedding_groups": 5}, "not a multiple of num_conv_pos_embedding_groups"),
        ({"num_hidden_layers": 0}, "positive whole number"),
        ({"hidden_size": 768.0}, "positive whole number"),
        ({"model_type": "wavlm"}, "model_type 'wavlm'"),
    ],
)
def test_unsupported_choices_are_named(choice, text):
    with pytest.raises(ValueError, match=text):
        ContentvecConfig.from_hf(choice)


def test_other_sampling_rate_is_refused():
    with pytest.raises(ValueError, match="8000 Hz"):
        ContentvecConfig.from_hf({}, {"sampling_rate": 8000})
