"""The flags of a conversion: one list for all commands that convert."""

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mlx_rvc import ConversionOptions
from mlx_rvc.commands.convert import convert
from mlx_rvc.commands.options import Talk, VoiceFiles, conversion_flags
from mlx_rvc_cli.host import main

FIELDS = {field.name for field in fields(ConversionOptions)}
SOURCES = {field.name for field in fields(VoiceFiles)}


def run(command, *arguments):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


def test_what_the_flags_say_arrives_as_options():
    seen = []

    @conversion_flags
    def both(
        files: Annotated[list[Path], typer.Argument()],
        *,
        voice: VoiceFiles,
        options: ConversionOptions,
        talk: Talk,
        overwrite: Annotated[bool, typer.Option()] = False,
    ) -> None:
        """Convert many."""
        seen.append((files, voice, options, talk, overwrite))

    arguments = ["a.wav", "b.wav", "-m", "v.pth", "-p", "3", "--sample-rate", "44100"]
    result = run(both, *arguments, "--overwrite", "-i", "v.index")
    assert result.exit_code == 0, result.output
    expected = ConversionOptions(pitch=3, output_rate=44100)
    voice = VoiceFiles("v.pth", Path("v.index"), None, None)
    assert seen == [
        ([Path("a.wav"), Path("b.wav")], voice, expected, Talk(False, False, False), True)
    ]


def test_a_command_may_leave_flags_out():
    seen = []

    @conversion_flags(without=["f0_file", "save_f0"])
    def many(*, voice: VoiceFiles, options: ConversionOptions, talk: Talk) -> None:
        """Convert many."""
        seen.append(options)

    assert run(many, "-m", "v.pth").exit_code == 0
    assert seen == [ConversionOptions()]
    assert run(many, "-m", "v.pth", "--f0-file", "x.csv").exit_code == 2


def test_every_option_has_a_flag_and_the_same_default():
    shown = inspect.signature(convert).parameters
    assert set(shown) >= FIELDS | SOURCES
    for name in FIELDS:
        assert shown[name].default in (default := getattr(ConversionOptions(), name), str(default))


def test_the_help_is_in_groups_and_every_flag_says_its_default(capsys):
    assert main(["convert", "--help"]) == 0
    text = capsys.readouterr().out
    titles = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert titles == [
        "Arguments",
        "Voice",
        "Pitch",
        "Timbre",
        "Sound",
        "Files",
        "Options",
        "Examples",
    ]
    groups = text.split("Voice:")[1].split("Options:")[0]
    flags = re.split(r"\n  (?=-)", groups)[1:]
    assert len(flags) >= len(FIELDS | SOURCES)
    for flag in flags:
        words = " ".join(flag.split())
        assert "[default" in words or "[required]" in words, words


@pytest.mark.parametrize("option", ["--model"])
def test_a_missing_voice_is_wrong_usage(capsys, option):
    assert main(["convert", "a.wav", "b.wav"]) == 2
    assert option in capsys.readouterr().err
