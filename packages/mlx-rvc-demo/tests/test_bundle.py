import json

import mlx_rvc_demo


def test_the_bundle_is_whole():
    bundle = mlx_rvc_demo.bundle()
    recordings = [recording.path for recording in bundle.recordings]
    for path in (bundle.voice, bundle.encoder / "model.safetensors", *recordings):
        assert path.stat().st_size > 100_000
    assert json.loads((bundle.encoder / "config.json").read_text())["model_type"] == "hubert"
    assert [speaker.id for speaker in bundle.speakers] == list(range(len(bundle.speakers)))
    assert all(speaker.index is None or speaker.index.is_file() for speaker in bundle.speakers)
    assert [recording.name for recording in bundle.recordings] == ["speech", "singing"]
    assert all(len(recording.pitch) == len(bundle.speakers) for recording in bundle.recordings)


def test_the_voice_names_this_package_as_its_encoder():
    """Converters look `embedder_model` up; without it the toy voice would get ContentVec."""
    assert mlx_rvc_demo.NAME.encode() in mlx_rvc_demo.bundle().voice.read_bytes()
