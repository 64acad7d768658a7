"""Golden files of mlx-crepe, from torchcrepe 0.0.24 (MIT), without its random dither.

    python tools/golden_crepe.py            (in the oracle environment)

Writes to packages/mlx-crepe/tests/golden:

- toy.pth: a toy network with random weights, in the layout of torchcrepe's files.
- toy.npz: everything that network computes on the way from frames to salience.
- decode.npz: F0 and periodicity of random and awkward salience; curves through both filters.
- tiny.npz: a synthetic sound through RVC's pipeline with the tiny network.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch

for _name in ("resampy", "torchaudio"):  # imported by torchcrepe, not used here
    if importlib.util.find_spec(_name) is None:
        sys.modules[_name] = types.ModuleType(_name)

import torchcrepe  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "packages/mlx-crepe/tests/golden"
LIMIT = 300_000  # bytes, all files together
TOY = (8, 4, 4, 4, 4, 6)
DECODERS = ("argmax", "viterbi", "weighted_argmax")
RANGES = ((50.0, 1100.0), (200.0, 400.0))  # Hz


def sound(samples: int, *, rate: int = 16000) -> np.ndarray:
    """A gliding tone with overtones, pauses and a little noise, as 16-bit integers."""
    rng = np.random.default_rng(0)
    time = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 1.5 * time)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    envelope = np.clip(np.sin(2 * np.pi * 2 * time) + 0.7, 0, 1)
    signal = 0.2 * envelope * tone + 0.003 * rng.standard_normal(samples)
    return np.round(signal * 32768).astype(np.int16)


def toy_network() -> torchcrepe.Crepe:
    """torchcrepe's network with small sizes, everything in it far from identity."""
    model = torchcrepe.Crepe("tiny")
    before = 1
    for layer, width in enumerate(TOY, 1):
        taps, stride = (512, 4) if layer == 1 else (64, 1)
        setattr(model, f"conv{layer}", torch.nn.Conv2d(before, width, (taps, 1), (stride, 1)))
        norm = torch.nn.BatchNorm2d(width, eps=0.0010000000474974513)
        setattr(model, f"conv{layer}_BN", norm)
        before = width
    model.in_features = 4 * before
    model.classifier = torch.nn.Linear(4 * before, 360)
    generator = torch.Generator().manual_seed(1)

    def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
        return torch.rand(like.shape, generator=generator) * (high - low) + low

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data = uniform(module.weight, -0.8, 0.8)  # of either sign: max differs
            module.bias.data = uniform(module.bias, -0.3, 0.3)
            module.running_mean = uniform(module.running_mean, -0.3, 0.3)
            module.running_var = uniform(module.running_var, 0.01, 1.5)
        elif isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            bound = (3 / module.weight[0].numel()) ** 0.5
            module.weight.data = uniform(module.weight, -bound, bound)
            module.bias.data = uniform(module.bias, -0.3, 0.3)
    return model.eval()


def toy_golden() -> dict[str, np.ndarray]:
    """Frames to salience, every layer's output channels last."""
    model = toy_network()
    torch.save(model.state_dict(), GOLDEN / "toy.pth")
    frames = np.random.default_rng(2).standard_normal((5, 1024)).astype(np.float32)
    out = {"frames": frames}
    with torch.no_grad():
        x = torch.from_numpy(frames)[:, None, :, None]
        for layer in range(1, 7):
            padding = {"padding": (0, 0, 254, 254)} if layer == 1 else {}
            conv, norm = getattr(model, f"conv{layer}"), getattr(model, f"conv{layer}_BN")
            x = model.layer(x, conv, norm, **padding)  # (N, C, T, 1)
            out[f"layer{layer}"] = x[..., 0].numpy().transpose(0, 2, 1)
        out["salience"] = model(torch.from_numpy(frames)).numpy()
    return out


def curves(salience: np.ndarray, low: float, high: float, decoder: str) -> list[np.ndarray]:
    """F0 and periodicity of salience (frames, 360)."""
    logits = torch.from_numpy(salience.T[None].copy())
    decode = getattr(torchcrepe.decode, decoder)
    found = torchcrepe.postprocess(logits, low, high, decode, return_periodicity=True)
    return [part[0].numpy() for part in found]


def decode_golden() -> dict[str, np.ndarray]:
    """Wandering peaks, jumps, peaks at both ends of the classes and of the range, noise."""
    rng = np.random.default_rng(3)
    salience = rng.random((60, 360)).astype(np.float16).astype(np.float32) * 0.05
    centres = np.concatenate(
        [
            np.cumsum(rng.integers(-14, 15, 30)) + 150,  # some moves are beyond the reach
            [0, 1, 3, 4, 355, 356, 358, 359, 36, 37, 38, 39, 304, 305, 306, 307],
            np.full(8, 200),
            [40, 300],
        ]
    ).clip(0, 359)
    for frame, centre in enumerate(centres):
        salience[frame] += 0.9 * np.exp(-0.5 * ((np.arange(360) - centre) / 1.7) ** 2)
    salience = salience.astype(np.float32)
    out = {"salience": salience}
    for low, high in RANGES:
        for decoder in DECODERS:
            f0, strength = curves(salience, low, high, decoder)
            out[f"{decoder}/{low:g}/f0"] = f0
            out[f"{decoder}/{low:g}/strength"] = strength
    curve = rng.random(40).astype(np.float32) * 100
    curve[[0, 5, 11, 12, 20, 21, 22, 23, 24, 39]] = np.nan
    out["curve"] = curve
    for length in (3, 5):
        signal = torch.from_numpy(curve)[None]
        out[f"mean/{length}"] = torchcrepe.filter.mean(signal, length)[0].numpy()
        out[f"median/{length}"] = torchcrepe.filter.median(signal, length)[0].numpy()
    return out


def tiny_golden() -> dict[str, np.ndarray]:
    """Two seconds through `predict` and RVC's filters."""
    audio = sound(32000)
    out = {"audio": audio}
    signal = torch.from_numpy(audio.astype(np.float32) / 32768)[None]
    for decoder in DECODERS:
        decode = getattr(torchcrepe.decode, decoder)
        f0, strength = torchcrepe.predict(
            signal, 16000, 160, *RANGES[0], "tiny", decode, batch_size=512, return_periodicity=True
        )
        strength = torchcrepe.filter.median(strength, 3)
        f0 = torchcrepe.filter.mean(f0, 3)
        f0[strength < 0.1] = 0
        out[f"{decoder}/f0"], out[f"{decoder}/strength"] = f0[0].numpy(), strength[0].numpy()
    return out


def main() -> None:
    """Write the files and check their size."""
    torchcrepe.convert.dither = lambda cents: cents
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, make in (("toy", toy_golden), ("decode", decode_golden), ("tiny", tiny_golden)):
        np.savez_compressed(GOLDEN / f"{name}.npz", **make())
    size = sum(path.stat().st_size for path in GOLDEN.iterdir())
    if size > LIMIT:
        raise SystemExit(f"{GOLDEN} has {size} bytes, more than {LIMIT}")


if __name__ == "__main__":
    main()
