"""Folders for what a command needs while it runs. One that was killed leaves its folder; the next removes it."""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

LOCK = "lock"
NEW = "new-"  # put before the name until the folder is locked, so that nobody takes it for one left behind


@contextlib.contextmanager
def scratch_folder(prefix: str, parent: Path) -> Iterator[Path]:
    """A folder in `parent` that is gone at the end. Its lock lasts no longer than this process, however that ends."""
    remove_left_behind(prefix, parent)
    new = Path(tempfile.mkdtemp(prefix=f"{NEW}{prefix}", dir=parent))
    folder = new.with_name(new.name.removeprefix(NEW))
    try:
        with (new / LOCK).open("w") as lock:
            with contextlib.suppress(
                OSError
            ):  # without locks nobody takes it for left behind either
                fcntl.flock(lock, fcntl.LOCK_EX)
            new.rename(folder)
            yield folder
    finally:
        for path in (new, folder):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """One for what a judge writes, beside the system's other temporary files."""
    with scratch_folder("flashlab-run-", Path(tempfile.gettempdir())) as folder:
        yield folder


def remove_left_behind(prefix: str, parent: Path) -> None:
    """Removes folders that no living process holds, and ends the programs that were started with TMPDIR in one."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid != os.geteuid():
                continue
            with (folder / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_programs_in(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _end_programs_in(folder: Path) -> None:
    mark = f"TMPDIR={folder}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(
                int(process.name)
            )  # stays that program, should the number be another's
            try:
                words = (process / "environ").read_bytes().split(b"\0")
                if any(word.startswith(mark) for word in words):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)
