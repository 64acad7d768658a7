"""A recording that is still growing."""

import numpy as np
import pytest


def pushed(stream, audio, sizes):
    """The frames of every call, and how many had come after how many samples."""
    parts, at, known = [], 0, []
    while at < len(audio):
        size = sizes[len(parts) % len(sizes)]
        parts.append(stream.push(audio[at : at + size]))
        at = min(at + size, len(audio))
        known.append((at, sum(map(len, parts))))
    return [*parts, stream.flush()], known


@pytest.mark.parametrize("sizes", [[160], [1000, 0, 37], [256], [4096], [10**6]])
@pytest.mark.parametrize("samples", [1, 159, 256, 2815, 2816, 20011])
def test_a_stream_is_the_recording(model, glide, cents, sizes, samples):
    audio = glide(samples, pauses=samples > 10000)
    parts, _ = pushed(model.stream(), audio, sizes)
    found = np.concatenate(parts)
    expected = model.infer_from_audio(audio)
    assert found.shape == expected.shape and found.dtype == np.float32
    assert cents(found, expected) < 0.01


def test_frames_come_as_soon_as_they_are_final(model, glide):
    _, known = pushed(model.stream(), glide(12000), [80])
    for samples, frames in known:
        final = samples // 256 - 10  # of the model
        assert frames == (256 * (final - 1) // 160 + 1 if final > 0 else 0)
        assert frames >= (samples - 2816 - 255) // 160


def test_options_are_heeded(model, glide, cents):
    audio = glide(16000)
    options = {"threshold": 0.8, "f0_min": 150.0, "f0_max": 300.0}
    parts, _ = pushed(model.stream(**options), audio, [500])
    expected = model.infer_from_audio(audio, **options)
    assert 0 < (expected > 0).sum() < len(expected)
    assert cents(np.concatenate(parts), expected) < 0.01


def test_what_is_kept_does_not_grow(model, glide):
    stream, audio = model.stream(), glide(24000)
    for at in range(0, 24000, 600):
        stream.push(audio[at : at + 600])
        assert len(stream._heard) < 22 * 256 and len(stream._native) < 20


def test_a_stream_without_samples_has_no_frames(model):
    stream = model.stream()
    assert stream.push(np.zeros(0, np.float32)).shape == (0,)
    assert stream.flush().shape == (0,)


def test_an_ended_stream_is_refused(model, noise):
    stream = model.stream()
    stream.push(noise(100))
    stream.flush()
    for call in (lambda: stream.push(noise(100)), stream.flush):
        with pytest.raises(ValueError, match=r"has ended; begin another"):
            call()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(10, np.int16), "int16 of shape"),
        (np.zeros((1, 10), np.float32), r"shape \(1, 10\); expected mono"),
        (np.array([0, np.inf], np.float32), "NaN or infinite"),
    ],
)
def test_what_is_no_audio_is_refused_and_the_stream_goes_on(model, noise, samples, message):
    stream = model.stream()
    with pytest.raises(ValueError, match=message):
        stream.push(samples)
    stream.push(noise(400))
    assert stream.flush().shape == (3,)
