"""Readers: every kind of file, conflicts between file and tensors, and what is refused by name."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import mlx_weights
from mlx_rvc_synth import SynthConfig, Synthesizer, read_voice, voicefile
from mlx_rvc_synth.config import LIST_FIELDS, config_from_list, parse_sample_rate
from mlx_rvc_synth.describing import describe, rows
from mlx_rvc_synth.shapes import recover_rates


@pytest.fixture
def content(golden):
    return mlx_weights.read_checkpoint(golden / "v1_f0.pth")


def read(content, monkeypatch, tmp_path):
    """Read a checkpoint as if torch had saved `content`."""
    path = tmp_path / "voice.pth"
    path.write_bytes(b"PK\x03\x04 stands for a file")
    monkeypatch.setattr(mlx_weights, "read_checkpoint", lambda _: content)
    return read_voice(path)


def test_small_model(golden):
    voice = read_voice(golden / "v1_f0.pth")
    assert voice.kind == "small model"
    assert (voice.config.version, voice.config.f0) == ("v1", True)  # no version: from before v2
    assert voice.config.sample_rate == 800
    assert voice.config.speakers == 3
    assert voice.origins["spk_embed_dim"] == "tensors (the config says 109)"
    assert voice.origins["upsample_rates"] == "config"
    assert all(value.dtype == np.float32 for value in voice.tensors.values())


def test_metadata_and_speaker_names(golden):
    metadata = read_voice(golden / "v2_f0.pth").metadata
    assert metadata["embedder"] == metadata["embedder_model"] == "spin"
    assert metadata["author"] == "nobody"
    assert metadata["speaker_names"] == {"0": "alto", "1": "bass"}


def test_training_checkpoint(golden):
    voice = read_voice(golden / "G_7.pth")
    assert voice.kind == "training checkpoint"
    assert voice.config.upsample_rates == (10, 10, 2, 2)
    assert voice.config.sample_rate == 40000
    assert voice.config.n_heads == 2
    assert voice.config.spec_channels == 1025
    assert not any(name.startswith("enc_q") for name in voice.tensors)
    assert voice.metadata["iteration"] == 7
    Synthesizer.from_pretrained(golden / "G_7.pth")


def test_contradictions_go_to_the_tensors(content, monkeypatch, tmp_path):
    content = {**content, "version": "v2", "f0": 0, "sr": "48k"}
    content["config"] = list(content["config"])
    content["config"][LIST_FIELDS.index("n_heads")] = 4
    voice = read(content, monkeypatch, tmp_path)
    assert voice.config.version == "v1"
    assert voice.config.f0
    assert voice.config.n_heads == 2
    assert "v2" in voice.origins["version"]
    assert "48k" in voice.origins["sample_rate"]
    assert "4" in voice.origins["n_heads"]


@pytest.mark.parametrize("name", ["v1_f0", "mrf", "refine"])
def test_the_vocoder_is_that_of_the_tensors(golden, name, monkeypatch, tmp_path):
    content = mlx_weights.read_checkpoint(golden / f"{name}.pth")
    true = {"v1_f0": "HiFi-GAN", "mrf": "MRF HiFi-GAN", "refine": "RefineGAN"}[name]
    for said in (None, "HiFi-GAN", "mrf hifi-gan", "RefineGAN"):
        content["vocoder"] = said
        voice = read(content, monkeypatch, tmp_path)
        assert voice.config.vocoder == true
        wrong = said is not None and said.lower() != true.lower()
        assert voice.origins["vocoder"] == "tensors" + wrong * f" (the file says {said})"
        shown = {row[0]: row[1:] for row in rows(describe(voice))}
        assert shown["vocoder"] == (true.replace("HiFi-GAN", "HiFi-GAN-NSF") if name == "v1_f0"
                                    else true, voice.origins["vocoder"])  # fmt: skip


def test_a_config_from_before_vocoders_had_names(v1_f0, tmp_path):
    v1_f0.voice.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    saved = json.loads(path.read_text())
    assert saved["config"].pop("vocoder") == "HiFi-GAN"
    path.write_text(json.dumps(saved))
    assert read_voice(tmp_path).config == v1_f0.config
    saved["config"]["vocoder"] = "RefineGAN"
    path.write_text(json.dumps(saved))
    with pytest.raises(ValueError, match="RefineGAN"):
        read_voice(tmp_path)


@pytest.mark.parametrize(
    ("spec", "rate", "found"),
    [(513, 24000, 24000), (1025, 48000, 48000), (None, 40000, 40000), (513, 48000, None)],
)
def test_the_rate_of_a_refinegan_without_configuration(spec, rate, found):
    tensors = {f"dec.upsample_conv_blocks.{i}.x": np.zeros(1) for i in range(4)}
    with pytest.raises(ValueError, match=r"32000 Hz or .*--sample-rate|not of 48000"):
        recover_rates({"f0": True}, tensors, 513, None if found else rate)
    if found is not None:
        assert recover_rates({"f0": True}, tensors, spec, rate).sample_rate == found


@pytest.mark.parametrize("change", [{"f0": False}, {"resblock": "2"}, {"vocoder": "x"}])
def test_vocoders_that_cannot_be(golden, change):
    config = read_voice(golden / "mrf.pth").config
    with pytest.raises(ValueError, match="MRF HiFi-GAN"):
        replace(config, **change)
    with pytest.raises(ValueError, match="needs upsample_initial_channel 128, found 16"):
        replace(config, vocoder="RefineGAN")


def test_rates_that_cannot_be(content, monkeypatch, tmp_path):
    content["config"] = [*content["config"][:-1], 48000]
    with pytest.raises(ValueError, match="samples a frame"):
        read(content, monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "voras_beta"}, "voras_beta"),
        ({"vocoder": "RingFormer"}, "RingFormer; supported are HiFi-GAN, MRF HiFi-GAN, RefineGAN"),
        (
            {"weight": {"dec.mrfs.0.x": np.zeros(1), "enc_p.x": np.zeros(1)}},
            r"enc_p\..* is missing",
        ),
        ({"weight": {"unet.encoder.bn.weight": np.zeros(1)}}, "RMVPE"),
        ({"weight": {"feature_extractor.conv": np.zeros(1)}}, "content encoder"),
        ({"weight": {"something.else": np.zeros(1)}}, "no RVC voice"),
        ({"config": [1, 2, 3]}, "3 values"),
        ({"config": "v1"}, "expected RVC's list"),
    ],
)
def test_refused_by_name(content, change, message, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        read({**content, **change}, monkeypatch, tmp_path)
    assert "voice.pth" in str(caught.value)
    assert "\n" not in str(caught.value)


ODD = "a\n\x1b[2J\x7f"


@pytest.mark.parametrize(
    "change",
    [
        {ODD: 1},
        {"a" * 100_000: 1},
        {"weight": {ODD: np.zeros(1)}},
        {"weight": {"enc_p." + ODD: np.zeros(1)}},
        {"weight": {"a" * 100_000: np.zeros(1)}},
        {"version": "voras" + ODD * 1000},
        {"vocoder": ODD},
    ],
)
def test_a_files_own_words_break_no_line(content, change, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"voice\.pth") as caught:
        read({**content, **change}, monkeypatch, tmp_path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300


def test_entries_of_a_shared_config_break_no_line(content, tmp_path):
    path = tmp_path / "sam.safetensors"
    tensors = {name: np.ascontiguousarray(value) for name, value in content["weight"].items()}
    save_file(tensors, path)
    entries = {ODD: {}} | {f"voice {i}": {} for i in range(1000)}
    (tmp_path / "config.json").write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="none fits this name") as caught:
        read_voice(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_discriminators_and_optimizers(golden, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"discriminator of v2.*G_\*\.pth"):
        read_voice(golden / "D_7.pth")
    with pytest.raises(ValueError, match="optimizer"):
        read({"optimizer": {}, "iteration": 3}, monkeypatch, tmp_path)
    with pytest.raises(ValueError, match="list"):
        read([1, 2], monkeypatch, tmp_path)


def test_other_files(tmp_path):
    index = tmp_path / "added.index"
    index.write_bytes(b"IwFl" + bytes(600))
    with pytest.raises(ValueError, match="faiss index"):
        read_voice(index)
    pack = tmp_path / "pack.pth"
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("voice.txt", "no tensors here")
    with pytest.raises(ValueError, match=r"pack\.pth"):
        read_voice(pack)
    with pytest.raises(ValueError, match="does not exist"):
        Synthesizer.from_pretrained(tmp_path / "none.pth")


def test_missing_tensor_is_named(content, monkeypatch, tmp_path):
    weight = {k: v for k, v in content["weight"].items() if k != "emb_g.weight"}
    with pytest.raises(ValueError, match=r"emb_g\.weight"):
        read({**content, "weight": weight}, monkeypatch, tmp_path)


def test_unknown_upsampling_without_config(content, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"no published one.*small model"):
        read({"model": content["weight"]}, monkeypatch, tmp_path)


def test_folders(golden, tmp_path):
    voice = tmp_path / "mine.pth"
    voice.write_bytes((golden / "v1_f0.pth").read_bytes())
    assert read_voice(tmp_path).path == voice
    (tmp_path / "other.pth").write_bytes(voice.read_bytes())
    with pytest.raises(ValueError, match=r"mine\.pth, other\.pth"):
        read_voice(tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_saved_and_read_again(v1_f0, tmp_path, dtype):
    v1_f0.voice.save_pretrained(tmp_path / "out", dtype=dtype)
    again = Synthesizer.from_pretrained(tmp_path / "out")
    assert again.config == v1_f0.config
    assert again.metadata == v1_f0.voice.metadata
    first, second = (
        np.asarray(voice.infer(v1_f0.phone, v1_f0.f0, noise=v1_f0.noise))
        for voice in (v1_f0.voice, again)
    )
    assert np.abs(first - second).max() <= (0 if dtype == "float32" else 3e-3)


def test_saved_config_is_strict(v1_f0, tmp_path):
    with pytest.raises(ValueError, match="float64"):
        v1_f0.voice.save_pretrained(tmp_path, dtype="float64")
    v1_f0.voice.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    saved = json.loads(path.read_text())
    saved["config"]["colour"] = "blue"
    path.write_text(json.dumps(saved))
    with pytest.raises(ValueError, match="colour"):
        read_voice(tmp_path)
    path.write_text(json.dumps({**saved, "format_version": 99}))
    with pytest.raises(ValueError, match="99"):
        read_voice(tmp_path)


def test_config_lists():
    values = list(range(18))
    values[9], values[-1] = 1, "44.1k"
    named = config_from_list(values)
    assert (named["resblock"], named["sample_rate"]) == ("1", 44100)
    fork = [*values[:17], 768, 40000]  # the width of the features before the rate
    assert config_from_list(fork)["gin_channels"] == 16
    assert config_from_list(fork)["sample_rate"] == 40000


@pytest.mark.parametrize(("text", "hertz"), [("40k", 40000), (40000, 40000), ("40000", 40000)])
def test_sample_rates(text, hertz):
    assert parse_sample_rate(text) == hertz


@pytest.mark.parametrize("text", ["fast", None, True, -1, "0.00001k"])
def test_no_sample_rates(text):
    with pytest.raises(ValueError, match="sample rate"):
        parse_sample_rate(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resblock": "3"}, "resblock"),
        ({"n_heads": 0}, "n_heads"),
        ({"upsample_rates": (4, 4)}, "samples a frame"),
        ({"upsample_kernel_sizes": (8,)}, "upsample_kernel_sizes"),
        ({"resblock_kernel_sizes": (4, 7)}, "odd"),
        ({"resblock_kernel_sizes": (), "resblock_dilation_sizes": ()}, "empty"),
        ({"upsample_initial_channel": 6}, "halved"),
        ({"inter_channels": 7}, "even"),
        ({"version": "v3"}, "v3"),
    ],
)
def test_impossible_configurations(v1_f0, change, message):
    with pytest.raises(ValueError, match=message):
        SynthConfig.from_dict({**v1_f0.config.to_dict(), **change})


@pytest.mark.parametrize(
    "change", [{"a\n\x1b" * 1000: 1}, {"n_heads": "\n" * 1000}, {"version": "x" * 1000}]
)
def test_a_configurations_own_words_break_no_line(v1_f0, change):
    with pytest.raises(ValueError, match=r"unknown|must be") as caught:
        SynthConfig.from_dict(v1_f0.config.to_dict() | change)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 800


def test_config_round_trip(v1_f0):
    config = v1_f0.config
    assert SynthConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config_from_list(config.to_list())["upsample_rates"] == [4, 2]
    with pytest.raises(ValueError, match="incomplete"):
        SynthConfig.from_dict({})


def test_format_name_is_not_anybody_elses(tmp_path, v1_f0):
    v1_f0.voice.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["format"] == voicefile.FORMAT


def test_safetensors_with_a_configuration_in_its_header(golden, content, tmp_path):
    """Hugging Face RVC's: torch's layout and names, JSON texts as metadata."""
    from safetensors.numpy import save_file

    texts = {
        "config_json": json.dumps(content["config"]),
        "speaker_info_json": json.dumps([{"id": 0, "name": "alto"}]),
        "model_name": "toy",
        "version": "v1",
    }
    save_file(dict(content["weight"]), tmp_path / "model.safetensors", metadata=texts)
    voice = read_voice(tmp_path)
    expected = read_voice(golden / "v1_f0.pth")
    assert voice.config == expected.config
    assert voice.metadata["speaker_names"] == {"0": "alto"}
    assert all(np.array_equal(voice.tensors[k], v) for k, v in expected.tensors.items())
