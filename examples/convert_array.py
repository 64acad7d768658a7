"""Audio in memory, converted: python examples/convert_array.py RECORDING OUTPUT.wav"""

import sys

import soundfile

from mlx_rvc import RVCPipeline

audio, rate = soundfile.read(sys.argv[1], dtype="float32")

pipeline = RVCPipeline.from_pretrained("demo")  # or your voice: a .pth, a folder, owner/name
converted, rate = pipeline.convert_array(audio, rate, pitch=10, speaker=1, seed=0)

soundfile.write(sys.argv[2], converted, rate)
print(f"{len(converted) / rate:.1f} s at {rate} Hz")
