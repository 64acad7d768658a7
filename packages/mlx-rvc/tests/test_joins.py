"""Where pieces meet, with real models that look further than a piece's context: the demo voice."""

import numpy as np
import pytest
import soundfile

import mlx_rvc_demo
from mlx_rvc import RVCPipeline, chunks
from mlx_rvc.recording import prepare
from mlx_rvc_synth import Noise

SECONDS = 16
HALF = 80  # samples: a piece fades into the next over 5 ms on either side of a cut


@pytest.fixture(scope="module")
def speech():
    audio, rate = soundfile.read(mlx_rvc_demo.bundle().recordings[0].path, dtype="float32")
    assert rate == 16000
    return np.resize(audio, SECONDS * rate)


@pytest.fixture(scope="module")
def convert(speech):
    """A function: cuts, in samples, to the conversion, always with the same noise."""
    pipeline = RVCPipeline.from_pretrained("demo")
    config = pipeline.synthesizer.config
    everywhere = Noise.normal(config, (SECONDS + 3) * 100, seed=0)
    latent, source = np.array(everywhere.latent), np.array(everywhere.source)

    def convert(cuts):
        def noise(number, frames):
            first = [0, *cuts][number] // chunks.HOP
            part = slice(first * config.hop, (first + frames) * config.hop)
            return Noise(latent[:, first : first + frames], source[:, part])

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chunks, "quiet_points", lambda audio, _: cuts)
            return pipeline.convert_array(speech, 16000, rms_mix_rate=1.0, noise=noise)[0]

    return convert


@pytest.fixture(scope="module")
def whole(convert):
    return convert([])


def levels(audio):
    """Level in dB of the 10 ms around each sample."""
    return 10 * np.log10(np.convolve(audio**2, np.ones(160) / 160, "same") + 1e-10)


def test_in_quiet_points_pieces_meet_far_below_the_speech(speech, convert, whole):
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in (("CENTER", 6), ("QUERY", 2), ("LONGEST", 7)):
            patch.setattr(chunks, name, seconds * 16000)
        cuts = chunks.quiet_points(prepare(speech))
    assert len(cuts) == 2
    cut = convert(cuts)
    for at in cuts:
        around = slice(at - 4 * HALF, at + 4 * HALF)
        assert levels(cut)[around].max() < levels(whole).max() - 20
        assert levels(cut)[around].max() < levels(whole)[around].max() + 1
        assert np.abs(cut - whole)[around].max() < 0.02
    # The encoder hears less context and the sine source starts anew; the loudness stays.
    voiced = levels(whole) > -50
    difference = np.abs(levels(cut) - levels(whole))[voiced]
    assert np.median(difference) < 0.6
    assert cut.std() == pytest.approx(whole.std(), rel=0.03)
