"""Grades one submission, and says what a result depends on."""

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flashlab.build import FLAGS, Submission, build
from flashlab.classroom.course import Course, CourseLab
from flashlab.classroom.store import Setting
from flashlab.device import Chosen, Device
from flashlab.errors import FlashLabError, SubmissionError, UsageError
from flashlab.grade import Order, grade, refused
from flashlab.layout import Layout
from flashlab.results import Result, check
from flashlab.submission_rules import RULES
from flashlab.toolchain import RUNTIME, Compiler, find_compiler


@dataclass(frozen=True)
class Job:
    """One submission to grade: its hash, its source or why there is none, and the key of the result."""

    key: str
    lab: str
    sha256: str
    source: bytes | None
    refusal: str | None


@dataclass(frozen=True)
class Done:
    """What came of a job: a result, or the failure of the grader that prevented one."""

    job: Job
    result: Result | None
    failure: str | None = None


@dataclass(frozen=True)
class Workshop:
    """Everything that grading a submission needs; jobs run in several threads at once."""

    layout: Layout
    course: Course
    device: Chosen
    compiler: Compiler
    seed: int
    settings: dict[str, Setting]

    @staticmethod
    def open(layout: Layout, course: Course, device: Chosen, seed: int | None) -> "Workshop":
        """Finds the tools and what identifies them; `seed` None means the class's own."""
        # The virtual GPU runs blocks in order then, so that a submission whose blocks race has the same grade each
        # time and on each machine; the race costs the points of the cases that look for it. Jobs fill the CPUs.
        os.environ["VGPU_THREADS"] = "1"
        programs = [layout.judge, layout.worker, device.runtime / RUNTIME]
        for path in programs:
            if not path.exists():
                raise UsageError(f"{layout.shown(path)} is missing; run: make build")
        compiler = find_compiler(layout)
        seed = course.seed if seed is None else seed
        grader = _hash_of_files([*programs, *sorted(layout.gpus.glob("*.toml"))])
        headers = sorted(path for path in layout.headers.rglob("*") if path.is_file())
        toolchain = _hash_of(compiler.version, *FLAGS, _hash_of_files([*headers, *RULES]))
        settings = {}
        for item in course.labs:
            hidden = json.dumps([item.hidden, sorted(item.public_cases)])
            files = [item.lab.config]
            staff = item.lab.solution(layout)
            if device.kind is Device.CUDA and staff.exists():
                files.append(staff)  # what times are compared with
            configuration = _hash_of(_hash_of_files(files), str(seed), hidden)
            settings[item.lab.name] = Setting(grader, configuration, toolchain, device.kind)
        return Workshop(layout, course, device, compiler, seed, settings)

    def key(self, lab: str, sha256: str) -> str:
        """What a result is kept under: all that it depends on."""
        return _hash_of(lab, sha256, *vars(self.settings[lab]).values())

    def run(self, job: Job) -> Done:
        """Grades `job`. Whatever is not the submission's fault comes back as a failure, never as a result."""
        try:
            return Done(job, check(self._grade(job), "the new result"))
        except FlashLabError as error:
            return Done(job, None, str(error))
        except Exception as error:  # one submission must not end the run of a class
            return Done(job, None, f"{type(error).__name__}: {error}")

    def _grade(self, job: Job) -> Result:
        item = self.course.lab(job.lab)
        # Messages name the file as its author knows it.
        shown = f"labs/{job.lab}/{item.lab.source}"
        submission = Submission(Path(shown), shown, job.source or b"")
        order = Order(item.lab, submission, self.device, seed=self.seed)
        if job.refusal is not None:
            result = refused(self.layout, order, self.compiler, job.refusal)
            return {**result, "submission": {"path": shown, "sha256": job.sha256}}
        try:
            library = build(self.layout, self.compiler, submission)
            with _gpu_lock(self.device):
                graded = grade(self.layout, order, self.compiler, library, lambda event: None)
        except SubmissionError as error:
            return refused(self.layout, order, self.compiler, error.whole)
        if graded.problem is not None and not isinstance(graded.problem, SubmissionError):
            errors = (case for case in graded.result["cases"] if case["status"] == "error")
            reason = next((f"{case['name']}: {case['message']}" for case in errors), "")
            raise UsageError(reason or str(graded.problem))
        return _marked(graded.result, item)


def _marked(result: Result, item: CourseLab) -> Result:
    """`result` with the cases marked that students do not see."""
    cases = [
        {**case, "hidden": True} if item.hides(case["name"]) else case for case in result["cases"]
    ]
    return {**result, "cases": cases}


@contextlib.contextmanager
def _gpu_lock(device: Chosen) -> Iterator[None]:
    """On a real GPU, one submission at a time, also of other runs on this machine: they would disturb each other's
    times and memory.
    """
    if device.kind is not Device.CUDA:
        yield
        return
    # In a Slurm task that sees only its own GPU, that GPU is number 0 whichever it is.
    visible = os.environ.get("SLURM_JOB_GPUS") or os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    visible = visible.partition(",")[0]
    name = "".join(letter for letter in visible if letter.isalnum() or letter == "-")
    path = Path(tempfile.gettempdir()) / f"flashlab-gpu-{name}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _hash_of_files(paths: list[Path]) -> str:
    return _hash_of(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths))


def _hash_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
