"""What becomes of a conversion on its way into a file: rate, channels, bits, tags."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from mlx_rvc import RVCPipeline
from mlx_rvc.output import Output
from mlx_rvc_cli.audio import AudioReader, read_audio, write_audio
from mlx_rvc_cli.tags import Tags


class Encoder:
    """One feature: how loud each frame of 400 samples is."""

    config = SimpleNamespace(hidden_size=1, classifier_proj_size=1)

    def extract(self, audio, layer=None, project=False):
        windows = np.lib.stride_tricks.sliding_window_view(audio, 400)[::320]
        return np.sqrt(np.square(windows).mean(axis=1))[None, :, None]


class Synthesizer:
    """A tone as loud as the input."""

    metadata: dict = {}  # noqa: RUF012

    def __init__(self, sample_rate=40000):
        self.config = SimpleNamespace(
            sample_rate=sample_rate, f0=False, version="v2", feature_channels=1, speakers=1
        )

    def infer(self, features, f0_hz=None, **_):
        level = np.repeat(features[0, :, 0], self.config.sample_rate // 100)
        tone = np.sin(2 * np.pi * 440 * np.arange(len(level)) / self.config.sample_rate)
        return (np.sqrt(2) * level * tone)[None].astype(np.float32)


@pytest.fixture
def pipeline():
    return RVCPipeline(Synthesizer(), Encoder())


def voice(seconds=3.0, rate=22050):
    t = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * 300 * t) + 0.3 * np.sin(2 * np.pi * 1700 * t)
    return (0.2 * tone * (1.2 + np.sin(2 * np.pi * t))).astype(np.float32)


@pytest.mark.parametrize(
    ("extension", "asked", "rate"),
    [("mp3", None, 44100), ("opus", None, 48000), ("m4a", 96000, 96000), ("opus", 16000, 16000)],
)
def test_the_nearest_rate_is_written_and_said(pipeline, tmp_path, extension, asked, rate):
    write_audio(tmp_path / "in.wav", voice(), 22050)
    output = tmp_path / f"out.{extension}"
    result = pipeline.convert(input_path=tmp_path / "in.wav", output_path=output, output_rate=asked)
    audio, found = read_audio(output)
    assert found == rate == result.sample_rate
    assert result.duration == pytest.approx(3.0, abs=1e-4)
    assert abs(len(audio) - 3 * rate) <= 1152
    said = f".{extension} holds no 40000 Hz: written at {rate} Hz"
    assert result.notes == ((said,) if asked is None else ())


def test_bits_are_those_asked_for(pipeline, tmp_path):
    write_audio(tmp_path / "in.wav", voice(), 22050)
    arguments = {"input_path": tmp_path / "in.wav", "output_path": tmp_path / "out.wav"}
    pipeline.convert(**arguments, bit_depth=32)
    assert soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"
    expected, _ = pipeline.convert_array(*read_audio(tmp_path / "in.wav"))
    np.testing.assert_array_equal(read_audio(tmp_path / "out.wav")[0][:, 0], expected)
    with pytest.raises(ValueError, match="cannot hold 12 bits"):
        pipeline.convert(**arguments, bit_depth=12)


def test_tags_are_kept_when_asked_for(pipeline, tmp_path):
    pytest.importorskip("mutagen")
    tags = Tags({"title": "Song", "artist": "Me"})
    write_audio(tmp_path / "in.flac", voice(), 22050, tags=tags)
    for name, keep in (("a.m4a", True), ("b.m4a", False)):
        result = pipeline.convert(
            input_path=tmp_path / "in.flac",
            output_path=tmp_path / name,
            keep_tags=keep,
            output_rate=44100,
        )
        assert result.notes == ()
        with AudioReader(tmp_path / name, tags=True) as reader:
            assert reader.tags == (tags if keep else Tags())


def test_what_is_not_kept_is_said(tmp_path):
    output = Output(tmp_path / "x.mp3", keep_tags=True)
    assert output.notes(44100, Tags()) == ("the input has no tags to keep",)
    assert output.notes(44100, Tags({"title": "x"}, left_out="gif")) == (
        "its cover is not kept: gif, where JPEG or PNG is expected",
    )


# --- stereo -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [None, 22050, 48000])
def test_a_hard_panned_voice_comes_back_hard_panned_and_as_loud(pipeline, rate):
    mono = voice()
    original = np.stack([np.zeros_like(mono), mono], axis=1)
    found, out_rate = pipeline.convert_array(original, 22050, keep_stereo=True, output_rate=rate)
    assert found.shape == (3 * out_rate, 2) and found.dtype == np.float32
    assert not found[:, 0].any()
    assert np.std(found[:, 1]) == pytest.approx(np.std(mono), rel=0.05)


def test_the_centre_is_the_mono_conversion_on_both_sides(pipeline):
    mono = voice()
    expected, _ = pipeline.convert_array(mono, 22050)
    found, _ = pipeline.convert_array(np.stack([mono, mono], axis=1), 22050, keep_stereo=True)
    np.testing.assert_allclose(found, np.stack([expected, expected], axis=1), atol=1e-6)


def test_a_file_is_placed_as_the_array_in_it_block_by_block(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr("mlx_rvc.track.BLOCK", 5000)
    monkeypatch.setattr("mlx_rvc.track.IN_MEMORY", 4096)
    original = np.stack([voice() * 0.3, -voice()[::-1]], axis=1)
    soundfile.write(tmp_path / "in.wav", original, 22050, subtype="FLOAT")
    pipeline.convert(
        input_path=tmp_path / "in.wav",
        output_path=tmp_path / "out.wav",
        keep_stereo=True,
        bit_depth=32,
    )
    found, rate = read_audio(tmp_path / "out.wav")
    assert found.shape == (3 * rate, 2)
    monkeypatch.undo()
    expected, _ = pipeline.convert_array(original, 22050, keep_stereo=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_too_loud_a_side_scales_both(pipeline):
    loud = np.zeros((44100, 2))
    loud[:, 0] = 0.9 * np.sign(voice(2.0))
    found, _ = pipeline.convert_array(loud, 22050, keep_stereo=True, rms_mix_rate=1.0)
    assert np.abs(found).max() == pytest.approx(0.99, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 6])
def test_a_field_takes_two_channels(pipeline, tmp_path, channels):
    audio = np.repeat(voice()[:, None], channels, axis=1)
    with pytest.raises(ValueError, match=f"of 2 channels, this one has {channels}; leave out"):
        pipeline.convert_array(audio, 22050, keep_stereo=True)
    write_audio(tmp_path / "in.wav", audio, 22050)
    with pytest.raises(ValueError, match=f"this one has {channels}"):
        pipeline.convert(
            input_path=tmp_path / "in.wav", output_path=tmp_path / "out.wav", keep_stereo=True
        )
    assert len(list(tmp_path.iterdir())) == 1
