"""Other MLX programs: Acelogic's, lancelotblanchard's rvc-mlx, lexandstuff's."""

import json
import re

import numpy as np

from mlx_rvc_synth.config import LIST_FIELDS

from .case import Voice
from .containers import npz, safetensors
from .folded import folded, turned
from .network import Network, tensors

NETWORK = Network()
V1 = Network("v1", khz=48)
NOF0 = Network(f0=False, khz=32)
_ACE, _LEX, _LB = (
    "Acelogic/Retrieval-based-Voice-Conversion-MLX", "lexandstuff/mlx-rvc",
    "lancelotblanchard/rvc-mlx",
)  # fmt: skip


def _ace_name(name, step=2, norms=True):
    """The names that tools/convert_rvc_model.py of that program gives."""
    name = re.sub(r"dec\.resblocks\.(\d+)\.convs([12])\.(\d+)", r"dec.resblock_\1.c\2_\3", name)
    name = re.sub(r"dec\.ups\.(\d+)", r"dec.up_\1", name)
    name = re.sub(r"dec\.noise_convs\.(\d+)", r"dec.noise_conv_\1", name)
    name = re.sub(r"(enc_p\.encoder)\.(attn|ffn)_layers\.(\d+)", r"\1.\2_\3", name)
    name = re.sub(r"(enc_p\.encoder)\.norm_layers_([12])\.(\d+)", r"\1.norm\2_\3", name)
    name = re.sub(r"\.enc\.(in|res_skip)_layers\.(\d+)", r".enc.\1_layer_\2", name)
    name = re.sub(r"flow\.flows\.(\d+)", lambda m: f"flow.flow_{int(m[1]) // step}", name)
    return name.replace(".gamma", ".weight").replace(".beta", ".bias") if norms else name


def ace(network, **options):
    plain = turned(folded(tensors(network)))
    return {_ace_name(name, **options): value for name, value in plain.items()}


def named(network):
    """RVC's values by the names of its constructors."""
    return dict(zip((*LIST_FIELDS[:-1], "sr"), network.config(network.speakers), strict=True))


def _with_json(path, said):
    if said is not None:
        path.with_suffix(".json").write_text(json.dumps(said))
    return path


def _ace(id, holds, said, *, network=NETWORK, kind="npz (Acelogic)", notes="", **options):
    write, name = (npz, "voice.npz") if kind.startswith("npz") else (safetensors, "v.safetensors")
    return Voice(
        id=id,
        program=_ACE,
        file="`.npz`" if write is npz else "`.safetensors`",
        holds=holds,
        build=lambda folder: _with_json(write(folder / name, ace(network, **options)), said),
        network=network,
        kind=kind,
        notes=notes,
    )


def _ace_older(folder):
    """tools/convert_pth_to_mlx.py: RVC's names, MLX's axes."""
    path = npz(folder / "voice.npz", turned(folded(tensors(NETWORK))))
    return _with_json(path, NETWORK.config())


def _data_model(network):
    names = named(network)
    return {"data": {"sampling_rate": names.pop("sr")}, "model": names}


def _lex(tensors_, said, stem="voice", beside="voice.json"):
    def build(folder):
        (folder / beside).write_text(json.dumps(said))
        return safetensors(folder / f"{stem}.safetensors", turned(tensors_, ups=(0, 2, 1)))

    return build


def _lex_case(id, holds, build, network=NETWORK, notes=""):
    return Voice(
        id=id,
        program=_LEX,
        file="`.safetensors`",
        holds=holds,
        build=build,
        network=network,
        kind="safetensors (lexandstuff)",
        notes=notes,
    )


def _shared(network, **wrong):
    """The config.json that all of its bases share."""
    rate = network.khz * 1000
    entry = {k: v for k, v in named(network).items() if k != "sr"} | wrong
    return {f"{network.khz}k": {"sample_rate": rate, **entry}, "9k": {"sample_rate": 9000}}


def rvc_mlx(folder, network, dtype=np.float32, vectors=0):
    """rvc_mlx/voice.py and io.py: everything in one header."""
    values = {k: v.astype(dtype) for k, v in turned(folded(tensors(network))).items()}
    if vectors:
        values["index.vectors"] = np.ones((vectors, network.width), dtype)
    dropped = ("spec_channels", "segment_size", "p_dropout")
    config = {k: v for k, v in named(network).items() if k not in dropped}
    said = {
        "format": "rvc-mlx",
        "format_version": "1",
        "kind": "voice",
        "name": "someone",
        "info": "20epoch",
        "version": network.version,
        "f0": str(int(network.f0)),
        "sample_rate": str(network.khz * 1000),
        "config": json.dumps(config | {"version": network.version, "f0": network.f0}),
        "index_size": str(vectors),
    }
    return safetensors(folder / "someone.safetensors", values, said)


def _lb(id, holds, network=NETWORK, level=1e-5, notes="", **options):
    return Voice(
        id=id,
        program=_LB,
        file="`.safetensors`",
        holds=holds,
        build=lambda folder: rvc_mlx(folder, network, **options),
        network=network,
        kind="safetensors (rvc-mlx)",
        level=level,
        index_vectors=options.get("vectors"),
        notes=notes,
    )


_WRONG = {"upsample_kernel_sizes": [20, 20, 4, 4]}
_SHAPES = "configuration from shapes"

CASES = [
    _ace("ace-list", "`.json` beside: RVC's list", NETWORK.config()),
    _ace("ace-flat", "`.json` beside: names, v1 48 kHz", named(V1), network=V1),
    _ace("ace-sections", "`.json` beside: `data` and `model`", _data_model(V1), network=V1),
    _ace("ace-no-json", "nothing beside it, 40 kHz", None, notes=_SHAPES),
    _ace("ace-no-json-32k", "nothing beside it, v2 32 kHz, no F0", None, network=NOF0, notes=_SHAPES),
    _ace(
        "ace-flow-numbers", "RVC's numbers of the flow (0, 2, 4, 6)", NETWORK.config(), step=1,
        notes="half of the flow, which the program itself drops, is there",
    ),
    Voice(
        id="ace-older",
        program=_ACE,
        file="`.npz`",
        holds="older converter: RVC's names",
        build=_ace_older,
        network=NETWORK,
        kind="npz (Acelogic, older converter)",
    ),
    _ace("ace-safetensors", "safetensors, `.json` beside", NETWORK.config(), kind="safetensors (Acelogic)"),
    _ace("ace-ios", "for iOS: gamma and beta kept", None, kind="safetensors (Acelogic)", norms=False, notes=_SHAPES),
    _lb("lb-float32", "everything in the header"),
    _lb("lb-nof0", "v2 32 kHz without F0", NOF0),
    _lb("lb-index", "vectors of the index inside", vectors=5),
    _lb("lb-float16", "float16, its default", level=2e-2, dtype=np.float16, notes="rounded after folding"),
    _lex_case(
        "lex-shared",
        "shared `config.json` with wrong kernels at 40 kHz",
        _lex(tensors(NETWORK), _shared(NETWORK, **_WRONG), "f0G40k", "config.json"),
        notes="tensors win",
    ),
    _lex_case("lex-own", "a `.json` of its own", _lex(tensors(V1), named(V1)), network=V1),
    _lex_case(
        "lex-converter",
        "its converter's `.json`: `config`, sr `40k`, which its own loader refuses",
        _lex(tensors(NETWORK), {"config": NETWORK.config(), "sr": "40k", "version": "v2"}),
    ),
    Voice(
        id="torch-names",
        program="various",
        file="`.safetensors`",
        holds="RVC's tensors in a safetensors, bfloat16, nothing beside",
        build=lambda folder: safetensors(folder / "voice.safetensors", tensors(NETWORK), bf16=True),
        network=NETWORK,
        kind="safetensors (RVC's names)",
        notes=_SHAPES,
    ),
]  # fmt: skip
