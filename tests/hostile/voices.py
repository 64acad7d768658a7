"""Voices whose tensors are well formed and whose values lie: configurations and metadata."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, in_dict, number, pickled, torch_zip

import mlx_pth
from mlx_rvc_synth import read_voice
from mlx_rvc_synth.weights import write_voice

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "packages/mlx-rvc-synth/tests/golden/v1_f0.pth"
VALUES, FOLDER, JSON = "voices whose values lie", "voice folders whose config lies", "config.json"

INFINITE, HUGE = float("inf"), 10**300
ODD: tuple[Any, ...] = (None, "x", -1, 0, HUGE, INFINITE, [], [[[]]], {}, True)


def build(marker: str) -> Iterator[Case]:
    scratch = Path(marker).with_suffix(".scratch")
    yield from _torch(scratch)
    yield from _own(scratch)
    yield from _json()


def _torch(scratch: Path) -> Iterator[Case]:
    """Small models (RVC's .pth) with one thing changed."""
    voice = mlx_pth.load(GOLDEN)
    config = list(voice["config"])
    weight = dict(voice["weight"])

    def made(**changed: Any) -> bytes:
        mlx_pth.save(scratch, voice | changed)
        return scratch.read_bytes()

    def without(*prefixes: str) -> dict[str, Any]:
        return {key: value for key, value in weight.items() if not key.startswith(prefixes)}

    def rates(value: Any, place: int = 12) -> list[Any]:
        return [*config[:place], value, *config[place + 1 :]]

    flat = np.zeros(4, np.float32)
    none = np.zeros((), np.float32)
    name = "enc_p.emb_phone.weight"
    files = {
        "config of text": made(config="x" * 18),
        "config of 17 values": made(config=config[:17]),
        "config that is a number": made(config=5),
        "config of lists": made(config=[[]] * 18),
        "rates that are missing": made(config=rates(None)),
        "rates that are text": made(config=rates("ab")),
        "rates of text": made(config=rates(["x", "y"])),
        "rates of zero": made(config=rates([0] * 4)),
        "rates below zero": made(config=rates([-10, -10, 2, 2])),
        "enormous rates": made(config=rates([2**62] * 4)),
        "a million rates": made(config=rates([1] * 100_000)),
        "infinite rates": made(config=rates([INFINITE] * 4)),
        "rates in lists": made(config=rates([[10], [10]])),
        "dilations that are a number": made(config=rates(5, 11)),
        "dilations that are flat": made(config=rates([1, 3, 5], 11)),
        "dilations of text": made(config=rates([["x"]] * 3, 11)),
        "enormous dilations": made(config=rates([[10**9, 10**9, 10**9]] * 3, 11)),
        "dilations below zero": made(config=rates([[-1, -3, -5]] * 3, 11)),
        "dilations without end": made(config=rates([[1] * 100_000] * 3, 11)),
        "infinite dilations": made(config=rates([[INFINITE] * 3] * 3, 11)),
        "a rate of text": made(config=rates("fast", 17)),
        "a rate of infinity": made(config=rates(INFINITE, 17)),
        "a rate below zero": made(config=rates(-40000, 17)),
        "an enormous rate": made(config=rates("1e300", 17)),
        "weights that are a list": made(weight=[1]),
        "no weights": made(weight={}),
        "weights under numbers": made(weight={1: flat, 2: flat}),
        "weights of text": made(weight={name: "x"}),
        "one weight": made(weight={name: weight[name]}),
        "a discriminator": made(weight={"discriminators.0.x": flat}),
        "no encoder": made(weight=without("enc_p.")),
        "no decoder": made(weight=without("dec.")),
        "no flow": made(weight=without("flow.")),
        "no speakers": made(weight=without("emb_g.")),
        "half of a weight norm": made(weight=without("dec.ups.0.weight_g")),
        "a weight norm without axes": made(
            weight=weight | {"dec.ups.0.weight_g": none, "dec.ups.0.weight_v": none}),
        "a weight norm of one axis": made(
            weight=weight | {"dec.ups.0.weight_g": flat, "dec.ups.0.weight_v": flat}),
        "a weight twice": made(weight=weight | {"dec.ups.0.weight": flat}),
        "a thousand stages": made(
            weight=weight | {f"dec.ups.{i}.bias": flat for i in range(1000)}),
        "a stage far away": made(weight=weight | {"dec.ups.99999999999.bias": flat}),
        "a layer far away": made(weight=weight | {"flow.flows.77777.enc.x": flat}),
        "a posterior of one axis": made(weight=weight | {"enc_q.pre.weight": flat}),
        "complex weights": made(
            weight=weight | {name: np.asarray(weight[name]).astype(np.complex64)}),
        "another vocoder": made(vocoder="RingFormer"),
        "another architecture": made(version="voras_beta"),
        "another architecture of many lines": made(version="voras\n\x1b[2J" + "x" * 100_000),
        "another vocoder of many lines": made(vocoder="a\n\x1b[2J"),
        "an entry of many lines": made(**{"a\n\x1b[2J": 1}),
        "no voice, under many lines": torch_zip(pickled(in_dict(number(1), "a\n\x1b[2J"))),
        "a weight of many lines": made(weight=weight | {"dec.a\n\x1b[2J": flat}),
        "complex weights of many lines": made(
            weight=weight | {"dec.a\n\x1b[2J": flat.astype(np.complex64)}),
        "a weight of endless name": made(weight=weight | {"dec." + "a" * 100_000: flat}),
        "training checkpoint of nothing": made(weight=None, model={}),
        "a kernel of a noise convolution of one axis": made(
            weight=weight | {"dec.noise_convs.0.weight": flat}, config=rates(None)),
    }  # fmt: skip
    shapes = {"an axis less": lambda a: a[0], "no axes": lambda a: none, "no size": lambda a: a[:0]}
    for key in (name, "emb_g.weight", "dec.conv_pre.weight", "enc_p.encoder.attn_layers.0.emb_rel_k",
                "flow.flows.0.enc.in_layers.0.weight_v", "dec.resblocks.0.convs1.0.weight_v"):  # fmt: skip
        for title, change in shapes.items():
            files[f"{key} with {title}"] = made(
                weight=weight | {key: np.array(change(np.asarray(weight[key])))}
            )
    scratch.unlink()
    for title, content in files.items():
        yield Case(VALUES, title, ".pth", content)
    fork = b"]q\x000" + b"".join(b"](h%ch%ceq%c0" % (i, i, i + 1) for i in range(60)) + b"h\x3c"
    for key in ("weight", "config", "version", "sr", "info"):
        yield Case(VALUES, f"{key} that forks sixty times", ".pth",
                   torch_zip(pickled(in_dict(fork, key))))  # fmt: skip


def _own(scratch: Path) -> Iterator[Case]:
    """Our own single file and folder with a configuration or metadata that lies."""
    path = scratch.with_suffix(".safetensors")
    write_voice(read_voice(GOLDEN), path)
    raw = path.read_bytes()
    path.unlink()
    length = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    said = header["__metadata__"]
    config = json.loads(said["config"])

    def made(**changed: Any) -> bytes:
        header["__metadata__"] = said | changed
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    def configured(**changed: Any) -> bytes:
        return made(config=json.dumps(config | changed))

    files = {
        "header: config that is no JSON": made(config="{"),
        "header: config a hundred thousand deep": made(config="[" * 100_000),
        "header: config that is a list": made(config="[]"),
        "header: metadata that is a list": made(metadata="[1]"),
        "header: metadata that is a number": made(metadata="5"),
        "header: metadata a hundred thousand deep": made(metadata="[" * 100_000),
        "header: another version": made(format_version="77"),
        "header: no version": made(format_version="null"),
        "header: a config that is missing": made(config="null"),
        "header: an unknown key": configured(surprise=1),
        "header: an unknown key of many lines": configured(**{"a\n\x1b[2J\x7f": 1}),
        "header: a name of many lines": made(**{"a\n\x1b[2J\x7f": "1", "config": "{}"}),
        "header: a hundred heads": configured(n_heads=100),
        "header: a million layers": configured(n_layers=1_000_000),
        "header: a million flows": configured(n_flows=1_000_000),
        "header: a billion channels": configured(hidden_channels=10**9),
        "header: a billion filters": configured(filter_channels=10**9),
        "header: a billion speakers": configured(spk_embed_dim=10**9),
        "header: a billion features": configured(feature_channels=10**9),
        "header: an enormous window": configured(window_size=10**9),
        "header: an enormous kernel": configured(flow_kernel_size=10**9),
        "header: enormous dilations": configured(resblock_dilation_sizes=[[10**9] * 3] * 3),
        "header: other dilations": configured(resblock_dilation_sizes=[[1] * 50_000] * 3),
        "header: another number of stages": configured(
            upsample_rates=[400], upsample_kernel_sizes=[400]
        ),
    }
    for key in (
        "n_heads",
        "upsample_rates",
        "resblock_dilation_sizes",
        "sample_rate",
        "version",
        "resblock",
    ):
        for value in ODD:
            if (key, value) != ("n_heads", True):
                files[f"header: {key} {value!r:.20}"] = configured(**{key: value})
    for title, content in files.items():
        yield Case(FOLDER, title, ".safetensors", content)
    foreign = struct.pack("<Q", 0)
    header["__metadata__"] = {"format": "pt"}
    packed = json.dumps(header).encode()
    foreign = struct.pack("<Q", len(packed)) + packed + data
    beside = {
        "config beside: deep": b"[" * 100_000,
        "config beside: an enormous number": b'{"format":' + b"9" * 5000 + b"}",
        "config beside: a list": b"[]",
        "config beside: no text": b"\xff\xfe",
        "config beside: ten megabytes": b'{"a":"' + b"x" * 10_000_000 + b'"}',
        "config beside: entries of no rate": b'{"a":{"sr":"x"},"b":{"sr":[]}}',
        "config beside: entries of none": b'{"a":{},"b":{}}',
        "config beside: entries of many lines": b'{"a\\n\\u001b":{},"b":{}}',
        "config beside: thousands of entries": b"{%s}"
        % b",".join(b'"entry %d":{}' % i for i in range(10_000)),
        "config beside: rates of text": b'{"upsample_rates":"ab"}',
        "config beside: rates of null": b'{"upsample_rates":[null]}',
        "config beside: infinite rates": b'{"upsample_rates":[Infinity]}',
        "config beside: rate of null": b'{"sr":{}}',
        "config beside: enormous dilations": b'{"resblock_dilation_sizes":[[1e308,3,5]]}',
        "config beside: ours of another version": b'{"format":"mlx-rvc-synth","format_version":9}',
        "config beside: ours of no config": b'{"format":"mlx-rvc-synth","format_version":1}',
    }
    for title, content in beside.items():
        yield Case(FOLDER, title, ".safetensors", foreign, (("config.json", content),))


def _json() -> Iterator[Case]:
    files = {
        "deep lists": b"[" * 1_000_000,
        "deep objects": b'{"a":' * 500_000,
        "deep and closed": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "fifty megabytes of lists": b'{"a":[' + b"[]," * 16_000_000 + b"[]]}",
        "fifty megabytes of text": b'{"a":"' + b"x" * 50_000_000 + b'"}',
        "a million keys": b"{" + b",".join(b'"%07d":{}' % i for i in range(1_000_000)) + b"}",
        "ten million zeros": b'{"a":1' + b"0" * 10_000_000 + b"}",
        "a list": b"[1]",
        "a number": b"5",
        "null": b"null",
        "text": b'"x"',
        "nothing": b"",
        "half": b'{"a":',
        "two": b"{}{}",
        "no text": b"\xff\xfe{}",
        "UTF-16": '{"a": 1}'.encode("utf-16"),
        "a comma too many": b'{"a":1,}',
        "quotes of one kind": b"{'a': 1}",
        "a zero": b'{"a":"\0"}',
        "Python": b"__import__('os').system('true')",
        "YAML": b"!!python/object/apply:os.system ['true']",
        "a pickle": b"\x80\x04cos\nsystem\n.",
    }
    for title, content in files.items():
        yield Case(JSON, title, ".json", content)
