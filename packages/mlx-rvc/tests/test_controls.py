"""What a conversion can be told, with stand-in stages: pitch, speakers, silence, an end to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from mlx_f0 import F0Method
from mlx_rvc import Cancelled, ConversionOptions, RVCPipeline
from mlx_rvc.chunks import PAD
from mlx_rvc.interfaces import ContentEncoder, FeatureBlender, VoiceModel

RATE = 16000


class Encoder:
    """The audio in the middle of each frame's 400 samples."""

    config = SimpleNamespace(hidden_size=1)

    def __init__(self):
        self.heard = 0

    def extract(self, audio):
        self.heard += len(audio)
        return np.lib.stride_tricks.sliding_window_view(audio, 400)[::320, 160][None, :, None]


class Voice:
    """Noise where there is sound, and a memory of the F0 that it was given."""

    def __init__(self, f0=True, **metadata):
        self.config = SimpleNamespace(
            sample_rate=RATE, f0=f0, version="v2", feature_channels=1, speakers=2
        )
        self.metadata = metadata
        self.calls = []

    def infer(self, features, f0_hz=None, *, speaker=0, seed=None, noise=None, phase=0.0):
        self.calls.append(SimpleNamespace(f0=f0_hz, speaker=speaker, seed=seed))
        return np.repeat(features[:, :, 0], 160, axis=1) + np.float32(0.1)


class Index:
    dim = 1

    def blend(self, features, rate):
        return (1 - rate) * features


class Tracker:
    """F0 of a function of time in seconds of the recording."""

    def __init__(self, curve):
        self.curve = curve
        self.samples = 0

    def infer_from_audio(self, audio, sample_rate=RATE, threshold=0.5, **_):
        raise NotImplementedError

    def infer_from_reader(self, read, samples, threshold=0.5, *, progress=None, **_):
        self.samples += samples
        frames = samples // 160 + 1
        if progress is not None:
            progress(frames, frames)
        return np.float32(self.curve(np.arange(frames) / 100 - 1))

    def warmup(self):
        pass


def tone(seconds, level=0.2):
    return (level * np.sin(2 * np.pi * 100 * np.arange(int(seconds * RATE)) / RATE)).astype(
        np.float32
    )


def halves(t):
    """Unvoiced in every other frame, else 100 Hz, then 110 Hz after half a second."""
    return np.where(np.round(100 * t) % 2 == 0, np.where(t < 0.5, 100.0, 110.0), 0)


def given(curve=halves, **options):
    """F0 (frames,) that the voice was given for the recording itself, and the pipeline."""
    voice = Voice(**options.pop("metadata", {}))
    pipeline = RVCPipeline(voice, Encoder(), f0_method=Tracker(curve))
    pipeline.convert_array(tone(1), RATE, **options)
    return voice.calls[0].f0[0][100:200]


# --- pitch ------------------------------------------------------------------------------------


def test_auto_pitch_brings_the_median_to_the_target_and_pitch_adds():
    f0 = given(lambda t: np.full(len(t), 100.0), auto_pitch=200)
    np.testing.assert_allclose(f0, 200)
    f0 = given(lambda t: np.full(len(t), 100.0), auto_pitch=150, pitch=-7)
    np.testing.assert_allclose(f0, 100)
    f0 = given(lambda t: np.full(len(t), 100.0), auto_pitch=150, auto_pitch_step="octave")
    np.testing.assert_allclose(f0, 200)


def test_auto_pitch_hears_the_recording_alone():
    """The padding is a mirror of the recording, which would count its ends twice."""
    f0 = given(lambda t: np.where((t >= 0) & (t <= 1), 100.0, 400.0), auto_pitch=200)
    np.testing.assert_allclose(f0, 200)


def test_auto_pitch_finds_the_voice_s_own_median():
    metadata = {"median_f0_hz": {"0": 200, "1": 50}}
    flat = {"curve": lambda t: np.full(len(t), 100.0), "metadata": metadata}
    np.testing.assert_allclose(given(**flat, auto_pitch="voice"), 200)
    np.testing.assert_allclose(given(**flat, auto_pitch="voice", speaker=1), 50)
    with pytest.raises(ValueError, match=r"does not say the median pitch of speaker 0 .*in Hz"):
        given(auto_pitch="voice")


def test_autotune_acts_after_the_shift_and_leaves_silence_silent():
    """Applio ignores the shift then, and lets unvoiced frames sing at 49 Hz."""
    f0 = given(autotune=1, pitch=12)
    voiced = f0 > 0
    np.testing.assert_array_equal(voiced, np.arange(100) % 2 == 0)
    # 200 Hz is nearest to G3, 220 Hz is A3.
    np.testing.assert_allclose(f0[:50][voiced[:50]], 440 * 2 ** (-14 / 12), rtol=1e-5)
    np.testing.assert_allclose(f0[50:][voiced[50:]], 220, rtol=1e-5)
    f0 = given(autotune=1, autotune_scale="C minor")
    np.testing.assert_allclose(f0[50::2], 440 * 2 ** (-25 / 12), rtol=1e-5)  # A is not in it: Ab


def test_filled_gaps_glide_between_tuned_notes():
    f0 = given(autotune=1, unvoiced="interp")
    np.testing.assert_allclose(f0[1:49:2], f0[0:48:2], rtol=1e-6)
    assert (f0 > 0).all()


@pytest.mark.parametrize("option", [{"auto_pitch": 100}, {"autotune": 0.5}, {"auto_pitch": "150"}])
def test_a_voice_without_f0_refuses_them(option):
    with pytest.raises(ValueError, match=rf"{next(iter(option))} is .*trained without F0"):
        RVCPipeline(Voice(f0=False), Encoder()).convert_array(tone(1), RATE, **option)


# --- speakers ---------------------------------------------------------------------------------


def test_a_speaker_by_name():
    voice = Voice(speaker_names={"0": "Alto", "1": "Bass"})
    pipeline = RVCPipeline(voice, Encoder(), f0_method=Tracker(halves))
    for speaker in ("bass", 0, "1"):
        pipeline.convert_array(tone(1), RATE, speaker=speaker)
    assert [call.speaker for call in voice.calls] == [1, 0, 1]
    with pytest.raises(ValueError, match="speaker is 'tenor'; this voice has 0 = Alto, 1 = Bass"):
        pipeline.convert_array(tone(1), RATE, speaker="tenor")


# --- silence ----------------------------------------------------------------------------------


def sparse():
    """20 s, of which 3 s sound: at 4 to 6 s and at 15 to 16 s."""
    audio = np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32) * 1e-4
    for start, stop in ((4, 6), (15, 16)):
        audio[start * RATE : stop * RATE] += tone(stop - start)
    return audio


@pytest.mark.parametrize("rate", [None, 22050])
def test_silence_is_silent_and_nothing_moves(rate):
    settings = {"f0_method": Tracker(halves), "rms_mix_rate": 1.0, "output_rate": rate}
    pipeline = RVCPipeline(Voice(), Encoder())
    whole, out_rate = pipeline.convert_array(sparse(), RATE, **settings)
    split, _ = pipeline.convert_array(sparse(), RATE, split_silence=-50, **settings)
    assert len(split) == len(whole) == 20 * out_rate
    for start, stop in ((0, 3.7), (6.3, 14.7), (16.3, 20)):
        quiet = split[int(start * out_rate) : int(stop * out_rate)]
        assert np.abs(quiet).max() <= (0 if rate is None else 1e-6)  # the resampler rings
    for start, stop in ((3.8, 6.2), (14.8, 16.2)):
        part = slice(int(start * out_rate), int(stop * out_rate))
        np.testing.assert_allclose(split[part], whole[part], atol=1e-4)
    assert np.abs(np.diff(split)).max() <= np.abs(np.diff(whole)).max() + 1e-3


def test_silence_costs_nothing():
    heard = []
    for option in ({}, {"split_silence": -50}):
        encoder, method = Encoder(), Tracker(halves)
        RVCPipeline(Voice(), encoder).convert_array(sparse(), RATE, f0_method=method, **option)
        heard.append((encoder.heard, method.samples))
    assert heard[0] == (22 * RATE, 22 * RATE)
    assert max(heard[1]) < 8.2 * RATE  # 3 s, two times 2 s of context, margins


def test_only_silence():
    voice = Voice()
    pipeline = RVCPipeline(voice, Encoder(), f0_method=Tracker(halves))
    audio, _ = pipeline.convert_array(np.zeros(RATE), RATE, split_silence=-50, auto_pitch=100)
    assert len(audio) == RATE and not audio.any() and voice.calls == []


def test_shorter_pieces():
    voice = Voice(f0=False)
    noise = 0.1 * np.random.default_rng(0).standard_normal(60 * RATE).astype(np.float32)
    audio, _ = RVCPipeline(voice, Encoder()).convert_array(noise, RATE, chunk_seconds=10, seed=0)
    assert len(audio) == 60 * RATE and 5 <= len(voice.calls) <= 6
    assert [call.seed for call in voice.calls] == list(range(len(voice.calls)))


def test_formants_of_the_output():
    voice = Voice(f0=False)
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    stages = []
    pipeline = RVCPipeline(voice, Encoder())
    plain, _ = pipeline.convert_array(noise, RATE, rms_mix_rate=1.0)
    moved, _ = pipeline.convert_array(
        noise, RATE, rms_mix_rate=1.0, formant=4, on_stage=lambda name, s: stages.append(name)
    )
    assert len(moved) == len(plain) and np.abs(moved - plain).max() > 0.01
    assert stages == ["preparation", "content", "voice", "formant"]


class Tone(Voice):
    """A second of 200 Hz, whatever it is given."""

    def infer(self, features, f0_hz=None, **_):
        t = np.arange(features.shape[1] * 160) / RATE
        return np.sin(2 * np.pi * 200 * t)[None].astype(np.float32)


def test_the_output_rate_resamples_and_does_not_stick():
    """Applio writes another rate into the header, and into all files after it."""
    pipeline = RVCPipeline(Tone(f0=False), Encoder())
    for wanted in (44100, None):
        audio, rate = pipeline.convert_array(tone(1), RATE, output_rate=wanted, rms_mix_rate=1.0)
        assert rate == (wanted or RATE)
        loudest = np.abs(np.fft.rfft(audio)).argmax() * rate / len(audio)
        assert loudest == pytest.approx(200, abs=1)


# --- an end to it -----------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    soundfile.write(tmp_path / "in.wav", tone(60), RATE)
    return {"input_path": tmp_path / "in.wav", "output_path": tmp_path / "out.wav"}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 1.0])
def test_a_callback_ends_it_and_nothing_is_left(files, tmp_path, share):
    def stop(done):
        if done >= share:
            raise Cancelled("enough")

    pipeline = RVCPipeline(Voice(), Encoder(), f0_method=Tracker(halves))
    with pytest.raises(Cancelled, match="enough"):
        pipeline.convert(**files, save_f0=tmp_path / "f0.csv", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]
    pipeline.convert(**files, save_f0=tmp_path / "f0.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "out.wav", "f0.csv"}


@pytest.mark.parametrize("stage", [None, "preparation", "f0", "content", "voice", "envelope"])
def test_an_event_ends_it_after_any_stage(files, tmp_path, stage):
    cancel = threading.Event()
    if stage is None:
        cancel.set()
    seen = []

    def ended(name, seconds):
        seen.append(name)
        if name == stage:
            cancel.set()

    pipeline = RVCPipeline(Voice(), Encoder(), f0_method=Tracker(halves))
    with pytest.raises(Cancelled):
        pipeline.convert(**files, save_f0=tmp_path / "f0.csv", cancel=cancel, on_stage=ended)
    assert seen[-1:] == [stage][: len(seen)]
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


# --- stages of others, several threads -----------------------------------------------------------


def test_any_object_with_the_methods_is_a_stage():
    voice, encoder, index, method = Voice(), Encoder(), Index(), Tracker(halves)
    assert isinstance(voice, VoiceModel) and isinstance(encoder, ContentEncoder)
    assert isinstance(index, FeatureBlender) and isinstance(method, F0Method)
    pipeline = RVCPipeline(voice, encoder, index=index, f0_method=method)
    audio, rate = pipeline.convert_array(
        tone(1), RATE, options=ConversionOptions(index_rate=1.0, rms_mix_rate=1.0, protect=0.5)
    )
    assert rate == RATE and len(audio) == RATE
    np.testing.assert_allclose(audio, 0.1, atol=1e-6)  # the index has replaced all features
    assert method.samples == encoder.heard == RATE + 2 * PAD


def test_stages_are_called_by_one_thread_at_a_time():
    busy, together = threading.Lock(), []

    class Careful(Encoder):
        def extract(self, audio):
            together.append(not busy.acquire(blocking=False))
            threading.Event().wait(0.005)
            busy.release()
            return super().extract(audio)

    pipeline = RVCPipeline(Voice(), Careful(), f0_method=Tracker(halves))
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(pipeline.convert_array, tone(1), RATE) for _ in range(8)]
        assert [len(one.result()[0]) for one in work] == [RATE] * 8
    assert together == [False] * 8
