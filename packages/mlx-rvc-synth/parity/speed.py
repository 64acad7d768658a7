"""How long a voice takes beside torch, run in turns: v2, 48 kHz, random weights.

python packages/mlx-rvc-synth/parity/speed.py [frames ...]      (in the oracles' environment)
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3] / "tools"), str(Path(__file__).parent)]

import golden_synth  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from test_full_size import full_config  # noqa: E402

from mlx_rvc_synth import Noise, Synthesizer  # noqa: E402

ROUNDS = 4


def main(lengths):
    config = full_config(2, 48)
    model = golden_synth.build(768, True, config)
    golden_synth.randomise(model, 0, half=True)
    model.remove_weight_norm()  # as programs do before converting
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.pth"
        saved = golden_synth.build(768, True, config)
        golden_synth.randomise(saved, 0, half=True)
        torch.save(golden_synth.small_model(saved, config, 768, True, "48k"), path)
        started = time.perf_counter()
        voice = Synthesizer.from_pretrained(path)
        print(f"load {time.perf_counter() - started:.2f} s", flush=True)
    for frames in lengths:
        inputs = golden_synth.example(config, 768, True, 1, frames, 0)
        phone, pitchf, latent, source = inputs
        noise = Noise(latent, source)
        times = {"torch": [], "ours": []}
        for _ in range(ROUNDS):
            started = time.perf_counter()
            golden_synth.infer(model, True, inputs, 0)
            times["torch"].append(time.perf_counter() - started)
            started = time.perf_counter()
            np.asarray(voice.infer(phone, pitchf, noise=noise))
            times["ours"].append(time.perf_counter() - started)
        seconds = frames / 100
        best = {name: min(values) / seconds for name, values in times.items()}
        middle = {name: statistics.median(values) / seconds for name, values in times.items()}
        print(
            f"{frames} frames, real-time factor, best (median): "
            f"torch {best['torch']:.3f} ({middle['torch']:.3f}), "
            f"ours {best['ours']:.3f} ({middle['ours']:.3f}), "
            f"ours / torch {best['ours'] / best['torch']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [200, 1000])
