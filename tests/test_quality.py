"""What the quality benchmark makes of what its judges say: figures, tables, the bar."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import quality
from listening import bar, recordings, tables
from listening.figures import FIGURES, Sums
from listening.judges import Verdict
from listening.melody import Curve, Melody
from listening.session import Role, Session
from listening.targets import Target

RATE = 16000


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


class Deaf:
    """Judges who say the same of everything, and a voice that gives back what it gets."""

    def __init__(self):
        self.tracker = self.speaker = self.pipeline = self

    def follow(self, audio):
        return Curve(np.full(20, audio.max() * 1000.0), np.ones(20, bool))

    def embed(self, audio):
        return np.array([1.0, 0])

    def sound(self, audio, text):
        words = (
            {"wrong_words": 1, "words": 2, "wrong_characters": 1, "characters": 9} if text else {}
        )
        return Verdict({"ovrl": 3.0, **words}, {"whisper": "x"} if text else {})

    def voice(self, audio, target, source):
        return Verdict({"to_target": 0.8, "to_source": 0.5})

    def melody(self, audio, wanted):
        return Verdict(asdict(Melody.of(wanted, wanted)))

    def convert(self, recording, *, speaker, pitch, seed, **controls):
        self.last = {"speaker": speaker, "pitch": pitch, **controls}
        return recording.at_16k


def recording(name, level, *, text="one two", reader="r", singing=False):
    audio = np.full(RATE, level, np.float32)
    return recordings.Recording(name, audio, RATE, text, reader, singing)


def session(found, *, seeds=1, pitch=None):
    target = Target("rms", "12 sentences", 12, 200.0, [0.6, 0.8], {"ovrl": 3.2})
    deaf = Deaf()
    roles = [Role(number, f"speaker {number}", target, pitch) for number in (0, 3)]
    return Session(deaf, deaf, found, roles, seeds, lambda text: None), deaf


def test_a_session_judges_every_recording_for_every_speaker():
    """The reader's median decides the shift of speech, each song has its own."""
    found = [
        recording("a", 0.1), recording("b", 0.1), recording("c", 0.9),
        recording("song", 0.1, text=None, reader="s", singing=True),
    ]  # fmt: skip
    judged, deaf = session(found, seeds=3)
    judged.sources()
    first = list(judged.conversions())
    assert len(first) == 8  # one audio of each recording and speaker
    shifts = {i["recording"]: i["pitch"] for i in judged.items if i["run"] == "conversion"}
    assert shifts == {"a": 12, "b": 12, "c": 12, "song": 12}
    assert deaf.last["speaker"] == 3
    stored = bar.measured({"items": judged.items})
    assert set(stored) == {"speech to 0", "speech to 3", "singing to 0", "singing to 3"}
    assert stored["speech to 3"]["wer"]["value"] == 0.5
    assert "wer" not in stored["singing to 0"]
    targets = {"0": ABOUT["targets"]["0"], "3": ABOUT["targets"]["0"]}
    for target in targets.values():
        target["to_readers"]["singing"] = 0.6
    text = tables.markdown({"about": {**ABOUT, "targets": targets}, "items": judged.items})
    assert "| **speech to 3, rms** (+12) | .50 (.50-.50) |" in text
    assert "| singing, unconverted |" in text


def test_a_sweep_changes_one_setting_and_a_given_pitch_is_kept():
    judged, deaf = session([recording("a", 0.1)], pitch=-2.5)
    judged.sweep("index-rate")
    assert deaf.last == {"speaker": 3, "pitch": -2.5, "index_rate": 1.0}
    rates = [i["index_rate"] for i in judged.items if i["speaker"] == 0]
    assert rates == [0, 0.25, 0.5, 0.75, 1]


def test_two_recordings_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two recordings are called a"):
        session([recording("a", 0.1), recording("a", 0.2)])
