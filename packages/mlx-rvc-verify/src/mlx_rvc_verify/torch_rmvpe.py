"""RVC's own RMVPE in PyTorch (huggingface-hub-rvc, MIT), with the weights of `rmvpe.pt`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlx_rvc_verify.beside import module


def network() -> Any:
    """The original network at its published size, with fresh weights."""
    return module("huggingface_hub_rvc.core.rmvpe").E2E(4, 1, (2, 2))


def load(path: Path) -> Any:
    """The original network with the weights of a file in the layout of `rmvpe.pt`, float32.

    The file is read by mlx-pth, as all files are: `torch.load` could run what is in it.

    Raises ValueError for tensors that do not fit it.
    """
    import mlx_weights

    torch = module("torch")
    state = mlx_weights.read_checkpoint(path)
    try:
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
        model = network()
        model.load_state_dict(tensors)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"the original RMVPE cannot load {path}: {reason:.200}") from None
    return model.float().eval()


def estimator(model: Any, mel: Any) -> Any:
    """The original's RMVPE around a network that is in no file; mel as `mel_extractor` gives it."""
    original = module("huggingface_hub_rvc.core.rmvpe").RMVPE
    out = original.__new__(original)
    out.is_half, out.device, out.model, out.mel_extractor = False, "cpu", model, mel
    out.cents_mapping = np.pad(20 * np.arange(360) + 1997.3794084376191, (4, 4))
    return out


def mel_extractor(n_mels: int = 128) -> Any:
    """The original's spectrogram, with its own constants."""
    original = module("huggingface_hub_rvc.core.rmvpe").MelSpectrogram
    return original(False, n_mels, 16000, 1024, 160, None, 30, 8000)


def salience(theirs: Any, audio: np.ndarray) -> np.ndarray:
    """Audio (n,) or (B, n) at 16 kHz to salience (B, frames, 360) of an `estimator`."""
    return theirs.mel2hidden(theirs.extract_mel(audio)).numpy()
