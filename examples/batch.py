"""Many recordings, one voice, progress: python examples/batch.py FOLDER RECORDING...

`mlx-rvc batch` does this and more: folders, resuming, a list of what failed, several at a time.
"""

import sys
from pathlib import Path

from mlx_rvc import RVCPipeline

folder, *recordings = map(Path, sys.argv[1:])
folder.mkdir(exist_ok=True)
pipeline = RVCPipeline.from_pretrained("demo")

for recording in recordings:
    result = pipeline.convert(
        input_path=recording,
        output_path=folder / f"{recording.stem}.wav",
        progress=lambda share, name=recording.name: print(f"\r{name} {share:.0%}", end=""),
    )
    print(f"\r{result.output_path}: {result.real_time_factor:.2f} of real time")
