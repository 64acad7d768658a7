"""Golden files of mlx-fcpe, from torchfcpe 0.0.4 and torch.

    python tools/golden_fcpe.py            (in the oracle environment)

Writes to packages/mlx-fcpe/tests/golden:

- toy_fcpe.pt: a toy network with random weights, in the layout of torchfcpe's own file.
- network.npz: everything that network computes on the way from audio to F0.
- mel.npz: the published network's spectrogram of sounds of many lengths, and the filterbank.
- decode.npz: F0 of random and awkward salience, with both decoders.
- clip.npz: F0 of a second of speech and of a gliding tone from the published weights.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "packages/mlx-fcpe/tests/golden"
LIMIT = 300_000  # bytes


def import_torchfcpe() -> types.ModuleType:
    """torchfcpe without torchaudio and local_attention, which this network does not use."""
    for name, attribute in (
        ("torchaudio", "transforms"),
        ("torchaudio.transforms", "Resample"),
        ("local_attention", "LocalAttention"),
    ):
        stub = types.ModuleType(name)
        setattr(stub, attribute, None)
        sys.modules.setdefault(name, stub)
    sys.modules["torchaudio"].transforms = sys.modules["torchaudio.transforms"]
    return importlib.import_module("torchfcpe")


torchfcpe = import_torchfcpe()
PUBLISHED = Path(torchfcpe.__file__).parent / "assets" / "fcpe_c_v001.pt"

TOY: dict[str, dict[str, Any]] = {
    "mel": {
        "type": "default",
        "sr": 16000,
        "num_mels": 16,
        "n_fft": 1024,
        "win_size": 1024,
        "hop_size": 160,
        "fmin": 0,
        "fmax": 8000,
    },
    "model": {
        "type": "CFNaiveMelPE",
        "hidden_dims": 16,
        "n_layers": 2,
        "n_heads": 2,
        "out_dims": 72,
        "f0_min": 40.0,
        "f0_max": 1500.0,
        "use_fa_norm": False,
        "conv_only": True,
        "conv_dropout": 0.0,
        "atten_dropout": 0.0,
        "use_harmonic_emb": False,
    },
}


def published() -> torch.nn.Module:
    """The network that travels with torchfcpe."""
    return torchfcpe.spawn_bundled_infer_model("cpu")


def around(model: torch.nn.Module, config: dict[str, Any]) -> torch.nn.Module:
    """torchfcpe's inference around a network that is in no file."""
    infer = importlib.import_module("torchfcpe.models_infer")
    dotted = importlib.import_module("torchfcpe.tools").DotDict(config)
    return infer.InferCFNaiveMelPE(dotted, model.state_dict()).eval()


def toy_network() -> torch.nn.Module:
    """The reference's network with small sizes and weights that exercise everything."""
    infer = importlib.import_module("torchfcpe.models_infer")
    model = infer.spawn_model(importlib.import_module("torchfcpe.tools").DotDict(TOY))
    generator = torch.Generator().manual_seed(1)
    for name, value in model.named_parameters():
        uniform = torch.rand(value.shape, generator=generator) * 2 - 1
        if value.ndim == 1 and name.endswith("weight"):  # a norm's
            value.data = 1 + 0.5 * uniform
        elif name == "output_proj.bias":
            value.data = uniform - 3
        elif value.ndim == 1:
            value.data = 0.3 * uniform
        elif "original0" in name:
            value.data = 4 + uniform
        else:
            value.data = uniform * (3 / value[0].numel()) ** 0.5
    return model.eval()


def as_distributed(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state dict under the names of torchfcpe's own file: torch's old weight norm."""
    norm = "output_proj.parametrizations.weight.original"
    return {
        name.replace(f"{norm}0", "output_proj.weight_g").replace(
            f"{norm}1", "output_proj.weight_v"
        ): value
        for name, value in model.state_dict().items()
    }


def sound(samples: int, *, seed: int = 0) -> np.ndarray:
    """A gliding tone with overtones, a pause, and a little noise everywhere, at 16 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 16000
    phase = 2 * np.pi * np.cumsum(180 + 120 * np.sin(2 * np.pi * 3 * time)) / 16000
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    envelope = np.clip(np.sin(2 * np.pi * 4 * time) + 0.7, 0, 1)
    return (0.2 * envelope * tone + 0.003 * rng.standard_normal(samples)).astype(np.float32)


def f0_of(model: torch.nn.Module, audio: np.ndarray, **options: Any) -> np.ndarray:
    """torchfcpe's F0, Hz, of audio (n,) or (B, n) at 16 kHz."""
    batch = torch.from_numpy(np.atleast_2d(audio))[..., None]
    f0 = model.infer(batch, 16000, **options)[..., 0].numpy()
    return f0 if audio.ndim == 2 else f0[0]


def salience_of(model: torch.nn.Module, audio: np.ndarray) -> np.ndarray:
    """torchfcpe's latent, (frames, bins) or (B, frames, bins), of audio at 16 kHz."""
    batch = torch.from_numpy(np.atleast_2d(audio))[..., None]
    with torch.no_grad():
        latent = model.model(model.wav2mel(batch, 16000)).numpy()
    return latent if audio.ndim == 2 else latent[0]


def intermediates(model: torch.nn.Module, mel: torch.Tensor) -> dict[str, np.ndarray]:
    """Every stage's output, channels last."""
    seen = {}

    def keep(name: str, turned: bool) -> Any:
        def hook(_module: Any, _inputs: Any, output: torch.Tensor) -> None:
            seen[name] = (output.transpose(1, 2) if turned else output).detach().numpy()

        return hook

    modules = dict(model.named_modules())
    names = ["input_stack.0", "input_stack.1", "input_stack.3"]
    names += [f"net.encoder_layers.{i}" for i in range(TOY["model"]["n_layers"])]
    names += ["net.encoder_layers.0.conformer", "norm", "output_proj"]
    hooks = [
        modules[name].register_forward_hook(keep(name, name.startswith("input_stack")))
        for name in names
    ]
    with torch.no_grad():
        seen["salience"] = model(mel).numpy()
    for hook in hooks:
        hook.remove()
    return seen


def network_golden() -> dict[str, np.ndarray]:
    """Audio to F0 through the toy network."""
    model = toy_network()
    torch.save({"model": as_distributed(model), "config_dict": TOY}, GOLDEN / "toy_fcpe.pt")
    whole = around(model, TOY)
    audio = sound(7411)  # 47 frames
    mel = whole.wav2mel(torch.from_numpy(audio)[None, :, None], 16000)
    out = {f"stage/{name}": value for name, value in intermediates(model, mel).items()}
    out |= {"audio": audio, "mel": mel.numpy()}
    for decoder in ("local_argmax", "argmax"):
        for threshold in (0.006, 0.9):
            f0 = f0_of(whole, audio, decoder_mode=decoder, threshold=threshold)
            out[f"f0/{decoder}/{threshold}"] = f0
    return out


LENGTHS = (1, 100, 159, 160, 300, 320, 432, 433, 592, 1024, 1600)


def mel_golden() -> dict[str, np.ndarray]:
    """The published sizes: a batch of two, one of them silent, and the short lengths."""
    wav2mel = torchfcpe.spawn_wav2mel(
        importlib.import_module("torchfcpe.tools").DotDict(
            {"mel": {**TOY["mel"], "num_mels": 128}}
        ),
        "cpu",
    )
    audio = np.stack([sound(3333, seed=2), np.zeros(3333, np.float32)])
    out = {
        "audio": audio,
        "mel": wav2mel(torch.from_numpy(audio)[..., None], 16000).numpy(),
        "filterbank": wav2mel.mel_extractor.mel_basis.numpy().T,
    }
    for samples in LENGTHS:
        clip = torch.from_numpy(audio[:1, :samples])[..., None]
        out[f"short/{samples}"] = wav2mel(clip, 16000).numpy()
    return out


def decode_golden() -> dict[str, np.ndarray]:
    """Random salience; peaks at both ends; ties; silence; a peak just at the threshold."""
    model = published().model
    rng = np.random.default_rng(3)
    salience = rng.random((24, 360)).astype(np.float16).astype(np.float32) * 0.004
    for frame, centre in enumerate([0, 1, 3, 4, 5, 180, 200, 354, 355, 356, 358, 359]):
        salience[frame] += np.exp(-0.5 * ((np.arange(360) - centre) / 1.7) ** 2)
    salience[13] = 0.5
    salience[14] = 0.001
    salience[14, 100] = np.float32(0.006)
    salience[15, 100] = np.nextafter(np.float32(0.006), np.float32(1))
    salience = salience.astype(np.float32)
    out = {"salience": salience, "cent_table": model.cent_table.numpy()}
    latent = torch.from_numpy(salience)[None]
    for threshold in (0.006, 0.5):
        for name, decoder in (
            ("local_argmax", model.latent2cents_local_decoder),
            ("argmax", model.latent2cents_decoder),
        ):
            f0 = model.cent_to_f0(decoder(latent, threshold=threshold))
            out[f"f0/{name}/{threshold}"] = f0[0, :, 0].numpy()
    return out


def clip_golden() -> dict[str, np.ndarray]:
    """What the published weights say of real speech (public domain) and of a gliding tone."""
    speech, rate = soundfile.read(ROOT / "tests/audio/librivox_austen_0930.flac", dtype="int16")
    assert rate == 16000
    speech = speech[8000:28000]
    glide = np.round(sound(16000, seed=5) * 32767).astype(np.int16)
    model = published()
    out = {}
    for name, clip in (("speech", speech), ("glide", glide)):
        out[f"audio/{name}"] = clip
        out[f"f0/{name}"] = f0_of(model, clip.astype(np.float32) / 32768)
    return out


def main() -> None:
    """Write the files and check their size."""
    torch.manual_seed(0)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, make in (
        ("network", network_golden),
        ("mel", mel_golden),
        ("decode", decode_golden),
        ("clip", clip_golden),
    ):
        np.savez_compressed(GOLDEN / f"{name}.npz", **make())
    for path in GOLDEN.iterdir():
        print(f"{path.name}: {path.stat().st_size} bytes")
        if path.stat().st_size > LIMIT:
            raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {LIMIT}")


if __name__ == "__main__":
    main()
