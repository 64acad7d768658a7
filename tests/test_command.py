"""The command as a user meets it: files in, files out, one line when something is wrong."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av
import faiss
import numpy as np
import pytest
import soundfile

import mlx_rvc_demo
from mlx_rvc_cli import host
from mlx_rvc_cli.audio import AudioReader
from mlx_rvc_cli.host import main
from mlx_rvc_voices import Library

AUDIO = Path(__file__).parent / "audio"
SPEECH = AUDIO / "librivox_austen_0930.flac"


@pytest.mark.parametrize(
    ("recording", "speaker", "samples"),
    [("speech", 0, 113600), ("speech", 1, 113600), ("singing", 1, 195165)],
)
def test_demo_converts_without_any_download(
    tmp_path, capsys, monkeypatch, recording, speaker, samples
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    assert main(["demo", "--recording", recording, "--speaker", str(speaker), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    audio, rate = soundfile.read(tmp_path / "mlx-rvc-demo.wav")
    assert (len(audio), rate) == (samples, 16000)
    assert summary["duration_s"] == pytest.approx(samples / 16000, abs=0.01)
    assert 0.01 < np.std(audio) < 0.3
    assert (tmp_path / "mlx-rvc-demo.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_convert_writes_the_format_of_the_extension(tmp_path, capsys, extension):
    output = tmp_path / f"out.{extension}"
    arguments = [str(SPEECH), str(output), "--model", "demo", "--f0-method", "dio"]
    assert main(["convert", *arguments, "--pitch", "9.5", "--speaker", "1", "--seed", "3"]) == 0
    assert "of real time" in capsys.readouterr().out
    info = soundfile.info(output)
    assert info.samplerate == 16000
    assert info.duration == pytest.approx(soundfile.info(SPEECH).duration, abs=0.1)
    assert list(tmp_path.iterdir()) == [output]


def video(path, audio=None, rate=16000):
    """A video of a second, with a sound track (samples, 2) or without one."""
    with av.open(str(path), "w", format="mp4") as container:
        container.metadata["title"] = "A clip"
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = None if audio is None else container.add_stream("aac", rate=rate, layout="stereo")
        for i in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            frame.pts = i
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.T), "fltp", "stereo")
            frame.sample_rate, frame.pts = rate, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))


def test_a_video_s_hard_left_voice_becomes_an_m4a_hard_left_with_its_title(tmp_path, capsys):
    speech, rate = soundfile.read(SPEECH, frames=32000, dtype="float32")
    video(tmp_path / "in.mp4", np.stack([speech, np.zeros_like(speech)], axis=1), rate)
    arguments = [str(tmp_path / "in.mp4"), str(tmp_path / "out.m4a"), "-m", "demo", "--seed", "1"]
    options = ["--f0-method", "dio", "--keep-stereo", "--keep-tags", "--sample-rate", "40000"]
    assert main(["convert", *arguments, *options, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["notes"] == [".m4a holds no 40000 Hz: written at 44100 Hz"]
    assert summary["duration_s"] == pytest.approx(2.0, abs=0.001)
    with AudioReader(tmp_path / "out.m4a", tags=True) as reader:
        audio = np.concatenate(list(reader))
        assert reader.tags is not None and reader.tags.text == {"title": "A clip"}
    assert audio.shape == (round(summary["duration_s"] * 44100), 2)
    assert np.std(audio[:, 0]) == pytest.approx(np.std(speech), rel=0.3)
    assert np.abs(audio[:, 1]).max() < 1e-4
    assert main(["convert", *arguments, *options]) == 0
    assert "; .m4a holds no 40000 Hz: written at 44100 Hz" in capsys.readouterr().out


def test_audio_goes_through_the_command_in_pipes(tmp_path):
    """In a process of its own, whose standard streams are pipes; its words go to stderr."""
    speech, rate = soundfile.read(SPEECH, frames=16000, dtype="int16")
    soundfile.write(tmp_path / "in.wav", speech, rate)
    command = [sys.executable, "-m", "mlx_rvc_cli", "convert", "-", "-", "--model", "demo"]
    run = subprocess.run(
        [*command, "--f0-method", "dio", "--json"],
        input=(tmp_path / "in.wav").read_bytes(),
        capture_output=True,
        check=True,
    )
    audio, found = soundfile.read(io.BytesIO(run.stdout))
    assert (len(audio), found) == (16000, 16000) and np.std(audio) > 0.01
    words = run.stderr.decode()
    assert json.loads(words[words.index("{") :])["output"] == "-"  # after lines of progress, if any


def test_convert_with_the_demo_voice_needs_no_download(tmp_path, capsys, monkeypatch):
    """Its F0 method ships; other voices take RMVPE, and the error names what works offline."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("MLX_RMVPE", raising=False)
    arguments = ["convert", str(SPEECH), str(tmp_path / "out.wav"), "--model", "demo", "--json"]
    assert main([*arguments, "--pitch", "-2"]) == 0
    assert json.loads(capsys.readouterr().out)["frames_outside_voice_range"] == 0
    assert main([*arguments, "--pitch", "48"]) == 0
    assert json.loads(capsys.readouterr().out)["frames_outside_voice_range"] > 100
    assert main([*arguments[:-1], "--pitch", "48"]) == 0
    assert "outside the 50 to 1100 Hz that RVC voices tell apart" in capsys.readouterr().out
    assert main([*arguments, "--f0-method", "rmvpe"]) != 0
    error = capsys.readouterr().err
    assert "works offline: crepe-tiny, dio, fcpe, harvest, pm, swift-f0" in error


def test_convert_with_every_control(tmp_path, capsys):
    """A speaker by name, at its own pitch, on notes, with other formants; silence left out."""
    output = tmp_path / "out.wav"
    recording = tmp_path / "in.wav"
    speech, rate = soundfile.read(SPEECH)
    soundfile.write(recording, np.concatenate([speech, np.zeros(5 * rate), speech]), rate)
    arguments = ["convert", str(recording), str(output), "-m", "demo", "--speaker", "SLT"]
    arguments += ["--auto-pitch", "voice", "--auto-pitch-step", "octave", "--autotune", "0.5"]
    arguments += ["--autotune-scale", "C major", "--formant", "2", "--split-silence", "-60"]
    arguments += ["--clean", "0.3", "--volume-envelope", "0.5", "--chunk-seconds", "10"]
    assert main([*arguments, "--seed", "1", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["speaker"] == 1 and summary["auto_pitch_semitones"] == 12
    assert 4 < summary["silence_s"] < 7
    assert {"cleaning", "silence", "formant", "envelope"} <= set(summary["stages_s"])
    info = soundfile.info(output)
    assert info.frames == round(soundfile.info(recording).duration * info.samplerate)
    audio, rate = soundfile.read(output)
    assert 0.01 < np.std(audio) < 0.3 and not audio[len(audio) // 2 - rate : len(audio) // 2].any()


def test_quiet_and_verbose(tmp_path, capsys):
    arguments = ["convert", str(SPEECH), str(tmp_path / "out.wav"), "-m", "demo", "--f0-method"]
    assert main([*arguments, "dio", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "") and (tmp_path / "out.wav").exists()
    assert main([*arguments, "dio", "--quiet", "--pitch", "99"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "pitch is 99" in said.err
    assert main([*arguments, "dio", "--verbose"]) == 0
    said = capsys.readouterr()
    stages = [line.split(":")[0] for line in said.err.splitlines()]
    assert stages == ["preparation", "loading", "f0", "content", "voice", "envelope", "writing"]
    assert all(line.endswith(" s") for line in said.err.splitlines())


def test_convert_with_rmvpe_and_an_index(tmp_path, capsys):
    """The default F0 method with its own file, and an index made by faiss for the demo's width."""
    rng = np.random.default_rng(0)
    index = faiss.index_factory(192, "IVF4,Flat")
    vectors = rng.standard_normal((400, 192)).astype(np.float32)
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "added_demo.index"))
    weights = AUDIO.parents[1] / "packages/mlx-rmvpe/tests/golden/toy_rmvpe.pt"
    outputs = []
    for rate in ("0", "1"):
        output = tmp_path / f"{rate}.wav"
        arguments = [str(SPEECH), str(output), "--model", "demo", "--rmvpe", str(weights)]
        arguments += ["--index", str(tmp_path / "added_demo.index"), "--index-rate", rate]
        assert main(["convert", *arguments, "--seed", "1", "--json"]) == 0
        assert ("index" in json.loads(capsys.readouterr().out)["stages_s"]) == (rate == "1")
        outputs.append(soundfile.read(output)[0])
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.wav", "out.wav", "--model", "demo"], "missing.wav: no such file"),
        (["text.wav", "out.wav", "--model", "demo"], "text.wav"),
        (["text.wav", "./text.wav", "--model", "demo"], "the same file"),
        (["SPEECH", "out.xyz", "--model", "demo"], "out.xyz"),
        (["SPEECH", "nowhere/out.wav", "--model", "demo"], "nowhere"),
        (["SPEECH", "out.wav", "--model", "missing.pth"], "missing.pth"),
        (["SPEECH", "out.wav", "--model", "page.pth"], "web page"),
        (["SPEECH", "out.wav", "--model", "demo", "--protect", "0.9"], "protect is 0.9"),
        (["SPEECH", "out.wav", "--model", "demo", "--pitch", "99"], "pitch is 99"),
        (
            ["SPEECH", "out.wav", "--model", "demo", "--speaker", "7"],
            "speaker is 7; this voice has 0 = ",
        ),
        (["SPEECH", "out.wav", "--model", "demo", "--f0-method", "yin"], "'yin' is unknown"),
        (["SPEECH", "out.wav", "--model", "demo", "--f0-file", "text.wav"], "text.wav, line 1"),
        (
            ["SPEECH", "out.wav", "-m", "demo", "--save-f0", "out.wav"],
            "F0 would be written to out.wav",
        ),
        (["SPEECH", "out.wav", "--model", "demo", "--index", "page.pth"], "page.pth"),
        (
            ["SPEECH", "out.wav", "-m", "demo", "--rmvpe", "x.pt", "--f0-method", "dio"],
            "the F0 method is dio",
        ),
        (["SPEECH", "out.mp3", "-m", "demo", "--bit-depth", "24"], ".mp3 has no bit depth"),
        (["SPEECH", "out.flac", "-m", "demo", "--bit-depth", "32"], "cannot hold 32 bits"),
        (["SPEECH", "out.wav", "-m", "demo", "--keep-stereo"], "this one has 1; leave out"),
        (["SPEECH", "-", "-m", "demo", "--keep-tags"], "tags cannot go to standard output"),
        (["silent.mp4", "out.wav", "-m", "demo"], "silent.mp4 is a video without sound"),
        (
            ["SPEECH", "out.wav", "-m", "demo", "--speaker", "anna"],
            "speaker is 'anna'; this voice has 0 = ",
        ),
        (["SPEECH", "out.wav", "-m", "demo", "--auto-pitch", "low"], "auto pitch is 'low'"),
        (
            ["SPEECH", "out.wav", "-m", "demo", "--auto-pitch-step", "octave"],
            "there is no auto pitch",
        ),
        (["SPEECH", "out.wav", "-m", "demo", "--autotune", "1", "--autotune-scale", "C"], "C"),
        (["SPEECH", "out.wav", "-m", "demo", "--formant", "20"], "formant is 20"),
        (["SPEECH", "out.wav", "-m", "demo", "--chunk-seconds", "1"], "chunk length is 1"),
        (["SPEECH", "out.wav", "-m", "demo", "--split-silence", "3"], "-90 to -10 dB"),
        (["SPEECH", "out.wav", "-m", "demo", "--clean", "7"], "clean is 7"),
        (["SPEECH", "out.wav", "-m", "demo", "--quiet", "--verbose"], "contradict each other"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("page.pth").write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    Path("text.wav").write_text("this is no audio")
    video("silent.mp4")
    before = sorted(tmp_path.iterdir())
    arguments = [str(SPEECH) if argument == "SPEECH" else argument for argument in arguments]
    assert main(["convert", *arguments]) != 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1 and words in said.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--speaker", "2"], "speaker is 2; this voice has 0 = "),
        (["--recording", "opera"], "recording is 'opera'; the bundle has speech, singing"),
        (["-"], "the demo draws a picture beside its output, which is -; name a file"),
    ],
)
def test_what_the_demo_does_not_have_is_one_line(tmp_path, capsys, monkeypatch, option, words):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *option]) != 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and words in said.err
    assert list(tmp_path.iterdir()) == []


def test_without_network_the_missing_file_is_named(tmp_path):
    """In a process of its own: the hub client reads its settings once."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "mlx_rvc_cli",
            "convert",
            str(SPEECH),
            str(tmp_path / "out.wav"),
            "--model",
            "demo",
            "--f0-method",
            "rmvpe",
        ],
        env={
            **os.environ,
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HOME": str(tmp_path / "hub"),
            "MLX_WEIGHTS_CACHE": str(tmp_path / "weights"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "rmvpe.pt" in run.stderr and "lj1995/VoiceConversionWebUI" in run.stderr
    assert "--rmvpe" in run.stderr and "Traceback" not in run.stderr
    assert "choose an F0 method that works offline: " in run.stderr and "harvest" in run.stderr
    assert not (tmp_path / "out.wav").exists()


def test_help_loads_no_model_library():
    """`--help` answers at once because it imports nothing heavy."""
    code = (
        "import sys; from mlx_rvc_cli.host import main; main(['--help']); "
        "heavy = {'mlx.core', 'numpy', 'scipy', 'matplotlib', 'huggingface_hub', 'soundfile'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    commands = "convert batch demo plot voices info export features f0 index weights doctor"
    for command in commands.split():
        assert f"\n  {command} " in run.stdout
    assert "unavailable" not in run.stdout


def test_every_command_that_takes_something_shows_examples_that_it_understands(
    tmp_path, monkeypatch
):
    """They are parsed as if they were given: names, choices, numbers, presets; nothing is run."""
    monkeypatch.setenv("MLX_RVC_VOICES", str(tmp_path / "voices"))
    monkeypatch.setenv("MLX_RVC_PRESETS", str(tmp_path))
    Library().add(str(mlx_rvc_demo.bundle().voice), name="singer")
    (tmp_path / "live.toml").write_text("pitch = 12\n")
    seen = 0
    waiting = [("mlx-rvc", host._application())]
    first_steps = list(host._FIRST_STEPS)
    while waiting:
        name, command = waiting.pop()
        if hasattr(command, "commands"):
            waiting += [(f"{name} {word}", child) for word, child in command.commands.items()]
            continue
        examples = [line.strip() for line in (command.epilog or "").splitlines()]
        takes = any(param.param_type_name == "argument" for param in command.params)
        assert examples or not takes, name
        examples += [step for step in first_steps if f"{step} ".startswith(f"{name} ")]
        first_steps = [step for step in first_steps if step not in examples]
        for example in examples:
            assert len(example) <= 78, example
            (ours,) = [part for part in re.split(r"[|>]", example) if f"{name} " in f"{part} "]
            words = shlex.split(ours)
            assert words[: len(name.split())] == name.split(), example
            command.make_context(name, words[len(name.split()) :])
            seen += 1
    assert seen > 30 and not first_steps
