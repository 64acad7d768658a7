"""Independent implementations that parity tests and golden scripts compare with.

They live in an environment of their own (tests/parity/requirements.txt), never in the product.
"""

import importlib
import sys
import types
from contextlib import contextmanager
from pathlib import Path

import numpy as np


def import_applio():
    """Applio's network, as ultimate-rvc carries it, without that package's programs.

    Returns its module `ultimate_rvc.rvc.lib.algorithm.synthesizers`; the generators lie beside it.
    """
    name = "ultimate_rvc.rvc.lib.algorithm.synthesizers"
    if name in sys.modules:
        return sys.modules[name]
    for parent in ("ultimate_rvc", "ultimate_rvc.rvc", "ultimate_rvc.rvc.lib"):
        package = types.ModuleType(parent)
        package.__path__ = [str(_place(parent, sys.path))]
        sys.modules[parent] = package
    with _torchaudio():
        return importlib.import_module(name)


@contextmanager
def _torchaudio():
    """Torchaudio's functions in Python: its compiled ones want CUDA, and are not used.

    It lies in a folder apart, and its modules are there only while others are imported: where it
    can be found, transformers and torchcrepe load its compiled part and fail.
    """
    before = _taken("torchaudio")
    package = types.ModuleType("torchaudio")
    package.__path__ = [str(_place("torchaudio", [Path(sys.prefix, "apart")]))]
    compiled = types.ModuleType("torchaudio._extension")
    compiled._IS_TORCHAUDIO_EXT_AVAILABLE = False
    compiled.fail_if_no_align = lambda function: function
    sys.modules |= {"torchaudio": package, "torchaudio._extension": compiled}
    try:
        package.functional = importlib.import_module("torchaudio.functional")
        yield
    finally:
        _taken("torchaudio")
        sys.modules.update(before)


def _taken(root):
    """Take a package's modules out of those that are imported."""
    names = [name for name in sys.modules if name.partition(".")[0] == root]
    return {name: sys.modules.pop(name) for name in names}


def _place(name, folders):
    """The folder of a package, found without importing any of it."""
    for entry in folders:
        folder = Path(entry, *name.split("."))
        if folder.is_dir():
            return folder
    raise ModuleNotFoundError(f"{name} is not installed; see CONTRIBUTING.md, parity tests")


@contextmanager
def no_noise():
    """Let torch draw zeros wherever these networks draw noise."""
    import torch

    before = torch.randn_like, torch.rand
    torch.randn_like = lambda x, **_: torch.zeros_like(x)
    torch.rand = torch.zeros
    try:
        yield
    finally:
        torch.randn_like, torch.rand = before


def load_rvc_next(encoder, voice, f0_method, *, index=None, device="cpu"):
    """Load a voice into rvc-next, an RVC program of its own line; return its conversion.

    encoder: folder in the Hugging Face HuBERT layout. voice: `.pth` small model. f0_method: audio
    (samples,) at 16 kHz to F0 in Hz (frames,), or the path of `rmvpe.pt` for the program's own
    RMVPE. index: path of an `.index` file, read once. device: torch's name of it.

    The conversion takes audio, float32 (samples,) at 16 kHz, the path of an `.index` file (or
    None: the one that was loaded, if any) and fields of rvc-next's VoiceParams. All noise is zero,
    or what torch draws inside the context that `noise` makes.
    It returns float64 (samples,) at the voice's rate, before the program's 16-bit rounding; each
    piece is 5 to 25 ms short (its length defect).
    """
    import torch
    from rvc_next.engine.convert import offline
    from rvc_next.engine.convert.params import VoiceParams
    from rvc_next.engine.features.hubert import load_hubert
    from rvc_next.engine.index.retrieval import load_index

    hubert = load_hubert(Path(encoder), device)
    loaded = _rvc_next_voice(voice, device)
    own_index = None if index is None else load_index(index)
    f0 = _rvc_next_f0(f0_method, device)
    runtime = types.SimpleNamespace(
        device=torch.device(device),
        is_half=False,
        chunk=types.SimpleNamespace(x_pad=1, x_query=6, x_center=38, x_max=41),
        hubert=lambda name: hubert,
        f0=lambda name: f0,
    )
    converter = offline.OfflineConverter(runtime)

    def convert(audio, index=None, *, noise=no_noise, **params):
        before = offline.to_int16
        offline.to_int16 = lambda x: np.asarray(x, dtype=np.float64)
        try:
            with noise():
                converted, _ = converter.convert(
                    np.asarray(audio, dtype=np.float32),
                    loaded,
                    VoiceParams(unvoiced="zero", **params),
                    index=own_index if index is None else load_index(index),
                )
        finally:
            offline.to_int16 = before
        return converted

    return convert


def _rvc_next_f0(method, device):
    """What rvc-next calls for F0: a function of ours, or its own RMVPE from a file."""
    if callable(method):
        return types.SimpleNamespace(
            compute=lambda x, frames: method(x)[:frames].copy(), name="injected"
        )
    from rvc_next.engine.f0.rmvpe_provider import RmvpeProvider

    return RmvpeProvider(Path(method), device, is_half=False)


def _rvc_next_voice(path, device):
    """The voice as rvc-next loads it; features of any width, where the program insists on 768."""
    import torch
    from rvc_next.engine.models import checkpoint, loader

    data = torch.load(path, map_location="cpu", weights_only=True)
    data.pop("embedder_model", None)  # the program refuses names that it does not know
    small = checkpoint._parse_small(data, Path(path).name)
    config = [*small.config[:-3], small.speaker_slots, *small.config[-2:]]
    net = loader.synthesizer_class(small.version, small.pitch_guidance)(*config, is_half=False)
    del net.enc_q
    width = small.weight["enc_p.emb_phone.weight"].shape[1]
    net.enc_p.emb_phone = torch.nn.Linear(width, config[3])
    net.load_state_dict({key: value.float() for key, value in small.weight.items()}, strict=True)
    return loader.LoadedVoice(path=Path(path), net_g=net.eval().float().to(device), small=small)
