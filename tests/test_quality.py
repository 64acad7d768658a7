"""What the quality benchmark makes of what its judges say; the judges need an environment."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import quality
from listening import bar, recordings, tables
from listening.figures import FIGURES, Sums
from listening.melody import Curve, Melody, auto_pitch
from listening.speaker import centre, within
from listening.spectrum import log_spectral_distance, mel_cepstral_distortion
from listening.subject import Files
from listening.targets import Target
from listening.words import Mistakes, distance, normalise

RATE = 16000


def test_words_and_characters_are_counted():
    assert normalise("Mr. Dash-wood’s “leisure”!") == "mister dash wood's leisure"
    assert [distance("kitten", "sitting"), distance("abc", ""), distance([], "ab")] == [3, 3, 2]
    found = Mistakes.of("He was not an ill-disposed man.", "he was an ill the exposed man")
    assert asdict(found) == {
        "wrong_words": 3, "words": 7, "wrong_characters": 10, "characters": 30,
    }  # fmt: skip
    with pytest.raises(ValueError, match="at least one word"):
        Mistakes.of("...", "something")


def curve(*f0_hz, voiced=None):
    f0_hz = np.array(f0_hz, dtype=float)
    return Curve(f0_hz, f0_hz > 0 if voiced is None else np.array(voiced, dtype=bool))


def test_a_melody_is_compared_frame_by_frame():
    """An octave, a quarter tone and more, a lost and an invented note, and the buzz of the frames."""
    wanted = curve(200, 200, 210, 220, 300, 0, 0, 150)
    near, far = 210 * 2 ** (49 / 1200), 220 * 2 ** (51 / 1200)
    found = Melody.of(wanted, curve(200, 100, near, far, 0, 0, 180, 101))
    assert found.accuracy == pytest.approx(2 / 6)
    assert found.voiced_accuracy == pytest.approx(2 / 5)
    assert (found.missed, found.added) == (pytest.approx(1 / 6), pytest.approx(1 / 2))
    assert found.voicing_error == pytest.approx(2 / 8)
    assert found.buzz == pytest.approx(2 / 5)


def test_a_guess_where_the_voice_is_called_unvoiced_counts_for_the_pitch_only():
    wanted = curve(200, 300, 250)
    found = Melody.of(wanted, curve(200, 300, 250, voiced=[1, 1, 0]))
    assert (found.accuracy, found.missed) == (1, pytest.approx(1 / 3))


def test_a_shifted_melody_is_right_and_a_flat_one_has_no_correlation():
    source = curve(*(200 + 30 * np.sin(np.arange(50))))
    shifted = curve(*(source.f0_hz * 2 ** (-5 / 12)))
    found = Melody.of(source.shifted(-5), shifted)
    assert (found.accuracy, found.voicing_error) == (1, 0)
    assert found.correlation == pytest.approx(1)
    assert np.isnan(Melody.of(source, curve(*[100.0] * 50)).correlation)
    with pytest.raises(ValueError, match="no voiced frame"):
        curve(0, 0).median_hz()


def test_pitch_is_chosen_by_semitones_for_speech_and_by_octaves_for_singing():
    assert auto_pitch(95.4, 169.1, singing=False) == 10
    assert auto_pitch(95.4, 101.1, singing=False) == 1
    assert [auto_pitch(hz, 169.1, singing=True) for hz in (124, 243, 480)] == [12, 0, -12]


def test_a_speaker_is_measured_against_its_other_recordings():
    a, b = np.array([1.0, 0]), np.array([0, 1.0])
    assert within([a, a, b]) == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    assert np.linalg.norm(centre([a, b])) == pytest.approx(1)
    with pytest.raises(ValueError, match="at least 2"):
        within([a])


def noise(seed, seconds=1.0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_spectral_distances_of_known_signals():
    signal = 0.1 * noise(0)
    assert mel_cepstral_distortion(signal, signal) == log_spectral_distance(signal, signal) == 0
    # Twice as loud: 6.02 dB in each bin; the cepstrum does not see loudness.
    assert log_spectral_distance(signal, 2 * signal) == pytest.approx(20 * np.log10(2), abs=1e-5)
    assert mel_cepstral_distortion(signal, 2 * signal) == pytest.approx(0, abs=1e-5)
    assert log_spectral_distance(signal, noise(1)) > 5


def test_mel_cepstral_distortion_is_the_rms_of_the_spectral_envelope_in_decibels():
    """A filter that adds 6 dB times a cosine over the mel scale: its RMS is 6 / sqrt(2) dB."""
    signal = noise(0, 3)
    spectrum = np.fft.rfft(signal)
    hz = np.fft.rfftfreq(len(signal), 1 / RATE)
    mel = 2595 * np.log10(1 + hz / 700)
    decibels = 6 * np.cos(2 * np.pi * mel / mel[-1])  # coefficient 2 of the cepstrum
    filtered = np.fft.irfft(spectrum * 10 ** (decibels / 20), len(signal))
    assert mel_cepstral_distortion(signal, filtered) == pytest.approx(6 / np.sqrt(2), rel=0.05)


def test_what_is_too_soft_to_hear_makes_no_distance():
    signal = noise(0)
    silence = np.where(np.arange(len(signal)) < RATE // 2, signal, 0)
    assert log_spectral_distance(silence, silence + 1e-7 * noise(1)) < 1e-3
    with pytest.raises(ValueError, match="at least 512"):
        log_spectral_distance(signal[:100], signal)


def item(recording, speaker=0, seed=0, run="conversion", kind="speech", **figures):
    return {
        "run": run, "recording": recording, "reader": "r", "kind": kind, "speaker": speaker,
        "seed": seed, "pitch": 2.0, "figures": figures, "heard": {},
    }  # fmt: skip


def test_a_figure_is_a_ratio_over_utterances_and_seeds_are_no_utterances():
    items = [
        item("a", wrong_words=1, words=10), item("a", seed=1, wrong_words=3, words=10),
        item("b", wrong_words=0, words=20), item("c", wrong_words=None),
    ]  # fmt: skip
    sums = Sums.of("wer", items)
    assert sums.names == ("a", "b")
    assert sums.value == 4 / 40
    assert sums.interval() is None  # two utterances have no interval
    assert Sums.of("to_target", items) is None


def test_the_interval_is_that_of_the_mean():
    """Of 40 normal values it is close to 1.96 standard errors, and the same at each run."""
    values = np.random.default_rng(3).normal(5, 1, 40)
    sums = Sums.of("ovrl", [item(f"{i}", ovrl=value) for i, value in enumerate(values)])
    low, high = sums.interval()
    error = values.std() / np.sqrt(40)
    assert [low, high] == pytest.approx(
        [sums.value - 1.96 * error, sums.value + 1.96 * error], abs=0.03
    )
    assert sums.interval() == (low, high)


def test_a_difference_is_taken_within_utterances():
    """Utterances that differ much, two programs that differ by 0.1 everywhere."""
    values = np.linspace(1, 5, 8)
    a = Sums.of("ovrl", [item(f"{i}", ovrl=value + 0.1) for i, value in enumerate(values)])
    b = Sums.of("ovrl", [item(f"{i}", ovrl=value) for i, value in enumerate(values)])
    difference, interval = a.less(b)
    assert [difference, *interval] == pytest.approx([0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match="expected the same"):
        a.less(Sums.of("ovrl", [item("0", ovrl=1)]))


GOOD = {"wrong_words": 4, "words": 20, "to_target": 0.8, "accuracy": 0.95, "ovrl": 3.0}


def sample(spread=0.01, **changes):
    """A record with four seeds of two clips."""
    return {
        "items": [
            item(name, seed=seed, **{**GOOD, "to_target": 0.8 + spread * seed, **changes})
            for seed in range(4)
            for name in ("a", "b")
        ]
    }


def test_the_bar_holds_the_mean_and_the_spread_of_the_seeds():
    figures = bar.measured(sample())["speech to 0"]
    assert figures["to_target"] == {"value": 0.815, "noise": 0.03}
    assert figures["wer"] == {"value": 0.2, "noise": 0.025}  # the seeds agree: a word of 40
    assert "sphinx_wer" not in figures
    with pytest.raises(ValueError, match="at least 3"):
        bar.measured({"items": sample()["items"][:2]})


def test_the_bar_passes_what_it_was_made_from():
    lines, failures = bar.compare(bar.measured(sample()), sample())
    assert len(lines) == 4 and not failures


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"wrong_words": 6}, "WER"),
        ({"to_target": 0.77}, "cosine to target"),
        ({"accuracy": 0.94}, "RPA"),
        ({"ovrl": 2.9}, "OVRL"),
    ],
)
def test_the_bar_fails_when_a_figure_drops_by_more_than_its_noise(changes, title):
    _, failures = bar.compare(bar.measured(sample()), sample(**changes))
    assert len(failures) == 1 and f"speech to 0: {title} " in failures[0]
    assert "worse by" in failures[0]


def test_the_bar_passes_what_is_better_or_worse_within_the_noise():
    stored = bar.measured(sample())
    for changes in ({"wrong_words": 0}, {"to_target": 0.99}, {"to_target": 0.786}):
        assert not bar.compare(stored, sample(**changes))[1]


def test_the_bar_fails_when_a_row_is_missing():
    stored = {**bar.measured(sample()), "singing to 1": {"ovrl": {"value": 3.0, "noise": 0.1}}}
    assert bar.compare(stored, sample())[1] == ["singing to 1: OVRL was not measured"]


def test_a_drop_ends_the_command_with_an_error(tmp_path, monkeypatch, capsys):
    """All of the command but the listening."""
    stored = tmp_path / "bar.json"
    stored.write_text(json.dumps({"rows": bar.measured(sample())}))
    monkeypatch.setattr(quality, "check_environment", lambda options: None)
    monkeypatch.setattr(quality.sys, "argv", ["quality.py", "--sample", "--bar", str(stored)])
    monkeypatch.setattr(quality.tables, "markdown", lambda data: "the tables")
    monkeypatch.setattr(quality, "listen", lambda options: sample())
    quality.main()
    assert "stored 0.200" in capsys.readouterr().out
    monkeypatch.setattr(quality, "listen", lambda options: sample(ovrl=2.0))
    with pytest.raises(SystemExit, match=r"worse than the bar:\nspeech to 0: OVRL 2\.000"):
        quality.main()


ABOUT = {
    "voice": "v", "sha256": "0" * 64, "f0_method": "harvest", "index": False, "controls": {},
    "seeds": 1, "python": "3", "versions": {"mlx": "1"}, "commit": "abc", "finished": "today",
    "targets": {"0": {"name": "rms", "source": "12 sentences", "own": {"wer": 0.05, "ovrl": 3.21},
                      "to_readers": {"speech": 0.67}}},
}  # fmt: skip


def test_the_tables_name_what_was_measured():
    items = [item("a", run="source", **GOOD, to_source=0.9)]
    items += [item(name, **GOOD) for name in "abc"]
    for run, more in (("MLX", {}), ("PyTorch", {"mcd": 2e-5, "lsd": 0.25})):
        items += [item(name, run=f"equal noise, {run}", **GOOD, **more) for name in "abc"]
    items += [
        item(name, run="other noise, MLX", **{**GOOD, "ovrl": 3.25}, mcd=2.5, lsd=9.0)
        for name in "abc"
    ]
    swept = item("a", run="sweep protect", **GOOD)
    text = tables.markdown({"about": ABOUT, "items": [*items, {**swept, "protect": 0.33}]})
    for part in (
        "Voice v (sha256 000000000000), F0 by harvest, without index; 1 seed of the noise.",
        "| speech, unconverted | .20 |",
        "| **speech to 0, rms** (+2) | .20 (.20-.20) |  |  | .80 (.80-.80) |",
        "| rms, own recordings | .05 |  |  |  | .67 |",
        "| RVC v2 voices, M4Singer (Seed-VC's EVAL.md) | .73 | .94 | .28 | 3.41 | 4.05 | 3.12 |",
        "| this voice, speech, all speakers | .80 (.80-.80) |  |  |  |  | 3.00 (3.00-3.00) |",
        "| speech to 0, rms | OVRL | 3.00 | 3.00 | +0.000 (+0.000 to +0.000) | -0.250 |",
        "| speech to 0, rms | MCD, dB, apart |  |  | 2e-05 | 2.500 |",
        "| speech to 0, rms | 0.33 | .20 |",
    ):
        assert part in text
    assert "Index rate" not in text


def test_tables_go_between_their_marks():
    document = f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n"
    assert (
        tables.fill_in(document, "new\n") == f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter\n"
    )
    with pytest.raises(ValueError, match="no place"):
        tables.fill_in("nothing", "new\n")


def test_transcripts_of_two_kinds():
    lines = ["# words", "<s> he was not </s> (one)", "two.wav it was", "", "three  all of it "]
    assert recordings.transcripts(lines) == {
        "one": "he was not",
        "two": "it was",
        "three": "all of it",
    }
    with pytest.raises(ValueError, match="expected 'name text'"):
        recordings.transcripts(["alone"])


def test_the_recordings_of_the_repository_have_their_texts():
    found = recordings.bundled()
    assert [len([r for r in found if r.singing is sung]) for sung in (False, True)] == [5, 2]
    assert sum(len(normalise(r.text).split()) for r in found if r.text) == 71
    assert {r.name for r in recordings.bundled(recordings.SAMPLE)} == set(recordings.SAMPLE)


def test_recordings_of_a_folder(tmp_path):
    import soundfile

    (tmp_path / "anna").mkdir()
    for path in (tmp_path / "one.wav", tmp_path / "anna/two.flac"):
        soundfile.write(path, np.zeros((8000, 2)), 8000)
    (tmp_path / "anna/transcript.txt").write_text("two She reads.\n")
    anna, other = recordings.in_folder(tmp_path)
    assert (anna.name, anna.reader, anna.text) == ("anna-two", "anna", "She reads.")
    assert (other.reader, other.text, other.singing) == (tmp_path.name, None, False)
    assert len(other.at_16k) == 16000
    assert recordings.in_folder(tmp_path, singing=True)[0].reader == "two"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no recording"):
        recordings.in_folder(tmp_path / "empty")


def test_a_bundle_is_found_and_every_speaker_of_the_demo_has_a_target():
    from listening.targets import FOLDER

    files = Files.of_model("demo")
    assert files.voice.exists() and files.contentvec.exists()
    for name in files.speakers.values():
        target = Target(**json.loads((FOLDER / f"{name.split()[0]}.json").read_text()))
        assert target.centre @ target.centre == pytest.approx(1)
        assert 50 < target.median_hz < 400
    with pytest.raises(ValueError, match="does not exist"):
        Files.of_model("nowhere.pth")
    with pytest.raises(ValueError, match=r"no bundle\.json"):
        Files.of_bundle(FOLDER)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--into", "README.md"], ["--seeds", "0"], ["--pitch", "high"],
        ["--bundle", "x", "--model", "y.pth"], ["--sample", "--recordings", "x"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        quality.parse(arguments)
    assert "error:" in capsys.readouterr().err


def test_each_figure_says_which_way_is_better():
    worse_when_high = {name for name, figure in FIGURES.items() if figure.lower_is_better}
    assert worse_when_high == {
        "wer", "cer", "sphinx_wer", "to_source", "voicing_error", "buzz", "mcd", "lsd",
    }  # fmt: skip
