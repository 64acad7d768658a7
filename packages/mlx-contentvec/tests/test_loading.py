"""Where encoders come from, what is refused, and what is written."""

import json
import zipfile

import mlx.core as mx
import numpy as np
import pytest

from mlx_contentvec import ContentvecConfig, ContentvecModel
from mlx_contentvec.config import FORMAT
from mlx_weights.testing import LocalHub, refused_url

REPO = "IAHispano/Applio"
FILE = "Resources/embedders/contentvec/pytorch_model.bin"


def features(model, golden):
    return np.array(model.extract(golden.audio, layer=2, project=True))


def close_to_golden(model, golden):
    np.testing.assert_allclose(
        features(model, golden), golden.steps["projected_2"], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", ["post_norm", "pre_norm"])
def test_hugging_face_folder(request, tmp_path, name):
    golden = request.getfixturevalue(name)
    folder = golden.folder(tmp_path / "encoder")
    close_to_golden(ContentvecModel.from_pretrained(folder), golden)
    close_to_golden(ContentvecModel.from_pretrained(str(folder / "model.safetensors")), golden)


def test_half_precision_folder(post_norm, tmp_path):
    half = {k: v.astype(np.float16) for k, v in post_norm.weights.items()}
    model = ContentvecModel.from_pretrained(post_norm.folder(tmp_path / "e", half))
    assert model.encoder.layer_norm.weight.dtype == mx.float32
    error = np.abs(features(model, post_norm) - post_norm.steps["projected_2"]).max()
    assert 1e-5 < error < 2e-2


def test_preprocessor_configuration_is_read(post_norm, tmp_path):
    folder = post_norm.folder(tmp_path / "encoder")
    (folder / "preprocessor_config.json").write_text('{"do_normalize": true}')
    assert ContentvecModel.from_pretrained(folder).config.do_normalize


def test_environment_variable(post_norm, tmp_path, monkeypatch):
    monkeypatch.setenv("MLX_CONTENTVEC", str(post_norm.folder(tmp_path / "encoder")))
    close_to_golden(ContentvecModel.from_pretrained(), post_norm)
    assert not (tmp_path / "cache" / "contentvec").exists()  # a local file is not converted


@pytest.mark.parametrize("name", ["post_norm", "pre_norm"])
def test_save_and_load(request, tmp_path, name):
    golden = request.getfixturevalue(name)
    model = golden.model()
    model.save_pretrained(tmp_path / "saved")
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    again = ContentvecModel.from_pretrained(tmp_path / "saved")
    assert again.config == model.config
    np.testing.assert_array_equal(features(again, golden), features(model, golden))


def test_saved_configuration_is_strict(post_norm, tmp_path):
    post_norm.model().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    assert config["format"] == FORMAT
    path.write_text(json.dumps(config | {"hidden_sizes": 3}))
    with pytest.raises(ValueError, match=r"model\.safetensors: unknown key.*hidden_sizes"):
        ContentvecModel.from_pretrained(tmp_path)
    path.write_text(json.dumps(config | {"format_version": 99}))
    with pytest.raises(ValueError, match=r"format_version 99.*update mlx-contentvec"):
        ContentvecModel.from_pretrained(tmp_path)


def test_final_proj_is_optional(post_norm, tmp_path):
    weights = {k: v for k, v in post_norm.weights.items() if not k.startswith("final_proj")}
    model = ContentvecModel.from_pretrained(post_norm.folder(tmp_path / "e", weights))
    assert model.config.classifier_proj_size is None
    with pytest.raises(ValueError, match="no final_proj"):
        model.extract(post_norm.audio, layer=2, project=True)
    model.save_pretrained(tmp_path / "saved")
    assert ContentvecModel.from_pretrained(tmp_path / "saved").config == model.config


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"encoder.layers.1.attention.k_proj.bias": None}, "missing .*layers.1.attention.k_proj.b"),
        ({"final_proj.bias": None}, r"missing .*final_proj\.bias"),
        ({"lm_head.weight": (32, 24)}, r"not expected .*lm_head\.weight"),
        ({"encoder.layer_norm.weight": (25,)}, r"another shape .*encoder\.layer_norm\.weight"),
        ({"feature_extractor.conv_layers.0.conv.bias": (8,)}, "not expected .*0.conv.bias"),
        ({"feature_extractor.conv_layers.0.conv.weight": None}, "no first convolution"),
    ],
)
def test_missing_extra_and_misshapen_tensors_are_named(post_norm, tmp_path, change, text):
    weights = dict(post_norm.weights)
    for name, shape in change.items():
        if shape is None:
            del weights[name]
        else:
            weights[name] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=text):
        ContentvecModel.from_pretrained(post_norm.folder(tmp_path / "e", weights))


def test_configuration_of_another_model(post_norm, tmp_path):
    folder = post_norm.folder(tmp_path / "a", num_hidden_layers=4)
    with pytest.raises(ValueError, match=r"missing .*encoder\.layers\.3"):
        ContentvecModel.from_pretrained(folder)
    folder = post_norm.folder(tmp_path / "b", model_type="wav2vec2")
    with pytest.raises(ValueError, match=r"b/model\.safetensors: .*model_type 'wav2vec2'"):
        ContentvecModel.from_pretrained(folder)
    (folder / "config.json").write_text("<html>")
    with pytest.raises(ValueError, match=r"config\.json .*JSON"):
        ContentvecModel.from_pretrained(folder)


def test_file_without_configuration(post_norm, tmp_path):
    """The toy's heads cannot be seen; base and large models' can (test_layouts)."""
    folder = post_norm.folder(tmp_path / "encoder")
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"attention heads cannot be seen.*config\.json"):
        ContentvecModel.from_pretrained(folder)


def test_other_files_are_refused(tmp_path):
    from mlx_contentvec.loading import state_dict

    with pytest.raises(ValueError, match="a voice, not a content encoder"):
        state_dict({"weight": {"enc_p.emb_phone.weight": np.zeros(3)}, "config": [1025]})
    for checkpoint in ([], {}, {"a": 3}, {"model": {"x": "y"}}):
        with pytest.raises(ValueError, match="no state dict"):
            state_dict(checkpoint)
    path = tmp_path / "voice.safetensors"
    mx.save_safetensors(str(path), {"enc_p.emb_phone.weight": mx.zeros((2, 2))})
    with pytest.raises(ValueError, match=r"voice\.safetensors: this is no HuBERT"):
        ContentvecModel.from_pretrained(path)


def test_pickle_that_calls_something_is_refused(golden_folder, tmp_path):
    """Only fairseq's own classes become placeholders; anything else in the pickle is refused."""
    source = zipfile.ZipFile(golden_folder / "fairseq.pt")
    path = tmp_path / "hubert_base.pt"
    with zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                data = data.replace(b"fairseq.data.dictionary\nDictionary", b"os\nsystem")
            target.writestr(name, data)
    source.close()
    with pytest.raises(ValueError, match=r"os\.system"):
        ContentvecModel.from_pretrained(path)


@pytest.fixture
def hub(post_norm, golden_folder, tmp_path, monkeypatch):
    """A hub with a toy encoder where the usual one lies, the file as torch saved it."""
    data = (golden_folder / "pytorch_model.bin").read_bytes()
    config = json.dumps(post_norm.hf_config).encode()
    place = FILE.rpartition("/")[0]
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    repos = {
        REPO: {FILE: data, f"{place}/config.json": config},
        "someone/spin": {"pytorch_model.bin": data, "config.json": config},
    }
    with LocalHub(repos) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def test_published_torch_file(post_norm, golden_folder, tmp_path):
    (tmp_path / "pytorch_model.bin").symlink_to(golden_folder / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(post_norm.hf_config))
    close_to_golden(ContentvecModel.from_pretrained(tmp_path), post_norm)


def test_default_comes_from_the_hub_and_is_converted_once(post_norm, hub, tmp_path):
    close_to_golden(ContentvecModel.from_pretrained(), post_norm)
    assert any(path.endswith(FILE) for path in hub.downloads())
    (folder,) = (tmp_path / "cache" / "contentvec").iterdir()
    assert json.loads((folder / "config.json").read_text())["format"] == FORMAT
    written = (folder / "model.safetensors").stat().st_mtime_ns
    asked = len(hub.requests)
    close_to_golden(ContentvecModel.from_pretrained(), post_norm)
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert len(hub.requests) == asked  # a second start needs no network


def test_repository(post_norm, hub):
    close_to_golden(ContentvecModel.from_pretrained("someone/spin"), post_norm)


def test_file_that_does_not_fit_is_not_kept(post_norm, hub, tmp_path):
    config = json.dumps(post_norm.hf_config | {"num_hidden_layers": 5}).encode()
    hub.repos["someone/spin"]["config.json"] = config
    with pytest.raises(ValueError, match=r"missing .*encoder\.layers\.[34]"):
        ContentvecModel.from_pretrained("someone/spin")
    kept = tmp_path / "cache" / "contentvec"
    assert not kept.exists() or not list(kept.iterdir())


def test_without_network(hub, monkeypatch):
    """The error says which file, from where, and how to give it instead."""
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    with pytest.raises(ValueError, match=FILE) as caught:
        ContentvecModel.from_pretrained()
    text = str(caught.value)
    for part in (REPO, "pytorch_model.bin", "--contentvec", "MLX_CONTENTVEC"):
        assert part in text
    assert "\n" not in text


def test_file_missing_on_the_hub(hub, tmp_path):
    hub.faults[FILE] = "missing"
    with pytest.raises(ValueError, match="pytorch_model"):
        ContentvecModel.from_pretrained()
    assert not (tmp_path / "cache" / "contentvec").exists()


# The numbers 3 -1 4 -1 5 -9 2 -6 in thousandths, on an offset of 0.1, and what
# Wav2Vec2FeatureExtractor(do_normalize=True) of transformers makes of them.
RAW = np.array([3, -1, 4, -1, 5, -9, 2, -6], np.float32) / 1000 + np.float32(0.1)
NORMALISED = [
    0.72644603, -0.13452877, 0.94169015, -0.13452877,
    1.15693426, -1.85647678, 0.51120192, -1.21074605,
]  # fmt: skip


@pytest.mark.parametrize("said", ['{"do_normalize": true}', "{}"])
@pytest.mark.parametrize("route", ["folder", "file", "repository", "saved"])
def test_normalisation_in_every_route(post_norm, hub, tmp_path, route, said):
    folder = post_norm.folder(tmp_path / "encoder")
    (folder / "preprocessor_config.json").write_text(said)
    hub.repos["someone/spin"]["preprocessor_config.json"] = said.encode()
    source = {"file": folder / "model.safetensors", "repository": "someone/spin"}.get(route, folder)
    model = ContentvecModel.from_pretrained(source)
    if route == "saved":
        model.save_pretrained(tmp_path / "saved")
        model = ContentvecModel.from_pretrained(tmp_path / "saved")
    assert model.config.do_normalize
    audio = np.tile(RAW, 100)  # the same mean and variance
    np.testing.assert_allclose(model._samples(audio)[0, :8], NORMALISED, rtol=0, atol=2e-5)


def test_normalisation_of_a_file_without_sizes_beside_it(monkeypatch):
    """Where config.json is missing, preprocessor_config.json still counts."""
    from mlx_contentvec import loading

    monkeypatch.setattr(loading, "config_from_tensors", lambda tensors: ContentvecConfig())
    assert loading._config({}, None, {"do_normalize": True}).do_normalize
    assert not loading._config({}, None, {"do_normalize": False}).do_normalize
    assert not loading._config({}, None, None).do_normalize


def test_normalisation_must_be_a_yes_or_a_no(post_norm, tmp_path):
    folder = post_norm.folder(tmp_path / "encoder")
    (folder / "preprocessor_config.json").write_text('{"do_normalize": "yes"}')
    with pytest.raises(ValueError, match=r"do_normalize 'yes'; expected true or false"):
        ContentvecModel.from_pretrained(folder)
