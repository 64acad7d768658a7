"""Peak resident memory of whole conversions, file to file, one fresh process for each length.

Usage:

    python benchmarks/memory.py [--seconds 13.5] [--minutes 10 60] [--stub-voice] [--json FILE]

Models are full size with random weights (v2, 48 kHz), float32: ContentVec 0.38 GB, RMVPE 0.36 GB,
the voice 0.2 GB. The input is real speech, repeated, as a 16-bit file at 44.1 kHz; F0 by RMVPE. A
process reads the models from files, converts, and reports the most that it ever held
(`ru_maxrss`, the interpreter and all libraries included).

--stub-voice leaves out the arithmetic of the vocoder, which takes most of the time: an hour is then
a matter of minutes. Its memory is left out with it, so such figures show the growth, not the peak.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEECH = ROOT / "tests/audio/librivox_austen_0870.flac"
RATE = 44100


def make_models(folder: Path) -> None:
    """Save full-size models with random weights, as a user would have them."""
    import mlx.core as mx

    from mlx_contentvec import ContentvecConfig, ContentvecModel
    from mlx_rmvpe import E2E, RMVPE, RMVPEConfig
    from mlx_rvc_synth import SynthConfig, Synthesizer

    mx.random.seed(0)
    ContentvecModel(ContentvecConfig()).save_pretrained(folder / "encoder")
    RMVPE(E2E(RMVPEConfig())).save_pretrained(folder / "rmvpe")
    voice = SynthConfig(
        inter_channels=192,
        hidden_channels=192,
        filter_channels=768,
        n_heads=2,
        n_layers=6,
        kernel_size=3,
        resblock="1",
        resblock_kernel_sizes=(3, 7, 11),
        resblock_dilation_sizes=((1, 3, 5),) * 3,
        upsample_rates=(12, 10, 2, 2),
        upsample_initial_channel=512,
        upsample_kernel_sizes=(24, 20, 4, 4),
        spk_embed_dim=4,
        gin_channels=256,
        sample_rate=48000,
        feature_channels=768,
        f0=True,
        version="v2",
    )
    Synthesizer(voice).save_pretrained(folder / "voice")


def make_speech(path: Path, seconds: float) -> None:
    """Write speech of that length, the same clip again and again."""
    import numpy as np

    from mlx_rvc_cli.audio import read_audio, resample, write_blocks

    audio, rate = read_audio(SPEECH)
    clip = resample(audio[:, 0], rate, RATE)
    write_blocks(
        path,
        lambda start, stop: clip[np.arange(start, stop) % len(clip)],
        round(seconds * RATE),
        RATE,
    )


def convert(folder: Path, source: Path, *, stub_voice: bool) -> dict[str, float]:
    """One conversion in this process; bytes and seconds."""
    import numpy as np

    from mlx_rvc import RVCPipeline

    pipeline = RVCPipeline.from_pretrained(
        folder / "voice", contentvec=folder / "encoder", rmvpe=folder / "rmvpe"
    )
    if stub_voice:
        voice = type(pipeline.synthesizer.dec)
        hop = pipeline.synthesizer.config.hop
        voice.__call__ = lambda self, z, g, source=None: np.zeros((1, z.shape[1] * hop), np.float32)
    done = pipeline.convert(input_path=source, output_path=folder / "out.flac", seed=0)
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"peak": peak, "duration": done.duration, "seconds": done.seconds, **done.stages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[])
    parser.add_argument("--minutes", type=float, nargs="+", default=[])
    parser.add_argument("--stub-voice", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(convert(*options.one, stub_voice=options.stub_voice)))
        return
    lengths = [*options.seconds, *(60 * minutes for minutes in options.minutes)]
    lengths = lengths or [13.5, 600.0, 3600.0]
    versions = {name: version(name) for name in ("mlx", "numpy")}
    machine = {"machine": platform.machine(), "python": platform.python_version(), **versions}
    print(", ".join(f"{name} {value}" for name, value in machine.items()), "\n")
    print("| audio (s) | peak memory (GB) | work (s) | of real time |\n|---|---|---|---|")
    results = []
    with tempfile.TemporaryDirectory() as name:
        make_models(Path(name))
        for seconds in lengths:
            source = Path(name) / "in.wav"
            make_speech(source, seconds)
            command = [sys.executable, __file__, "--one", name, str(source)]
            command += ["--stub-voice"] * options.stub_voice
            done = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            results.append(done)
            print(
                f"| {seconds:g} | {done['peak'] / 1e9:.2f} | {done['seconds']:.1f} "
                f"| {done['seconds'] / done['duration']:.3f} |",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2))


if __name__ == "__main__":
    main()
