"""A whole comparison: the weights that are here, inputs, and each stage on both sides."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_rvc_verify import torch_encoder, torch_rmvpe, torch_voice, weights_here
from mlx_rvc_verify.beside import HF_RVC, module, require
from mlx_rvc_verify.other_stages import compare_content, compare_index, compare_rmvpe
from mlx_rvc_verify.signal import glide, stretch
from mlx_rvc_verify.verdict import FAIL, NOT_COMPARED, STAGES, Result, not_compared
from mlx_rvc_verify.voice_stages import PARTS, compare_voice

if TYPE_CHECKING:
    from mlx_rvc_synth.voicefile import VoiceFile

RMVPE_STAGES = ("rmvpe", "rmvpe-f0")


@dataclass(frozen=True)
class Verification:
    """What came out: one row a stage, and what the sides were given."""

    voice: str
    inputs: dict[str, str]
    results: tuple[Result, ...]

    def named(self, verdict: str) -> list[str]:
        """The stages with a verdict."""
        return [row.stage for row in self.results if row.verdict == verdict]

    @property
    def compared(self) -> int:
        """How many stages ran on both sides."""
        return len(self.results) - len(self.named(NOT_COMPARED))

    @property
    def passed(self) -> bool:
        """Whether something was compared, and nothing failed."""
        return self.compared > 0 and not self.named(FAIL)


def verify(
    voice: str | Path,
    audio: Path | None = None,
    *,
    index: Path | None = None,
    contentvec: str | None = None,
    rmvpe: str | None = None,
    stage: str | None = None,
    speaker: int = 0,
    seconds: float = 3.0,
    seed: int = 0,
    random_weights: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Compare each stage of a conversion in MLX with PyTorch's: same weights, inputs and noise.

    voice: as in `RVCPipeline.from_pretrained`, "demo" too. audio: a recording, of which the loudest
    `seconds` are taken; None for a signal made in code. stage: one of `STAGES`, None for all.
    seed: of the noise, and of features that no encoder made. random_weights: encoder and RMVPE of
    full size with random weights where theirs are not here. say: called with what is compared next.

    Raises ValueError, of one line, for what cannot be read, and for packages that are missing.
    """
    _check(stage, seconds)
    wanted = STAGES if stage is None else (stage,)
    file, index = _voice(voice, index)
    encoder, encoder_why = weights_here.encoder(file.metadata.get("embedder"), contentvec)
    f0_model, f0_why = weights_here.rmvpe(rmvpe)
    _check_fits(file, stage, speaker)
    present = {"content": encoder, "rmvpe": f0_model, "index": index}
    _require(wanted, present, random_weights)

    samples = glide(seconds) if audio is None else stretch(audio, seconds)
    given = {"audio": f"test signal of {seconds:g} s"}
    if audio is not None:
        given["audio"] = f"the loudest {len(samples) / 16000:g} s of {audio}"
    features, given["features"] = _features(file, encoder, samples, seed)
    rows: list[Result] = []
    if "content" in wanted:
        say("content encoder")
        rows.append(_content(file, encoder, encoder_why, samples, random_weights, seed))
    if set(wanted) & set(RMVPE_STAGES):
        say("RMVPE")
        rows += _rmvpe(f0_model, f0_why, samples, wanted, random_weights, seed)
    if set(wanted) & set(PARTS):
        say("voice")
        inputs, given["f0"] = _voice_inputs(file, features, samples, seed)
        given["noise"] = f"normal, seed {seed}"
        rows += _parts(file, inputs, speaker, wanted)
    if "index" in wanted:
        say("index")
        rows.append(
            not_compared("index", "no index given: --index")
            if index is None
            else compare_index(index, features)
        )
    return Verification(str(voice), given, tuple(rows))


def _check(stage: str | None, seconds: float) -> None:
    if stage is not None and stage not in STAGES:
        raise ValueError(f"stage is {stage!r}; the stages are {', '.join(STAGES)}")
    if not 0.1 <= seconds <= 30:
        raise ValueError(f"seconds is {seconds:g}; 0.1 to 30 can be compared")


def _voice(voice: str | Path, index: Path | None) -> tuple[VoiceFile, Path | None]:
    """The voice as read, and the index that goes with it."""
    from mlx_rvc.voice import DEMO, find_voice, index_inside
    from mlx_rvc_synth import read_voice
    from mlx_rvc_synth.weights import locate_voice

    if str(voice) == DEMO:
        import mlx_rvc_demo

        chosen, beside = mlx_rvc_demo.bundle().voice, index
    else:
        found = find_voice(voice, index)
        chosen, beside = found.model, found.index or index_inside(found.model)
    if beside is not None and not Path(beside).is_file():
        raise ValueError(f"{beside}: no such index file; give an .index file with --index")
    return read_voice(locate_voice(chosen)), None if beside is None else Path(beside)


def _check_fits(file: VoiceFile, stage: str | None, speaker: int) -> None:
    if stage == "source" and not file.config.f0:
        raise ValueError("this voice was trained without F0 and has no source; leave out --stage")
    if not 0 <= speaker < file.config.speakers:
        raise ValueError(
            f"speaker is {speaker}; this voice has speakers 0 to {file.config.speakers - 1}"
        )


def _require(wanted: tuple[str, ...], present: dict[str, Path | None], drawn: bool) -> None:
    """Ask for all that this comparison will import, before anything is loaded."""
    names: list[str] = []
    if set(wanted) & set(PARTS):
        names += ["torch", HF_RVC]
    if "content" in wanted and (present["content"] or drawn):
        names += ["torch", "transformers"]
    if set(wanted) & set(RMVPE_STAGES) and (present["rmvpe"] or drawn):
        names += ["torch", HF_RVC, "librosa"]
    if "index" in wanted and present["index"]:
        names.append("faiss")
    require(names)


def _layer(file: VoiceFile, hidden_size: int) -> tuple[int | None, bool]:
    """Which features the voice takes: a layer (None = last), and whether projected."""
    from mlx_rvc.content import V1_LAYER
    from mlx_rvc.encoder import output_layer

    layer = output_layer(file.metadata)
    if file.config.version == "v1" and file.config.feature_channels != hidden_size:
        return layer or V1_LAYER, True
    return layer, False


def _features(
    file: VoiceFile, encoder: Path | None, audio: np.ndarray, seed: int
) -> tuple[np.ndarray, str]:
    """Features (frames, width) at 50 a second for both sides, and where they come from."""
    width = file.config.feature_channels
    if encoder is None:
        rng = np.random.default_rng(seed)
        frames = (len(audio) - 80) // 320
        return rng.standard_normal((frames, width), np.float32), f"drawn, seed {seed}"
    from mlx_contentvec import ContentvecModel

    model = ContentvecModel.from_pretrained(encoder)
    layer, project = _layer(file, model.config.hidden_size)
    features = np.asarray(model.extract(audio, layer=layer, project=project))[0]
    if features.shape[1] != width:
        raise ValueError(
            f"the voice takes features {width} wide, the content encoder gives "
            f"{features.shape[1]}; give the encoder it was trained with (--contentvec)"
        )
    return features, str(encoder)


def _content(
    file: VoiceFile, path: Path | None, why: str, audio: np.ndarray, drawn: bool, seed: int
) -> Result:
    from mlx_contentvec import ContentvecModel

    if path is None and not drawn:
        return not_compared("content", why)
    with tempfile.TemporaryDirectory() as folder:
        found = path or _drawn_encoder(Path(folder), seed)
        ours = ContentvecModel.from_pretrained(found)
        theirs = torch_encoder.load(found)
        layer, project = _layer(file, ours.config.hidden_size)
        row = compare_content(ours, theirs, audio, layer=layer, project=project)
    return row if path else _said_drawn(row, seed)


def _rmvpe(
    path: Path | None,
    why: str,
    audio: np.ndarray,
    wanted: tuple[str, ...],
    drawn: bool,
    seed: int,
) -> list[Result]:
    from mlx_rmvpe import RMVPE

    if path is None and not drawn:
        return [not_compared(stage, why) for stage in RMVPE_STAGES if stage in wanted]
    with tempfile.TemporaryDirectory() as folder:
        found = path or _drawn_rmvpe(Path(folder), seed)
        ours = RMVPE.from_pretrained(found)
        theirs = torch_rmvpe.estimator(torch_rmvpe.load(found), torch_rmvpe.mel_extractor())
        rows = compare_rmvpe(ours, theirs, audio, stages=wanted)
    return rows if path else [_said_drawn(row, seed) for row in rows]


def _voice_inputs(
    file: VoiceFile, features: np.ndarray, audio: np.ndarray, seed: int
) -> tuple[torch_voice.VoiceInputs, str]:
    """Features at 100 a second, F0 and noise, one batch of each, and where F0 comes from."""
    from mlx_f0 import load

    config = file.config
    rng = np.random.default_rng(seed)
    phone = np.repeat(features, 2, axis=0)[None]
    frames = phone.shape[1]
    latent = rng.standard_normal((1, frames, config.inter_channels), np.float32)
    if not config.f0:
        return (phone, None, latent, None), "none: the voice was trained without"
    f0_hz = np.asarray(load("swift-f0", None).infer_from_audio(audio), np.float32)
    f0_hz = np.pad(f0_hz, (0, max(0, frames - len(f0_hz))))[None, :frames]
    source = rng.standard_normal((1, frames * config.hop, 1), np.float32)
    return (phone, f0_hz, latent, source), f"swift-f0, {(f0_hz > 0).mean():.0%} voiced"


def _parts(
    file: VoiceFile, inputs: torch_voice.VoiceInputs, speaker: int, wanted: tuple[str, ...]
) -> list[Result]:
    from mlx_rvc_synth import Synthesizer

    theirs = torch_voice.load(file)
    ours = Synthesizer.from_pretrained(file.path)
    return compare_voice(ours, theirs, inputs, speaker=speaker, parts=wanted)


def _said_drawn(row: Result, seed: int) -> Result:
    said = f"random weights, seed {seed}"
    return replace(row, note=f"{said}; {row.note}" if row.note else said)


def _drawn_encoder(folder: Path, seed: int) -> Path:
    from mlx_rvc_verify.drawn import draw_hubert

    torch, transformers = module("torch"), module("transformers")
    model = transformers.HubertModel(transformers.HubertConfig())
    projection = torch.nn.Linear(768, 256)
    draw_hubert(model, projection, seed=seed)
    state: dict[str, Any] = dict(model.state_dict())
    state |= {f"final_proj.{name}": value for name, value in projection.state_dict().items()}
    torch.save(state, folder / "pytorch_model.bin")
    return folder / "pytorch_model.bin"


def _drawn_rmvpe(folder: Path, seed: int) -> Path:
    from mlx_rvc_verify.drawn import draw_rmvpe

    model = torch_rmvpe.network()
    draw_rmvpe(model, seed=seed, sharpness=0.5)
    module("torch").save(model.state_dict(), folder / "rmvpe.pt")
    return folder / "rmvpe.pt"
