"""A control group with a limit of CPU and memory, as a container has; versions 1 and 2."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds
MIB = 1 << 20


class ControlGroup:
    """A group for one command. `peak_mib` is the most memory that its processes had at any of the looks at it, 20 per
    second, without what the kernel keeps of files; `kills` counts the processes that it killed for more than the limit.
    """

    def __init__(self, name: str, cpus: float, memory_mib: int) -> None:
        self.two = (ROOT / "cgroup.controllers").exists()
        kinds = [ROOT] if self.two else [ROOT / "cpu", ROOT / "memory"]
        self.folders = [kind / name for kind in kinds]
        for folder in self.folders:
            folder.mkdir()
        self.memory = self.folders[-1]
        quota = round(PERIOD * cpus)
        if self.two:
            (self.memory / "cpu.max").write_text(f"{quota} {PERIOD}")
            (self.memory / "memory.max").write_text(str(memory_mib * MIB))
            (self.memory / "memory.swap.max").write_text("0")
        else:
            (self.folders[0] / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.folders[0] / "cpu.cfs_quota_us").write_text(str(quota))
            (self.memory / "memory.limit_in_bytes").write_text(str(memory_mib * MIB))
        self.peak_mib = 0.0

    def enter(self) -> None:
        """Moves the calling process into the group: for a child, before it runs its command."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def kills(self) -> int:
        """Processes killed for want of memory."""
        name = "memory.events" if self.two else "memory.oom_control"
        return self._numbers(name).get("oom_kill", 0)

    def _numbers(self, name: str) -> dict[str, int]:
        lines = (self.memory / name).read_text(encoding="ascii").splitlines()
        return {key: int(value) for key, value in (line.split() for line in lines)}

    def _used(self) -> int:
        numbers = self._numbers("memory.stat")
        keys = ("anon", "shmem") if self.two else ("total_rss", "total_shmem")
        return sum(numbers.get(key, 0) for key in keys)

    def _watch(self, going_on: Callable[[], bool]) -> None:
        while going_on():
            self.peak_mib = max(self.peak_mib, self._used() / MIB)
            time.sleep(0.05)


@contextlib.contextmanager
def control_group(cpus: float, memory_mib: int) -> Iterator[ControlGroup]:
    """A group that is watched inside the block and gone after it."""
    group = ControlGroup(f"flashlab-{os.getpid()}", cpus, memory_mib)
    watching = True
    watcher = threading.Thread(target=group._watch, args=(lambda: watching,))
    watcher.start()
    try:
        yield group
    finally:
        watching = False
        watcher.join()
        for folder in group.folders:
            folder.rmdir()
