"""Grades what one student handed in on a platform, with the class that a package brings."""

import os
import subprocess
from pathlib import Path

from flashlab.classroom.course import Course, read_course
from flashlab.classroom.work import Job, Workshop
from flashlab.device import Device, choose
from flashlab.errors import FlashLabError, UsageError
from flashlab.exports.outcome import Outcome, make_outcome
from flashlab.layout import Layout
from flashlab.package.submission import find_submission
from flashlab.sandbox import Box, Limits, Sandbox

PROBE_SECONDS = 10


def outcome_of(layout: Layout, course_folder: Path, lab: str, submission: Path) -> Outcome:
    """What came of the submission in a folder. Whatever the grader fails at is in the outcome: nothing is raised."""
    try:
        course = read_course(layout, course_folder)
        name = course.lab(lab).lab.name
        check_secrets(course)
        handed = find_submission(submission, course.lab(lab).lab)
        workshop = Workshop.open(layout, course, choose(layout, Device.VGPU), None)
        key = workshop.key(name, handed.sha256)
        done = workshop.run(Job(key, name, handed.sha256, handed.source, handed.refusal))
    except FlashLabError as error:
        return make_outcome([], [str(error)])
    except Exception as error:  # the platform has to learn of it in its own format
        return make_outcome([], [f"{type(error).__name__}: {error}"])
    if done.result is None:
        return make_outcome([], [done.failure or "there is no result"])
    return make_outcome([done.result])


def check_secrets(course: Course) -> None:
    """UsageError when code in the sandbox of this machine could read the class's seed or its hidden cases."""
    box = Box(Limits(cpu_seconds=PROBE_SECONDS))
    rung = Sandbox.find(box)
    # A process's environment, which brings the judge its seed, is as private as this process's own.
    secrets = sorted(course.folder.rglob("*.toml"))
    for path in (*secrets, Path(f"/proc/{os.getpid()}/environ")):
        words = [*rung.launcher(box), "/bin/cat", str(path)]
        done = subprocess.run(words, capture_output=True, timeout=PROBE_SECONDS, check=False)
        if done.returncode == 0:
            raise UsageError(
                f"submissions could read {path}: the sandbox here is only `{rung.level}`; grade as root,"
                " or on a kernel with Landlock or user namespaces"
            )
