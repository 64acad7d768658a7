"""The flow over blocks: the same whether in memory or in files, once or again, whole or cut."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
import pytest
import soundfile

from mlx_rmvpe import RMVPE
from mlx_rvc import RVCPipeline, chunks, flow
from mlx_rvc.chunks import HOP

TOY_RMVPE = Path(__file__).parents[2] / "mlx-rmvpe/tests/golden/toy_rmvpe.pt"


class Encoder:
    """Local features: the audio in the middle of each frame's 400 samples, and its energy."""

    config = SimpleNamespace(hidden_size=2, classifier_proj_size=2)

    def extract(self, audio, layer=None, project=False):
        windows = np.lib.stride_tricks.sliding_window_view(audio, 400)[::320]
        return np.stack([windows[:, 160], np.square(windows).mean(axis=1)], axis=1)[None]


class Synthesizer:
    """A tone of F0, from a phase that is told, as loud as the features say: local as well."""

    metadata: dict = {}  # noqa: RUF012

    def __init__(self, sample_rate=16000, f0=True):
        self.config = SimpleNamespace(
            sample_rate=sample_rate, f0=f0, version="v2", feature_channels=2, speakers=1
        )

    def infer(self, features, f0_hz=None, *, speaker=0, seed=None, noise=None, phase=0.0):
        hop = self.config.sample_rate // 100
        if f0_hz is None:
            return np.repeat(features[:, :, 0], hop, axis=1)
        inside = np.arange(hop) / self.config.sample_rate
        start = phase + np.cumsum(f0_hz[0].astype(np.float64)) / 100 - f0_hz[0] / 100
        tone = np.sin(2 * np.pi * (start[:, None] + f0_hz[0, :, None] * inside))  # (T, hop)
        return (features[0, :, :1] * tone).reshape(1, -1).astype(np.float32)


@pytest.fixture
def pipeline():
    return RVCPipeline(Synthesizer(), Encoder(), rmvpe=TOY_RMVPE)


@pytest.fixture
def small(monkeypatch):
    """Everything that is done by block, or kept in files when long, in small measure."""
    monkeypatch.setattr("mlx_rvc.track.BLOCK", 5000)
    monkeypatch.setattr("mlx_rvc.track.IN_MEMORY", 4096)
    monkeypatch.setattr("mlx_rvc.envelope._BLOCK", 7001)
    monkeypatch.setattr("mlx_rmvpe.spill.IN_MEMORY", 4096)
    monkeypatch.setattr("mlx_rmvpe.rmvpe.BLOCK_FRAMES", 256)


@pytest.fixture
def short_chunks(monkeypatch):
    """A cut about every four seconds."""
    for name, seconds in (("CENTER", 4), ("QUERY", 1), ("LONGEST", 5)):
        monkeypatch.setattr(chunks, name, seconds * 16000)


def babble(seconds, rate=16000):
    """Noise that swells and pauses."""
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * rate)) / rate
    swell = np.maximum(np.sin(2 * np.pi * t / 1.7), 0.002)
    return (0.2 * swell * rng.standard_normal(len(t))).astype(np.float32)


SETTINGS = [{}, {"output_rate": 44100}, {"rms_mix_rate": 1.0}, {"f0_method": "dio", "pitch": 3}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_files_and_blocks_change_nothing(pipeline, short_chunks, settings, request):
    audio = babble(13)
    assert len(chunks.plan(audio)) == 4
    whole, rate = pipeline.convert_array(audio, 16000, **settings)
    request.getfixturevalue("small")
    again, again_rate = pipeline.convert_array(audio, 16000, **settings)
    assert (rate, len(whole)) == (again_rate, len(again))
    assert whole.std() > 1e-3
    np.testing.assert_allclose(again, whole, rtol=0, atol=1e-6)


def test_a_file_is_converted_as_the_array_in_it(pipeline, small, tmp_path):
    audio = np.stack([babble(13, 44100), -0.3 * babble(13, 44100)[::-1]], axis=1)
    soundfile.write(tmp_path / "in.wav", audio, 44100, subtype="FLOAT")
    result = pipeline.convert(input_path=tmp_path / "in.wav", output_path=tmp_path / "out.wav")
    expected, rate = pipeline.convert_array(audio, 44100)
    found, found_rate = soundfile.read(tmp_path / "out.wav")
    assert found_rate == rate == result.sample_rate
    assert len(found) == len(expected) == round(result.duration * rate)
    np.testing.assert_allclose(found, expected, atol=1 / 32768)
    assert set(result.stages) == {"preparation", "f0", "content", "voice", "envelope", "writing"}
    assert result.seconds == pytest.approx(sum(result.stages.values()))


def test_loud_output_is_scaled_as_a_whole(pipeline, small):
    quiet, _ = pipeline.convert_array(babble(5), 16000, f0_method="dio", rms_mix_rate=1.0)
    infer = pipeline.synthesizer.infer
    pipeline.synthesizer.infer = lambda *args, **kwargs: 50 * infer(*args, **kwargs)
    loud, _ = pipeline.convert_array(babble(5), 16000, f0_method="dio", rms_mix_rate=1.0)
    np.testing.assert_allclose(loud, quiet * (0.99 / np.abs(quiet).max()), atol=1e-6)


# --- cuts -------------------------------------------------------------------------------------


def in_one_piece(monkeypatch):
    monkeypatch.setattr(chunks, "LONGEST", 10**9)


@pytest.fixture(autouse=True)
def quick_f0(monkeypatch):
    """In place of harvest: F0 that glides over the padded recording."""
    monkeypatch.setattr(
        "mlx_f0.world.Harvest.infer_from_reader",
        lambda self, read, samples, **_: np.linspace(90, 400, samples // HOP + 1),
    )


@pytest.mark.parametrize(
    ("rate", "settings"), [(16000, {}), (40000, {"rms_mix_rate": 1.0}), (16000, {"pitch": 2.5})]
)
def test_with_stages_that_look_no_further_than_the_context_cuts_leave_no_trace(
    monkeypatch, rate, settings
):
    """Two minutes, four pieces: each sample as if there were no cut, at the cut itself as well."""
    pipeline = RVCPipeline(Synthesizer(rate), Encoder())
    settings = {"f0_method": "harvest", **settings}
    audio = babble(120)
    assert len(chunks.plan(audio)) == 4
    cut, _ = pipeline.convert_array(audio, 16000, **settings)
    in_one_piece(monkeypatch)
    assert len(chunks.plan(audio)) == 1
    whole, _ = pipeline.convert_array(audio, 16000, **settings)
    assert whole.std() > 1e-3
    np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-6)  # the phase is summed in pieces


def test_pieces_fade_into_each_other_within_ten_milliseconds(monkeypatch):
    """Two chunks of different loudness: no jump at the cut, and nothing changed beyond 5 ms."""
    pipeline = RVCPipeline(Synthesizer(f0=False), Encoder())
    levels = iter([0.2, 0.4])
    pipeline.synthesizer.infer = lambda features, *_, **__: np.full(
        (1, features.shape[1] * HOP), next(levels), np.float32
    )
    audio = babble(60)
    cut = chunks.plan(audio)[1].start
    converted, _ = pipeline.convert_array(audio, 16000, rms_mix_rate=1.0)
    assert np.all(converted[: cut - HOP // 2] == np.float32(0.2))
    assert np.all(converted[cut + HOP // 2 :] == np.float32(0.4))
    assert 0 < np.diff(converted[cut - HOP // 2 - 1 : cut + HOP // 2 + 1]).max() < 0.002


def test_a_cut_close_to_the_end_fades_as_far_as_there_is_sound(monkeypatch):
    pipeline = RVCPipeline(Synthesizer(44100, f0=False), Encoder())
    audio = babble(50)
    for left in (1, 40, 79, 80, 81, 400):
        monkeypatch.setattr(
            chunks, "quiet_points", lambda audio, _, left=left: [(len(audio) - left) // 320 * 320]
        )
        converted, _ = pipeline.convert_array(audio, 16000, rms_mix_rate=1.0)
        assert len(converted) == 50 * 44100


def test_a_cut_within_a_feature_would_leave_a_trace(monkeypatch):
    """The grid of 320 samples is needed: at 160 the features after a cut come 10 ms earlier."""
    pipeline = RVCPipeline(Synthesizer(), Encoder())
    audio = babble(60)
    in_one_piece(monkeypatch)
    whole, _ = pipeline.convert_array(audio, 16000, f0_method="harvest")
    monkeypatch.setattr(chunks, "quiet_points", lambda audio, _: [38 * 16000 + HOP])
    cut, _ = pipeline.convert_array(audio, 16000, f0_method="harvest")
    assert np.abs(cut - whole)[38 * 16000 + HOP :].max() > 1e-2


# --- once -------------------------------------------------------------------------------------


@pytest.fixture
def loads(monkeypatch):
    """What is loaded or compiled, by name."""
    import mlx_contentvec
    import mlx_rvc_index
    import mlx_rvc_synth
    import mlx_weights

    seen = []

    def watch(owner, name):
        function = getattr(owner, name)

        def watched(*args, **kwargs):
            seen.append(name)
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    watch(RMVPE, "from_pretrained")
    watch(mlx_contentvec.ContentvecModel, "from_pretrained")
    watch(mlx_rvc_synth.Synthesizer, "from_pretrained")
    watch(mlx_rvc_index.FeatureIndex, "load")
    watch(mlx_weights, "read_checkpoint")
    watch(mx, "compile")
    watch(mx, "load")
    watch(np, "load")
    watch(np, "memmap")
    return seen


@pytest.mark.parametrize("warm", [False, True])
def test_the_second_conversion_loads_and_compiles_nothing(tmp_path, loads, warm):
    """From files, in the same process: what the first one opened stays, warmup opens all of it."""
    np.save(tmp_path / "voice.npy", np.random.default_rng(0).standard_normal((50, 192)))
    pipeline = RVCPipeline.from_pretrained("demo", index=tmp_path / "voice.npy", rmvpe=TOY_RMVPE)
    soundfile.write(tmp_path / "in.wav", babble(1.5), 16000)
    convert = partial(
        pipeline.convert, input_path=tmp_path / "in.wav", output_path=tmp_path / "out.wav"
    )
    assert "load" in loads
    if warm:
        told = []
        assert pipeline.warmup(told.append) > 0
        assert told[-1] == 1
    else:
        convert()
    assert "read_checkpoint" in loads
    opened = []

    def watch(event, arguments):
        if event in ("open", "import"):
            opened.append(str(arguments[0]))

    loads.clear()
    sys.addaudithook(lambda event, arguments: watch(event, arguments) if watching else None)
    watching = [True]
    convert()
    watching.clear()
    assert loads == []
    weights = (".pth", ".pt", ".safetensors", ".npy", ".index", ".json")
    assert not [name for name in opened if name.endswith(weights)]


def test_mlx_s_cache_is_bounded_on_the_way_and_the_user_s_limit_comes_back(pipeline):
    limits = []
    infer = pipeline.synthesizer.infer

    def spy(*args, **kwargs):
        limits.append(mx.set_cache_limit(0))
        mx.set_cache_limit(limits[-1])
        return infer(*args, **kwargs)

    pipeline.synthesizer.infer = spy
    before = mx.set_cache_limit(10**12)
    try:
        pipeline.convert_array(babble(1), 16000)
        assert limits == [flow.CACHE_LIMIT]
        assert mx.set_cache_limit(1000) == 10**12
        pipeline.convert_array(babble(1), 16000)
        assert limits[1:] == [1000]
        pipeline.synthesizer.infer = None
        with pytest.raises(TypeError):
            pipeline.convert_array(babble(1), 16000)
        assert mx.set_cache_limit(1000) == 1000
    finally:
        mx.set_cache_limit(before)


@pytest.mark.parametrize("method", ["rmvpe", "dio", "hybrid[dio+rmvpe]"])
def test_progress_moves_within_f0(pipeline, small, monkeypatch, method):
    monkeypatch.setattr("mlx_f0.blocks.BLOCK", 300)
    monkeypatch.setattr("mlx_f0.blocks.CONTEXT", 100)
    told = []
    pipeline.convert_array(babble(20), 16000, f0_method=method, progress=told.append)
    assert told == sorted(told) and told[-1] == 1
    assert len([share for share in told if share < flow.F0_SHARE]) >= 5


# --- memory -----------------------------------------------------------------------------------

_MEASURE = """
import sys, tracemalloc
from pathlib import Path
import numpy as np
sys.path.insert(0, str(Path(sys.argv[1])))
from test_flow import Encoder, Synthesizer, TOY_RMVPE, babble
import mlx_f0.blocks, mlx_rmvpe.rmvpe, mlx_rmvpe.spill, mlx_rvc.track, mlx_rvc.envelope
from mlx_rvc import RVCPipeline, chunks
from mlx_rvc_cli.audio import write_blocks

chunks.CENTER, chunks.QUERY, chunks.LONGEST = 80000, 16000, 96000
mlx_rvc.track.BLOCK = 1 << 14
mlx_rvc.track.IN_MEMORY = mlx_rmvpe.spill.IN_MEMORY = 1 << 16
mlx_rmvpe.rmvpe.BLOCK_FRAMES = 256
mlx_f0.blocks.BLOCK, mlx_f0.blocks.CONTEXT = 200, 50
pipeline = RVCPipeline(Synthesizer(), Encoder(), rmvpe=TOY_RMVPE)
clip = babble(10)
folder = Path(sys.argv[2])
for seconds in (1, 20, 80):  # the first run imports and loads
    write_blocks(
        folder / "in.wav", lambda a, b: clip[np.arange(a, b) % len(clip)], seconds * 16000, 16000
    )
    if seconds > 1:
        tracemalloc.start()
    pipeline.convert(
        input_path=folder / "in.wav",
        output_path=folder / "out.wav",
        output_rate=22050,
        f0_method=sys.argv[3],
    )
    if seconds > 1:
        print(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
"""


@pytest.mark.parametrize("method", ["rmvpe", "dio"])
def test_memory_does_not_grow_with_the_recording(tmp_path, method):
    """20 against 80 s: the most that Python and NumPy hold, with blocks and chunks made small."""
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder), str(tmp_path), method],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    short, long = map(int, run.stdout.split())
    assert long < 1.05 * short
