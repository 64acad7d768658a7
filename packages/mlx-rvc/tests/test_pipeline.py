"""The pipeline's own arithmetic, with stand-in stages whose output can be computed by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from mlx_rvc import RVCPipeline
from mlx_rvc.chunks import HOP, PAD


class Encoder:
    """Two channels: the audio in the middle of each frame's 400 samples, and one constant."""

    config = SimpleNamespace(hidden_size=2, classifier_proj_size=2)

    def extract(self, audio, layer=None, project=False):
        frames = (len(audio) - 80) // 320
        middle = audio[160 + 320 * np.arange(frames)]
        return np.stack([middle, np.full(frames, 7.0)], axis=1)[None].astype(np.float32)


class Synthesizer:
    """Repeats the first feature channel for one hop, and remembers what it was given."""

    def __init__(self, sample_rate=16000, f0=True, version="v2"):
        self.config = SimpleNamespace(
            sample_rate=sample_rate, f0=f0, version=version, feature_channels=2, speakers=2
        )
        self.calls = []
        self.metadata = {}

    def infer(self, features, f0_hz=None, *, speaker=0, seed=None, noise=None, phase=0.0):
        self.calls.append(SimpleNamespace(features=features, f0=f0_hz, speaker=speaker, seed=seed))
        assert f0_hz is None or f0_hz.shape == features.shape[:2]
        return np.repeat(features[:, :, 0], self.config.sample_rate // 100, axis=1)


class Index:
    dim = 2

    def blend(self, features, rate):
        return features + 100 * rate


class Tracker:
    """An F0 method that gives what a function of the frames (frames,) gives."""

    def __init__(self, curve):
        self.curve = curve
        self.asked = []

    def infer_from_audio(self, audio, sample_rate=16000, threshold=0.5, **settings):
        raise NotImplementedError

    def infer_from_reader(self, read, samples, threshold=0.5, **settings):
        assert len(read(0, 100)) == 100 and len(read(samples - 1, samples)) == 1
        self.asked.append({"samples": samples, **settings})
        return np.float32(self.curve(np.arange(samples // HOP + 1)))

    def warmup(self):
        pass


def pipeline(index=None, **voice):
    return RVCPipeline(Synthesizer(**voice), Encoder(), index=index)


def ramp(seconds, rate=16000):
    """A swelling 60 Hz tone."""
    t = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 60 * t) * np.sin(2 * np.pi * t / 7.3)).astype(np.float32)


@pytest.mark.parametrize("voice_rate", [16000, 40000, 44100])
@pytest.mark.parametrize(
    ("samples", "rate"), [(800, 16000), (1, 48000), (44100, 44100), (96001, 48000), (12345, 22050)]
)
@pytest.mark.parametrize("wanted", [None, 22050])
def test_the_output_has_exactly_the_input_s_length(voice_rate, samples, rate, wanted):
    audio = 0.1 * np.random.default_rng(0).standard_normal(samples)
    converted, out_rate = pipeline(sample_rate=voice_rate, f0=False).convert_array(
        audio, rate, output_rate=wanted
    )
    assert out_rate == (wanted or voice_rate)
    assert len(converted) == round(samples * out_rate / rate)
    assert np.isfinite(converted).all() and converted.dtype == np.float32


def test_nothing_drifts_over_many_joins(monkeypatch):
    """Each output sample is from its own time; the reference loses 10 ms at each odd join."""
    monkeypatch.setattr("mlx_rvc.pipeline.prepare", lambda audio: audio.astype(np.float64))
    clock = np.linspace(0.1, 0.9, 240 * 16000, dtype=np.float64)
    audio = clock.copy()
    for join in range(38 * 16000, len(audio), 38 * 16000):
        audio[join + 7 * HOP - 80 : join + 7 * HOP + 320] = 0  # the quietest point, an odd frame
    chain = pipeline(f0=False)
    converted, _ = chain.convert_array(audio, 16000, rms_mix_rate=1.0)
    assert len(chain.synthesizer.calls) == 7
    kept = converted > 0.1
    late = np.abs(converted - clock)[kept] / (clock[1] - clock[0])
    assert kept.mean() > 0.99
    assert late.max() <= 160 + 1  # a frame of 320 samples holds the sample in its middle


def test_f0_lies_over_the_padded_recording_and_is_shifted():
    method = Tracker(lambda frames: frames)
    chain = pipeline()
    chain.convert_array(ramp(60), 16000, f0_method=method, pitch=12)
    assert [asked["samples"] for asked in method.asked] == [60 * 16000 + 2 * PAD]
    first, second = chain.synthesizer.calls
    assert first.f0[0, 5] == 10.0
    cut = second.f0[0, 0] / 2  # in frames, since the stand-in's F0 counts frames
    assert 32 * 100 <= cut <= 44 * 100
    assert second.f0[0, 1] == 2 * cut + 2


def gaps(frames):
    """200 Hz in every other frame."""
    return np.where(frames % 2, 0, 200)


def test_index_comes_before_protect_and_protect_keeps_the_encoder_s_features():
    method = Tracker(gaps)
    chain = pipeline(index=Index())
    chain.convert_array(ramp(1), 16000, f0_method=method, index_rate=0.5, protect=0.2)
    constant = chain.synthesizer.calls[0].features[0, :, 1]
    np.testing.assert_allclose(constant[0::2], 7 + 50)  # voiced
    np.testing.assert_allclose(constant[1::2], 7 + 50 * 0.2, rtol=1e-6)  # unvoiced
    chain.convert_array(ramp(1), 16000, f0_method=method, index_rate=0)
    np.testing.assert_allclose(chain.synthesizer.calls[1].features[0, :, 1], 7)


# --- F0 settings ------------------------------------------------------------------------------


def given_f0(**settings):
    """F0 (frames,) that the voice is given for a second of sound with its padding."""
    chain = pipeline()
    settings = {"f0_method": Tracker(gaps), **settings}
    chain.convert_array(ramp(1), 16000, **settings)
    return chain.synthesizer.calls[0].f0[0], chain.synthesizer.calls[0].features[0]


def test_the_method_is_asked_for_what_is_set_and_for_nothing_else():
    method = Tracker(gaps)
    pipeline().convert_array(ramp(1), 16000, f0_method=method)
    assert set(method.asked[0]) == {"samples", "progress"}
    pipeline().convert_array(ramp(1), 16000, f0_method=method, f0_min=60, f0_max=900)
    assert (method.asked[1]["f0_min"], method.asked[1]["f0_max"]) == (60, 900)


def test_gaps_are_filled_before_the_shift_and_protect_still_goes_by_what_was_heard():
    filled, _ = given_f0(unvoiced="interp", pitch=-12)
    np.testing.assert_allclose(filled, 100)
    chain = pipeline(index=Index())
    settings = {"f0_method": Tracker(gaps), "unvoiced": "interp", "index_rate": 0.5}
    chain.convert_array(ramp(1), 16000, protect=0.2, **settings)
    np.testing.assert_allclose(
        chain.synthesizer.calls[0].features[0, 1::2, 1], 7 + 50 * 0.2, rtol=1e-6
    )


def test_the_filter_is_the_median_of_three():
    lone = Tracker(lambda frames: np.where(frames == 50, 200, 0))
    assert given_f0(f0_method=lone)[0].any()
    assert not given_f0(f0_method=lone, filter_radius=3)[0].any()
    assert given_f0(f0_method=lone, filter_radius=2)[0].any()


def test_an_f0_file_replaces_the_shifted_curve_where_it_says_something(tmp_path):
    """As in RVC, whose result this is for a file that starts at 0 s (get_f0)."""
    (tmp_path / "f0.csv").write_text("time,Hz\n0,300\n0.1,400\n0.2,0\n0.21,0\n")
    found, _ = given_f0(f0_file=tmp_path / "f0.csv", pitch=12, unvoiced="interp")
    expected = np.full(len(found), 400.0)
    points = np.array([[0, 300], [0.1, 400], [0.2, 0], [0.21, 0]])
    replaced = np.interp(np.arange(22), points[:, 0] * 100, points[:, 1])
    expected[100:122] = replaced
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_saved_f0_is_what_the_voice_got_and_gives_the_same_again(tmp_path):
    saved = tmp_path / "saved.csv"
    first, _ = given_f0(save_f0=saved, pitch=7)
    lines = saved.read_text().splitlines()
    assert lines[0] == "time,Hz" and len(lines) == 1 + 101
    again, _ = given_f0(f0_file=saved, f0_method=Tracker(np.zeros_like), pitch=-30)
    np.testing.assert_allclose(again[100:201], first[100:201], atol=1e-3)
    assert not again[:100].any()


def test_an_f0_file_of_another_recording_is_refused(tmp_path):
    (tmp_path / "f0.csv").write_text("5,300\n6,300\n")
    with pytest.raises(ValueError, match=r"begins at 5\.00 s, the recording ends at 1\.00 s"):
        given_f0(f0_file=tmp_path / "f0.csv")


def test_files_of_f0_are_checked_before_any_work(tmp_path):
    (tmp_path / "f0.csv").write_text("0,300\n0.1,x\n")
    chain = pipeline()
    with pytest.raises(ValueError, match=r"f0\.csv, line 2: not two numbers in '0\.1,x'"):
        chain.convert_array(ramp(1), 16000, f0_method="dio", f0_file=tmp_path / "f0.csv")
    with pytest.raises(ValueError, match="does not exist"):
        chain.convert_array(ramp(1), 16000, f0_method="dio", save_f0=tmp_path / "no/f0.csv")
    with pytest.raises(ValueError, match="trained without F0"):
        pipeline(f0=False).convert_array(ramp(1), 16000, save_f0=tmp_path / "f0.csv")
    assert chain.synthesizer.calls == []


def test_a_curve_off_the_grid_is_refused():
    method = Tracker(lambda frames: frames[:-1])
    with pytest.raises(ValueError, match="the F0 method Tracker gave a curve of shape"):
        given_f0(f0_method=method)


def test_each_chunk_has_noise_of_its_own():
    chain = pipeline(f0=False)
    chain.convert_array(ramp(60), 16000, seed=5)
    assert [call.seed for call in chain.synthesizer.calls] == [5, 6]


def test_loud_output_is_scaled_not_clipped():
    chain = pipeline(f0=False)
    chain.synthesizer.infer = lambda features, f0_hz=None, **_: np.resize(
        [4.0, -2.0], (1, features.shape[1] * 160)
    )
    converted, _ = chain.convert_array(ramp(1), 16000, rms_mix_rate=1.0)
    assert converted.max() == pytest.approx(0.99)
    assert converted.min() == pytest.approx(-0.495)


def test_channels_are_mixed_down():
    left, right = ramp(1), np.zeros(16000, np.float32)
    stereo, _ = pipeline(f0=False).convert_array(
        np.stack([left, right], 1), 16000, rms_mix_rate=1.0
    )
    mono, _ = pipeline(f0=False).convert_array(left / 2, 16000, rms_mix_rate=1.0)
    np.testing.assert_allclose(stereo, mono, atol=1e-6)


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros(0), "empty"),
        (np.array([0.0, np.nan]), "NaN"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros(100, np.int16), "int16; expected float"),
    ],
)
def test_unusable_audio_is_refused(audio, words):
    with pytest.raises(ValueError, match=words):
        pipeline(f0=False).convert_array(audio, 16000)


def test_a_speaker_the_voice_does_not_have_is_refused():
    with pytest.raises(ValueError, match="speaker is 2; this voice has 2, numbered 0 to 1"):
        pipeline(f0=False).convert_array(ramp(1), 16000, speaker=2)


def test_a_voice_without_f0_refuses_to_be_shifted():
    with pytest.raises(ValueError, match="trained without F0"):
        pipeline(f0=False).convert_array(ramp(1), 16000, pitch=2)


def test_a_list_of_samples_is_audio_too():
    assert len(pipeline(f0=False).convert_array([0.1] * 800, 16000)[0]) == 800


def test_features_of_another_width_are_refused():
    voice = Synthesizer()
    voice.config.feature_channels = 768
    with pytest.raises(ValueError, match="features 768 wide, the content encoder gives 2"):
        RVCPipeline(voice, Encoder())
    index = Index()
    index.dim = 768
    with pytest.raises(ValueError, match="index holds features 768 wide, the voice takes 2"):
        RVCPipeline(Synthesizer(), Encoder(), index=index)


def test_v1_voices_take_layer_9_through_the_projection():
    """Applio projects the last layer, others cut 256 channels off it: both lose the voice."""
    asked = []

    class Wide(Encoder):
        config = SimpleNamespace(hidden_size=5, classifier_proj_size=2)

        def extract(self, audio, layer=None, project=False):
            asked.append((layer, project))
            return super().extract(audio)

    voice = Synthesizer(f0=False, version="v1")
    RVCPipeline(voice, Wide()).convert_array(ramp(1), 16000)
    assert asked == [(9, True)]
    voice = Synthesizer(f0=False, version="v2")
    RVCPipeline(voice, Encoder()).convert_array(ramp(1), 16000)
    assert voice.calls[0].features.shape[2] == 2
