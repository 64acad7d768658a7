"""Toy networks with RVC's names and its published upsampling: seeded, a few channels wide.

Every number has 8 significant bits and lies where float16 is exact, so that one network is the same
in float64, float32, float16 and bfloat16.
"""

from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np

INTER, HIDDEN, FILTER, HEADS, LAYERS, INITIAL, GIN = 4, 8, 8, 2, 2, 32, 4
KERNELS = (3, 5)
WIDTHS = {"v1": 256, "v2": 768}
# kHz by version: upsampling rates, kernels, bins of the spectrum.
UPSAMPLING = {
    ("v1", 32): ((10, 4, 2, 2, 2), (16, 16, 4, 4, 4), 513),
    ("v1", 40): ((10, 10, 2, 2), (16, 16, 4, 4), 1025),
    ("v1", 48): ((10, 6, 2, 2, 2), (16, 16, 4, 4, 4), 1025),
    ("v2", 24): ((10, 6, 2, 2), (20, 12, 4, 4), 513),
    ("v2", 32): ((10, 8, 2, 2), (20, 16, 4, 4), 513),
    ("v2", 40): ((10, 10, 2, 2), (16, 16, 4, 4), 1025),
    ("v2", 48): ((12, 10, 2, 2), (24, 20, 4, 4), 1025),
}


@dataclass(frozen=True)
class Network:
    """Which network a file holds; `khz` is its sample rate."""

    version: str = "v2"
    f0: bool = True
    khz: int = 40
    speakers: int = 3
    resblock: str = "1"

    @property
    def rates(self):
        return UPSAMPLING[self.version, self.khz][0]

    @property
    def kernels(self):
        return UPSAMPLING[self.version, self.khz][1]

    @property
    def spec_channels(self):
        return UPSAMPLING[self.version, self.khz][2]

    @property
    def width(self):
        return WIDTHS[self.version]

    def config(self, speakers=109):
        """RVC's list of 18; RVC writes 109 speakers whatever the table has."""
        dilations = [[1, 3, 5] if self.resblock == "1" else [1, 3]] * len(KERNELS)
        return [
            *(self.spec_channels, 32, INTER, HIDDEN, FILTER, HEADS, LAYERS, 3, 0, self.resblock),
            *([*KERNELS], dilations, [*self.rates], INITIAL, [*self.kernels]),
            *(speakers, GIN, self.khz * 1000),
        ]


def tensors(network, posterior=False):
    """Its tensors as RVC's code has them, float32, weight norm apart; with enc_q on demand."""
    found = _tensors(network)
    return {k: v for k, v in found.items() if posterior or not k.startswith("enc_q.")}


@cache
def _tensors(network):
    rng = np.random.default_rng([len(network.version), network.khz, network.speakers, network.f0])
    return {name: _values(name, shape, rng) for name, shape in _shapes(network)}


def _values(name, shape, rng):
    values = rng.standard_normal(shape)
    fan = max(1, prod(shape[1:]))
    if name.endswith("weight_g"):
        values = (1.4 if name.startswith("dec.ups.") else 1) * (0.7 + 0.6 * rng.random(shape))
    elif name.endswith("gamma"):
        values = 1 + 0.1 * values
    elif name == "dec.m_source.l_linear.weight":
        values = np.full(shape, 5.0)
    elif len(shape) == 1:
        values = 0.1 * values
    elif "emb_" in name and "emb_phone" not in name:
        values = 0.5 * values
    else:
        values = values * (0.5 if name == "dec.conv_post.weight" else 1) / fan**0.5
    kept = (values.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    return np.where(np.abs(kept) < 2**-14, np.float32(0), kept)


def _shapes(network):
    yield from _conv("enc_p.emb_phone", (HIDDEN, network.width))
    if network.f0:
        yield "enc_p.emb_pitch.weight", (256, HIDDEN)
    for i in range(LAYERS):
        for part in "qkvo":
            yield from _conv(f"enc_p.encoder.attn_layers.{i}.conv_{part}", (HIDDEN, HIDDEN, 1))
        for part in "kv":
            yield f"enc_p.encoder.attn_layers.{i}.emb_rel_{part}", (1, 21, HIDDEN // HEADS)
        for norm in (1, 2):
            yield f"enc_p.encoder.norm_layers_{norm}.{i}.gamma", (HIDDEN,)
            yield f"enc_p.encoder.norm_layers_{norm}.{i}.beta", (HIDDEN,)
        yield from _conv(f"enc_p.encoder.ffn_layers.{i}.conv_1", (FILTER, HIDDEN, 3))
        yield from _conv(f"enc_p.encoder.ffn_layers.{i}.conv_2", (HIDDEN, FILTER, 3))
    yield from _conv("enc_p.proj", (2 * INTER, HIDDEN, 1))
    yield from _generator(network)
    yield from _conv("enc_q.pre", (HIDDEN, network.spec_channels, 1))
    yield from _wavenet("enc_q.enc", 16)
    yield from _conv("enc_q.proj", (2 * INTER, HIDDEN, 1))
    for i in range(0, 8, 2):
        yield from _conv(f"flow.flows.{i}.pre", (HIDDEN, INTER // 2, 1))
        yield from _wavenet(f"flow.flows.{i}.enc", 3)
        yield from _conv(f"flow.flows.{i}.post", (INTER // 2, HIDDEN, 1))
    yield "emb_g.weight", (network.speakers, GIN)


def _generator(network):
    if network.f0:
        yield from _conv("dec.m_source.l_linear", (1, 1))
    yield from _conv("dec.conv_pre", (INITIAL, INTER, 7))
    yield from _conv("dec.cond", (INITIAL, GIN, 1))
    channels, block = INITIAL, 0
    for i, kernel in enumerate(network.kernels):
        yield f"dec.ups.{i}.weight_g", (channels, 1, 1)
        yield f"dec.ups.{i}.weight_v", (channels, channels // 2, kernel)
        channels //= 2
        yield f"dec.ups.{i}.bias", (channels,)
        if network.f0:
            stride = prod(network.rates[i + 1 :])
            yield from _conv(
                f"dec.noise_convs.{i}", (channels, 1, 1 if stride == 1 else 2 * stride)
            )
        for size in KERNELS:
            lists = ("convs1", "convs2") if network.resblock == "1" else ("convs",)
            for part in lists:
                for step in range(3 if network.resblock == "1" else 2):
                    yield from _normed(
                        f"dec.resblocks.{block}.{part}.{step}", (channels, channels, size)
                    )
            block += 1
    yield "dec.conv_post.weight", (1, channels, 7)


def _wavenet(name, layers):
    for i in range(layers):
        last = i == layers - 1
        yield from _normed(f"{name}.in_layers.{i}", (2 * HIDDEN, HIDDEN, 5))
        yield from _normed(f"{name}.res_skip_layers.{i}", ((1 if last else 2) * HIDDEN, HIDDEN, 1))
    yield from _normed(f"{name}.cond_layer", (2 * HIDDEN * layers, GIN, 1))


def _conv(name, shape):
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _normed(name, shape):
    yield f"{name}.weight_g", (shape[0], 1, 1)
    yield f"{name}.weight_v", shape
    yield f"{name}.bias", shape[:1]
