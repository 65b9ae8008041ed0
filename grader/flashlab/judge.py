"""Runs the judge on a built submission and follows its events."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.device import Chosen, Device
from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.results import parse
from flashlab.sandbox import Box, Limits, Sandbox

Event = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What the judge is asked to do; `case` is a glob of case names, None means all."""

    lab: Lab
    library: Path
    device: Chosen
    case: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The judge's document and the sandbox level of the worker; `problem` tells why it is no grade, None when it is."""

    document: dict[str, Any]
    sandbox: str
    problem: SubmissionError | UsageError | None


def run_judge(layout: Layout, request: Request, on_event: Callable[[Event], None]) -> Verdict:
    """Has `request` judged. `on_event` sees each event as it comes: start, case, end."""
    for program in (layout.judge, layout.worker):
        if not program.exists():
            raise UsageError(f"{layout.shown(program)} is missing; run: make build")
    sandbox, launcher = _worker_launcher(layout, request)
    with tempfile.TemporaryDirectory(prefix="flashlab-") as folder:
        output, errors = Path(folder) / "judge.json", Path(folder) / "errors"
        code = _follow(_command(layout, request, launcher, output), errors, on_event)
        said = errors.read_text(encoding="utf-8", errors="replace").strip()
        last_line = said.splitlines()[-1] if said else f"the judge stopped with exit code {code}"
        last_line = last_line.removeprefix("flashlab-judge: ").replace(
            str(output), "the result file"
        )
        problem = SubmissionError(last_line) if code == 1 else UsageError(last_line)
        if not output.exists():
            raise problem
        text = output.read_text(encoding="utf-8").replace(f"{layout.root}/", "")
    document = parse(text, "the judge's result")
    return Verdict(document, sandbox.level, None if code == 0 else problem)


def _worker_launcher(layout: Layout, request: Request) -> tuple[Sandbox, list[str]]:
    """A box for the worker: it sees the system, itself, the runtime library and the submission, nothing else."""
    virtual = request.device.kind is Device.VGPU
    box = Box(
        # The judge ends a case that takes too long; the CPU limit stops a worker that the judge has lost. The virtual
        # GPU reserves 32 GiB of addresses for device memory, and 26 times as much again for what its checks know of it;
        # it touches only what is used.
        Limits(cpu_seconds=600, memory_bytes=1 << 40 if virtual else None),
        readable=(layout.worker, *request.device.library_path, request.library),
        gpu=not virtual,
    )
    sandbox = Sandbox.find(box)
    return sandbox, sandbox.launcher(box)


def _command(layout: Layout, request: Request, launcher: list[str], output: Path) -> list[str]:
    words = [str(layout.judge), "--lab", str(request.lab.config)]
    words += ["--submission", str(request.library), "--worker", str(layout.worker)]
    for folder in request.device.library_path:
        words += ["--runtime-dir", str(folder)]
    words += ["--device", request.device.kind]
    for word in launcher:
        words += ["--launcher", word]
    if request.case is not None:
        words += ["--case", request.case]
    if request.seed is not None:
        words += ["--seed", str(request.seed)]
    return [*words, "--output", str(output)]


def _follow(words: list[str], errors: Path, on_event: Callable[[Event], None]) -> int:
    with (
        errors.open("wb") as error_file,
        subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=error_file
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                with contextlib.suppress(ValueError):  # other output is none of ours
                    on_event(json.loads(line))
        except BaseException:
            process.terminate()
            raise
    return process.returncode
