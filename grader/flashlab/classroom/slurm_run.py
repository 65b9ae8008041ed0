"""Grades jobs through Slurm: sends them in job arrays and collects what the tasks leave.

Files are trusted, never exit codes. A job has its answer, or a task that will give it is in the queue, or it is sent
again. All that has to be known lies in course/slurm, so a collector that was killed goes on when it is started again.
"""

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from flashlab.classroom.runner import Meter, StoppedError, StopRequest
from flashlab.classroom.slurm import Queue, RefusedError, Slurm
from flashlab.classroom.slurm_files import Array
from flashlab.classroom.work import Done, Job, Workshop

ATTEMPTS = 3
LEAST, MOST = 4, 20  # jobs of a task: its start costs as much CPU time as a third of a job
POLL_SECONDS = 10
GRACE_SECONDS = 90  # NFS may show the files of a task that has ended a minute late


@dataclass
class SlurmRun:
    """One run of the collector. `stored` says whether a key's result is in the class's database already."""

    console: Console
    workshop: Workshop
    slurm: Slurm
    stored: Callable[[str], bool]
    _open: dict[str, Job] = field(default_factory=dict)  # jobs without an answer
    _arrays: list[Array] = field(default_factory=list)
    _owner: dict[str, Array] = field(default_factory=dict)  # what a job was last sent with
    _to_send: dict[str, int] = field(default_factory=dict)  # keys with how often they were sent
    _gone_since: dict[tuple[str, int], float] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)  # names of arrays whose logs are kept
    _said: str = ""

    def __call__(self, jobs: Sequence[Job], keep: Callable[[Done], None]) -> None:
        """Runs all jobs as `runner.run_jobs` does: `keep` is called in this thread, once per job."""
        self._open = {job.key: job for job in jobs}
        self._adopt()
        with (
            StopRequest.watching("leaving the tasks to Slurm") as stop,
            Meter(self.console, len(jobs)) as meter,
        ):

            def take(done: Done) -> None:
                keep(done)
                del self._open[done.job.key]
                meter.step()

            while True:
                queue = self.slurm.queue([array.name for array in self._arrays])
                self._collect(queue, take)
                if not self._open:
                    break
                self._say(_waiting_for(queue))
                if queue is not None:
                    self._send(queue)
                pause = time.monotonic() + POLL_SECONDS
                while not stop.asked and time.monotonic() < pause:
                    time.sleep(0.1)
                if stop.asked:
                    raise StoppedError(self._farewell(len(jobs)))
        self._tidy({job.key for job in jobs})

    def _adopt(self) -> None:
        """Takes over the arrays of earlier runs; a job that is in several was sent last with that of most attempts."""
        root = self.workshop.course.folder / "slurm"
        for folder in root.glob("failed-*"):
            shutil.rmtree(folder, ignore_errors=True)
        self._arrays = sorted(Array.all_below(root), key=lambda array: array.attempt)
        for array in self._arrays:
            self._owner |= dict.fromkeys(array.keys & self._open.keys(), array)
        self._to_send = dict.fromkeys((key for key in self._open if key not in self._owner), 0)
        if self._owner:
            self.console.print(f"{len(self._owner)} of {len(self._open)} were sent earlier")

    def _collect(self, queue: Queue | None, take: Callable[[Done], None]) -> None:
        for array in self._arrays:
            for index, keys in enumerate(array.shards):
                left = [key for key in keys if self._owner.get(key) is array]
                left = [key for key in left if key in self._open and key not in self._to_send]
                task = (array.name, index)
                state = queue.get(task) if queue is not None else None
                if state is not None:
                    self._gone_since.pop(task, None)
                if not left or (state is not None and state.waits):
                    continue
                there = array.answered(index)
                answers = {
                    key: array.answer(index, self._open[key]) for key in left if key in there
                }
                for done in filter(None, answers.values()):
                    take(done)
                lost = [key for key in left if answers.get(key) is None]
                if lost and queue is not None and state is None:
                    since = self._gone_since.setdefault(task, time.monotonic())
                    if time.monotonic() - since >= GRACE_SECONDS:
                        self._lost(array, index, lost, take)

    def _lost(
        self, array: Array, index: int, keys: Sequence[str], take: Callable[[Done], None]
    ) -> None:
        """The task has ended without these answers: they are sent again, or given up."""
        if array.attempt + 1 < ATTEMPTS:
            self._to_send |= dict.fromkeys(keys, array.attempt + 1)
            return
        self._failed.add(array.name)
        words = array.last_words(index)
        said = f"said: {words}" if words else "left no log: can nodes write there?"
        logs = array.folder.with_name(f"failed-{array.name}")
        text = f"{ATTEMPTS} Slurm tasks ended without its result; the last {said} ({logs})"
        for key in keys:
            take(Done(self._open[key], None, text))

    def _send(self, queue: Queue) -> None:
        """Sends what fits into the queue; jobs that were lost go in smaller shards, so that one of them that ends its
        task takes fewer with it each time.
        """
        used, most = len(queue), self.slurm.array_size
        while self._to_send and used < self.slurm.queue_size:
            attempt = min(self._to_send.values())
            jobs = [self._open[key] for key, count in self._to_send.items() if count == attempt]
            size = shard_size(len(jobs), self.slurm.array_size, attempt)
            shards = [jobs[start : start + size] for start in range(0, len(jobs), size)]
            shards = shards[: min(most, self.slurm.queue_size - used)]
            shop = self.workshop
            root = shop.course.folder.absolute() / "slurm"
            array = Array.create(root, shop.device.kind, shop.seed, attempt, shards)
            try:
                program = shop.layout.root / "flashlab"
                number = self.slurm.submit(array.name, len(shards), program, array.folder)
            except RefusedError as refusal:
                array.remove()  # a task that was started all the same finds no work
                if used or refusal.is_silence:
                    self._say(f"{refusal}; trying again")
                    return
                if refusal.is_limit and len(shards) > 1:
                    most = len(shards) // 2
                    continue
                raise
            self._arrays.append(array)
            self._owner |= dict.fromkeys(array.keys, array)
            for key in array.keys:
                del self._to_send[key]
            used += len(shards)
            again = f", for the {('second', 'third')[attempt - 1]} time" if attempt else ""
            text = f"array {number}: {len(array.keys)} submissions in {len(shards)} tasks{again}"
            self.console.print(text)

    def _say(self, text: str) -> None:
        """Tells why nothing goes on, once."""
        if text and text != self._said:
            self.console.print(text)
        self._said = text

    def _farewell(self, total: int) -> str:
        text = f"stopped: {len(self._open)} of {total} are left; the same command goes on"
        names = sorted({array.name for key, array in self._owner.items() if key in self._open})
        cancel = "; ".join(f"scancel --name={name}" for name in names)
        return f"{text}. Slurm's tasks go on, too; to end them: {cancel}" if names else text

    def _tidy(self, done: set[str]) -> None:
        """Removes what is in the database now; of arrays that failed, the folder stays until the next run."""
        for array in self._arrays:
            if all(key in done or self.stored(key) for key in array.keys):
                if array.name in self._failed:
                    with contextlib.suppress(OSError):  # somebody has removed it
                        array.folder.rename(array.folder.with_name(f"failed-{array.name}"))
                else:
                    array.remove()


def shard_size(jobs: int, array_size: int, attempt: int = 0) -> int:
    """How many jobs a task gets: as few as one array allows, for many tasks end sooner than few."""
    return max(1, min(MOST, max(LEAST, math.ceil(jobs / array_size))) // 4**attempt)


def _waiting_for(queue: Queue | None) -> str:
    """Why no task runs, or an empty text."""
    if queue is None:
        return "Slurm does not answer; waiting for it"
    reasons = sorted({state.reason for state in queue.values()})
    waits = queue and all(state.waits for state in queue.values())
    return f"no task runs yet: {', '.join(reasons)}" if waits else ""
