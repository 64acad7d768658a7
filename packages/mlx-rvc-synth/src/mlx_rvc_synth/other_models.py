"""Models that are no RVC voice, told by the names of their tensors or by what lies beside them.

Beginnings of names, as the programs' own code builds them; the first row that fits is taken, so
that voices of related architectures stand before the rows of single models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_ENCODER = (
    "a content encoder (ContentVec, HuBERT), not an RVC voice; give it as --contentvec; "
    "the voice is another file"
)
_RMVPE = "an RMVPE pitch model, not an RVC voice; give it as --rmvpe; the voice is another file"
_SOVITS = (
    "a so-vits-svc voice, another architecture than RVC; use it with so-vits-svc, or train an RVC "
    "voice on its recordings"
)
_GPT = (
    "a GPT-SoVITS model, which speaks text and converts no voices; use it with GPT-SoVITS, or "
    "train an RVC voice on its recordings"
)
_DDSP = (
    "a DDSP-SVC or diffusion voice, another architecture than RVC; use it with DDSP-SVC or "
    "so-vits-svc, or train an RVC voice on its recordings"
)
_PITCH = "a {} pitch model, not an RVC voice; mlx-rvc brings it along: choose --f0-method {}"

# Even where there is an enc_p, as in a voice: names that no RVC voice has.
_RELATED = (
    (("emb_uv.", "f0_decoder.", "enc_p.f0_emb.", "enc_p.enc_."), _SOVITS),
    (("enc_p.ssl_proj.", "enc_p.mrte.", "quantizer.", "ssl_proj.", "ar_", "model.ar_"), _GPT),
    (
        ("enc_p.emb.", "dp.flows."),
        "a VITS text-to-speech model, which speaks text and converts no voices; give an RVC voice",
    ),
    (("unit2ctrl.", "ddsp_model.", "reflow_model.", "diff_model.", "unit_embed."), _DDSP),
)
_SINGLE = (
    (("unet.", "model.unet."), _RMVPE),
    (("feature_extractor.", "hubert."), _ENCODER),
    (("input_stack.", "cent_table", "harmonic_emb."), _PITCH.format("FCPE", "fcpe")),
    (("conv1_BN.",), _PITCH.format("CREPE", "crepe")),
    (("flow.0.",), "a voice of another architecture, not an RVC voice; give an RVC v1 or v2 voice"),
    (
        ("generator.",),
        "a vocoder alone (HiFi-GAN), not an RVC voice; a voice holds its own: give the voice",
    ),
)
_BESIDE = (
    (
        ("phone_extractor", "pitch_estimator"),
        "a Beatrice voice, another architecture than RVC; use it with Beatrice or VCClient",
    ),
    (
        ("pytorch-lightning_version",),
        "a checkpoint of PyTorch Lightning, in which RVC keeps no voice; give the .pth of the "
        "program that trained it",
    ),
)


def related_model(names: Iterable[str]) -> str | None:
    """What another program's voice is, by names that no RVC voice has; None if there are none."""
    return _first(_RELATED, list(names))


def single_model(names: Iterable[str], content: dict[str, Any]) -> str | None:
    """What a file without an RVC voice is, by its tensors' names and its other entries."""
    return _first(_BESIDE, [str(key) for key in content]) or _first(_SINGLE, list(names))


def _first(rows: Any, names: list[str]) -> str | None:
    for beginnings, what in rows:
        if any(name.startswith(beginnings) for name in names):
            return what
    return None
