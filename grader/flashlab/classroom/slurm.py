"""Slurm's commands, as far as a class needs them: the limits, sbatch and squeue. sacct is not always configured."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import UsageError

TIMEOUT_SECONDS = 120  # Slurm's commands give up earlier themselves
SCRIPT = """#!/bin/sh
exec {program} class work {folder} "$SLURM_ARRAY_TASK_ID"
"""


class RefusedError(UsageError):
    """sbatch did not take an array."""

    @property
    def is_limit(self) -> bool:
        """Whether fewer tasks might be taken."""
        return "limit" in str(self).lower()

    @property
    def is_silence(self) -> bool:
        """Whether slurmctld did not answer at all."""
        return any(word in str(self) for word in ("contact slurm controller", "timed out"))


@dataclass(frozen=True)
class TaskState:
    """What squeue says of a task; `reason` is why it does not run."""

    state: str
    reason: str

    @property
    def waits(self) -> bool:
        """Whether it has not begun, or has to begin again."""
        return self.state == "PENDING"


Queue = dict[tuple[str, int], TaskState]  # by the array's name and the task's index


@dataclass(frozen=True)
class Slurm:
    """The cluster that this machine belongs to. `options` go to sbatch as they are; `array_size` is the most tasks that
    an array may have, `queue_size` the most that we put into the queue: half of it is left to others.
    """

    options: tuple[str, ...]
    array_size: int
    queue_size: int

    @staticmethod
    def find(options: Sequence[str]) -> "Slurm":
        """Asks the cluster for its limits; an error where there is none or it does not answer."""
        for tool in ("sbatch", "squeue", "scontrol"):
            if shutil.which(tool) is None:
                text = f"--slurm needs {tool}, which is not on PATH: run this on a login node"
                raise UsageError(f"{text}, or without --slurm on this machine alone")
        done = _run("scontrol", "show", "config")
        if done.returncode != 0:
            raise UsageError(f"Slurm does not answer: {_line(done.stderr)}")
        limits = dict(re.findall(r"^(MaxArraySize|MaxJobCount)\s*=\s*(\d+)", done.stdout, re.M))
        queue = int(limits.get("MaxJobCount", 10_000)) // 2
        size = min(int(limits.get("MaxArraySize", 1001)), queue)
        if size < 1:
            raise UsageError("Slurm takes no job arrays here: its MaxArraySize is 0")
        return Slurm(tuple(options), size, queue)

    def submit(self, name: str, tasks: int, program: Path, folder: Path) -> str:
        """Sends an array of so many tasks and returns its id; RefusedError where sbatch does not take it. Each task
        runs `program class work FOLDER INDEX` on one CPU.
        """
        words = [
            "sbatch",
            "--parsable",
            f"--job-name={name}",
            f"--array=0-{tasks - 1}",
            "--ntasks=1",
        ]
        words += ["--cpus-per-task=1", "--requeue", "--open-mode=append"]
        words += [f"--chdir={folder}", "--output=%a.log", *self.options]
        program_word, folder_word = shlex.quote(str(program)), shlex.quote(str(folder))
        done = _run(*words, text=SCRIPT.format(program=program_word, folder=folder_word))
        if done.returncode != 0:
            raise RefusedError(f"sbatch refuses the array: {_line(done.stderr)}")
        return done.stdout.strip().partition(";")[0]

    def queue(self, names: Sequence[str]) -> Queue | None:
        """The tasks of these arrays that have not ended; None when Slurm does not answer, and they may go on."""
        if not names:
            return {}
        words = ("squeue", "--me", "--noheader", "--array", f"--name={','.join(names)}")
        done = _run(*words, "--format=%j|%K|%T|%r")
        if done.returncode != 0:
            return None
        found: Queue = {}
        for line in done.stdout.splitlines():
            name, index, state, reason = line.strip().split("|", 3)
            found[name, int(index)] = TaskState(state, reason)
        return found


def _run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    # A user's own SQUEUE_STATES would hide tasks that run.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SQUEUE_")}
    try:
        return subprocess.run(
            words,
            input=text,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C is for us: sbatch must not be stopped half-way
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, "", f"{words[0]}: timed out ({error})")


def _line(text: str) -> str:
    return " ".join(text.split()) or "no reason given"
