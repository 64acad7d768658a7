"""huggingface-hub-rvc: folders of a pipeline; tests/parity builds the same with its own code."""

import json

import numpy as np

from mlx_rvc_synth.config import LIST_FIELDS

from .case import Voice
from .containers import safetensors, torch_file
from .network import Network, tensors

NETWORK = Network()
TRAINED = Network(khz=48)
V1 = Network("v1", f0=False)
PEOPLE = [{"id": 0, "name": "alto"}, {"id": 1, "name": "bass"}]


def trained_config(network):
    """RVC's training configuration, which the program stores for voices that it trained."""
    data = {"sampling_rate": network.khz * 1000, "filter_length": 2048, "hop_length": 480}
    return {
        "train": {"learning_rate": 1e-4, "segment_size": 17280},
        "data": data,
        "model": dict(zip(LIST_FIELDS[2:17], network.config()[2:17], strict=True))
        | {"use_spectral_norm": False},
    }


def header(network, config, people=None):
    said = {
        "kind": "rvc-v2-f0",
        "version": network.version,
        "f0": json.dumps(network.f0),
        "sample_rate": str(network.khz * 1000),
        "config_json": json.dumps(config, sort_keys=True),
        "training_json": json.dumps({"steps": 3}),
        "model_name": "someone",
    }
    return said | ({"speaker_info_json": json.dumps(people)} if people else {})


def pipeline(folder, network, config, people=None):
    """A folder as save_pretrained leaves it."""
    voice = folder / "voice_transform"
    voice.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "rvc", "sample_rate": 48000}))
    manifest = {"voice_model": {"model_file": "model.safetensors"}, "model_name": "someone"}
    (voice / "manifest.json").write_text(json.dumps(manifest))
    model = tensors(network, posterior=True)
    safetensors(voice / "model.safetensors", model, header(network, config, people))
    features = {"features": np.zeros((4, network.width), np.float32)}
    safetensors(voice / "features.safetensors", features, {"kind": "rvc-features-v1"})
    return folder


def _payload(folder):
    content = {"kind": "rvc-v2-f0", "version": "v2", "f0": True, "sample_rate": 48000}
    content |= {"config": trained_config(TRAINED), "training": {"steps": 3}}
    content["generator_state_dict"] = tensors(TRAINED, posterior=True)
    (folder / "voice_transform").mkdir()
    torch_file(folder / "voice_transform/model.pth", content)
    return folder


_PROGRAM, _FILE = "huggingface-hub-rvc", "folder with `voice_transform/`"
_KIND = "safetensors (Hugging Face RVC)"
_INDEX = "give `voice_transform/index.index` as --index"

CASES = [
    Voice(
        id="hf-trained",
        program=_PROGRAM,
        file=_FILE,
        holds="a voice it trained: RVC's training configuration",
        build=lambda folder: pipeline(folder, TRAINED, trained_config(TRAINED)),
        network=TRAINED,
        kind=_KIND,
        notes=_INDEX,
    ),
    Voice(
        id="hf-imported",
        program=_PROGRAM,
        file=_FILE,
        holds="an imported voice: RVC's list, names of speakers",
        build=lambda folder: pipeline(folder, NETWORK, NETWORK.config(), PEOPLE),
        network=NETWORK,
        kind=_KIND,
        names={"0": "alto", "1": "bass"},
        notes=_INDEX,
    ),
    Voice(
        id="hf-v1-nof0",
        program=_PROGRAM,
        file="`model.safetensors`",
        holds="the model's file alone, v1 without F0",
        build=lambda folder: (
            pipeline(folder, V1, V1.config()) / "voice_transform/model.safetensors"
        ),
        network=V1,
        kind=_KIND,
    ),
    Voice(
        id="hf-pth",
        program=_PROGRAM,
        file=_FILE,
        holds="`model.pth`, from before its safetensors",
        build=_payload,
        network=TRAINED,
        kind="small model (Hugging Face RVC)",
    ),
]
