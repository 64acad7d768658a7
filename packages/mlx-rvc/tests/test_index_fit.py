"""An index of another encoder of the same width is noticed, the voice's own is not."""

import numpy as np
import pytest
import soundfile

import mlx_rvc_demo
from mlx_contentvec import ContentvecModel
from mlx_rvc import RVCPipeline
from mlx_rvc.index_fit import FAR, closeness, notes
from mlx_rvc_index import FeatureIndex

BUNDLE = mlx_rvc_demo.bundle()


@pytest.fixture(scope="module")
def recording():
    return soundfile.read(BUNDLE.recordings[0].path, dtype="float32")


@pytest.fixture(scope="module")
def features(recording):
    return np.asarray(ContentvecModel.from_pretrained(BUNDLE.encoder).extract(recording[0]))[0]


@pytest.fixture(scope="module")
def foreign(features, tmp_path_factory):
    """Another encoder's index: the demo's, turned, as another training could have ended."""
    vectors = FeatureIndex.load(BUNDLE.speakers[0].index).vectors()
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((192, 192)))[0]
    path = tmp_path_factory.mktemp("index") / "foreign.npy"
    np.save(path, (vectors @ turn).astype(np.float32))
    return path


@pytest.mark.parametrize("speaker", [0, 1])
def test_the_voices_own_index_is_near(features, speaker):
    index = FeatureIndex.load(BUNDLE.speakers[speaker].index)
    assert closeness(index, features)[0] < 0.6


def test_another_encoders_index_is_as_far_as_anything(features, foreign):
    assert closeness(FeatureIndex.load(foreign), features)[0] > FAR


def test_noise_does_not_raise_the_alarm():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.1
    encoder = ContentvecModel.from_pretrained(BUNDLE.encoder)
    for level in (1.0, 1e-4):
        found = np.asarray(encoder.extract(level * noise))[0]
        assert closeness(FeatureIndex.load(BUNDLE.speakers[0].index), found)[0] < FAR


def test_few_frames_and_other_kinds_of_index_are_not_judged(features):
    assert closeness(FeatureIndex.load(BUNDLE.speakers[0].index), features[:10]) == []
    assert closeness(object(), features) == []
    assert notes([]) == () and notes([1.0, 0.5]) == ()


def test_the_summary_says_it(recording, foreign, tmp_path):
    source = tmp_path / "in.wav"
    soundfile.write(source, recording[0][:32000], recording[1])
    said = {}
    for name, index in (("own", BUNDLE.speakers[0].index), ("foreign", foreign)):
        pipeline = RVCPipeline.from_pretrained("demo", index=index)
        output = tmp_path / f"{name}.wav"
        result = pipeline.convert(
            input_path=source, output_path=output, f0_method="dio", index_rate=0.5
        )
        said[name] = " ".join(result.notes)
    assert "another content encoder" in said["foreign"] and "encoder" not in said["own"]
