"""From a source file to a stored result: snapshot, build, judge, result file."""

import datetime
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from flashlab import __version__
from flashlab.build import FLAGS, Submission, build, take_snapshot
from flashlab.device import Chosen, Device, host_cpu
from flashlab.errors import FlashLabError
from flashlab.judge import Request, Verdict, run_judge
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.results import SCHEMA_VERSION, Result
from flashlab.sandbox import level_here
from flashlab.submission_rules import find_flags
from flashlab.toolchain import RUNTIME, Compiler, find_compiler
from flashlab.worker import Event

VERSION_FILE = "VERSION"  # only packages have it: git knows nothing of them
CASE_KEYS = ("name", "group", "status", "points", "max_points", "message", "handout", "seconds")
CASE_KEYS += ("shape", "meters", "error", "diagnosis", "speed", "output")


@dataclass(frozen=True)
class Order:
    """What to grade: a submission of a lab on a device; `case` is a glob, `seed` None means a fresh one."""

    lab: Lab
    submission: Submission
    device: Chosen
    case: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Graded:
    """A result, and why it is no grade (None when it is one)."""

    result: Result
    problem: FlashLabError | None


def build_submission(layout: Layout, submission: Submission) -> tuple[Compiler, Path]:
    """The compiler that was found and the library it made of `submission`."""
    compiler = find_compiler(layout)
    return compiler, build(layout, compiler, submission)


def build_baseline(layout: Layout, lab: Lab) -> Path | None:
    """The staff's library, which times on a real GPU are compared with; None where there are no solutions."""
    solution = lab.solution(layout)
    if not solution.exists():
        return None
    return build(layout, find_compiler(layout), take_snapshot(layout, solution))


def grade(
    layout: Layout,
    order: Order,
    compiler: Compiler,
    library: Path,
    on_event: Callable[[Event], None],
) -> Graded:
    """Has a built submission judged and makes the result document."""
    baseline = build_baseline(layout, order.lab) if order.device.kind is Device.CUDA else None
    request = Request(order.lab, library, order.device, order.case, order.seed, baseline)
    verdict = run_judge(layout, request, on_event)
    return Graded(_result(layout, order, compiler, verdict), verdict.problem)


def refused(layout: Layout, order: Order, compiler: Compiler, message: str) -> Result:
    """The result of a submission that cannot be judged through its own fault, as one that does not build: one failed
    case, `build`, with all points of the lab.
    """
    case = {"name": "build", "group": "build", "status": "failed", "points": 0, "message": message}
    document = {
        "device": {"kind": order.device.kind, "name": order.device.kind},
        "seed": order.seed or 0,
        "score": 0,
        "max_score": order.lab.points,
        "cases": [{**case, "max_points": order.lab.points}],
    }
    result = _result(layout, order, compiler, Verdict(document, level_here(), None))
    del result["cases"][0]["rerun"]
    return result


def _result(layout: Layout, order: Order, compiler: Compiler, verdict: Verdict) -> Result:
    document = verdict.document
    seeded = replace(order, seed=document["seed"])
    cases = []
    for case in document["cases"]:
        kept = {key: case[key] for key in CASE_KEYS if key in case}
        cases.append({**kept, "rerun": _command(layout, replace(seeded, case=case["name"]))})
    now = datetime.datetime.now(datetime.UTC)
    return {
        "schema_version": SCHEMA_VERSION,
        "lab": order.lab.name,
        "title": order.lab.title,
        "device": document["device"],
        "score": document["score"],
        "max_score": document["max_score"],
        "submission": {"path": order.submission.shown_path, "sha256": order.submission.sha256},
        "cases": cases,
        "flags": find_flags(order.submission.data),
        "provenance": {
            "grader_version": grader_version(layout),
            "command": _command(layout, seeded),
            "case_filter": order.case,
            "seed": document["seed"],
            "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "compiler": compiler.version,
            "flags": list(FLAGS),
            "host_cpu": host_cpu(),
            "sandbox": verdict.sandbox,
            "runtime": layout.shown(order.device.runtime / RUNTIME),
        },
    }


def _command(layout: Layout, order: Order) -> str:
    """The command that repeats `order`, as short as it can be."""
    words = ["./flashlab", "grade", order.lab.short]
    if order.submission.shown_path != layout.shown(order.lab.stub):
        words += ["--submission", order.submission.shown_path]
    words += ["--device", order.device.kind]
    if order.case is not None:
        words += ["--case", order.case]
    return shlex.join([*words, "--seed", str(order.seed)])


@cache
def grader_version(layout: Layout) -> str:
    """The package's version with the commit, and whether files were changed since; in a tree that `flashlab package`
    made, that of the tree it was made of.
    """
    packaged = layout.root / VERSION_FILE
    if packaged.exists():
        return packaged.read_text(encoding="utf-8").strip()
    words = ["git", "-C", str(layout.root), "describe", "--always", "--dirty", "--tags"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return __version__
    described = done.stdout.strip()
    return f"{__version__}-{described}" if done.returncode == 0 and described else __version__
