"""RVC's own voice network in PyTorch (huggingface-hub-rvc, MIT), with the weights of a voice.

Sizes come from the voice. The original has a class for features 256 and one for 768 wide, which
differ in one layer: for other widths that layer is replaced, and for odd upsampling rates, which
the original cannot build, the layers of Applio's formulas.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_rvc_verify.beside import module

if TYPE_CHECKING:
    from mlx_rvc_synth.voicefile import VoiceFile

# What the original fixes in its code.
_FIXED = {"window_size": 10, "n_flows": 4, "flow_kernel_size": 5, "flow_n_layers": 3}

VoiceInputs = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray | None]
"""features (B, T, width); F0 in Hz (B, T) or None; noise (B, T, inter); noise (B, T·hop, 1)."""


def build(width: int, f0: bool, config: Sequence[Any]) -> Any:
    """The original network with fresh weights, weight norm still on, in evaluation mode.

    width: of the content features. config: RVC's list of 18 values.
    """
    nn = module("torch").nn
    models = module("huggingface_hub_rvc.core.models")
    usual = 256 if width == 256 else 768
    name = f"SynthesizerTrnMs{usual}NSFsid" + ("" if f0 else "_nono")
    rates, kernels = config[12], config[14]
    odd = any(rate % 2 and (kernel - rate) % 2 for rate, kernel in zip(rates, kernels, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # torch would rather have another weight norm
        model = getattr(models, name)(*config, is_half=False)
        if odd:
            _use_odd_rates(model, config, f0)
    if width != usual:
        model.enc_p.emb_phone = nn.Linear(width, config[3])
    return model.eval()


def _use_odd_rates(model: Any, config: Sequence[Any], f0: bool) -> None:
    """Applio's formulas for odd rates, in torch's own layers."""
    nn = module("torch").nn
    rates, channels = config[12], config[13]
    for i, (rate, kernel) in enumerate(zip(rates, config[14], strict=True)):
        wide, narrow = channels // 2**i, channels // 2 ** (i + 1)
        padding = rate // 2 + rate % 2 if rate % 2 else (kernel - rate) // 2
        layer = nn.ConvTranspose1d(
            wide, narrow, kernel, rate, padding=padding, output_padding=rate % 2
        )
        model.dec.ups[i] = nn.utils.weight_norm(layer)
        if not f0:
            continue
        stride = int(np.prod(rates[i + 1 :]))
        size = 1 if stride == 1 else 2 * stride - stride % 2
        padding = 0 if stride == 1 else (size - stride) // 2
        model.dec.noise_convs[i] = nn.Conv1d(1, narrow, size, stride, padding=padding)


def load(voice: VoiceFile) -> Any:
    """The original network with a voice's tensors as its file stores them, loaded strictly.

    The posterior encoder, which no conversion uses, is left out. Raises ValueError for sizes that
    the original cannot have, and for tensors that do not fit it.
    """
    from mlx_rvc_synth.config import HIFIGAN
    from mlx_rvc_synth.torch_layout import to_torch

    torch = module("torch")
    config = voice.config
    if config.vocoder != HIFIGAN:
        raise ValueError(
            f"{voice.path} has the vocoder {config.vocoder}, which is compared with Applio's in "
            "this project's own tests only; RVC's original network has HiFi-GAN"
        )
    for name, value in _FIXED.items():
        if getattr(config, name) != value:
            raise ValueError(
                f"{voice.path} has {name} {getattr(config, name)}, which the original network "
                f"fixes at {value}: there is nothing to compare it with"
            )
    listed = [list(v) if isinstance(v, tuple) else v for v in config.to_list()]
    model = build(config.feature_channels, config.f0, listed)
    del model.enc_q
    tensors = to_torch(voice.originals, voice.layout)
    state = {k: torch.from_numpy(np.array(v, np.float32)) for k, v in tensors.items()}
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"the original network cannot load {voice.path}: {reason:.200}") from None
    return model.eval()


@contextmanager
def injected(*given: Any) -> Iterator[None]:
    """Let torch draw these tensors, in this order, and zeros for the phase of the sine."""
    torch = module("torch")
    waiting = list(given)

    def randn_like(x: Any) -> Any:
        noise = waiting.pop(0)
        assert noise.shape == x.shape, (noise.shape, x.shape)
        return noise

    before = torch.randn_like, torch.rand
    torch.randn_like = randn_like
    torch.rand = lambda *shape, **_: torch.zeros(*shape)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.randn_like, torch.rand = before


def infer(model: Any, f0: bool, inputs: VoiceInputs, speaker: int) -> tuple[Any, Any]:
    """Run the original with given noise: audio (B, 1, N), and (z, z_p, m, logs) (B, inter, T)."""
    torch = module("torch")
    phone, pitchf, latent, source = inputs
    noise = [torch.from_numpy(latent).transpose(1, 2)]
    if f0:
        assert source is not None
        noise.append(torch.from_numpy(source))
    batch, frames, _ = phone.shape
    arguments = [torch.from_numpy(phone), torch.full((batch,), frames)]
    if f0:
        assert pitchf is not None
        arguments += [torch.from_numpy(coarse(pitchf)), torch.from_numpy(pitchf)]
    with injected(*noise):
        audio, _, latents = model.infer(*arguments, torch.full((batch,), speaker))
    return audio, latents


def coarse(f0_hz: np.ndarray) -> np.ndarray:
    """RVC's coarse pitch, int64, written here from its formula and not taken from the package."""
    mel = 1127 * np.log(1 + f0_hz.astype(np.float64) / 700)
    low, high = 1127 * np.log(1 + 50 / 700), 1127 * np.log(1 + 1100 / 700)
    mel[mel > 0] = (mel[mel > 0] - low) * 254 / (high - low) + 1
    mel[mel <= 1] = 1
    mel[mel > 255] = 255
    return np.rint(mel).astype(np.int64)
