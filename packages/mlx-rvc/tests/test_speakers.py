import pytest

import mlx_rvc_demo
from mlx_rvc.speakers import Speakers

CHOIR = Speakers.described(4, {"speaker_names": {"0": "Alto", "1": "bass (low)", "2": "Bass"}})


@pytest.mark.parametrize(("speaker", "number"), [(0, 0), (3, 3), ("alto", 0), ("BASS", 2), ("bass (low)", 1)])  # fmt: skip
def test_by_number_or_by_name(speaker, number):
    assert CHOIR.number(speaker) == number


def test_the_bundled_speakers_have_short_names():
    bundle = mlx_rvc_demo.bundle()
    speakers = Speakers.bundled(bundle)
    for known in bundle.speakers:
        assert speakers.number(known.name.split(" (")[0]) == known.id
        assert 50 < speakers.medians_hz[known.id] < 300


@pytest.mark.parametrize(
    ("speakers", "speaker", "words"),
    [
        (CHOIR, "tenor", r"speaker is 'tenor'; this voice has 0 = Alto, 1 = bass \(low\), 2 = Bass and 1 without a name"),
        (CHOIR, 4, "speaker is 4; this voice has 0 = Alto"),
        (Speakers(2), "joe", "speaker is 'joe'; this voice has 2, numbered 0 to 1, without names"),
        (Speakers(2, {0: "joe", 1: "Joe"}), "joe", "'joe', a name of 2 speakers; .*: give the number"),
    ],
)  # fmt: skip
def test_a_speaker_that_is_not_there_is_one_line(speakers, speaker, words):
    with pytest.raises(ValueError, match=words) as error:
        speakers.number(speaker)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("said", "medians"),
    [({"0": 110, "1": 220.5}, {0: 110, 1: 220.5}), (150, {0: 150, 1: 150}), (None, {}),
     ({"0": "high", "1": -1}, {}), ("nan", {})],
)  # fmt: skip
def test_medians_from_the_metadata(said, medians):
    assert Speakers.described(2, {"median_f0_hz": said}).medians_hz == medians
