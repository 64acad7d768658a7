from types import SimpleNamespace

import numpy as np
import pytest

import mlx_contentvec
import mlx_rvc_demo
from mlx_contentvec import loading
from mlx_rvc.content import content_features
from mlx_rvc.encoder import contradiction, load_encoder, output_layer
from mlx_rvc.stages import Stages


@pytest.fixture
def loaded(monkeypatch):
    """The sources that encoders are loaded from, without loading any."""
    sources = []
    monkeypatch.setattr(
        mlx_contentvec.ContentvecModel,
        "from_pretrained",
        lambda source=None: sources.append(source),
    )
    return sources


@pytest.mark.parametrize("embedder", [None, "", "contentvec"])
def test_most_voices_mean_contentvec(loaded, embedder):
    load_encoder(embedder, None)
    assert loaded == [None]


def test_the_demo_voice_brings_its_own(loaded):
    load_encoder(mlx_rvc_demo.NAME, None)
    assert loaded == [mlx_rvc_demo.bundle().encoder]


def test_the_user_s_choice_goes_first(loaded):
    load_encoder("spin", "my/encoder")
    assert loaded == ["my/encoder"]


@pytest.fixture
def by_name(monkeypatch):
    """The names of encoders that are loaded by name, without loading any."""
    names = []
    monkeypatch.setattr(loading, "load_known", lambda encoder: names.append(encoder.name))
    return names


@pytest.mark.parametrize(
    ("embedder", "name"),
    [
        ("spin", "spin"),
        ("spin-v2", "spin-v2"),
        ("rinna_hubert_base_jp", "japanese-hubert-base"),
        ("korean-hubert-base", "korean-hubert-base"),
    ],
)
def test_a_voice_gets_the_encoder_it_names(loaded, by_name, tmp_path, monkeypatch, embedder, name):
    (tmp_path / embedder).mkdir()
    monkeypatch.chdir(tmp_path)  # a folder called so is not what the voice means
    load_encoder(embedder, None)
    assert (loaded, by_name) == ([], [name])


def test_hubert_base_is_contentvec(loaded, by_name):
    load_encoder("hubert_base", None)
    assert (loaded, by_name) == ([None], [])


def test_an_unknown_encoder_is_named_not_replaced(loaded, by_name):
    with pytest.raises(ValueError, match=r"'custom'.*contentvec, spin, .*--contentvec"):
        load_encoder("custom", None)
    assert (loaded, by_name) == ([], [])


@pytest.mark.parametrize(
    ("embedder", "source", "text"),
    [
        ("spin", "contentvec", "names the content encoder spin, converted with contentvec"),
        ("custom", "spin", "names the content encoder custom, converted with spin"),
        ("hubert_base", "contentvec", None),
        (None, "spin", None),
        ("spin", None, None),
        ("spin", "someone/spin", None),
    ],
)
def test_a_contradiction_is_said(embedder, source, text):
    said = contradiction(embedder, source)
    assert said is None if text is None else text in (said or "")


class Recorder:
    """An encoder 768 wide that keeps what it is asked for."""

    config = SimpleNamespace(hidden_size=768, classifier_proj_size=256)

    def extract(self, audio, *, layer=None, project=False):
        self.asked = layer, project
        return np.zeros((1, 3, 256 if project else 768), np.float32)


@pytest.mark.parametrize(
    ("version", "width", "said", "asked"),
    [
        ("v1", 256, None, (9, True)),
        ("v1", 256, 12, (12, True)),
        ("v1", 768, 9, (9, False)),
        ("v2", 768, None, (None, False)),
        ("v2", 768, 9, (9, False)),
    ],
)
def test_the_layer_that_a_voice_names(version, width, said, asked):
    encoder = Recorder()
    layer = output_layer({} if said is None else {"embedder_layer": said})
    audio = np.zeros(16000, np.float32)
    content_features(encoder, audio, version=version, width=width, layer=layer)
    assert encoder.asked == asked


@pytest.mark.parametrize("layer", ["9", 0, True, 9.0])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(ValueError, match="embedder_layer"):
        output_layer({"embedder_layer": layer})


def stages(encoder, **metadata):
    config = SimpleNamespace(version="v2", f0=True, feature_channels=768, speakers=1)
    return Stages(SimpleNamespace(config=config, metadata=metadata), encoder)


def test_widths_that_do_not_fit_are_explained():
    encoder = SimpleNamespace(config=SimpleNamespace(hidden_size=192), origin="toy/model")
    with pytest.raises(ValueError, match=r"768 wide.*gives 192 \(toy/model\).*--contentvec.*spin"):
        stages(encoder, embedder="spin")


def test_a_layer_that_the_encoder_lacks_is_refused_before_a_conversion():
    config = SimpleNamespace(hidden_size=768, num_hidden_layers=4)
    with pytest.raises(ValueError, match=r"takes layer 9 .* has 4"):
        stages(SimpleNamespace(config=config), embedder_layer=9)
