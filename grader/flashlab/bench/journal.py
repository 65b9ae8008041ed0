"""The file of a sweep: JSON lines, each on the disk before the next point starts.

A line is {"key", "series", "record", "provenance"}. A later line replaces an earlier one with the same key, which
happens when a point that was skipped or could not be judged is measured after all.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from flashlab.errors import UsageError
from flashlab.results import check_writable, parse

Line = dict[str, Any]


def read(path: Path) -> list[Line]:
    """The points of a file, in the order in which they were first begun; also while a sweep writes to it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return list(_parse(path, data[: _whole(data)]).values())


def _whole(data: bytes) -> int:
    """The length without a last line that a kill cut off: only a newline ends a line."""
    return data.rfind(b"\n") + 1


def _parse(path: Path, data: bytes) -> dict[str, Line]:
    lines = {}
    for number, text in enumerate(data.splitlines(), 1):
        where = f"{path}:{number}"
        line = parse(text.decode("utf-8", errors="replace"), where)
        if not line.keys() >= {"key", "series", "record", "provenance"}:
            raise UsageError(f"{where} is no point of a sweep; remove this line")
        lines[line["key"]] = line
    return lines


class Journal:
    """A file that one process writes; `lines` holds what is there, by key. Use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[str, Line] = {}
        self.dropped = 0  # bytes of a last line that a kill had cut off
        self._file: BinaryIO

    def __enter__(self) -> "Journal":
        check_writable(self.path.parent)
        try:
            self._file = self.path.open("a+b", buffering=0)
            self._lock()
            self._file.seek(0)
            data = self._file.read()
            self.lines = _parse(self.path, data[: _whole(data)])
            self.dropped = len(data) - _whole(data)
            self._file.truncate(_whole(data))
            self._sync_folder()
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, line: Line) -> None:
        """Adds a point. When this returns, the line survives a kill and a power cut; when it fails, the file is as
        it was.
        """
        text = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = text.encode() + b"\n"
        size = os.fstat(self._file.fileno()).st_size
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(size)
            raise UsageError(
                f"cannot write {self.path}: {error.strerror}; the points in it are kept, and the same command goes on"
            ) from None
        self.lines[line["key"]] = line

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UsageError(
                f"{self.path} is being written by another sweep; wait for it or choose another --name"
            ) from None

    def _sync_folder(self) -> None:
        """A new file is there after a power cut only when its folder is on the disk, too."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
