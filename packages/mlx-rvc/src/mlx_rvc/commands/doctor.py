"""`mlx-rvc doctor`: is everything there, does it work, how fast, and what to do if not."""

from typing import Annotated

import typer

from mlx_rvc_cli.console import emit, format_table, progress


def doctor(
    self_test: Annotated[
        bool, typer.Option(help="Convert the bundled recording too: about ten seconds.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look over this machine: device, versions, caches, F0 methods, and a test conversion.

    The exit status is 1 where a problem was found; warnings leave it 0.

    Examples:
      mlx-rvc doctor
      mlx-rvc doctor --no-self-test --json
    """
    from mlx_rvc.doctor import Verdict, examine

    with progress("examining"):
        findings = list(examine(self_test=self_test))
    problems = [finding for finding in findings if finding.verdict is Verdict.PROBLEM]

    def text() -> str:
        rows = [(finding.verdict.value, finding.name, finding.found) for finding in findings]
        advice = [f"{finding.name}: {finding.advice}" for finding in findings if finding.advice]
        return "\n".join([format_table(rows), *(["", *advice] if advice else [])])

    emit({"well": not problems, "findings": findings}, as_json=as_json, text=text)
    if problems:
        raise typer.Exit(1)
