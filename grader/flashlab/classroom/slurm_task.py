"""One task of a job array, on any machine of the cluster: grades its shard, and leaves one file per job."""

import time
from pathlib import Path

from flashlab.classroom.course import read_course
from flashlab.classroom.slurm_files import Array
from flashlab.classroom.work import Workshop
from flashlab.device import choose
from flashlab.errors import UsageError
from flashlab.layout import Layout

SECONDS_TO_BE_ENDED = 2


def run_task(layout: Layout, folder: Path, index: int) -> None:
    """Grades those jobs of shard `index` that have no answer yet: a task that was requeued goes on where it was."""
    array = Array.read(folder)
    course = read_course(layout, folder.parents[1])
    workshop = Workshop.open(layout, course, choose(layout, array.device), array.seed)
    for job in array.jobs(index):
        if array.answer(index, job) is not None:
            continue
        if workshop.key(job.lab, job.sha256) != job.key:
            raise UsageError("grader, lab.toml or compiler are not those that the array is for")
        print(
            f"grading {job.lab} {job.sha256[:12]}", flush=True
        )  # the last line, if it ends this task
        done = workshop.run(job)
        if done.failure is not None:
            # Slurm ends a task by a signal to all its processes. The judge's end is then no failure of the grader:
            # this process gets the same signal and must not tell it.
            time.sleep(SECONDS_TO_BE_ENDED)
        array.keep(index, done)
    print("done")
