"""Only pitch: python examples/pitch.py RECORDING"""

import sys

import numpy as np
import soundfile

from mlx_swift_f0 import SwiftF0

audio, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
f0_hz = SwiftF0.from_pretrained().infer_from_audio(audio.mean(axis=1), rate)

voiced = f0_hz[f0_hz > 0]  # 100 frames a second, 0 where nothing is sung or said
print(f"{len(voiced) / len(f0_hz):.0%} voiced, median {np.median(voiced):.0f} Hz")
