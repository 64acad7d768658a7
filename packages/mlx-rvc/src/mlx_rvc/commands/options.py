"""The flags of a conversion: one list, which every command that converts shows and reads alike.

    @conversion_flags
    def convert(
        input_path: ..., *, voice: VoiceFiles, options: ConversionOptions, talk: Talk
    ) -> None:

The command's help shows its own parameters, then the flags in groups; what the flags say arrives in
`voice`, `options` and `talk`. `--model` takes names of the library too, with index and preset, and
`--config` and `--preset` take flags from files (`stored.py`): a command that says what was used has
a parameter `stored`. The list itself is `flags.py`.
"""

import functools
import inspect
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mlx_rvc.commands.flags import flags
from mlx_rvc.commands.stored import Stored, used
from mlx_rvc.options import ConversionOptions
from mlx_rvc.voice import find_voice
from mlx_rvc_cli.console import silenced

if TYPE_CHECKING:
    from mlx_rvc.pipeline import RVCPipeline

_SETTINGS_FILES = ("config", "preset")
_ANYWHERE = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True)
class VoiceFiles:
    """Where the voice of a command comes from, and what goes with it; see `from_pretrained`."""

    model: str
    index: Path | None
    contentvec: str | None
    rmvpe: str | None

    def load(self) -> "RVCPipeline":
        """Load the voice; raises ValueError for what does not fit."""
        from mlx_rvc.pipeline import RVCPipeline

        return RVCPipeline.from_pretrained(
            self.model, index=self.index, contentvec=self.contentvec, rmvpe=self.rmvpe
        )


@dataclass(frozen=True)
class Talk:
    """What a command says: its summary as JSON, each stage's time; quiet silences the console."""

    as_json: bool
    verbose: bool
    quiet: bool

    def __post_init__(self) -> None:
        for name, wanted in (("--verbose", self.verbose), ("--json", self.as_json)):
            if self.quiet and wanted:
                raise typer.BadParameter(f"--quiet and {name} contradict each other; leave one out")


def conversion_flags(
    command: Callable[..., None] | None = None, *, without: Collection[str] = ()
) -> Callable[..., Any]:
    """Give a command the flags of a conversion, in place of `voice`, `options`, `stored`, `talk`.

    without: fields of `ConversionOptions` for which the command has no flag; they keep their
    defaults.
    """
    if command is None:
        return functools.partial(conversion_flags, without=without)
    own = inspect.signature(command, eval_str=True).parameters
    all_flags = inspect.signature(flags).parameters
    shown = {name: flag for name, flag in all_flags.items() if name not in without}

    @functools.wraps(command)
    def run(context: typer.Context, **given: Any) -> None:
        taken = {name: given.pop(name) for name in shown if name not in _SETTINGS_FILES}
        files = {field.name: taken.pop(field.name) for field in fields(VoiceFiles)}
        talk = Talk(**{field.name: taken.pop(field.name) for field in fields(Talk)})
        chosen = find_voice(files["model"], files["index"])
        files |= {"model": str(chosen.model), "index": chosen.index}
        if "stored" in own:
            given["stored"] = Stored(chosen.name, chosen.index, used(context))
        for name in _SETTINGS_FILES:
            given.pop(name, None)  # their callbacks have taken them
        options = ConversionOptions(**taken)
        with silenced() if talk.quiet else nullcontext():
            command(**given, voice=VoiceFiles(**files), options=options, talk=talk)

    given_by_flags = ("voice", "options", "stored", "talk")
    mine = [one for name, one in own.items() if name not in given_by_flags]
    arguments = [one for one in mine if one.default is one.empty]
    rest = [one.replace(kind=one.KEYWORD_ONLY) for one in mine if one.default is not one.empty]
    context = inspect.Parameter("context", _ANYWHERE, annotation=typer.Context)
    signature = inspect.Signature([context, *arguments, *shown.values(), *rest])
    run.__dict__["__signature__"] = signature
    run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return run
