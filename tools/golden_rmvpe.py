"""Golden files of mlx-rmvpe, from RVC's own network (huggingface-hub-rvc), torch and librosa.

    python tools/golden_rmvpe.py            (in the oracle environment)

Writes to packages/mlx-rmvpe/tests/golden:

- toy_rmvpe.pt: a toy network with random weights, in the layout and float16 of `rmvpe.pt`.
- network.npz: everything that network computes on the way from audio to F0.
- mel.npz: the published network's spectrogram of a short sound, and librosa's filterbank.
- decode.npz: F0 of random and awkward salience.
"""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import torch

from mlx_rvc_verify.beside import module
from mlx_rvc_verify.drawn import draw_rmvpe as randomise
from mlx_rvc_verify.torch_rmvpe import estimator, mel_extractor

reference = module("huggingface_hub_rvc.core.rmvpe")

GOLDEN = Path(__file__).parents[1] / "packages/mlx-rmvpe/tests/golden"
LIMIT = 200_000  # bytes
TOY = {"n_mels": 16, "en_de_layers": 2, "inter_layers": 2, "n_blocks": 2, "en_out_channels": 4}
TOY_HIDDEN, TOY_BINS = 8, 72


def sound(samples: int, *, rate: int = 16000, seed: int = 0) -> np.ndarray:
    """A gliding tone with overtones, a pause, and a little noise everywhere."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(180 + 120 * np.sin(2 * np.pi * 3 * time)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    envelope = np.clip(np.sin(2 * np.pi * 4 * time) + 0.7, 0, 1)
    return (0.2 * envelope * tone + 0.003 * rng.standard_normal(samples)).astype(np.float32)


def toy_network() -> torch.nn.Module:
    """The reference's network with small sizes; its GRU has a fixed one, so it is replaced."""
    sizes = {name: value for name, value in TOY.items() if name not in ("n_mels", "n_blocks")}
    model = reference.E2E(TOY["n_blocks"], 1, (2, 2), **sizes)
    model.fc = torch.nn.Sequential(
        reference.BiGRU(3 * TOY["n_mels"], TOY_HIDDEN, 1),
        torch.nn.Linear(2 * TOY_HIDDEN, TOY_BINS),
        torch.nn.Dropout(0.25),
        torch.nn.Sigmoid(),
    )
    randomise(model, seed=1, sharpness=2.0)
    return model.half().float().eval()


def intermediates(model: torch.nn.Module, mel: torch.Tensor) -> dict[str, np.ndarray]:
    """Every stage's output, channels last."""
    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            value = output.detach().numpy()
            seen[name] = value.transpose(0, 2, 3, 1) if value.ndim == 4 else value

        return hook

    names = ["unet.encoder.bn", "unet.encoder", "cnn", "fc.0", "fc.1"]
    for level in range(TOY["en_de_layers"]):
        names += [f"unet.encoder.layers.{level}", f"unet.decoder.layers.{level}"]
        names += [f"unet.decoder.layers.{level}.conv1"]
    names += [f"unet.intermediate.layers.{layer}" for layer in range(TOY["inter_layers"])]
    names += ["unet.encoder.layers.0.conv.0"]
    modules = dict(model.named_modules())
    hooks = [modules[name].register_forward_hook(keep(name)) for name in names]
    seen["salience"] = model(mel).detach().numpy()
    for hook in hooks:
        hook.remove()
    return seen


def network_golden() -> dict[str, np.ndarray]:
    """Audio to F0 through the toy network, whose frames are padded to a multiple of four."""
    model = toy_network()
    half = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    torch.save(half, GOLDEN / "toy_rmvpe.pt")
    audio = sound(3411)  # 22 frames
    with torch.no_grad():
        mel = mel_extractor(TOY["n_mels"])(torch.from_numpy(audio)[None])
        frames = mel.shape[-1]
        assert frames % 4
        seen = intermediates(model, torch.nn.functional.pad(mel, (0, -frames % 4)))
    seen["salience"] = seen["salience"][:, :frames]
    out = {f"stage/{name}": value for name, value in seen.items()}
    out["audio"] = audio
    out["mel"] = mel.numpy().transpose(0, 2, 1)
    for threshold in (0.03, 0.9):
        f0 = estimator(None, None).decode(seen["salience"][0], thred=threshold)
        out[f"f0/{threshold}"] = f0.astype(np.float64)
    return out


def mel_golden() -> dict[str, np.ndarray]:
    """The published sizes, on a batch of two."""
    audio = np.stack([sound(7333, seed=2), np.zeros(7333, np.float32)])
    mel = mel_extractor(128)(torch.from_numpy(audio)).numpy().transpose(0, 2, 1)
    bank = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=128, fmin=30, fmax=8000, htk=True)
    return {"audio": audio, "mel": mel, "filterbank": bank.T}


def decode_golden() -> dict[str, np.ndarray]:
    """Random salience; peaks at both ends; ties; silence; a peak just at the threshold."""
    rng = np.random.default_rng(3)
    salience = rng.random((40, 360)).astype(np.float16).astype(np.float32) * 0.02
    for frame, centre in enumerate([0, 1, 3, 4, 5, 180, 200, 354, 355, 356, 358, 359]):
        salience[frame] += np.exp(-0.5 * ((np.arange(360) - centre) / 1.7) ** 2)
    salience[12] = 0
    salience[13] = 0.5
    salience[14] = 0.01
    salience[14, 100] = np.float32(0.03)
    salience[15, 100] = np.nextafter(np.float32(0.03), np.float32(1))
    salience = salience.astype(np.float32)
    out = {"salience": salience}
    for threshold in (0.0, 0.03, 0.5):
        with np.errstate(invalid="ignore"):
            out[f"f0/{threshold}"] = estimator(None, None).decode(salience, thred=threshold)
    return out


def main() -> None:
    """Write the files and check their size."""
    torch.manual_seed(0)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, make in (
        ("network", network_golden),
        ("mel", mel_golden),
        ("decode", decode_golden),
    ):
        path = GOLDEN / f"{name}.npz"
        np.savez_compressed(path, **make())
    for path in GOLDEN.iterdir():
        if path.stat().st_size > LIMIT:
            raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {LIMIT}")


if __name__ == "__main__":
    main()
