"""The sandbox that the trusted programs put around the worker, and how they are run."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flashlab.device import Chosen, Device
from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.sandbox import DIES_WITH_US, Box, Limits, Sandbox
from flashlab.toolchain import find_ptxas

Event = dict[str, Any]

SEED = "FLASHLAB_SEED"
GRADING_SECONDS = 600  # of CPU time; a case that takes too long is ended by the judge


class Worker:
    """A box for the worker, which sees the system, itself, its runtime library and `libraries`, nothing else, and on
    the virtual GPU the toolkit's ptxas, which the modelled time needs.
    """

    def __init__(
        self,
        layout: Layout,
        device: Chosen,
        libraries: tuple[Path, ...],
        cpu_seconds: int = GRADING_SECONDS,
    ) -> None:
        virtual = device.kind is Device.VGPU
        self.ptxas = find_ptxas(layout) if virtual else None
        tools = (self.ptxas,) if self.ptxas else ()
        box = Box(
            # Both stop a worker that the judge has lost. The judge watches the memory that a worker takes; addresses
            # are more: the virtual GPU reserves four times its memory, and 26 times that for its checks.
            Limits(cpu_seconds=cpu_seconds, memory_bytes=1 << 40 if virtual else None),
            readable=(layout.worker, *device.library_path, *libraries, *tools),
            gpu=not virtual,
        )
        sandbox = Sandbox.find(box)
        self.level = sandbox.level
        self.words = ["--worker", str(layout.worker), "--device", str(device.kind)]
        for folder in device.library_path:
            self.words += ["--runtime-dir", str(folder)]
        for word in sandbox.launcher(box):
            self.words += ["--launcher", word]

    @property
    def environment(self) -> dict[str, str]:
        """That of the program which starts the worker."""
        return {**os.environ, **({"VGPU_PTXAS": str(self.ptxas)} if self.ptxas else {})}


class Program:
    """A trusted program that prints one JSON object per line; `code` and `error` tell afterwards how it ended."""

    def __init__(
        self, layout: Layout, words: list[str], worker: Worker, seed: int | None = None
    ) -> None:
        """`seed` goes through the environment: any user of the machine can read a command line."""
        for program in (Path(words[0]), layout.worker):
            if not program.exists():
                raise UsageError(f"{layout.shown(program)} is missing; run: make build")
        self._words, self._worker = words, worker
        self._environment = worker.environment
        if seed is not None:
            self._environment[SEED] = str(seed)
        self.code = 0
        self.error = ""

    def events(self, errors: Path) -> Iterator[Event]:
        """Runs it to its end, with stderr in the file `errors`. It is stopped when the caller stops listening."""
        with (
            errors.open("wb") as error_file,
            subprocess.Popen(
                [*DIES_WITH_US, *self._words, *self._worker.words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=error_file,
                env=self._environment,
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    with contextlib.suppress(ValueError):  # other output is none of ours
                        yield json.loads(line)
            except BaseException:
                process.terminate()
                raise
        self.code = process.returncode
        said = errors.read_text(encoding="utf-8", errors="replace").strip()
        name = Path(self._words[0]).name
        last = said.splitlines()[-1] if said else f"{name} stopped with exit code {self.code}"
        self.error = last.removeprefix(f"{name}: ")
