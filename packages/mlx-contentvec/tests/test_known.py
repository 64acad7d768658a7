"""Encoders by name, from a hub on this machine that has a toy at each address."""

import json

import numpy as np
import pytest

from mlx_contentvec import ContentvecModel, known
from mlx_weights.testing import LocalHub

# What Applio's `load_embedding` fetches, read there and not taken from the code under test.
PLACES = {
    "contentvec": "Resources/embedders/contentvec",
    "spin": "Resources/embedders/spin",
    "spin-v2": "Resources/embedders/spin-v2",
    "chinese-hubert-base": "Resources/embedders/chinese_hubert_base",
    "japanese-hubert-base": "Resources/embedders/japanese_hubert_base",
    "korean-hubert-base": "Resources/embedders/korean_hubert_base",
}


@pytest.fixture
def hub(post_norm, golden_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    data = (golden_folder / "pytorch_model.bin").read_bytes()
    files = {}
    for place in PLACES.values():
        files[f"{place}/pytorch_model.bin"] = data
        files[f"{place}/config.json"] = json.dumps(post_norm.hf_config).encode()
        files[f"{place}/preprocessor_config.json"] = b'{"do_normalize": true}'
    with LocalHub({"IAHispano/Applio": files}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def test_every_place_has_a_name():
    assert known.names() == tuple(PLACES)


@pytest.mark.parametrize("name", PLACES)
def test_encoder_by_name(post_norm, hub, name, monkeypatch):
    monkeypatch.setenv("MLX_CONTENTVEC", "/nowhere")  # a name is not what the variable replaces
    model = ContentvecModel.from_pretrained(name)
    asked = {path.removeprefix("/-/cdn").split("/main/")[-1] for path in hub.downloads()}
    asked = {path for path in asked if path.startswith("Resources")}
    assert asked and all(path.startswith(PLACES[name] + "/") for path in asked)
    # Applio's voices were trained on audio as it is, whatever lies beside the weights.
    assert model.config.do_normalize == (name == "contentvec")
    if name != "contentvec":
        features = np.array(model.extract(post_norm.audio, layer=2, project=True))
        np.testing.assert_allclose(features, post_norm.steps["projected_2"], rtol=0, atol=1e-5)
    count = len(hub.requests)
    ContentvecModel.from_pretrained(name)
    assert len(hub.requests) == count  # kept: a second start needs no network


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hubert_base", "contentvec"),
        ("ContentVec", "contentvec"),
        ("hubert-base-japanese", "japanese-hubert-base"),
        ("rinna_hubert_base_jp", "japanese-hubert-base"),
        ("chinese_hubert_base", "chinese-hubert-base"),
        ("spin_v2", "spin-v2"),
    ],
)
def test_aliases(written, name):
    found = known.find(written)
    assert found is not None and found.name == name


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'whisper'.*contentvec, spin, .*korean.*owner/name") as e:
        ContentvecModel.from_pretrained("whisper")
    assert "\n" not in str(e.value)


def test_a_folder_of_that_name_goes_first(post_norm, tmp_path, monkeypatch):
    post_norm.folder(tmp_path / "spin")
    monkeypatch.chdir(tmp_path)
    assert ContentvecModel.from_pretrained("spin").origin == "spin/model.safetensors"
