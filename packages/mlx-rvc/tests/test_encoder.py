import pytest

import mlx_contentvec
import mlx_rvc_demo
from mlx_rvc.encoder import load_encoder


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


def test_another_encoder_is_named_not_replaced(loaded):
    with pytest.raises(ValueError, match=r"'spin'.*--contentvec"):
        load_encoder("spin", None)
    assert loaded == []
