"""What this machine has for a conversion, what it lacks, and what to do about it."""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

SPACE = 2_000_000_000
"""Bytes that should be free where weights are kept: what ContentVec, RMVPE and a voice need."""


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do where that is not well.

    details: figures for JSON.
    """

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def examine(*, self_test: bool = True) -> Iterator[Finding]:
    """Yield the findings, the quick ones first; a check that breaks is itself a finding."""
    checks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "packages": _packages,
        "mlx": _mlx,
        "audio files": _audio_files,
        "F0 methods": _f0_methods,
        "weights": _weights,
        "cache": _cache,
        "temporary files": _temporary_files,
    }
    if self_test:
        checks["self-test"] = _self_test
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:  # whatever is broken here is what the user came for
            text = " ".join(f"{type(error).__name__}: {error}".split())
            yield Finding(name, Verdict.PROBLEM, text, "install mlx-rvc anew, or report this line")


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        advice = "MLX needs Apple Silicon and there a Python for arm64, as this one is not"
        return Finding("python", Verdict.PROBLEM, found, advice)
    return Finding("python", Verdict.OK, found)


def _packages() -> Finding:
    from mlx_rvc_cli.host import FAMILY, versions

    known = dict(versions())
    ours = {name: number for name, number in known.items() if name in FAMILY}
    reference = known["mlx-rvc"]
    other = sorted(f"{name} {number}" for name, number in ours.items() if number != reference)
    details = {"versions": known}
    if other:
        return Finding(
            "packages",
            Verdict.PROBLEM,
            f"mlx-rvc {reference} beside {', '.join(other)}",
            "bring them to one version: pip install --upgrade mlx-rvc",
            details,
        )
    return Finding("packages", Verdict.OK, f"{len(ours)} of version {reference}", details=details)


def _mlx() -> Finding:
    import importlib.metadata

    import numpy as np

    version = importlib.metadata.version("mlx")
    try:
        import mlx.core as mx
    except ImportError as error:
        return Finding(
            "mlx",
            Verdict.PROBLEM,
            f"{version}, but it has no backend ({error})",
            "pip install mlx-rvc[cpu], or [cuda12], [cuda13] with an NVIDIA GPU",
        )
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((256, 256), dtype=np.float32) for _ in range(2))
    apart = float(np.abs(np.array(mx.array(a) @ mx.array(b)) - a @ b).max())
    device = mx.default_device()
    information = mx.device_info(device)
    found = f"{version}, {device.type.name.upper()}: {information.get('device_name', 'unnamed')}"
    details = {"version": version, "device": str(device), **information, "product_apart": apart}
    if apart > 0.5:  # reduced precision stays below 0.1
        advice = "the device computes wrongly: update its driver, or set MLX to the CPU"
        return Finding("mlx", Verdict.PROBLEM, f"{found}; a product is off by {apart:.2g}", advice)
    if sys.platform == "darwin" and not mx.metal.is_available():
        advice = "Metal is missing: use macOS 14 or later on Apple Silicon"
        return Finding("mlx", Verdict.WARNING, found, advice, details)
    return Finding("mlx", Verdict.OK, found, details=details)


def _audio_files() -> Finding:
    import soundfile

    formats = sorted(soundfile.available_formats())
    return Finding(
        "audio files",
        Verdict.OK,
        f"libsndfile {soundfile.__libsndfile_version__}",
        details={"libsndfile": soundfile.__libsndfile_version__, "formats": formats},
    )


def _f0_methods() -> Finding:
    from mlx_f0 import available, offline

    names, ready = available(), offline()
    found = f"{', '.join(ready)} work without a download; {len(names)} in all"
    return Finding("F0 methods", Verdict.OK, found, details={"methods": names, "offline": ready})


def _weights() -> Finding:
    """What every voice but the bundled one needs, and where it is; nothing is fetched."""
    from mlx_rvc.weights import shared

    missing, details = [], {}
    for weights in shared():
        files = [str(part.path) for part in weights.held()]
        details[weights.name] = {"given_by_environment": weights.given, "files": files}
        if weights.given is None and not files:
            missing.append(weights.name)
    if missing:
        return Finding(
            "weights",
            Verdict.WARNING,
            f"not here yet: {', '.join(missing)}",
            "the first conversion fetches them; mlx-rvc weights fetch does it now",
            details,
        )
    return Finding("weights", Verdict.OK, f"{', '.join(details)} are here", details=details)


def _cache() -> Finding:
    from mlx_weights import cache_dir

    folder = cache_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    details = {"folder": str(folder), "free_bytes": free}
    if not os.access(existing, os.W_OK):
        advice = f"{existing} is not writable: name another folder in MLX_WEIGHTS_CACHE"
        return Finding("cache", Verdict.PROBLEM, found, advice, details)
    if free < SPACE:
        advice = "free some space, or name another folder in MLX_WEIGHTS_CACHE and HF_HOME"
        return Finding("cache", Verdict.WARNING, found, advice, details)
    return Finding("cache", Verdict.OK, found, details=details)


def _temporary_files() -> Finding:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    found, details = (
        f"{folder}, {free / 1e9:.1f} GB free",
        {"folder": str(folder), "free_bytes": free},
    )
    if free < SPACE:
        advice = "long recordings take up to 1.9 GB an hour here: free some space, or set TMPDIR"
        return Finding("temporary files", Verdict.WARNING, found, advice, details)
    return Finding("temporary files", Verdict.OK, found, details=details)


def _self_test() -> Finding:
    """Convert the bundled recording with the bundled voice."""
    import numpy as np

    import mlx_rvc_demo
    from mlx_rvc.pipeline import RVCPipeline
    from mlx_rvc_cli.audio import AudioReader

    bundle = mlx_rvc_demo.bundle()
    recording = bundle.recordings[0]
    started = time.perf_counter()
    pipeline = RVCPipeline.from_pretrained("demo")
    loaded = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "converted.wav"
        pitch = recording.pitch[0]
        result = pipeline.convert(
            input_path=recording.path, output_path=output, pitch=pitch, seed=0
        )
        with AudioReader(output) as reader:
            audio = np.concatenate(list(reader))
    details = {
        "duration_s": result.duration,
        "loading_s": loaded,
        "elapsed_s": result.seconds,
        "real_time_factor": result.real_time_factor,
        "stages_s": result.stages,
    }
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in result.stages.items())
    found = (
        f"{result.duration:.1f} s converted in {result.seconds:.2f} s "
        f"({result.real_time_factor:.2f} of real time; {stages}), loaded in {loaded:.2f} s"
    )
    if not np.isfinite(audio).all() or not 0.001 < np.std(audio) < 0.5:
        advice = "the conversion is not speech: report this line"
        return Finding("self-test", Verdict.PROBLEM, found, advice, details)
    return Finding("self-test", Verdict.OK, found, details=details)
