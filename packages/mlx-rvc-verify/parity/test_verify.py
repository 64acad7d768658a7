"""The command with PyTorch: the demo voice passes, and a wrong tensor is named by its stage."""

import json

import faiss
import mlx.core as mx
import numpy as np
import pytest
import torch
from mlx.utils import tree_flatten

import mlx_rvc_demo
from mlx_contentvec import ContentvecModel
from mlx_rmvpe import RMVPE
from mlx_rvc_cli.host import main
from mlx_rvc_index import FeatureIndex
from mlx_rvc_synth import Synthesizer
from mlx_rvc_verify import torch_encoder, torch_rmvpe
from mlx_rvc_verify.drawn import draw_rmvpe
from mlx_rvc_verify.signal import glide

SHORT = ["--seconds", "1"]


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = main(["verify", *map(str, arguments), "--json"])
        data = json.loads(capsys.readouterr().out)
        assert "error" not in data, data
        assert (status == 0) == data["well"]
        return data

    return run


@pytest.fixture(scope="module")
def rmvpe_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "rmvpe.pt"
    model = torch_rmvpe.network()
    draw_rmvpe(model, seed=7, sharpness=0.5)
    state = model.state_dict().items()
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in state}, path)
    return path


@pytest.fixture(scope="module")
def index_file(tmp_path_factory):
    """Vectors around the demo encoder's features, in lists; one of them twice."""
    path = tmp_path_factory.mktemp("index") / "added.index"
    encoder = ContentvecModel.from_pretrained(mlx_rvc_demo.bundle().encoder)
    features = np.asarray(encoder.extract(glide(3.0)))[0]
    noise = np.random.default_rng(0).standard_normal((900, features.shape[1]))
    vectors = (np.resize(features, noise.shape) + 0.5 * features.std() * noise).astype(np.float32)
    vectors[5] = vectors[4]
    index = faiss.index_factory(features.shape[1], "IVF8,Flat")
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(path))
    return path


def wrong(monkeypatch, cls, name, change):
    """Let a model of ours load with one tensor changed; PyTorch's side reads the file itself."""
    load = cls.from_pretrained

    def spoiled(source=None):
        model = load(source)
        network = getattr(model, "network", model)
        tensors = dict(tree_flatten(network.parameters()))
        network.load_weights([(name, change(tensors[name]))], strict=False)
        return model

    monkeypatch.setattr(cls, "from_pretrained", spoiled)


def test_the_demo_voice_passes_in_every_stage(run, rmvpe_file, index_file):
    recording = mlx_rvc_demo.bundle().recordings[0].path
    data = run("demo", recording, "--rmvpe", rmvpe_file, "--index", index_file, *SHORT)
    assert data["well"] and data["not_compared"] == []
    assert [row["stage"] for row in data["stages"]] == [
        *("content", "rmvpe", "rmvpe-f0", "enc_p", "flow", "source", "dec", "audio", "index")
    ]
    for row in data["stages"]:
        print(row["stage"], row["correlation"], row["max_error"], row["limit"])
        assert row["correlation"] >= 0.99999 and row["max_error"] <= row["limit"]


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("enc_p.encoder.ffn_layers.1.conv_1.weight", ["enc_p", "audio"]),
        ("flow.flows.4.post.weight", ["flow", "audio"]),
        ("dec.m_source.l_linear.weight", ["source", "audio"]),
        ("dec.resblocks.4.convs1.1.weight", ["dec", "audio"]),
        ("emb_g.weight", ["flow", "dec", "audio"]),
    ],
)
def test_one_wrong_tensor_of_the_voice_is_named_by_its_stage(run, monkeypatch, name, stages):
    wrong(monkeypatch, Synthesizer, name, lambda tensor: tensor * 1.05)
    assert run("demo", *SHORT)["failed"] == stages


def test_a_wrong_tensor_of_the_encoder_or_of_rmvpe(run, monkeypatch, rmvpe_file):
    wrong(monkeypatch, ContentvecModel, "encoder.layers.2.attention.k_proj.weight", mx.negative)
    wrong(monkeypatch, RMVPE, "cnn.bias", lambda tensor: tensor + 0.3)
    assert run("demo", *SHORT, "--stage", "content")["failed"] == ["content"]
    assert "rmvpe" in run("demo", *SHORT, "--stage", "rmvpe", "--rmvpe", rmvpe_file)["failed"]


def test_a_wrong_neighbour_fails_though_its_distance_is_right(run, monkeypatch, index_file):
    search = FeatureIndex.search

    def spoiled(self, x, k=8, exact=False):
        distances, ids = search(self, x, k, exact)
        ids = ids.copy()
        ids[3, 0] += 1
        return distances, ids

    monkeypatch.setattr(FeatureIndex, "search", spoiled)
    (row,) = run("demo", *SHORT, "--stage", "index", "--index", index_file)["stages"]
    assert row["verdict"] == "FAIL" and row["note"] == "1 neighbours are not those of faiss"


@pytest.mark.parametrize("stage", ["content", "rmvpe"])
def test_random_weights_are_said(run, monkeypatch, tmp_path, stage):
    for variable in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("mlx_rvc_demo.NAME", "another")  # the demo voice's encoder is not found
    monkeypatch.setenv("MLX_CONTENTVEC", "")
    data = run("demo", *SHORT, "--stage", stage, "--random-weights", "--seed", "7")
    (row,) = data["stages"]
    assert row["verdict"] == "pass" and row["note"].startswith("random weights, seed 7")


def test_an_encoder_in_any_layout_is_the_same_in_pytorch(tmp_path):
    """Ours is written folded and channels last; the original keeps its weight norm apart."""
    source = mlx_rvc_demo.bundle().encoder
    ContentvecModel.from_pretrained(source).save_pretrained(tmp_path)
    audio = glide(1.0)
    expected = torch_encoder.load(source / "model.safetensors").extract(audio, 2, False)
    found = torch_encoder.load(tmp_path / "model.safetensors").extract(audio, 2, False)
    np.testing.assert_allclose(found, expected, atol=1e-5)
