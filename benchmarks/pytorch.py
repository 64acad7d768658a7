"""PyTorch's side: the same stages through implementations that are not ours.

transformers (ContentVec); the original RMVPE and voice model (huggingface-hub-rvc), the voice with
its weight norm removed; rvc-next (index by faiss, and the whole chain). rvc-next computes weight
norm at each call, as RVC programs do.
"""

from collections.abc import Callable

import numpy as np
from clip import Clip
from models import Models, voice_config
from oracles import load_rvc_next, no_noise
from stages import CONTROLS

from mlx_rvc_verify.beside import import_hf_rvc

Run = Callable[..., np.ndarray]


def device() -> str:
    """The device that MLX uses, by torch's name."""
    import mlx.core as mx
    import torch

    if mx.default_device().type != mx.DeviceType.gpu:
        return "cpu"
    return "mps" if torch.backends.mps.is_available() else "cuda"


def use_threads(count: int) -> None:
    """Let torch and faiss have as many threads as our side has."""
    import faiss
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()  # it reports layers of a file that are not asked for
    torch.set_num_threads(count)
    faiss.omp_set_num_threads(count)
    torch.backends.cudnn.allow_tf32 = False  # float32 on both sides


def load(stage: str, models: Models, rate: str | None) -> Run:
    """Load what a stage needs; rate: "48k" or "40k", for the stages that have one."""
    import torch

    import_hf_rvc()
    if stage in ("prior", "vocoder", "synthesizer"):
        run = _voice(stage, models, rate)
    else:
        makers = {"contentvec": _contentvec, "rmvpe": _rmvpe, "index": _index, "chain": _chain}
        run = makers[stage](models, rate)

    def quiet(clip: Clip, **changes: float) -> np.ndarray:
        with torch.inference_mode(), no_noise():
            return run(clip, **changes)

    return quiet


def _contentvec(models: Models, rate: str | None) -> Run:
    import torch
    from transformers import HubertModel

    where = device()
    hubert = HubertModel.from_pretrained(models.encoder).eval().to(where)

    def contentvec(clip: Clip) -> np.ndarray:
        audio = torch.from_numpy(clip.audio)[None].to(where)
        return hubert(audio).last_hidden_state.cpu().numpy()

    return contentvec


def _rmvpe(models: Models, rate: str | None) -> Run:
    from huggingface_hub_rvc.core.rmvpe import RMVPE

    rmvpe = RMVPE(str(models.rmvpe), is_half=False, device=device())
    return lambda clip: rmvpe.infer_from_audio(clip.audio, thred=0.03)


def _index(models: Models, rate: str | None) -> Run:
    from rvc_next.engine.index.retrieval import blend, load_index

    index, share = load_index(models.index), CONTROLS["index_rate"]
    return lambda clip: share * blend(clip.features[::2], index) + (1 - share) * clip.features[::2]


def _voice(stage: str, models: Models, rate: str | None) -> Run:
    import torch
    from huggingface_hub_rvc.core.models import SynthesizerTrnMs768NSFsid

    where = device()
    voice = SynthesizerTrnMs768NSFsid(*voice_config(rate), is_half=False)
    del voice.enc_q
    saved = torch.load(models.voice(rate), weights_only=True)["weight"]
    voice.load_state_dict({name: value.float() for name, value in saved.items()})
    for part in (voice.dec, voice.flow):
        part.remove_weight_norm()
    voice = voice.eval().to(where)

    def inputs(clip: Clip):
        features = torch.from_numpy(clip.features)[None].to(where)
        lengths = torch.tensor([features.shape[1]], device=where)
        return features, lengths, torch.from_numpy(clip.f0_hz)[None].to(where)

    def speaker():
        return torch.zeros(1, dtype=torch.long, device=where)

    def pitch(f0_hz):
        mel = 1127 * torch.log(1 + f0_hz / 700)
        low, high = 77.7549, 1064.4082  # 50 and 1100 Hz
        return torch.clamp((mel - low) * 254 / (high - low) + 1, 1, 255).round().long()

    def prior(clip: Clip) -> np.ndarray:
        features, lengths, f0_hz = inputs(clip)
        mean, _, mask = voice.enc_p(features, pitch(f0_hz), lengths)
        g = voice.emb_g(speaker()).unsqueeze(-1)
        latent = voice.flow(mean * mask, mask, g=g, reverse=True)
        return latent.transpose(1, 2).cpu().numpy()

    def vocoder(clip: Clip) -> np.ndarray:
        features, _, f0_hz = inputs(clip)
        latent = features[..., : voice.inter_channels].transpose(1, 2)
        g = voice.emb_g(speaker()).unsqueeze(-1)
        return voice.dec(latent, f0_hz, g=g)[:, 0].cpu().numpy()

    def synthesizer(clip: Clip) -> np.ndarray:
        features, lengths, f0_hz = inputs(clip)
        audio, *_ = voice.infer(features, lengths, pitch(f0_hz), f0_hz, speaker())
        return audio[:, 0].cpu().numpy()

    return {"prior": prior, "vocoder": vocoder, "synthesizer": synthesizer}[stage]


def _chain(models: Models, rate: str | None) -> Run:
    convert = load_rvc_next(
        models.encoder, models.voice(rate), models.rmvpe, index=models.index, device=device()
    )
    return lambda clip, **changes: convert(clip.audio, **{**CONTROLS, **changes})
