"""A thousand recordings, one after the other: memory stays where it was after fifty."""

import gc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_stages import toy_pipeline

from mlx_rvc.batch import Manifest, Status, collect, run

FILES = 1000
GROWTH = 8 << 20
"""Bytes of resident memory that 950 recordings may add: less than 9 KB each."""


STATUS = Path("/proc/self/status")


def resident():
    """Bytes of this process in memory, now; the maximum, which never falls, would say less."""
    gc.collect()
    for line in STATUS.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("Linux says in /proc/self/status how much memory is resident")


@pytest.mark.skipif(not STATUS.exists(), reason="what is resident now is read from Linux's /proc")
def test_a_thousand_recordings_take_no_more_memory_than_fifty(tmp_path):
    pipeline = toy_pipeline()
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    soundfile.write(tmp_path / "in" / "0000.wav", 0.3 * np.sin(np.arange(800) * 0.08), 16000)
    for number in range(1, FILES):
        (tmp_path / "in" / f"{number:04}.wav").hardlink_to(tmp_path / "in" / "0000.wav")

    def convert(source, output):
        pipeline.convert(input_path=source, output_path=output, seed=1)
        return {}

    items, _ = collect([str(tmp_path / "in")], ".wav", [".wav"])
    manifest = Manifest(tmp_path / "out", {})
    at_fifty = 0
    for number, outcome in enumerate(run(items, tmp_path / "out", manifest, convert)):
        assert outcome.status is Status.DONE, outcome.note
        if number == 49:
            at_fifty = resident()
    grown = resident() - at_fifty
    print(f"\n{at_fifty / 1e6:.0f} MB after 50, {grown / 1e6:+.1f} MB after {FILES}")
    assert len(list((tmp_path / "out").glob("*.wav"))) == FILES
    assert grown < GROWTH
