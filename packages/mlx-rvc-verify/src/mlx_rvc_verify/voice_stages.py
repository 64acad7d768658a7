"""The parts of a voice side by side, each on PyTorch's input: an error stays in its stage.

features, F0 ─ enc_p ─> m, logs ─ noise ─> z_p ─ flow ─> z ┐
F0, noise ─ source ────────────────────────────────────────┴ dec ─> audio
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_rvc_verify import torch_voice
from mlx_rvc_verify.beside import module
from mlx_rvc_verify.timing import timed
from mlx_rvc_verify.verdict import Result, judge

if TYPE_CHECKING:
    from mlx_rvc_synth import Synthesizer

PARTS = ("enc_p", "flow", "source", "dec", "audio")


@dataclass(frozen=True)
class Side:
    """Each part as a function without arguments that gives a NumPy array, (B, T, channels)."""

    parts: dict[str, Callable[[], np.ndarray]]


def compare_voice(
    ours: Synthesizer,
    theirs: Any,
    inputs: torch_voice.VoiceInputs,
    *,
    speaker: int = 0,
    parts: Collection[str] = PARTS,
    warm: bool = True,
) -> list[Result]:
    """Compare the parts of a voice, `source` only where it has F0.

    theirs: the original network (`torch_voice.build` or `load`) with the same weights. inputs:
    features (B, T, width), F0 (B, T) and both noises, None where the voice has no F0.
    warm: run each side twice and give the time of the second.
    """
    latents, excitation = _intermediates(ours, theirs, inputs, speaker)
    torch_side = _torch_side(theirs, inputs, speaker, latents)
    mlx_side = _mlx_side(ours, inputs, speaker, latents, excitation)
    rows = []
    for name in PARTS:
        if name not in parts or (name == "source" and not ours.config.f0):
            continue
        found, mlx_s = timed(mlx_side.parts[name], warm=warm)
        expected, torch_s = timed(torch_side.parts[name], warm=warm)
        rows.append(judge(name, found, expected, seconds=(mlx_s, torch_s)))
    return rows


def _intermediates(
    ours: Synthesizer, theirs: Any, inputs: torch_voice.VoiceInputs, speaker: int
) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
    """(z, z_p) of the original's own run, (B, T, inter) each, and its source (B, T·hop, 1)."""
    f0 = ours.config.f0
    seen: list[Any] = []
    hooks = []
    if f0:
        keep = lambda _module, _inputs, output: seen.append(output[0])  # noqa: E731
        hooks.append(theirs.dec.m_source.register_forward_hook(keep))
    _, (z, z_p, _, _) = torch_voice.infer(theirs, f0, inputs, speaker)
    for hook in hooks:
        hook.remove()
    return (_last(z), _last(z_p)), (seen[0].numpy() if f0 else None)


def _torch_side(
    model: Any, inputs: torch_voice.VoiceInputs, speaker: int, latents: tuple[np.ndarray, ...]
) -> Side:
    torch = module("torch")
    phone, f0_hz, _, source = inputs
    f0 = f0_hz is not None
    batch, frames, _ = phone.shape
    z, z_p = (_first(value) for value in latents)
    mask = torch.ones(batch, 1, frames)
    pitch = torch.from_numpy(torch_voice.coarse(f0_hz)) if f0 else None
    lengths = torch.full((batch,), frames)
    with torch.no_grad():
        g = model.emb_g(torch.full((batch,), speaker)).unsqueeze(-1)

    def drawn(run: Callable[[], Any]) -> Any:
        with torch_voice.injected(*([torch.from_numpy(source)] if source is not None else [])):
            return run()

    def prior() -> np.ndarray:
        m, logs, _ = drawn(lambda: model.enc_p(torch.from_numpy(phone), pitch, lengths))
        return np.concatenate([_last(m), _last(logs)], axis=-1)

    def generated() -> np.ndarray:
        given = (torch.from_numpy(f0_hz),) if f0 else ()
        return drawn(lambda: model.dec(z, *given, g=g))[:, 0].numpy()

    def excited() -> np.ndarray:
        return drawn(lambda: model.dec.m_source(torch.from_numpy(f0_hz), model.dec.upp))[0].numpy()

    def whole() -> np.ndarray:
        return torch_voice.infer(model, f0, inputs, speaker)[0][:, 0].numpy()

    return Side(
        {
            "enc_p": prior,
            "flow": lambda: _last(drawn(lambda: model.flow(z_p, mask, g=g, reverse=True))),
            "source": excited,
            "dec": generated,
            "audio": whole,
        }
    )


def _mlx_side(
    voice: Synthesizer,
    inputs: torch_voice.VoiceInputs,
    speaker: int,
    latents: tuple[np.ndarray, ...],
    excitation: np.ndarray | None,
) -> Side:
    import mlx_fastops as fastops
    from mlx_rvc_synth import Noise, coarse_pitch
    from mlx_rvc_synth.arrays import alike

    phone, f0_hz, latent, source = inputs
    x, z, z_p = (fastops.native(np.ascontiguousarray(v)) for v in (phone, *latents))
    pitch = None if f0_hz is None else alike(coarse_pitch(f0_hz), x)
    g = alike(voice.emb_g.weight, x)[[speaker]][None]
    given = None if excitation is None else alike(excitation, x)

    def excited() -> np.ndarray:
        assert f0_hz is not None and source is not None
        return np.asarray(voice.dec.m_source(f0_hz, alike(source, x)))

    def whole() -> np.ndarray:
        noise = Noise(latent, source)
        return np.asarray(voice.infer(phone, f0_hz, speaker=speaker, noise=noise))

    return Side(
        {
            "enc_p": lambda: np.concatenate([np.asarray(v) for v in voice.enc_p(x, pitch)], -1),
            "flow": lambda: np.asarray(voice.flow(z_p, g)),
            "source": excited,
            "dec": lambda: np.asarray(voice.dec(z, g, given)),
            "audio": whole,
        }
    )


def _last(x: Any) -> np.ndarray:
    """(B, channels, T) of torch to (B, T, channels)."""
    return x.detach().transpose(1, 2).numpy()


def _first(x: np.ndarray) -> Any:
    """(B, T, channels) to (B, channels, T) of torch."""
    return module("torch").from_numpy(np.ascontiguousarray(x.swapaxes(1, 2)))
