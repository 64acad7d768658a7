"""Pictures: what is drawn, and that files are complete."""

import struct

import numpy as np
import pytest

from mlx_rvc_cli import CommandError
from mlx_rvc_cli.picture import F0, Spectrogram, Waveform, _at_rows, _figure, _levels, draw


def tone(hz, seconds=0.5, rate=16000):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def size(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", data[16:24])


def test_columns_side_by_side(tmp_path):
    f0 = np.where(np.arange(50) % 10 < 7, 220.0, 0.0)
    x, y = tone(220), tone(330, rate=40000)
    draw(tmp_path / "one.png", [Waveform(x, 16000), F0(f0)])
    draw(
        tmp_path / "two.png",
        [
            [Waveform(x, 16000, "in $5 声"), Spectrogram(x, 16000, f0_hz=f0), F0(f0)],
            [Waveform(y, 40000, "out"), Spectrogram(y, 40000, scale="linear"), F0(1.5 * f0)],
        ],
        title="before\nand after",
    )
    one, two = size(tmp_path / "one.png"), size(tmp_path / "two.png")
    assert two[0] > one[0]
    assert two[1] > one[1]
    assert len(list(tmp_path.iterdir())) == 2


def test_axes_are_seconds_and_shared_between_columns():
    f0 = np.full(50, 200.0)
    figure = _figure([[F0(f0)], [F0(2 * f0)]], None)
    left, right = figure.axes
    assert left.get_xlim() == (0, 0.5)
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[0] < 200 < 400 < left.get_ylim()[1]


def test_unvoiced_frames_are_gaps():
    figure = _figure([[F0(np.array([0, 100, 0, 100.0]))]], None)
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_array_equal(np.isnan(drawn), [True, False, True, False])


def test_a_full_scale_tone_is_at_zero_db_and_its_frequency():
    level, times, hz = _levels(tone(1000), 16000)
    middle = level[:, level.shape[1] // 2]
    assert hz[middle.argmax()] == pytest.approx(1000, abs=16)
    assert middle.max() == pytest.approx(0, abs=0.1)
    assert times[0] == 0
    assert times[-1] <= 0.5
    rows = np.geomspace(50, 8000, 512)
    spectrum = _at_rows(level, hz, rows)[:, level.shape[1] // 2]
    assert rows[spectrum.argmax()] == pytest.approx(1000, rel=0.02)
    assert spectrum.max() == pytest.approx(0, abs=2)  # the tone is not lost between rows


@pytest.mark.parametrize("samples", [1, 2, 100])
def test_very_short_and_silent_audio(tmp_path, samples):
    audio = np.zeros((samples, 2), np.float32)
    draw(
        tmp_path / "x.png",
        [Waveform(audio, 16000), Spectrogram(audio, 16000, f0_hz=np.zeros(1)), F0(np.zeros(1))],
    )
    assert size(tmp_path / "x.png")


def test_long_audio_stays_a_picture(tmp_path):
    level, times, _ = _levels(np.zeros(48000 * 300, np.float32), 48000)
    assert level.shape[1] == len(times) <= 1700


@pytest.mark.parametrize(
    ("name", "panels", "match"),
    [
        ("x.jpg", [F0(np.ones(3))], ".png"),
        ("none/x.png", [F0(np.ones(3))], "does not exist"),
        ("x.png", [], "nothing to draw"),
        ("x.png", [[F0(np.ones(3))], []], "nothing to draw"),
    ],
)
def test_refusals(tmp_path, name, panels, match):
    with pytest.raises(CommandError, match=match):
        draw(tmp_path / name, panels)
    assert list(tmp_path.iterdir()) == []
