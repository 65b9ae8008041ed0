"""Reads the wanted files of an archive that a stranger made. Nothing is ever written: what is not wanted is skipped and
what is wanted comes into memory, so neither paths nor links nor devices in an archive can do anything.
"""

import bz2
import datetime
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TypeVar

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2")
OTHER_SUFFIXES = (
    ".rar",
    ".7z",
    ".tar.xz",
    ".gz",
    ".xz",
)  # what people hand in that is not read here
MIB = 1 << 20

Info = TypeVar("Info")


class BadArchiveError(Exception):
    """Why an archive is refused: one line that its author can act on."""


@dataclass(frozen=True)
class Caps:
    """What an archive may hold at most; `expanded_bytes` counts what is read: of a tar file everything, of a zip file
    what is wanted.
    """

    members: int = 2_000
    member_bytes: int = MIB
    expanded_bytes: int = 64 * MIB


@dataclass(frozen=True)
class Member:
    """A wanted file; `data` is None when it is larger than may be. `modified` has a time zone except in a zip file,
    which holds the local time of whoever made it; None when there is none.
    """

    path: PurePosixPath
    data: bytes | None
    modified: datetime.datetime | None


def is_archive(name: str) -> bool:
    """Whether the name is that of an archive that can be read here."""
    return name.lower().endswith(SUFFIXES)


def read_archive(
    file: IO[bytes], name: str, wanted: Callable[[PurePosixPath], bool], caps: Caps
) -> Iterator[Member]:
    """The regular files in an archive for whose path `wanted` holds. Raises BadArchiveError for one that is damaged,
    too large, encrypted, or holds a path that leads out of it.
    """
    reader = _zip_members if name.lower().endswith(".zip") else _tar_members
    try:
        yield from reader(file, name, wanted, caps)
    except BadArchiveError:
        raise
    except MemoryError:
        raise BadArchiveError("needs too much memory to read; make it again") from None
    except Exception as error:  # the parsers raise nearly anything for a made-up file
        text = str(error) or type(error).__name__
        raise BadArchiveError(f"cannot be read ({text}); make it again") from None


def _zip_members(
    file: IO[bytes], _name: str, wanted: Callable[[PurePosixPath], bool], caps: Caps
) -> Iterator[Member]:
    left = caps.expanded_bytes
    with zipfile.ZipFile(file) as archive:
        for info in _counted(archive.infolist(), caps):
            path = _safe_path(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in (0, stat.S_IFREG) or not wanted(path):
                continue
            if info.flag_bits & 1:
                raise BadArchiveError(f"{path} is encrypted; make the archive without a password")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadArchiveError(f"{path} is packed by a rare method; make a plain zip file")
            with archive.open(info) as member:
                data = _read(member, caps)
            left -= len(data or b"")
            if left < 0:
                raise BadArchiveError(f"expands to more than {caps.expanded_bytes // MIB} MiB")
            yield Member(path, data, _dos_time(info.date_time))


def _tar_members(
    file: IO[bytes], name: str, wanted: Callable[[PurePosixPath], bool], caps: Caps
) -> Iterator[Member]:
    stream: IO[bytes] = file
    if name.lower().endswith("gz"):
        stream = gzip.GzipFile(fileobj=file)
    elif name.lower().endswith("bz2"):
        stream = bz2.BZ2File(file)
    # Read as a stream: nothing has to be sought, and every expanded byte is counted.
    with tarfile.open(fileobj=_Counting(stream, caps.expanded_bytes), mode="r|") as archive:
        for info in _counted(archive, caps):
            path = _safe_path(info.name)
            if not info.isreg() or info.issparse() or not wanted(path):
                continue
            member = archive.extractfile(info)
            if member is not None:
                moment = datetime.datetime.fromtimestamp(info.mtime, datetime.UTC)
                yield Member(path, _read(member, caps), moment)


def _counted(infos: Iterable[Info], caps: Caps) -> Iterator[Info]:
    for count, info in enumerate(infos):
        if count >= caps.members:
            raise BadArchiveError(
                f"holds more than {caps.members} files; hand in only your sources"
            )
        yield info


def _safe_path(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise BadArchiveError(f"holds the path {name}, which leads out of the archive")
    return path


def _read(member: IO[bytes], caps: Caps) -> bytes | None:
    data = member.read(caps.member_bytes + 1)
    return data if len(data) <= caps.member_bytes else None


def _dos_time(fields: tuple[int, int, int, int, int, int]) -> datetime.datetime | None:
    try:
        return datetime.datetime(*fields)
    except ValueError:
        return None  # a month 0 stands for no date


class _Counting(io.RawIOBase):
    """A stream that ends with an error after so many bytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__()
        self._stream, self._left, self._limit = stream, limit, limit

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise BadArchiveError(f"expands to more than {self._limit // MIB} MiB")
        return data
