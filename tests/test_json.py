"""What commands print with --json, against the schemas in docs/json; each runs once, on toys."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import json_docs
import numpy as np
import pytest
import soundfile
import weights_hub
from jsonschema import Draft202012Validator

import mlx_rvc_demo
from mlx_rvc_cli.host import _application, main
from mlx_weights.testing import LocalHub

ROOT = Path(__file__).parents[1]
SPEECH = ROOT / "tests/audio/librivox_austen_0930.flac"
GOLDEN = ROOT / "packages/mlx-rvc-synth/tests/golden"
SCHEMAS = json_docs.schemas()
NO_COMMANDS = {"error", "batch-manifest"}


def leaves(command, path=()):
    """Every command below `command` by its path, as its schema's file is named."""
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from leaves(child, (*path, name))
        else:
            yield "-".join((*path, name)), child


def nodes(schema, path=""):
    """Every schema within a schema, with its path; what a $ref names is met in $defs."""
    if "$ref" in schema:
        return
    yield path, schema
    for kind in ("properties", "$defs"):
        for name, field in schema.get(kind, {}).items():
            yield from nodes(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from nodes(schema[name], path)
    for kind in schema.get("oneOf", ()):
        yield from nodes(kind, path)


def test_every_command_that_prints_json_has_a_schema():
    found = {
        name
        for name, command in leaves(_application())
        if any("--json" in param.opts for param in command.params)
    }
    assert set(SCHEMAS) == found | NO_COMMANDS and len(found) > 25


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_explains_every_field(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    for path, field in nodes(SCHEMAS[name]):
        assert field["description"].endswith((".", "...")), path
        numeric = {"number", "integer"} & set(np.atleast_1d(field.get("type", "object")))
        assert ("unit" in field) == bool(numeric), f"{path} has no unit, or one too many"
        if "properties" in field:
            free = path.endswith(".details")  # of MLX's device: its own names
            assert field["additionalProperties"] is free, path
        _check_unit(path.rpartition(".")[2], path, field.get("unit"))


def _check_unit(name, path, unit):
    """The name tells the unit, so that nobody needs to look."""
    timed = name.endswith("_s") or ".stages_s." in path
    assert (unit == "s") == (timed and name != "stages_s"), path
    assert (unit == "Hz") == (name.endswith("_hz") or name == "sample_rate"), path
    assert (unit == "semitones") == name.endswith("_semitones"), path
    assert (unit == "bytes") == name.endswith("bytes"), path
    assert (unit == "ns") == name.endswith("_ns"), path


def test_one_name_has_one_unit_in_all_commands():
    units = {}
    for command, schema in SCHEMAS.items():
        for path, field in nodes(schema):
            unit = field.get("unit")
            first = units.setdefault(path.rpartition(".")[2], (unit, command))
            if unit is not None and first[0] is not None:
                assert unit == first[0], f"{path} of {command}, and of {first[1]}"


def test_the_page_is_what_the_schemas_say():
    assert (json_docs.FOLDER / "README.md").read_text() == json_docs.page(), (
        "run python tools/json_docs.py"
    )


# --- real outputs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each command printed, by its name, and the lines of the batch's manifest."""
    folder = tmp_path_factory.mktemp("json")
    printed = {}

    def run(command, *arguments, status=0, name=None):
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            found = main([*command.split("-"), *map(str, arguments), "--json"])
        assert found == status, err.getvalue()
        printed.setdefault(name or command, []).append(json.loads(out.getvalue()))

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("VOICES", "PRESETS"):
            patch.setenv(f"MLX_RVC_{name}", str(folder / name))
        speech, rate = soundfile.read(SPEECH, frames=8000)
        pause = 1e-4 * np.random.default_rng(0).standard_normal(24000)  # for --clean, and silence
        soundfile.write("me.wav", np.concatenate([speech, pause]), rate)
        vectors = np.random.default_rng(0).standard_normal((400, 192), dtype=np.float32)
        np.save("vectors.npy", vectors)
        _run_index(run)
        _run_voices(run)
        _run_synth(run)
        _run_conversions(run, patch)
        with weights_hub.serve(folder / "here", patch):
            _run_weights(run, patch, folder)
        _run_push(run, patch, folder)
        _run_verify(run, patch)
    lines = (folder / "album" / "mlx-rvc-batch.jsonl").read_text().splitlines()
    printed["batch-manifest"] = [json.loads(line) for line in lines]
    return printed


def _run_index(run):
    run("index-build", "vectors.npy", "-o", "added_sam.index", "--vectors")
    run("index-info", "added_sam.index")
    run("index-convert", "added_sam.index", "copy.npy")
    run("index-convert", "copy.npy", "copy.index")


def _run_voices(run):
    voice = mlx_rvc_demo.bundle().voice
    run("voices-add", voice, "--name", "sam", "--index", "added_sam.index")
    run("voices-add", voice)
    run("voices-preset", "sam", "--set", "pitch=3", "--set", "f0_method=dio", "--set", "seed=1")
    run("voices-show", "sam")
    Path("VOICES", "bad").mkdir()
    Path("VOICES", "bad", "voice.json").write_text("{")
    run("voices-list")
    run("voices-check", status=1)
    run("voices-show", "nobody", status=1, name="error")


def _run_synth(run):
    run("info", "demo")
    run("info", GOLDEN / "v2_f0.pth")
    run("export", "sam", "v.safetensors", "--index", "added_sam.index")
    run("info", "v.safetensors")
    run("blend", f"{GOLDEN / 'v2_f0.pth'}:3", f"{GOLDEN / 'v2_f0.pth'}:1", "-o", "blend.pth")
    run("extract", GOLDEN / "G_7.pth", "-o", "extracted.pth")


def _run_conversions(run, patch):
    more = ["--model", "sam", "--auto-pitch", "200", "--split-silence", "-60", "--clean", "0.5"]
    run("convert", "me.wav", "out.opus", *more, "--sample-rate", "44100", "--formant", "1")
    run("convert", "me.wav", "out.wav", "--model", "demo", "--f0-method", "dio", "--plot", "p.png")
    Path("broken.wav").write_text("no recording")
    Path("in").mkdir()
    Path("in", "notes.txt").write_text("takes")
    batch = ["batch", "me.wav", "in", "--out", "album", "--model", "sam", "--protect", "0.2"]
    run(*batch)
    run(*batch, "broken.wav", status=1)
    run("batch", "--nonsense", status=2, name="error")
    run("voices-rename", "sam", "samantha")
    run("voices-remove", "samantha", "--yes")
    run("plot", "me.wav", "-o", "one.png", "--f0-method", "dio")
    run("f0", "me.wav", "--method", "dio")
    run("f0", "me.wav", "f0.csv", "--method", "dio,swift-f0")
    run("features", "me.wav", "features.npy", "--contentvec", mlx_rvc_demo.bundle().encoder)
    bundle = mlx_rvc_demo.bundle()  # with two seconds in place of seven
    short = [replace(recording, path=Path("me.wav")) for recording in bundle.recordings]
    patch.setattr(mlx_rvc_demo, "bundle", lambda: replace(bundle, recordings=tuple(short)))
    run("demo")
    run("doctor")


def _run_weights(run, patch, folder):
    run("weights-verify", "rmvpe", status=1)
    run("weights-fetch")
    run("weights-list")
    run("weights-verify")
    run("weights-pack", "pack.zip")
    weights_hub.use_caches(patch, folder / "there")
    run("weights-unpack", "pack.zip")


def _run_push(run, patch, folder):
    from huggingface_hub import constants

    patch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # read when it was imported
    with LocalHub({}) as hub:
        hub.tokens["hf_test"] = ("me",)
        weights_hub.use_caches(patch, folder / "pushing")
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_TOKEN", "hf_test")
        voice, sure = GOLDEN / "v2_f0.pth", "--yes-i-have-the-rights"
        run("export", voice, "--push", "me/voice", sure)
        run("export", voice, "both", "--push", "me/voice", sure, "--overwrite")


def _run_verify(run, patch):
    """With rows that a comparison gives: PyTorch is not here, and parity tests it."""
    from mlx_rvc_verify import verification
    from mlx_rvc_verify.verdict import judge, not_compared

    theirs = np.random.default_rng(0).standard_normal((1, 20, 8))
    rows = (
        judge("enc_p", theirs, theirs, seconds=(0.1, 0.2)),
        judge("flow", theirs + 1, theirs),
        not_compared("rmvpe", "weights not here"),
    )
    for rows_ in (rows, rows[:1]):
        found = verification.Verification("voice.pth", {"noise": "normal, seed 0"}, rows_)
        patch.setattr(verification, "verify", lambda *_, found=found, **__: found)
        run("verify", "voice.pth", status=0 if found.passed else 1)


@pytest.mark.parametrize("name", SCHEMAS)
def test_real_outputs_are_what_the_schema_says(outputs, name):
    validator = Draft202012Validator(SCHEMAS[name])
    for output in outputs[name]:
        validator.validate(output)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_more_and_a_field_less_do_not_pass(outputs, name):
    """The schema says something: wherever its fields are fixed they are all there, and no other."""
    validator = Draft202012Validator(SCHEMAS[name])
    for output in outputs[name]:
        assert not validator.is_valid({**output, "surplus": 1})
        for field in output:
            assert not validator.is_valid({k: v for k, v in output.items() if k != field}), field
        for broken in _misnamed(output):
            assert not validator.is_valid(broken)


def _misnamed(output):
    """The output with a field of an object in it misnamed, for some known fields."""
    text = json.dumps(output)
    for field in ("frames_outside_voice_range", "sha256", "median_hz", "share", "n_heads", "from"):
        if f'"{field}": ' in text:
            yield json.loads(text.replace(f'"{field}": ', f'"{field}_": ', 1))


def test_every_outcome_was_met(outputs):
    """The outputs above hold what they were made for, also what is rare."""
    (first, second), lines = outputs["batch"], outputs["batch-manifest"]
    assert [each["status"] for each in second["recordings"]] == ["skipped", "failed"]
    assert first["done"] == 1 and first["passed_over"][0]["reason"] == "not audio"
    assert [line.get("event", line.get("status")) for line in lines] == [
        *("start", "done", "end", "start", "skipped", "failed", "end"),
    ]
    snapped, drawn = outputs["convert"]
    assert snapped["notes"] and snapped["auto_pitch_semitones"] is not None
    assert {"cleaning", "silence", "formant", "resampling"} <= set(snapped["stages_s"])
    assert snapped["settings"]["pitch"] == {"value": 3, "from": "preset of the voice sam"}
    assert drawn["picture"] == "p.png" and drawn["voice"] is None
    assert [added["new"] for added in outputs["voices-add"]] == [True, False]
    assert [set(voice) >= {"error"} for voice in outputs["voices-list"][0]["voices"]] == [
        *(True, False),
    ]
    assert [check["well"] for check in outputs["weights-verify"]] == [False, True]
    assert outputs["info"][2]["index_vectors"] == 400
    assert len(outputs["weights-unpack"][0]["files"]) == 3
    assert outputs["demo"][0]["duration_s"] == 2
    written, pushed, both = outputs["export"]
    assert written["pushed"] is None and pushed["output"] is None
    assert both["output"] == "both" and both["pushed"]["repository"] == "me/voice"
    assert {finding["name"] for finding in outputs["doctor"][0]["findings"]} >= {"self-test", "mlx"}
    assert len(outputs["error"]) == 2 and all(outputs["error"])
