"""Files of RVC-WebUI: small models and training checkpoints of every version, F0 and rate."""

import numpy as np

from .case import Voice
from .containers import torch_file
from .network import UPSAMPLING, Network, tensors

RVC = "RVC-WebUI"


def halves(network):
    return {name: value.astype(np.float16) for name, value in tensors(network).items()}


def small_model(network, **changed):
    """The dict that RVC's training ends with; `changed` replaces entries, None removes them."""
    content = {
        "weight": halves(network),
        "config": network.config(),
        "info": "20epoch",
        "sr": f"{network.khz}k",
        "f0": int(network.f0),
        "version": network.version,
    }
    content |= changed
    return {name: value for name, value in content.items() if value is not None}


def checkpoint(network, **changed):
    """A training checkpoint: all tensors, with the posterior encoder, and no configuration."""
    model = tensors(network, posterior=True)
    content = {"model": model, "iteration": 7, "optimizer": {"state": {}}, "learning_rate": 1e-4}
    return content | changed


def words(network):
    return f"{network.version}, {'' if network.f0 else 'no '}F0, {network.khz} kHz"


def _networks(rates):
    for version, khz in UPSAMPLING:
        for f0 in (True, False):
            if khz in rates:
                yield Network(version, f0, khz)


def _small(network):
    return Voice(
        id=f"rvc-{network.version}-{'f0' if network.f0 else 'nof0'}-{network.khz}k",
        program=RVC,
        file="`NAME.pth`",
        holds=f"small model: {words(network)}",
        build=lambda folder: torch_file(folder / "voice.pth", small_model(network)),
        network=network,
        kind="small model",
    )


def _checkpoint(network):
    return Voice(
        id=f"checkpoint-{network.version}-{'f0' if network.f0 else 'nof0'}-{network.khz}k",
        program="Applio" if network.khz == 24 else RVC,
        file="`G_*.pth`",
        holds=f"training checkpoint: {words(network)}",
        build=lambda folder: torch_file(folder / "G_7.pth", checkpoint(network)),
        network=network,
        kind="training checkpoint",
        notes="configuration from shapes",
    )


_BASE = Network(speakers=109)

CASES = [
    *(_small(network) for network in _networks((32, 40, 48))),
    *(_checkpoint(network) for network in _networks((24, 32, 40, 48))),
    Voice(
        id="pretrained-base",
        program=RVC,
        file="`f0G40k.pth`",
        holds="pretrained base, 109 speakers",
        build=lambda folder: torch_file(folder / "f0G40k.pth", checkpoint(_BASE)),
        network=_BASE,
        kind="training checkpoint",
        notes="speaks with the voices it was trained on",
    ),
]
