"""What the figures depend on: the machine, its load, the versions, and how fast its GEMM is."""

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "mlx", "mlx-rvc", "numpy", "torch", "transformers", "huggingface-hub-rvc", "rvc-next",
    "faiss-cpu",
)  # fmt: skip
VARIABLES = ("OPENBLAS", "OMP_", "MKL_", "MLX_")
GEMM_SIZE = 2048
GEMM_TRIES = 8


def describe() -> dict:
    """Machine, versions and settings, for the record."""
    import mlx.core as mx

    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "device": str(mx.default_device().type).split(".")[-1],
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "blas": blas(),
        "environment": {k: v for k, v in os.environ.items() if k.startswith(VARIABLES)},
        "commit": commit(),
    }


def blas() -> dict:
    """NumPy's BLAS: library, version, kernels and threads."""
    from threadpoolctl import threadpool_info

    found = [info for info in threadpool_info() if "numpy" in info["filepath"]]
    keys = ("internal_api", "version", "architecture", "num_threads")
    return {key: found[0].get(key) for key in keys} if found else {}


def threads() -> int:
    """Threads of NumPy's BLAS; the other side gets as many."""
    return blas().get("num_threads") or os.cpu_count() or 1


def commit() -> str:
    """The commit of the working tree, with + where files differ from it."""

    def git(*command: str) -> str:
        result = subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return result.stdout.strip()

    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + changed


def gemm_peak(count: int, device: str = "cpu") -> dict[str, float]:
    """GFLOP/s of the best of a few square float32 products, by library and threads.

    device: torch's name of the device that is timed; where it is a GPU, its own peak comes too.
    """
    import torch
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((GEMM_SIZE, GEMM_SIZE), dtype=np.float32) for _ in range(2))
    out = np.empty_like(a)
    ta, tb, tout = torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(out)
    peak = {}
    for number in sorted({1, count}):
        with threadpool_limits(number, user_api="blas"):
            peak[f"numpy_{number}"] = _best(lambda: np.matmul(a, b, out=out))
        torch.set_num_threads(number)
        peak[f"torch_{number}"] = _best(lambda: torch.matmul(ta, tb, out=tout))
    torch.set_num_threads(count)
    if device != "cpu":
        ta, tb = ta.to(device), tb.to(device)
        peak[f"torch_{device}"] = _best(lambda: float(torch.matmul(ta, tb)[0, 0]))  # waits for it
    return peak


def _best(product) -> float:
    seconds = []
    for _ in range(GEMM_TRIES):
        start = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - start)
    return 2 * GEMM_SIZE**3 / min(seconds) / 1e9


class Watch:
    """What else the machine did during a `with` block: `load` is filled at its end."""

    load: dict

    def __enter__(self) -> "Watch":
        self._before, self._ticks = load_average(), _ticks()
        return self

    def __exit__(self, *_exception: object) -> None:
        steal = None
        if self._ticks is not None and (after := _ticks()) is not None:
            spent = [b - a for a, b in zip(self._ticks, after, strict=True)]
            steal = round(spent[7] / max(sum(spent), 1), 4)
        self.load = {"before": self._before, "after": load_average(), "steal": steal}


def load_average() -> float | None:
    """Runnable processes over the last minute, where the system tells."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def _ticks() -> list[int] | None:
    """Processor time by use; the eighth is what the host gave to others ("steal")."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    return [int(number) for number in path.read_text().splitlines()[0].split()[1:9]]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        lines = (line.partition(":") for line in path.read_text().splitlines())
        return next((v.strip() for k, _, v in lines if k.strip() == "model name"), "unknown")
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or "unknown"


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
