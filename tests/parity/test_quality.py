"""The quality benchmark's figures against mir_eval and jiwer."""

import jiwer
import mir_eval
import numpy as np
import pytest
from listening.melody import Curve, Melody
from listening.words import Mistakes


@pytest.mark.parametrize("seed", range(5))
def test_a_melody_is_judged_as_by_mir_eval(seed):
    rng = np.random.default_rng(seed)
    wanted = Curve(200 * 2 ** rng.uniform(-1, 1, 400), rng.random(400) < 0.7)
    moved = wanted.f0_hz * 2 ** (rng.normal(0, 60, 400) / 1200)
    found = Curve(moved, rng.random(400) < 0.6)

    def signed(curve):  # mir_eval's way to write a guess at an unvoiced frame
        return np.where(curve.voiced, curve.f0_hz, -curve.f0_hz)

    times = np.arange(400) * 0.016
    theirs = mir_eval.melody.evaluate(times, signed(wanted), times, signed(found))
    ours = Melody.of(wanted, found)
    assert ours.accuracy == pytest.approx(theirs["Raw Pitch Accuracy"])
    assert ours.missed == pytest.approx(1 - theirs["Voicing Recall"])
    assert ours.added == pytest.approx(theirs["Voicing False Alarm"])


def test_mistakes_are_counted_as_by_jiwer():
    rng = np.random.default_rng(0)
    vocabulary = ["he", "had", "then", "leisure", "to", "consider", "how", "much", "be"]
    for _ in range(50):
        text, heard = (" ".join(rng.choice(vocabulary, rng.integers(1, 12))) for _ in range(2))
        found = Mistakes.of(text, heard)
        assert found.wrong_words / found.words == pytest.approx(jiwer.wer(text, heard))
        assert found.wrong_characters / found.characters == pytest.approx(jiwer.cer(text, heard))
