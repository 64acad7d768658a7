"""Write mlx-fcpe's shipped model from torchfcpe's `fcpe_c_v001.pt`.

    python tools/build_fcpe.py fcpe_c_v001.pt LICENSE

Both are in the wheel of torchfcpe 0.0.4 (MIT): `pip download --no-deps torchfcpe==0.0.4`. Matrices
of the encoder layers, nine tenths of all, are stored in 16 bits (`mlx_fcpe.rows`); the rest stays
float32.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

import mlx_weights
from mlx_fcpe import config_from_checkpoint, sanitize
from mlx_fcpe.fcpe import MODEL_TYPE
from mlx_fcpe.rows import packed
from mlx_fcpe.weights import SHIPPED

SOURCE = "fcpe_c_v001.pt of torchfcpe 0.0.4"


def main(source: Path, licence: Path) -> None:
    """Write the folder and say what it weighs."""
    checkpoint = mlx_weights.read_checkpoint(source)
    tensors = sanitize(checkpoint, source=str(source))
    config = config_from_checkpoint(checkpoint, source=str(source))
    stored: dict[str, np.ndarray] = {}
    for name, value in tensors.items():
        large = value.ndim > 1 and name.startswith("net.encoder_layers.")
        stored |= packed(name, value) if large else {name: value}
    mlx_weights.save_model(
        SHIPPED,
        stored,
        {"model_type": MODEL_TYPE, **config.to_dict()},
        metadata={
            "source": SOURCE,
            "source_sha256": mlx_weights.sha256(source),
            "licence": "MIT, Copyright (c) 2023 CN_ChiTu",
        },
    )
    shutil.copyfile(licence, SHIPPED / "LICENSE-torchfcpe")
    size = (SHIPPED / "model.safetensors").stat().st_size
    print(f"{SHIPPED}: {len(stored)} tensors, {size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
