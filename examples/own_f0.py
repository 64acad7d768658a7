"""One's own F0 curve: python examples/own_f0.py RECORDING OUTPUT.wav

Here the pitch that was measured becomes a monotone at its median; any curve will do.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from mlx_f0 import load, write_table
from mlx_rvc import RVCPipeline

audio, rate = soundfile.read(sys.argv[1], dtype="float32")

f0_hz = load("swift-f0").infer_from_audio(audio, rate)  # 100 frames a second, 0 = unvoiced
f0_hz[f0_hz > 0] = np.median(f0_hz[f0_hz > 0])

with tempfile.TemporaryDirectory() as folder:
    curve = Path(folder, "f0.csv")
    write_table(curve, f0_hz)
    pipeline = RVCPipeline.from_pretrained("demo")
    converted, rate = pipeline.convert_array(audio, rate, f0_file=curve)

soundfile.write(sys.argv[2], converted, rate)
