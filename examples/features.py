"""Only content features: python examples/features.py RECORDING features.npy

With the demo's small encoder; `ContentvecModel.from_pretrained()` fetches the real one.
"""

import sys

import numpy as np
import soundfile
import soxr

import mlx_rvc_demo
from mlx_contentvec import ContentvecModel

audio, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
audio = soxr.resample(audio.mean(axis=1), rate, 16000)

encoder = ContentvecModel.from_pretrained(mlx_rvc_demo.bundle().encoder)
features = np.array(encoder.extract(audio))[0]  # (frames, width), 50 frames a second
np.save(sys.argv[2], features)
print(f"{features.shape[0]} frames, {features.shape[1]} wide")
