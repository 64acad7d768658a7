"""The host: how commands are found, and how each kind of end is reported."""

import json
import os
import signal
import subprocess
import sys
import time
import types
import warnings
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Literal

import pytest
import typer

from mlx_rvc_cli import CommandError, host
from mlx_rvc_cli.host import main


def greet(name: str, loud: bool = False, as_json: bool = typer.Option(False, "--json")) -> None:
    """Greet somebody."""
    print(json.dumps({"hello": name}) if as_json else f"hello {name}{'!' if loud else ''}")


group = typer.Typer(help="A group.")


@group.command()
def only() -> None:
    """The one command of a group."""
    print("only ran")


def ending(error):
    def end(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return end


@pytest.fixture
def commands(monkeypatch):
    """Install commands as a package would; returns the module they live in."""
    module = types.ModuleType("fake_commands")
    module.greet, module.group, module.number = greet, group, 7
    monkeypatch.setitem(sys.modules, "fake_commands", module)
    entries = {}

    def install(name, value=None, command=None):
        if command is not None:
            setattr(module, name, command)
        value = value or f"fake_commands:{name}"
        entries[name, value] = EntryPoint(name, value, host.GROUP)
        return name

    def find(group):
        return EntryPoints(entries.values())

    monkeypatch.setattr(host.importlib.metadata, "entry_points", find)
    return install


def test_a_function_becomes_a_command(commands, capsys):
    commands("greet")
    assert main(["greet", "Ada", "--loud"]) == 0
    assert capsys.readouterr() == ("hello Ada!\n", "")


def test_a_typer_becomes_a_group_even_with_one_command(commands, capsys):
    commands("group")
    assert main(["group", "only"]) == 0
    assert capsys.readouterr().out == "only ran\n"


def test_help_lists_commands_in_order_of_use(commands, capsys):
    for name in ("zeta", "f0", "alpha", "info", "convert"):
        commands(name, "fake_commands:greet")
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert listed == ["convert", "info", "f0", "alpha", "zeta"]
    steps, _, last = out.partition("\n\nFirst steps:\n")[2].partition("\n\n")
    assert [line.split()[:2] for line in steps.splitlines()] == [["mlx-rvc", "convert"]]
    assert last == "mlx-rvc COMMAND --help shows its options, with examples.\n"
    assert main([]) == 0
    assert capsys.readouterr().out == out
    assert main(["greet", "-h"]) == 2  # not installed here
    assert main(["info", "-h"]) == 0
    assert "Greet somebody." in capsys.readouterr().out


def test_help_groups_options_by_their_panel(commands, capsys):
    def sing(
        name: str,
        high: float = typer.Option(1.0, help="How high.", rich_help_panel="Pitch"),
        loud: bool = False,
        low: float = typer.Option(0.0, help="How low.", rich_help_panel="Pitch"),
    ) -> None:
        """Sing."""

    commands("sing", command=sing)
    assert main(["sing", "-h"]) == 0
    text = capsys.readouterr().out
    places = ["Arguments:", "Pitch:", "--high", "--low", "Options:", "--loud", "--help"]
    assert [text.index(place) for place in places] == sorted(text.index(p) for p in places)


def test_help_says_kinds_in_words(commands, capsys):
    def sing(
        scores: list[Path],
        times: int = typer.Option(1, min=1),
        key: str = "",
        voice: Literal["alto", "bass"] = "alto",
    ) -> None:
        """Sing."""

    commands("sing", command=sing)
    assert main(["sing", "-h"]) == 0
    text = capsys.readouterr().out
    for shown in ("scores... <path>", "--times <int>", "--key <text>", "--voice <alto|bass>"):
        assert shown in text


def test_examples_of_a_docstring_come_last_and_are_not_wrapped(commands, capsys):
    long = "mlx-rvc sing " + "la " * 40

    def sing(name: str) -> None:
        """Sing."""

    sing.__doc__ = (
        f"Sing.\n\n    Loudly.\n\n    Examples:\n      mlx-rvc sing la\n      {long}\n    "
    )
    commands("sing", command=sing)
    assert main(["sing", "--help"]) == 0
    text = capsys.readouterr().out
    assert text.endswith(f"\n\nExamples:\n  mlx-rvc sing la\n  {long.strip()}\n")
    assert text.count("Examples") == 1 and "\n  Loudly.\n" in text
    assert main(["--help"]) == 0
    assert "  sing  Sing.\n" in capsys.readouterr().out


def test_no_commands_says_how_to_get_them(commands, capsys):
    assert main(["--help"]) == 0
    assert "pip install mlx-rvc" in capsys.readouterr().out
    assert main(["convert"]) == 1
    assert "no commands are installed" in capsys.readouterr().err


def test_broken_commands_do_not_take_the_others_with_them(commands, capsys):
    commands("greet")
    commands("broken", "module_that_is_not_there:run")
    commands("number")
    assert main(["greet", "Ada"]) == 0
    assert capsys.readouterr() == ("hello Ada\n", "")
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert "broken  unavailable" in out
    assert "greet   Greet somebody." in out
    assert len(err.splitlines()) == 2
    assert "warning: the command 'broken' is unavailable: module_that_is_not_there:run" in err
    assert "found int" in err
    for arguments in (["broken"], ["broken", "--help"], ["broken", "x", "--y", "z"]):
        assert main(arguments) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("mlx-rvc: error: the command 'broken' is unavailable")
        assert err.count("\n") == 1


def test_only_the_command_that_runs_is_imported(commands):
    commands("greet")
    commands("heavy", "this_would_raise:run")
    assert main(["greet", "Ada"]) == 0
    assert "this_would_raise" not in sys.modules


def test_two_packages_with_one_name(commands, capsys):
    commands("greet")
    commands("greet", "fake_commands:group")
    assert main(["greet", "Ada"]) == 0
    out, err = capsys.readouterr()
    assert out == "hello Ada\n"
    assert "two packages bring the command 'greet'" in err


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CommandError("no voice here"), "no voice here"),
        (ValueError("two\nlines \x1b[31m red"), "two lines [31m red"),
        (FileNotFoundError(2, "No such file or directory", "a.wav"), "a.wav: No such file or"),
        (OSError("disk went away"), "disk went away"),
        (MemoryError(), "not enough memory"),
        (KeyError("weight"), "unexpected KeyError: 'weight' (MLX_RVC_DEBUG=1 shows where)"),
        (RuntimeError("[metal] out"), "unexpected RuntimeError: [metal] out (MLX_RVC_DEBUG"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_errors_are_one_line_and_status_1(commands, capsys, monkeypatch, error, text):
    monkeypatch.delenv("MLX_RVC_DEBUG", raising=False)
    commands("fail", command=ending(error))
    assert main(["fail"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"mlx-rvc: error: {text}")
    assert err.count("\n") == 1
    assert main(["fail", "--json"]) == 1
    out, err = capsys.readouterr()
    assert f"mlx-rvc: error: {json.loads(out)['error']}\n" == err


def test_the_traceback_only_on_request(commands, capsys, monkeypatch):
    commands("fail", command=ending(KeyError("weight")))
    monkeypatch.setenv("MLX_RVC_DEBUG", "1")
    assert main(["fail"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1] == "mlx-rvc: error: unexpected KeyError: 'weight'"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["gret"], "No such command 'gret'. Did you mean 'greet'?"),
        (["greet"], "Missing argument"),
        (["greet", "a", "b"], "unexpected extra argument"),
        (["greet", "a", "--what"], "No such option"),
        (["--what"], "No such option"),
        (["group"], "Missing command"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(commands, capsys, arguments, text):
    commands("greet")
    commands("group")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert text in err
    assert "--help')" in err
    assert err.count("\n") == 1
    assert main([*arguments, "--json"]) == 2
    assert "error" in json.loads(capsys.readouterr().out)


def test_other_ends(commands, capsys):
    commands("stop", command=ending(KeyboardInterrupt()))
    commands("exit", command=ending(typer.Exit(7)))
    commands("abort", command=ending(typer.Abort()))
    assert main(["stop"]) == 130
    assert capsys.readouterr().err == "\nmlx-rvc: interrupted\n"
    assert main(["abort"]) == 130
    assert main(["exit"]) == 7


def test_warnings_are_one_line(commands, capsys):
    def warn() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn("mind\nthe gap", UserWarning, stacklevel=1)

    commands("warn", command=warn)
    before = warnings.showwarning
    assert main(["warn"]) == 0
    assert capsys.readouterr().err == "mlx-rvc: warning: mind the gap\n"
    assert warnings.showwarning is before


def test_version_lists_parts(capsys):
    assert main(["--version"]) == 0
    rows = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert next(iter(rows)) == "mlx-rvc-cli"
    assert rows["python"] == sys.version.split()[0]


# --- as a process -----------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path):
    """A folder with a distribution that brings commands through real entry points."""
    info = tmp_path / "stranger-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[mlx_rvc.commands]\nmany = stranger:many\nwait = stranger:wait\n"
    )
    (tmp_path / "stranger.py").write_text(
        "import sys, time\n"
        "from mlx_rvc_cli.files import atomic_path\n"
        "def many() -> None:\n"
        "    'Print much.'\n"
        "    for i in range(100000): print('line', i)\n"
        "def wait(path: str) -> None:\n"
        "    'Wait while a file is open.'\n"
        "    with atomic_path(path):\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
    )
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


HOST = [sys.executable, "-m", "mlx_rvc_cli"]


def test_commands_of_a_stranger_are_found(installed):
    done = subprocess.run(
        [*HOST, "--help"], env=installed, capture_output=True, text=True, check=True
    )
    assert "Print much." in done.stdout
    done = subprocess.run(
        [*HOST, "--version"], env=installed, capture_output=True, text=True, check=True
    )
    assert "stranger 1.2" in done.stdout


def test_a_reader_that_leaves_gets_no_traceback(installed):
    with subprocess.Popen(
        [*HOST, "many"], env=installed, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.fixture
def heed_interrupts():
    """Have children heed Ctrl-C also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, b"\nmlx-rvc: interrupted\n"), (signal.SIGTERM, 143, b"")],
)
def test_a_signal_leaves_no_temporary_file(
    installed, tmp_path, number, status, said, heed_interrupts
):
    folder = tmp_path / "out"
    folder.mkdir()
    with subprocess.Popen(
        [*HOST, "wait", str(folder / "x.wav")],
        env=installed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        assert len(list(folder.iterdir())) == 1
        process.send_signal(number)
        assert process.wait(timeout=30) == status
        assert process.stderr.read() == said
    assert list(folder.iterdir()) == []


def test_a_second_interrupt_does_not_wait_for_the_first(installed, tmp_path, heed_interrupts):
    (tmp_path / "stranger.py").write_text(
        "import time\n"
        "def wait(path: str) -> None:\n"
        "    try:\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('cleaning', flush=True)\n"
        "        time.sleep(60)\n"
    )
    with subprocess.Popen(
        [*HOST, "wait", "x"], env=installed, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        for word in (b"ready\n", b"cleaning\n"):
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == b"\nmlx-rvc: interrupted twice\n"


def test_the_host_is_light():
    code = (
        "import sys, mlx_rvc_cli, mlx_rvc_cli.host, mlx_rvc_cli.console, mlx_rvc_cli.errors,"
        "mlx_rvc_cli.files, mlx_rvc_cli.audio, mlx_rvc_cli.picture;"
        "print([m for m in ('numpy', 'mlx', 'matplotlib', 'soundfile', 'soxr', 'rich')"
        " if m in sys.modules])"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - start < 5  # loose: other work may run beside


def test_public_names_are_sorted_and_exist():
    import mlx_rvc_cli

    assert sorted(mlx_rvc_cli.__all__) == sorted(mlx_rvc_cli._HOME)
    for name in mlx_rvc_cli.__all__:
        assert getattr(mlx_rvc_cli, name)
    with pytest.raises(AttributeError, match="nonsense"):
        mlx_rvc_cli.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("words", "place", "answers"),
    [("mlx-rvc --ver", 1, ["--version"]), ("mlx-rvc --h", 1, ["--help"])],
)
def test_a_shell_may_ask_what_follows(words, place, answers):
    environment = {
        **os.environ,
        **{"_MLX_RVC_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)},
    }
    run = subprocess.run(
        [sys.executable, "-m", "mlx_rvc_cli"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == answers and run.stderr == ""
