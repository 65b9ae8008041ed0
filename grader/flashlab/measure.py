"""Measures a built submission for a list of shapes: counts and modelled times, or times on a real GPU."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flashlab.device import Chosen
from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.scratch import temporary_folder
from flashlab.worker import Program, Worker

Record = dict[str, Any]
Shape = Mapping[str, Any]  # as grader/judge/measure/README.md says: seq_q, head_dim and more

CPU_SECONDS = 24 * 3600  # of one worker: a large shape on the virtual GPU may take an hour


def measure(
    layout: Layout,
    lab: Lab,
    library: Path,
    device: Chosen,
    shapes: Sequence[Shape],
    gpus: Sequence[str] = ("h200",),
    seed: int | None = None,
    baseline: Path | None = None,
    repeats: int | None = None,
    clock: bool = False,
) -> Iterator[Record]:
    """Yields one record per shape as soon as it is measured. SubmissionError when the library cannot be loaded,
    UsageError for what else stops it.

    `gpus` are those whose time is modelled on the virtual GPU. On a real one `repeats` calls are timed, beside those of
    `baseline`; with `clock` on the virtual GPU too, where the times are this machine's.
    """
    libraries = (library, *([baseline] if baseline else []))
    worker = Worker(layout, device, libraries, CPU_SECONDS)
    with temporary_folder() as folder:
        list_file = folder / "shapes.json"
        list_file.write_text(json.dumps([dict(shape) for shape in shapes]), encoding="utf-8")
        words = [str(layout.measure), "--lab", str(lab.config), "--submission", str(library)]
        words += ["--shapes", str(list_file), "--output", str(folder / "records.jsonl")]
        for gpu in gpus:
            words += ["--gpu", gpu]
        for option, value in (("--seed", seed), ("--baseline", baseline), ("--repeats", repeats)):
            words += [option, str(value)] if value is not None else []
        words += ["--time"] if clock else []
        program = Program(layout, words, worker)
        for event in program.events(folder / "errors"):
            if event.pop("event", None) == "measured":
                yield event
    if program.code == 1:
        raise SubmissionError(program.error)
    if program.code != 0:
        raise UsageError(program.error)
