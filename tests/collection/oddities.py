"""What becomes of RVC's small model on its way: re-saved, sliced, stripped, mixed, re-packed."""

import zipfile

import numpy as np

from .case import Voice
from .containers import repacked, torch_file, torch_file_in_bfloat16
from .network import Network, tensors
from .rvc import checkpoint, small_model

NETWORK = Network()
V1 = Network("v1")
_ANY = "various"
_PAIRS = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


def _case(id, holds, content, *, network=NETWORK, kind="small model", notes="", write=torch_file):
    return Voice(
        id=id,
        program=_ANY,
        file="`NAME.pth`",
        holds=holds,
        build=lambda folder: write(folder / "voice.pth", content()),
        network=network,
        kind=kind,
        notes=notes,
    )


def _weights(change):
    """The small model with every tensor (name, value) changed."""
    return lambda: small_model(NETWORK, weight=dict(map(change, tensors(NETWORK).items())))


def _parametrised(item):
    name, value = item
    stem, _, role = name.rpartition(".")
    return (f"{stem}.{_PAIRS[role]}" if role in _PAIRS else name), value


def _mixed(item):
    name, value = item
    kinds = (np.float16, np.float32, np.float64)
    return name, value.astype(kinds[len(name) % 3])


def _spelled(id, holds, **said):
    return _case(id, holds, lambda: small_model(NETWORK, **said))


def _deflated(path, content):
    return repacked(torch_file(path, content), packing=zipfile.ZIP_DEFLATED)


def _renamed(path, content):
    return repacked(torch_file(path, content), root="my voice")


def _wrong_config():
    config = NETWORK.config()
    config[3], config[12], config[14] = 192, [10, 10, 2, 2], [20, 20, 4, 4]
    return small_model(NETWORK, config=config)


CASES = [
    _case(
        "no-version",
        "no version, f0, sr, info: from before v2",
        lambda: small_model(V1, version=None, f0=None, sr=None, info=None),
        network=V1,
    ),
    _spelled("sr-number", "sr is a number", sr=40000),
    _spelled("sr-digits", "sr is `40000` as text", sr="40000"),
    _spelled("sr-capital", "sr is ` 40K`", sr=" 40K"),
    _spelled("sr-wrong", "sr says 48k, the configuration 40000", sr="48k"),
    _spelled("f0-text", "f0 is text, version is missing", f0="1", version=None),
    _case(
        "rate-text",
        "the rate in the configuration is `40k`",
        lambda: small_model(NETWORK, config=[*NETWORK.config()[:-1], "40k"]),
    ),
    _case("wrong-config", "configuration of another network", _wrong_config, notes="tensors win"),
    _case(
        "no-config",
        "weights without configuration",
        lambda: {"weight": tensors(NETWORK)},
        notes="configuration from shapes",
    ),
    _case("float32", "tensors in float32", _weights(lambda item: item)),
    _case("float64", "tensors in float64", _weights(lambda i: (i[0], i[1].astype(np.float64)))),
    _case(
        "bfloat16",
        "tensors in bfloat16",
        lambda: small_model(NETWORK, weight=tensors(NETWORK)),
        write=torch_file_in_bfloat16,
    ),
    _case("mixed", "float16, float32 and float64 in one file", _weights(_mixed)),
    _case("parametrised", "weight norm in torch 2's spelling", _weights(_parametrised)),
    _case("module", "`module.` before every name", _weights(lambda i: (f"module.{i[0]}", i[1]))),
    _case(
        "compiled",
        "`_orig_mod.` before every name",
        _weights(lambda i: (f"_orig_mod.module.{i[0]}", i[1])),
    ),
    _case(
        "posterior",
        "the posterior encoder left in",
        lambda: small_model(NETWORK, weight=tensors(NETWORK, posterior=True)),
        notes="left out",
    ),
    _case(
        "sliced",
        "cut to one speaker",
        lambda: small_model(Network(speakers=1)),
        network=Network(speakers=1),
    ),
    _case(
        "many-speakers",
        "256 speakers",
        lambda: small_model(Network(speakers=256)),
        network=Network(speakers=256),
    ),
    _case(
        "resblock-2",
        "residual blocks of the second kind",
        lambda: small_model(Network("v1", resblock="2")),
        network=Network("v1", resblock="2"),
    ),
    _case(
        "deflated",
        "a torch file packed again, compressed",
        lambda: small_model(NETWORK),
        write=_deflated,
    ),
    _case(
        "other-root",
        "the zip's folder named after the voice",
        lambda: small_model(NETWORK),
        write=_renamed,
    ),
    _case(
        "state-dict",
        "the tensors alone",
        lambda: tensors(NETWORK),
        kind="state dict",
        notes="configuration from shapes",
    ),
    _case(
        "state-dict-module",
        "the tensors alone, `module.` before every name, enc_q in it",
        lambda: {f"module.{k}": v for k, v in tensors(NETWORK, posterior=True).items()},
        kind="state dict",
        notes="configuration from shapes",
    ),
    _case(
        "checkpoint-module",
        "a training checkpoint of several GPUs",
        lambda: checkpoint(
            NETWORK, model={f"module.{k}": v for k, v in tensors(NETWORK, posterior=True).items()}
        ),
        kind="training checkpoint",
        notes="configuration from shapes",
    ),
]
