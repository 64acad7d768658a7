"""Every odd recording becomes a right one of its length, or one line and no file; none hangs."""

import faulthandler
from collections import Counter

import numpy as np
import pytest
import soundfile
from broken_audio import CASES
from toy_stages import toy_pipeline

from mlx_rvc import RVCPipeline
from mlx_rvc_cli.audio import read_audio
from mlx_rvc_cli.host import main

LIMIT = 120
"""Seconds of one case, after which the run ends and says where it was."""

STEP = 0.4
"""Of full scale: a click, from silence to the first sample, from the last one to silence, or within
10 ms of them, unless the recording itself steps so."""

HISS = 0.5
"""The same for a recording too short to have a pitch: these cases step by 0.46 at most."""

seen: Counter = Counter()


def roughness(path):
    """The largest step from sample to sample, of the recording at a peak of 1."""
    audio = read_audio(path)[0]
    return np.abs(np.diff(audio, axis=0)).max() / max(np.abs(audio).max(), 1e-9)


@pytest.fixture
def limited():
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="module", autouse=True)
def counts():
    yield
    print("\n" + "\n".join(f"{group}: {n} {end}" for (group, end), n in sorted(seen.items())))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_it_is_converted_or_refused(case, demo, tmp_path, monkeypatch, capfd, limited):
    pipeline = demo if case.demo else toy_pipeline()
    monkeypatch.setattr(RVCPipeline, "from_pretrained", lambda *_, **__: pipeline)
    (tmp_path / "in").mkdir()
    source = case.build(tmp_path / "in")
    before = list((tmp_path / "in").iterdir())
    monkeypatch.chdir(tmp_path / "in")
    capfd.readouterr()
    method = ["--f0-method", "dio"] if case.demo else []
    flags = ["--model", "demo", "--seed", "1", "--quiet", *method]
    status = main(["convert", *flags, "--", source.name, "../out.wav"])
    said = capfd.readouterr()
    assert list((tmp_path / "in").iterdir()) == before
    if case.words:
        assert status == 1 and said.out == ""
        assert said.err.count("\n") == 1 and said.err.startswith("mlx-rvc: error: "), said.err
        assert case.words in said.err and list(tmp_path.iterdir()) == [tmp_path / "in"]
    else:
        assert (status, said.err) == (0, ""), said.err
        audio, rate = soundfile.read(tmp_path / "out.wav", always_2d=True)
        assert (rate, audio.shape) == (16000, (max(round(case.frames * 16000 / case.rate), 1), 1))
        assert np.isfinite(audio).all() and np.abs(audio).max() <= 1
        ends = max(abs(audio[0, 0]), abs(audio[-1, 0]))
        assert ends < STEP or (case.demo and ends < roughness(source))
        edges = [np.abs(np.diff(part[:, 0])).max(initial=0) for part in (audio[:160], audio[-160:])]
        # The toy voice holds each sample for 10 ms: it steps by itself. The demo's hisses where it hears
        # no pitch, as in 50 ms, and steps inside too.
        step = STEP if len(audio) > 800 else HISS
        assert max(edges) < step or max(edges) < roughness(source) or not case.demo
    seen[case.group, "refused" if case.words else "converted"] += 1


def test_there_are_as_many_as_promised():
    assert len(CASES) >= 100
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)
