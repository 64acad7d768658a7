"""Applio, rvc-next, and the fork of ddPn08 that w-okada's VCClient reads: small models and more."""

from mlx_rvc_synth.config import LIST_FIELDS

from .case import Voice
from .containers import torch_file
from .network import Network, tensors
from .rvc import small_model

NETWORK = Network()
WIDE = Network(khz=48, f0=False)
V1 = Network("v1")
_NAMES = (*LIST_FIELDS[:-1], "emb_channels", "sr")


def applio(network, **changed):
    """Applio writes numbers where RVC writes text, and what a voice says of itself."""
    said = {
        "sr": network.khz * 1000,
        "f0": network.f0,
        "epoch": 200,
        "step": 8600,
        "creation_date": "2025-01-02T03:04:05",
        "model_hash": "0" * 64,
        "dataset_length": "00:12:34",
        "model_name": "someone",
        "author": "somebody",
        "embedder_model": "contentvec",
        "speakers_id": network.speakers,
        "vocoder": "HiFi-GAN",
    }
    return small_model(network, info="200epoch_8600step", **said | changed)


def fork(network, embedder, layer, *, listed=True, **said):
    """The fork's list has the features' width before the rate, and `params` names all values."""
    values = network.config(network.speakers)
    values = [*values[:-1], network.width, values[-1]]
    changed = {"params": dict(zip(_NAMES, values, strict=True)), "embedder_name": embedder}
    if layer:
        changed["embedder_output_layer"] = layer
    return small_model(network, config=values if listed else values[:7], **changed | said)


def _case(id, program, holds, content, network, kind, **expected):
    return Voice(
        id=id,
        program=program,
        file="`NAME.pth`",
        holds=holds,
        build=lambda folder: torch_file(folder / "voice.pth", content()),
        network=network,
        kind=f"small model ({kind})",
        **expected,
    )


def _applio(id, holds, content, network, **expected):
    return _case(id, "Applio", holds, content, network, "Applio", **expected)


def _fork(id, holds, content, network, **expected):
    return _case(id, "w-okada, ddPn08", holds, content, network, "w-okada, ddPn08", **expected)


_SPIN = {"embedder_model": "spin", "vocoder": None}
_PEOPLE = {"0": "alto", "1": "tenor", "2": "bass"}

CASES = [
    _applio(
        "applio-40k", "sr a number, f0 a truth value", lambda: applio(NETWORK), NETWORK,
        embedder="contentvec",
    ),
    _applio(
        "applio-24k", "24 kHz", lambda: applio(Network(khz=24)), Network(khz=24),
        embedder="contentvec",
    ),
    _applio(
        "applio-spin", "another content encoder, no F0", lambda: applio(WIDE, **_SPIN), WIDE,
        embedder="spin",
    ),
    _case(
        "rvc-next", "rvc-next", "names of speakers, median of F0",
        lambda: small_model(
            NETWORK, f0_median=210.5, embedder_model="contentvec",
            speaker_info=[{"id": int(k), "name": v} for k, v in _PEOPLE.items()],
        ),
        NETWORK, "rvc-next", embedder="contentvec", names=_PEOPLE,
    ),
    _fork(
        "fork-256", "list of 19, features of 256 from layer 9",
        lambda: fork(V1, "hubert_base", 9), V1, embedder="hubert_base", layer=9,
    ),
    _fork(
        "fork-768", "list of 19, features of 768 from layer 12",
        lambda: fork(NETWORK, "contentvec768", 12), NETWORK, embedder="contentvec", layer=12,
    ),
    _fork(
        "fork-no-layer", "no layer said, a Japanese encoder",
        lambda: fork(NETWORK, "hubert-base-japanese768", None), NETWORK,
        embedder="hubert-base-japanese", layer=9,
        notes="layer 9 is the fork's default",
    ),
    _fork(
        "fork-params", "a short list, `params` has the names",
        lambda: fork(NETWORK, "contentvec", 9, listed=False, speaker_info=_PEOPLE), NETWORK,
        embedder="contentvec", layer=9, names=_PEOPLE,
    ),
    _fork(
        "fork-18", "list of 18, layer as text",
        lambda: small_model(NETWORK, embedder_name="contentvec", embedder_output_layer="12"),
        NETWORK, embedder="contentvec", layer=12,
    ),
    _case(
        "applio-float32", "Applio", "float32, as its own merge leaves it",
        lambda: applio(NETWORK, weight=tensors(NETWORK)), NETWORK, "Applio", embedder="contentvec",
    ),
]  # fmt: skip
