"""The command `mlx-rvc`: finds commands that packages bring, runs one, and reports its end.

A package brings a command with an entry point in the group `mlx_rvc.commands`: its name is the
name of the command, its value a function (taken as a typer command) or a typer.Typer (taken as a
group of commands). Modules are imported only when their command is run or listed.
"""

import functools
import importlib.metadata
import io
import json
import os
import platform
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from mlx_rvc_cli.console import reserve_stdout, results
from mlx_rvc_cli.errors import (
    FAILURE,
    INTERRUPTED,
    OK,
    USAGE,
    CommandError,
    describe,
    printable,
)
from mlx_rvc_cli.signals import unwinding

PROGRAM = "mlx-rvc"
GROUP = "mlx_rvc.commands"
# First what most people want; commands that this list does not know follow by name.
_ORDER = (
    *("convert", "batch", "demo", "plot", "voices", "info", "export", "extract", "blend"),
    *("index", "features", "f0", "weights", "doctor", "verify"),
)
# From nothing to a converted album, as far as the commands are there.
_FIRST_STEPS = (
    "mlx-rvc demo",
    "mlx-rvc voices add downloaded.zip --name singer",
    "mlx-rvc convert me.wav them.wav --model singer --pitch 12",
    "mlx-rvc batch album/ --out album-converted --model singer",
)
FAMILY = (
    "mlx-rvc-cli",
    "mlx-rvc",
    "mlx-contentvec",
    "mlx-f0",
    "mlx-rmvpe",
    "mlx-fcpe",
    "mlx-crepe",
    "mlx-swift-f0",
    "mlx-rvc-synth",
    "mlx-rvc-index",
    "mlx-rvc-voices",
    "mlx-rvc-verify",
    "mlx-rvc-demo",
    "mlx-weights",
    "mlx-recording",
    "mlx-fastops",
    "mlx-pth",
)
"""What is released together, under one version."""

_KIND = re.compile(r"<(?:list\[)?(\w+)(?: range)?\]?>")
_KINDS = {"str": "text", "Path": "path"}
_UNAVAILABLE = "unavailable"
_COMPLETING = "_MLX_RVC_COMPLETE"
# typer keeps the roots of its exception tree in a private module that moved between versions.
_TREE = {cls.__name__: cls for cls in typer.BadParameter.__mro__}
_USAGE_ERROR: Any = _TREE["UsageError"]
_CLICK_ERROR: Any = _TREE["ClickException"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlx-rvc` with `argv` (default: the process' arguments); return the exit status.

    0 success, 1 failure, 2 wrong usage, 130 interrupted. Errors are one line on stderr; with
    `--json` among the arguments stdout gets `{"error": "..."}` as well. MLX_RVC_DEBUG=1 adds the
    traceback.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no file name may end in a UnicodeEncodeError
            stream.reconfigure(errors="backslashreplace")
    try:
        with unwinding(PROGRAM), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has gone (`| head`): stay quiet, also when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        print(f"\n{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    reserve_stdout(False)
    try:
        command = _application()
        if _COMPLETING in os.environ:  # the shell asks what may follow; answers and exits
            command.main(arguments, prog_name=PROGRAM)
        with command.make_context(PROGRAM, arguments) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, EOFError):
        raise KeyboardInterrupt from None
    except BrokenPipeError:
        raise
    except _USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            return USAGE
        path = error.ctx.command_path if error.ctx is not None else PROGRAM
        return _fail(f"{error.format_message()} (see '{path} --help')", as_json, USAGE)
    except _CLICK_ERROR as error:
        return _fail(error.format_message(), as_json, error.exit_code)
    except Exception as error:
        return _fail(_explain(error), as_json, FAILURE)
    return OK


def _explain(error: Exception) -> str:
    if os.environ.get("MLX_RVC_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error)
        return describe(error)
    text = describe(error)
    if isinstance(error, ValueError | OSError | MemoryError):
        return text
    return f"{text} (MLX_RVC_DEBUG=1 shows where)"


def _fail(text: str, as_json: bool, status: int) -> int:
    text = printable(text)
    if as_json:
        print(json.dumps({"error": text}), file=results())
    print(f"{PROGRAM}: error: {text}", file=sys.stderr)
    return status


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"{PROGRAM}: warning: {printable(str(message))}", file=sys.stderr)


# --- commands -------------------------------------------------------------------------------


def _application() -> Any:
    app = typer.Typer(
        name=PROGRAM,
        cls=_Host,
        rich_markup_mode=None,  # rich costs 0.2 s at every --help
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    return get_command(app)


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the versions of all parts and exit.")
    ] = False,
) -> None:
    """Convert voices with RVC models in MLX."""
    if version:
        for name, number in versions():
            print(name, number)
        raise typer.Exit(OK)
    if context.invoked_subcommand is None:
        print(context.get_help())


def versions() -> list[tuple[str, str]]:
    """Return (distribution, version) of this host, its family, who brings commands, and Python."""
    owners = {entry.dist.name for entry in _entry_points().values() if entry.dist is not None}
    rest = sorted(owners - set(FAMILY))
    rows = []
    for name in (*FAMILY, "mlx", *rest):
        try:
            rows.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return [*rows, ("python", platform.python_version())]


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    """Return the commands by name, in the order in which they are listed."""
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        known = found.setdefault(entry.name, entry)
        if known.value != entry.value:
            _show_warning(
                f"two packages bring the command {entry.name!r}: {known.value} is used, "
                f"{entry.value} is not"
            )
    rank = {name: place for place, name in enumerate(_ORDER)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))


class _Commands(MutableMapping[str, Any]):
    """The commands by name; each is imported at its first look-up."""

    def __init__(self) -> None:
        self._entries: dict[str, Any] = dict(_entry_points())
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._entries[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._entries.setdefault(name, None)
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._entries[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class _Host(TyperGroup):
    """The group of all commands, found when it is made and imported when they are needed."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for name, command in self.commands.items():
            if command.help and command.help.startswith(_UNAVAILABLE):
                _show_warning(f"the command {name!r} is {command.help}")
        super().format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_lines(
            "First steps",
            [line for line in _FIRST_STEPS if line.split()[1] in self.commands],
            formatter,
        )
        formatter.write_paragraph()
        if self.commands:
            formatter.write_text(f"{PROGRAM} COMMAND --help shows its options, with examples.")
        else:
            formatter.write_text("No commands are installed: pip install mlx-rvc brings them all.")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not self.commands:
            raise CommandError("no commands are installed: pip install mlx-rvc brings them all")
        return super().resolve_command(ctx, args)


def _load(name: str, entry: importlib.metadata.EntryPoint) -> Any:
    try:
        return _as_command(name, entry.load())
    except (Exception, SystemExit) as error:  # a broken plug-in must not take the others with it
        return _unavailable(name, printable(f"{entry.value}: {type(error).__name__}: {error}"))


def _as_command(name: str, found: Any) -> Any:
    if isinstance(found, typer.Typer):
        command = get_group(found)
    elif callable(found):
        command = _single(found)
    else:
        raise TypeError(f"expected a function or a typer.Typer, found {type(found).__name__}")
    command.name = name
    return _plain(command)


def _single(function: Callable[..., Any], **settings: Any) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(**settings)(function)
    return get_command(app)


def _plain(command: Any) -> Any:
    """One face for all help pages, whatever markup a plug-in chose; -h everywhere."""
    command.rich_markup_mode = None
    if not hasattr(command, "commands"):
        command.help, _, command.epilog = (command.help or "").partition("\n\nExamples:\n")
        command.format_options = functools.partial(_format_options, command)
        command.format_epilog = functools.partial(_format_examples, command)
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    for child in getattr(command, "commands", {}).values():
        _plain(child)
    return command


def _format_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Arguments, then options by their `rich_help_panel`, in order; those without one come last."""
    sections: dict[str, list[Any]] = {"Arguments": []}
    plain: list[Any] = []
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        group = getattr(param, "rich_help_panel", None)
        if param.param_type_name == "argument":
            group = "Arguments"
        name, text = record
        name = _KIND.sub(lambda kind: f"<{_KINDS.get(kind[1], kind[1])}>", name)
        (sections.setdefault(group, []) if group else plain).append((name, text))
    for title, records in [*sections.items(), ("Options", plain)]:
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def _format_examples(command: Any, _: Any, formatter: Any) -> None:
    """Last, where the terminal ends up."""
    _write_lines("Examples", (command.epilog or "").splitlines(), formatter)


def _write_lines(title: str, lines: Sequence[str], formatter: Any) -> None:
    """Not wrapped, so that they can be copied."""
    if lines:
        with formatter.section(title):
            for line in lines:
                formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")


def _unavailable(name: str, reason: str) -> Any:
    def refuse() -> None:
        raise CommandError(f"the command {name!r} is unavailable: {reason}")

    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    command = _single(refuse, context_settings=settings, help=f"{_UNAVAILABLE}: {reason}")
    command.short_help = _UNAVAILABLE
    command.name = name
    return command
