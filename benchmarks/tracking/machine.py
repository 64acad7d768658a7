"""What the figures of the pitch benchmark depend on: machine, load, versions; one thread."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version

import machine

PACKAGES = (
    "mlx", "numpy", "mlx-f0", "mlx-fcpe", "mlx-crepe", "mlx-swift-f0", "mlx-rmvpe", "torch",
    "torchfcpe", "torchcrepe", "swift-f0", "onnxruntime", "pyworld-prebuilt", "praat-parselmouth",
    "mir_eval",
)  # fmt: skip


def single_thread() -> None:
    """One thread for NumPy's BLAS, and so for ours; the originals are told when they are made."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    np.ones((2, 2)) @ np.ones((2, 2))  # the library must be there to be told
    threadpool_limits(1)


def about() -> dict:
    """Processor, system, versions, commit, date and load, for the record."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    described = machine.describe()
    kept = ("processor", "architecture", "cores", "system", "python", "device", "commit")
    return {
        **{key: described[key] for key in kept},
        "versions": found,
        "date": time.strftime("%Y-%m-%d"),
        "load": machine.load_average(),
    }
