"""Runs the compiler and the worker with less: what untrusted code may see, change and use up.

The ladder, best first; `Sandbox.find` takes the first rung that works here and every result records it:

  bubblewrap+uid   private file system and namespaces, fewer system calls, and an unprivileged user instead of root
  bubblewrap       the same without another user
  landlock+uid     only named files, fewer system calls, and an unprivileged user instead of root
  landlock         the same without another user
  limits+uid       resource limits, and an unprivileged user instead of root
  limits           resource limits only

Inside bubblewrap there is no network, the system is read-only, and of the user's files only those named in a `Box`
exist, at the paths they have outside. With Landlock other files exist, and do not open; the network cannot be used, and
other processes can be seen but not reached. Landlock and the filter of system calls are put on by flashlab-confine
(grader/sandbox), which is left out where it is not built. Who sets FLASHLAB_STRICT=1 gets the first rung or an error.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flashlab.errors import UsageError
from flashlab.layout import Layout

NOBODY = 65534
# A killed command must not leave a program behind that computes on for nobody. A change of user makes the kernel forget
# it, so it is said again there.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
DROP_USER = [
    "setpriv", "--pdeathsig", "KILL", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--",
]  # fmt: skip
# What a program needs of the system when nothing is hidden but all is closed.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
          "/sys/devices/system/cpu", "/dev/urandom", "/dev/zero")  # fmt: skip
DEVICES = ("/dev/null",)
OF_THE_DRIVER = ("/proc/self/task",)  # NVIDIA's names its threads there
STRICT = "FLASHLAB_STRICT"
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
MIB = 1 << 20


Kind = Literal["bubblewrap", "landlock", "limits"]


@dataclass(frozen=True)
class Limits:
    """Resource limits of each process in the box."""

    cpu_seconds: int
    file_bytes: int = 64 * MIB
    # Applied only where the sandbox has a user of its own: it counts everything that the user runs.
    processes: int = 1024
    # Address space; None for a real GPU, whose driver reserves more than there is memory.
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Box:
    """What a sandboxed program may reach."""

    limits: Limits
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    folder: Path = Path("/")  # the working folder; made when it does not exist inside
    gpu: bool = False


@dataclass(frozen=True)
class Sandbox:
    """One rung of the ladder."""

    kind: Kind
    drops_user: bool

    @property
    def level(self) -> str:
        """The name under which results record this rung."""
        return self.kind + ("+uid" if self.drops_user else "")

    @property
    def is_full(self) -> bool:
        """Whether nothing that this machine's user could take away is left."""
        return self.kind == "bubblewrap" and (self.drops_user or os.geteuid() != 0)

    @staticmethod
    def find(box: Box) -> "Sandbox":
        """The best rung on which everything in `box` can be reached. Costs about 10 ms per rung tried. UsageError when
        it is less than a strict grader takes.
        """
        for tool in ("prlimit", "setpriv"):
            if shutil.which(tool) is None:
                raise UsageError(f"{tool} is missing; run: apt-get install util-linux")
        kinds: list[Kind] = ["limits"]
        if confine() is not None:
            kinds.insert(0, "landlock")
        if shutil.which("bwrap"):
            kinds.insert(0, "bubblewrap")
        users = (True, False) if os.geteuid() == 0 else (False,)
        rungs = [Sandbox(kind, drops_user) for kind in kinds for drops_user in users]
        found = next((rung for rung in rungs if rung._reaches(box)), rungs[-1])
        if os.environ.get(STRICT) == "1" and not found.is_full:
            raise UsageError(
                f"the sandbox is only `{found.level}`, and {STRICT} asks for bubblewrap; see: flashlab doctor"
            )
        return found

    def launcher(self, box: Box) -> list[str]:
        """The words to put before a command to run it in `box`. Open file descriptors and the environment
        pass: the caller gives a clean one.
        """
        words = self._limits(box.limits)
        if self.kind == "bubblewrap":
            words += self._namespaces(box)
        if self.drops_user:
            words += DROP_USER
        return words + self._confinement(box)

    def _confinement(self, box: Box) -> list[str]:
        program = confine()
        if program is None or self.kind == "limits":
            return []
        words = [str(program), *(["--gpu"] if box.gpu else [])]
        if self.kind == "bubblewrap":
            return [*words, "--any-file", "--"]
        driver = (*OF_THE_DRIVER, *map(str, gpu_devices())) if box.gpu else ()
        for path in (*SYSTEM, *SYSTEM_FILES, *map(str, box.readable)):
            words += ["--read", path]
        for path in (*DEVICES, *driver, *map(str, box.writable)):
            words += ["--write", path]
        return [*words, "--"]

    def _limits(self, limits: Limits) -> list[str]:
        words = ["prlimit", "--core=0", "--nofile=256"]
        # First a signal whose name the compiler reports, then one that nothing outlives.
        words.append(f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 2}")
        words.append(f"--fsize={limits.file_bytes}")
        if self.drops_user:
            words.append(f"--nproc={limits.processes}")
        if limits.memory_bytes is not None:
            words.append(f"--as={limits.memory_bytes}")
        return [*words, "--"]

    def _namespaces(self, box: Box) -> list[str]:
        words = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net"]
        words += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if os.geteuid() == 0:
            # Root needs no user namespace, and inside one setpriv could not change to another user.
            words += [] if self.drops_user else ["--cap-drop", "ALL"]
        else:
            words.append("--unshare-user")
        words += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
        for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
            system = Path(name)
            if system.is_symlink():
                words += ["--symlink", str(system.readlink()), name]
            elif system.exists():
                words += ["--ro-bind", name, name]
        for file in SYSTEM_FILES:
            words += ["--ro-bind-try", file, file]
        for private in ("/dev/shm", "/tmp"):
            words += ["--perms", "1777", "--size", str(256 * MIB), "--tmpfs", private]
        if box.gpu:
            for device in gpu_devices():
                words += ["--dev-bind-try", str(device), str(device)]
            words += ["--ro-bind-try", "/sys", "/sys"]
        # bwrap would make the folders on the way for root only.
        program = confine()
        readable = box.readable if program is None else (*box.readable, program)
        paths = (*readable, *box.writable)
        on_the_way = {parent for path in paths for parent in path.parents} | {box.folder}
        for folder in sorted(on_the_way):
            words += ["--perms", "0755", "--dir", str(folder)]
        for path in readable:
            words += ["--ro-bind", str(path), str(path)]
        for path in box.writable:
            words += ["--bind", str(path), str(path)]
        return [*words, "--chdir", str(box.folder), "--"]

    def _reaches(self, box: Box) -> bool:
        test = 'for path; do [ -r "$path" ] || exit 1; done'
        paths = [str(path) for path in (*box.readable, *box.writable)]
        words = [*self.launcher(box), "/bin/sh", "-c", test, "sh", *paths]
        return run_quietly(words, timeout=10) == 0


def confine() -> Path | None:
    """The launcher of grader/sandbox; None where it is not built."""
    program = Layout.of_this_package().confine
    return program if program.exists() else None


def gpu_devices() -> list[Path]:
    """The device files of NVIDIA's driver."""
    return sorted(Path("/dev").glob("nvidia*"))


def run_quietly(words: Sequence[str], timeout: float) -> int | None:
    """The exit code of a command whose output does not matter; None when it cannot be run or does not end."""
    try:
        return subprocess.run(words, capture_output=True, timeout=timeout, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None


def level_here() -> str:
    """The rung that this machine offers, for a box with nothing in it."""
    return Sandbox.find(Box(Limits(cpu_seconds=10))).level
