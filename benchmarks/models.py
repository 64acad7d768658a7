"""Full-size models with random weights, saved as a user would have them; PyTorch writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from arithmetic import IndexSize
from clip import speech

RATES = {"48k": ([12, 10, 2, 2], [24, 20, 4, 4]), "40k": ([10, 10, 2, 2], [16, 16, 4, 4])}
SIZES = [1025, 32, 192, 192, 768, 2, 6, 3, 0, "1", [3, 7, 11], [[1, 3, 5]] * 3]
INDEX = IndexSize()


@dataclass(frozen=True)
class Models:
    """Where the files of one run lie."""

    folder: Path

    @property
    def encoder(self) -> Path:
        """Folder in the Hugging Face layout of HuBERT."""
        return self.folder / "encoder"

    @property
    def rmvpe(self) -> Path:
        """The F0 model."""
        return self.folder / "rmvpe.pt"

    @property
    def index(self) -> Path:
        """IVF-Flat, of faiss."""
        return self.folder / "added_voice.index"

    def voice(self, rate: str) -> Path:
        """The small model of a v2 voice with F0; rate: "48k" or "40k"."""
        return self.folder / f"voice_{rate}.pth"

    def features(self) -> np.ndarray:
        """What the encoder makes of real speech, float32 (n, 768)."""
        return np.load(self.folder / "features.npy")


def voice_config(rate: str) -> list:
    """RVC's list of 18 values of the published v2 voices."""
    rates, kernels = RATES[rate]
    return [*SIZES, rates, 512, kernels, 109, 256, int(rate[:-1]) * 1000]


def save(folder: Path, rates: list[str]) -> Models:
    """Make all models; rates: those of the voices."""
    import torch
    from golden_rmvpe import randomise, reference
    from huggingface_hub_rvc.core.models import SynthesizerTrnMs768NSFsid
    from transformers import HubertConfig, HubertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    models = Models(folder)
    torch.manual_seed(0)
    hubert = HubertModel(HubertConfig()).eval()
    hubert.final_proj = torch.nn.Linear(768, 256)  # every published encoder has it
    hubert.save_pretrained(models.encoder)
    with torch.no_grad():
        audio = torch.from_numpy(speech()[: 20 * 16000])[None]
        features = hubert(audio).last_hidden_state[0].numpy()
    np.save(folder / "features.npy", features)
    _save_index(models.index, features)
    f0 = reference.E2E(4, 1, (2, 2)).eval()
    randomise(f0, seed=7, sharpness=0.5)  # peaks in the salience, so that both sides find one F0
    state = f0.state_dict().items()
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in state}, models.rmvpe)
    for rate in rates:
        config = voice_config(rate)
        voice = SynthesizerTrnMs768NSFsid(*config, is_half=False)
        weight = {k: v.half() for k, v in voice.state_dict().items() if "enc_q" not in k}
        small = {"weight": weight, "config": config, "sr": rate, "f0": 1, "version": "v2"}
        torch.save(small, models.voice(rate))
    return models


def _save_index(path: Path, features: np.ndarray) -> None:
    """Vectors around those of speech, in lists around some of them: no clustering to wait for."""
    import faiss

    rng = np.random.default_rng(0)
    shape = (INDEX.vectors, INDEX.width)
    spread = 0.5 * features.std(axis=0)
    vectors = np.resize(features, shape) + spread * rng.standard_normal(shape, dtype=np.float32)
    quantiser = faiss.IndexFlatL2(INDEX.width)
    quantiser.add(vectors[:: INDEX.vectors // INDEX.lists][: INDEX.lists])
    index = faiss.IndexIVFFlat(quantiser, INDEX.width, INDEX.lists)
    index.is_trained = True
    index.nprobe = INDEX.probes
    index.add(vectors)
    faiss.write_index(index, str(path))
