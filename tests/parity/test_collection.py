"""The collection's networks and Hugging Face RVC's files, made by torch and that program itself."""

import collection
import golden_synth
import numpy as np
import pytest
import torch
from collection import containers, hugging_face, rvc
from collection.network import tensors

from mlx_rvc_synth import Noise, Synthesizer, read_voice
from mlx_rvc_verify.beside import import_hf_rvc

FRAMES = 4
NETWORKS = sorted({case.network for case in collection.VOICES}, key=str)


def runtime():
    import_hf_rvc()
    from huggingface_hub_rvc import _runtime

    return _runtime


def in_torch(network, posterior=True):
    found = tensors(network, posterior=posterior)
    return {name: torch.from_numpy(value.copy()) for name, value in found.items()}


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks_are_rvcs(network, tmp_path):
    """Names and shapes load strictly into RVC's network, whose audio is ours."""
    config = network.config(network.speakers)
    model = golden_synth.build(network.width, network.f0, config)
    model.load_state_dict(in_torch(network), strict=True)
    inputs = golden_synth.example(config, network.width, network.f0, 1, FRAMES, 1)
    expected = golden_synth.infer(model, network.f0, inputs, 0)[0][:, 0].numpy()
    voice = containers.torch_file(tmp_path / "voice.pth", rvc.small_model(network))
    features, f0, latent, source = inputs
    noise = Noise(latent, source if network.f0 else None)
    f0 = f0 if network.f0 else None
    found = np.asarray(Synthesizer.from_pretrained(voice).infer(features, f0, noise=noise))
    level = np.sqrt(np.mean(expected**2))
    assert level > 0.03
    assert np.abs(found - expected).max() <= 1e-5 * max(1, level)


@pytest.mark.parametrize("case", hugging_face.CASES[:2], ids=lambda case: case.id)
def test_hugging_face_rvcs_own_files(case, tmp_path):
    """Its own writer gives the header and the tensors of the collection's file."""
    trained = case.id == "hf-trained"
    network = case.network
    config = hugging_face.trained_config(network) if trained else network.config()
    path = tmp_path / "model.safetensors"
    runtime()._save_model_payload(
        path,
        in_torch(network),
        {"steps": 3},
        "someone",
        version=network.version,
        f0=network.f0,
        sample_rate=network.khz * 1000,
        model_config=config,
        speaker_info=None if trained else hugging_face.PEOPLE,
    )
    (tmp_path / "case").mkdir()
    ours, theirs = read_voice(case.build(tmp_path / "case")), read_voice(path)
    assert (ours.kind, ours.config) == (theirs.kind, theirs.config)
    assert ours.metadata == theirs.metadata
    assert set(ours.tensors) == set(theirs.tensors)
    for name, value in theirs.tensors.items():
        np.testing.assert_array_equal(ours.tensors[name], value)


def test_hugging_face_rvc_reads_the_collections_file(tmp_path):
    """Its own loader takes the file, so that the collection's layout is the program's."""
    network = hugging_face.NETWORK
    folder = hugging_face.pipeline(tmp_path, network, network.config(), hugging_face.PEOPLE)
    payload = runtime()._load_model_payload(folder / "voice_transform/model.safetensors")
    assert (payload["version"], payload["f0"], payload["sample_rate"]) == ("v2", True, 40000)
    assert payload["config"] == network.config()
    assert payload["speaker_info"] == hugging_face.PEOPLE
    for name, value in in_torch(network).items():
        assert torch.equal(payload["generator_state_dict"][name], value)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_small_models_that_torch_saved(dtype, legacy, tmp_path):
    network = NETWORKS[0]
    weight = {name: value.to(dtype) for name, value in in_torch(network, posterior=False).items()}
    content = rvc.small_model(network, weight=weight)
    torch.save(content, tmp_path / "v.pth", _use_new_zipfile_serialization=not legacy)
    ours = containers.torch_file(tmp_path / "o.pth", rvc.small_model(network))
    found, expected = read_voice(tmp_path / "v.pth"), read_voice(ours)
    assert found.config == expected.config
    for name, value in expected.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], value)
