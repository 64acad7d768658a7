"""Put a trained demonstration bundle into packages/mlx-rvc-demo.

Usage (in the environment of tests/parity/requirements.txt): python tools/build_demo.py FOLDER

FOLDER holds `voice.pth` (an RVC small model) and `encoder/` (Hugging Face HuBERT layout). The
voice is saved again with one more key, `embedder_model`: the name under which converters find the
content encoder that it was trained with.
"""

import shutil
import sys
from pathlib import Path

import torch

EMBEDDER = "mlx-rvc-demo"
TARGET = Path(__file__).parents[1] / "packages/mlx-rvc-demo/src/mlx_rvc_demo/bundle"


def main(folder: Path) -> None:
    voice = torch.load(folder / "voice.pth", map_location="cpu", weights_only=True)
    voice["embedder_model"] = EMBEDDER
    torch.save(voice, TARGET / "voice.pth")
    for file in sorted((folder / "encoder").iterdir()):
        shutil.copyfile(file, TARGET / "encoder" / file.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
