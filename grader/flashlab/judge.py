"""Runs the judge on a built submission and follows its events."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.device import Chosen
from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.results import parse
from flashlab.scratch import temporary_folder
from flashlab.worker import Event, Program, Worker


@dataclass(frozen=True)
class Request:
    """What the judge is asked to do; `case` is a glob of case names, None means all. On a real GPU, speed is measured
    beside `baseline`, the staff's library.
    """

    lab: Lab
    library: Path
    device: Chosen
    case: str | None = None
    seed: int | None = None
    baseline: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """The judge's document and the sandbox level of the worker; `problem` tells why it is no grade, None when it is."""

    document: dict[str, Any]
    sandbox: str
    problem: SubmissionError | UsageError | None


def run_judge(layout: Layout, request: Request, on_event: Callable[[Event], None]) -> Verdict:
    """Has `request` judged. `on_event` sees each event as it comes: start, case, end."""
    libraries = (request.library, *([request.baseline] if request.baseline else []))
    worker = Worker(layout, request.device, libraries)
    with temporary_folder() as folder:
        output = folder / "judge.json"
        program = Program(layout, _command(layout, request, output), worker, request.seed)
        for event in program.events(folder / "errors"):
            on_event(event)
        last_line = program.error.replace(str(output), "the result file")
        problem = SubmissionError(last_line) if program.code == 1 else UsageError(last_line)
        if not output.exists():
            raise problem
        text = output.read_text(encoding="utf-8").replace(f"{layout.root}/", "")
    document = parse(text, "the judge's result")
    return Verdict(document, worker.level, None if program.code == 0 else problem)


def _command(layout: Layout, request: Request, output: Path) -> list[str]:
    words = [str(layout.judge), "--lab", str(request.lab.config)]
    words += ["--submission", str(request.library), "--output", str(output)]
    if request.baseline is not None:
        words += ["--baseline", str(request.baseline)]
    if request.case is not None:
        words += ["--case", request.case]
    return words
