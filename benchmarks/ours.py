"""Our side: each stage as a function of a clip, its models loaded."""

from collections.abc import Callable

import numpy as np
from clip import Clip
from models import Models
from stages import CONTROLS

Run = Callable[..., np.ndarray]


def load(stage: str, models: Models, rate: str | None) -> Run:
    """Load what a stage needs; rate: "48k" or "40k", for the stages that have one."""
    if stage in ("prior", "vocoder", "synthesizer"):
        return _voice(stage, models, rate)
    return {"contentvec": _contentvec, "rmvpe": _rmvpe, "index": _index, "chain": _chain}[stage](
        models, rate
    )


def _contentvec(models: Models, rate: str | None) -> Run:
    from mlx_contentvec import ContentvecModel

    encoder = ContentvecModel.from_pretrained(models.encoder)
    return lambda clip: np.asarray(encoder.extract(clip.audio))


def _rmvpe(models: Models, rate: str | None) -> Run:
    from mlx_rmvpe import RMVPE

    rmvpe = RMVPE.from_pretrained(models.rmvpe)
    return lambda clip: rmvpe.infer_from_audio(clip.audio)


def _index(models: Models, rate: str | None) -> Run:
    from mlx_rvc_index import FeatureIndex

    index = FeatureIndex.load(models.index)
    return lambda clip: index.blend(clip.features[::2], rate=CONTROLS["index_rate"])


def _voice(stage: str, models: Models, rate: str | None) -> Run:
    import mlx_fastops
    from mlx_rvc_synth import Noise, Synthesizer
    from mlx_rvc_synth.arrays import alike
    from mlx_rvc_synth.pitch import coarse_pitch

    voice = Synthesizer.from_pretrained(models.voice(rate))
    width = voice.config.inter_channels

    def prior(clip: Clip) -> np.ndarray:
        x = mlx_fastops.native(clip.features[None])
        mean, _ = voice.enc_p(x, alike(coarse_pitch(clip.f0_hz[None]), x))
        return np.asarray(voice.flow(mean, alike(voice.emb_g.weight, x)[[0]][None]))

    def vocoder(clip: Clip) -> np.ndarray:
        z = mlx_fastops.native(np.ascontiguousarray(clip.features[None, :, :width]))
        silent = np.zeros((1, len(clip.f0_hz) * voice.config.hop, 1), np.float32)
        source = voice.dec.m_source(clip.f0_hz[None], alike(silent, z))
        return np.asarray(voice.dec(z, alike(voice.emb_g.weight, z)[[0]][None], source))

    def synthesizer(clip: Clip) -> np.ndarray:
        noise = Noise.zeros(voice.config, frames=len(clip.f0_hz))
        return np.asarray(voice.infer(clip.features[None], clip.f0_hz[None], noise=noise))

    return {"prior": prior, "vocoder": vocoder, "synthesizer": synthesizer}[stage]


def pipeline(models: Models, rate: str | None):
    """Everything for conversions: voice, encoder, index and RMVPE, none left to load later."""
    from mlx_rmvpe import RMVPE
    from mlx_rvc import RVCPipeline

    return RVCPipeline.from_pretrained(
        models.voice(rate), index=models.index, contentvec=models.encoder,
        rmvpe=RMVPE.from_pretrained(models.rmvpe),
    )  # fmt: skip


def _chain(models: Models, rate: str | None) -> Run:
    from mlx_rvc_synth import Noise

    loaded = pipeline(models, rate)

    def silent(_number: int, frames: int) -> Noise:
        return Noise.zeros(loaded.synthesizer.config, frames=frames)

    def chain(clip: Clip, **changes: float) -> np.ndarray:
        controls = {**CONTROLS, **changes}
        return loaded.convert_array(clip.audio, 16000, noise=silent, **controls)[0]

    return chain
