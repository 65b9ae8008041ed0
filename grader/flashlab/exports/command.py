"""`flashlab export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flashlab.errors import UsageError
from flashlab.exports import Format, render
from flashlab.exports.outcome import read_outcome
from flashlab.results import write_atomically


def export(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT...", help="Result files, of labs or of the quiz."),
    ],
    wanted: Annotated[Format, typer.Option("--format", help="The platform's format.")],
    output: Annotated[
        Path | None, typer.Option(help="Where to write; default: print it.", show_default=False)
    ] = None,
) -> None:
    """Turn result files into a learning platform's format. Without a grade the document says so: exit code 2."""
    outcome = read_outcome(results)
    text = render(outcome, wanted)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_atomically(output, text)
    if outcome.failure is not None:
        raise UsageError(f"there is no grade: {outcome.failure}")
