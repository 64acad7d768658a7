"""Time each stage and the whole chain against PyTorch on the same machine, in one run.

Usage, in an environment with torch (tests/parity/requirements.txt and oracles.txt):

    python benchmarks/compare.py [--seconds 5 13.5] [--repeats 5] [--json FILE]

Models are full size with random weights (v2, 48 kHz), float32, noise zeroed; ours and theirs take
turns, so that a slow moment of the machine hits both. The table gives medians and the spread
(minimum to maximum); the ratio is PyTorch's time over ours, above 1 we are faster.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from oracles import import_hf_rvc, load_rvc_next  # noqa: E402

SPEECH = ROOT / "tests/audio/librivox_austen_0870.flac"
RATE = 48000
VOICE = [1025, 32, 192, 192, 768, 2, 6, 3, 0, "1", [3, 7, 11], [[1, 3, 5]] * 3]
VOICE += [[12, 10, 2, 2], 512, [24, 20, 4, 4], 4, 256, RATE]

Pair = tuple[Callable[[], object], Callable[[], object]]


def models(folder: Path) -> dict[str, object]:
    """Save full-size models with random weights; return PyTorch's."""
    import_hf_rvc()
    from huggingface_hub_rvc.core.models import SynthesizerTrnMs768NSFsid
    from huggingface_hub_rvc.core.rmvpe import E2E
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    hubert = HubertModel(HubertConfig()).eval()
    hubert.save_pretrained(folder / "encoder")
    rmvpe = E2E(4, 1, (2, 2)).eval()
    torch.save({k: v.half() for k, v in rmvpe.state_dict().items()}, folder / "rmvpe.pt")
    voice = SynthesizerTrnMs768NSFsid(*VOICE, is_half=False).eval()
    weight = {k: v.half() for k, v in voice.state_dict().items() if "enc_q" not in k}
    small = {"weight": weight, "config": VOICE, "sr": "48k", "f0": 1, "version": "v2"}
    torch.save(small, folder / "voice.pth")
    voice.remove_weight_norm()
    return {"hubert": hubert, "voice": voice}


def stages(folder: Path, theirs: dict, seconds: float) -> dict[str, Pair]:
    """Stage name to (ours, PyTorch's), both ready to be timed."""
    from huggingface_hub_rvc.core import rmvpe as torch_rmvpe

    from mlx_contentvec import ContentvecModel
    from mlx_rmvpe import RMVPE
    from mlx_rvc import RVCPipeline
    from mlx_rvc.f0 import dio
    from mlx_rvc_synth import Noise, Synthesizer

    audio = np.resize(soundfile.read(SPEECH, dtype="float32")[0], round(seconds * 16000))
    frames = round(seconds * 100)
    rng = np.random.default_rng(0)
    features = rng.standard_normal((1, frames, 768)).astype(np.float32)
    f0_hz = np.full((1, frames), 180, dtype=np.float32)

    encoder = ContentvecModel.from_pretrained(folder / "encoder")
    rmvpe = RMVPE.from_pretrained(folder / "rmvpe.pt")
    synthesizer = Synthesizer.from_pretrained(folder / "voice.pth")
    noise = Noise.zeros(synthesizer.config, frames=frames)
    pipeline = RVCPipeline(synthesizer, encoder)
    torch_audio = torch.from_numpy(audio)[None]
    torch_f0 = torch_rmvpe.RMVPE(str(folder / "rmvpe.pt"), is_half=False, device="cpu")
    torch_chain = load_rvc_next(folder / "encoder", folder / "voice.pth", dio)

    def torch_voice() -> object:
        f0 = torch.from_numpy(f0_hz)
        coarse = torch.full((1, frames), 60)
        lengths, speaker = torch.tensor([frames]), torch.tensor([0])
        return theirs["voice"].infer(torch.from_numpy(features), lengths, coarse, f0, speaker)

    return {
        "ContentVec": (
            lambda: np.asarray(encoder.extract(audio)),
            lambda: theirs["hubert"](torch_audio).last_hidden_state,
        ),
        "RMVPE (mel, network, decoding)": (
            lambda: rmvpe.infer_from_audio(audio),
            lambda: torch_f0.infer_from_audio(audio, thred=0.03),
        ),
        "synthesizer": (
            lambda: np.asarray(synthesizer.infer(features, f0_hz, noise=noise)),
            torch_voice,
        ),
        "whole chain (dio)": (
            lambda: pipeline.convert_array(audio, 16000, f0_method="dio"),
            lambda: torch_chain(audio),
        ),
    }


def measure(pair: Pair, repeats: int) -> dict[str, list[float]]:
    """Seconds of each run, ours and theirs in turn, after one warm-up of each."""
    times: dict[str, list[float]] = {"ours": [], "torch": []}
    for repeat in range(repeats + 1):
        for name, run in zip(times, pair, strict=True):
            start = time.perf_counter()
            with torch.no_grad():
                run()
            if repeat:
                times[name].append(time.perf_counter() - start)
    return times


def row(name: str, seconds: float, times: dict[str, list[float]]) -> str:
    """One line of the Markdown table."""
    ours, theirs = statistics.median(times["ours"]), statistics.median(times["torch"])
    span = f"{min(times['ours']):.2f}-{max(times['ours']):.2f}"
    torch_span = f"{min(times['torch']):.2f}-{max(times['torch']):.2f}"
    return (
        f"| {name} | {seconds:g} | {ours:.2f} ({span}) | {theirs:.2f} ({torch_span}) "
        f"| {theirs / ours:.2f} | {ours / seconds:.3f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0, 13.5])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machine = {
        "machine": platform.machine(),
        "system": platform.system(),
        "threads": torch.get_num_threads(),
        **{name: version(name) for name in ("mlx", "numpy", "torch")},
        **{key: value for key, value in os.environ.items() if key.startswith("OPENBLAS")},
        "python": platform.python_version(),
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()), "\n")
    print("| stage | audio (s) | ours (s) | PyTorch (s) | ratio | our real-time factor |")
    print("|---|---|---|---|---|---|")
    results = []
    with tempfile.TemporaryDirectory() as name:
        theirs = models(Path(name))
        for seconds in options.seconds:
            for stage, pair in stages(Path(name), theirs, seconds).items():
                times = measure(pair, options.repeats)
                results.append({"stage": stage, "seconds": seconds, **times})
                print(row(stage, seconds, times), flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2))


if __name__ == "__main__":
    main()
