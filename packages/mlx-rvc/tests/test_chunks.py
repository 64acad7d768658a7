import numpy as np
import pytest

from mlx_rvc import chunks
from mlx_rvc.chunks import CENTER, HOP, LONGEST, PAD, QUERY, plan


def quietest_by_the_reference_s_sums(audio):
    """The reference's search, written out: 160 shifted sums over the whole recording.

    Of each stretch every 320th, where a feature of the encoder begins.
    """
    padded = np.pad(audio, HOP // 2, mode="reflect")
    total = np.zeros_like(audio)
    for i in range(HOP):
        total += np.abs(padded[i : i - HOP])
    cuts = []
    for center in range(CENTER, len(audio), CENTER):
        window = total[center - QUERY : center + QUERY : 320]
        cuts.append(center - QUERY + 320 * int(np.argmin(window)))
    return cuts


def test_up_to_41_seconds_stay_whole():
    assert [(c.start, c.stop) for c in plan(np.ones(LONGEST - HOP))] == [(0, None)]
    assert len(plan(np.ones(LONGEST))) == 2


@pytest.mark.parametrize("seconds", [41.3, 60, 79.99, 118.5, 250])
def test_cuts_are_the_quietest_points_between_features(seconds):
    audio = np.random.default_rng(int(seconds)).standard_normal(int(seconds * 16000))
    pieces = plan(audio)
    assert [c.start for c in pieces[1:]] == quietest_by_the_reference_s_sums(audio)
    assert all(c.start % 320 == 0 for c in pieces)
    assert [c.stop for c in pieces] == [*[c.start for c in pieces[1:]], None]


def test_the_quietest_point_is_found_where_signed_samples_cancel_elsewhere():
    rng = np.random.default_rng(1)
    audio = rng.standard_normal(60 * 16000)
    audio[36 * 16000 : 36 * 16000 + 400] = np.tile([1.0, -1.0], 200)  # loud, but sums to zero
    audio[40 * 16000 : 40 * 16000 + 400] *= 1e-3
    assert abs(plan(audio)[1].start - 40 * 16000) < 400


def test_of_a_long_recording_only_what_lies_around_a_cut_is_read():
    class Counted:
        def __init__(self, audio):
            self.audio, self.read = audio, []

        def __len__(self):
            return len(self.audio)

        def __getitem__(self, part):
            self.read.append(part.stop - part.start)
            return self.audio[part]

    audio = np.random.default_rng(0).standard_normal(300 * 16000)
    counted = Counted(audio)
    assert plan(counted) == plan(audio)
    assert len(counted.read) == 7 and max(counted.read) <= 2 * QUERY + HOP


def test_all_but_the_last_chunk_have_a_feature_for_every_two_frames_of_f0():
    padded = np.zeros(200 * 16000 + 2 * PAD)
    for chunk in plan(np.random.default_rng(2).standard_normal(200 * 16000))[:-1]:
        features = (len(chunk.audio(padded)) - 80) // 320
        assert 2 * features == len(chunk.frames(np.zeros(len(padded) // HOP)))


def test_a_chunk_carries_its_context_and_its_frames():
    padded = np.arange(60 * 16000 + 2 * PAD)
    chunk = chunks.Chunk(3200, 640000)
    audio, frames = chunk.audio(padded), chunk.frames(np.arange(len(padded) // HOP))
    assert audio[0] == 3200 and len(audio) == 640000 - 3200 + 2 * PAD + HOP
    assert frames[0] == 20 and len(frames) == (640000 - 3200 + 2 * PAD) // HOP
