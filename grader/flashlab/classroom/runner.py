"""Runs jobs side by side and keeps each result as soon as it is there."""

import concurrent.futures
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flashlab.classroom.work import Done, Job
from flashlab.errors import FlashLabError

# Runs all of these jobs, and hands each that is done to the function, in the caller's thread.
Runner = Callable[[Sequence[Job], Callable[[Done], None]], None]

SECONDS_BETWEEN_LINES = 15  # of progress, where there is no terminal


class StoppedError(FlashLabError):
    """Ctrl-C or a request to end: exit code 130, as a shell gives it."""

    exit_code = 130


class StopRequest:
    """Whether somebody asked to stop."""

    def __init__(self, answer: str) -> None:
        self.asked, self._answer = False, answer

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            os._exit(
                130
            )  # the second time somebody cannot wait; what is kept is safe at any moment
        self.asked = True
        print(f"\n{self._answer}; once more to stop at once", file=sys.stderr)

    @staticmethod
    @contextmanager
    def watching(answer: str) -> "Iterator[StopRequest]":
        """Turns Ctrl-C and SIGTERM into a request, to which `answer` is printed, as long as the context lasts."""
        request = StopRequest(answer)
        before = {
            number: signal.signal(number, request._ask)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield request
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_jobs(
    console: Console,
    jobs: Sequence[Job],
    workers: int,
    work: Callable[[Job], Done],
    keep: Callable[[Done], None],
) -> None:
    """Runs all jobs, `workers` at a time; `keep` is called in this thread, once per job, in the order of their ends.
    After a request to stop nothing new is begun, and StoppedError is raised when what runs has ended.
    """
    waiting = list(reversed(jobs))
    running: set[concurrent.futures.Future[Done]] = set()
    with (
        StopRequest.watching("stopping after what is being graded now") as stop,
        Meter(console, len(jobs)) as meter,
        concurrent.futures.ThreadPoolExecutor(workers) as pool,
    ):
        while (waiting and not stop.asked) or running:
            while waiting and len(running) < workers and not stop.asked:
                running.add(pool.submit(work, waiting.pop()))
            ended, running = concurrent.futures.wait(running, return_when="FIRST_COMPLETED")
            for future in ended:
                done = future.result()
                if stop.asked and done.result is None:
                    waiting.append(done.job)  # Ctrl-C reaches the judge, too: that is no failure
                    continue
                keep(done)
                meter.step()
    if waiting:
        raise StoppedError(
            f"stopped: {len(waiting)} of {len(jobs)} are left; the same command goes on"
        )


class Meter:
    """Progress with the rate and the time left: a bar on a terminal, else a line now and then."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._start = self._last = time.monotonic()
        columns = (
            TextColumn("grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        self._bar = Progress(
            *columns,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, rate="")

    def __enter__(self) -> "Meter":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        now = time.monotonic()
        rate = self._done / max(now - self._start, 1e-3)
        self._bar.update(self._task, advance=1, rate=f"{60 * rate:.0f}/min")
        if not self._console.is_terminal and now - self._last > SECONDS_BETWEEN_LINES:
            self._last = now
            left = (self._total - self._done) / rate
            self._console.print(
                f"graded {self._done} of {self._total}, {60 * rate:.0f} per minute, {left:.0f} s left"
            )
