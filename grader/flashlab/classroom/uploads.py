"""What lies in a folder or download of submissions: every upload with the CUDA sources in it, wherever it came from."""

import datetime
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from flashlab.classroom.archive import (
    MIB,
    OTHER_SUFFIXES,
    BadArchiveError,
    Caps,
    Member,
    is_archive,
    read_archive,
)
from flashlab.errors import UsageError
from flashlab.labs import MAX_SOURCE_BYTES

METADATA = "submission_metadata.yml"  # Gradescope's list of who handed in what and when
DOWNLOAD_CAPS = Caps(members=200_000, member_bytes=32 * MIB, expanded_bytes=8192 * MIB)
UPLOAD_CAPS = Caps(member_bytes=MAX_SOURCE_BYTES)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Source:
    """A .cu file and its path in the upload."""

    path: PurePosixPath
    data: bytes


@dataclass(frozen=True)
class Upload:
    """One file that was handed in, a source or an archive of some, with the hash of its bytes. `refusal` says why it
    cannot be used.
    """

    parts: tuple[str, ...]
    modified: datetime.datetime
    sha256: str
    sources: tuple[Source, ...] = ()
    refusal: str | None = None
    metadata: bytes | None = None

    @property
    def shown(self) -> str:
        """Where it was found."""
        return "/".join(self.parts)


def find_uploads(root: Path, zone: datetime.tzinfo) -> list[Upload]:
    """Every upload in a folder or an archive of submissions, in the order of their paths. Times without a time zone are
    in `zone`. Links and anything else that is no regular file are passed over.
    """
    try:
        status = root.stat()
        members = _files(root) if root.is_dir() else _download(root)
        oldest = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
        uploads = [_upload(member, zone, oldest) for member in members]
    except OSError as error:
        raise UsageError(f"cannot read {error.filename or root}: {error.strerror}") from None
    except BadArchiveError as error:
        raise UsageError(f"{root} {error}") from None
    return sorted(uploads, key=lambda upload: upload.parts)


def _wanted(path: PurePosixPath) -> bool:
    name = path.name.lower()
    if "__MACOSX" in path.parts or name.startswith("._"):
        return False
    return name.endswith((".cu", *OTHER_SUFFIXES)) or is_archive(name) or name == METADATA


def _wanted_in_upload(path: PurePosixPath) -> bool:
    return _wanted(path) and path.suffix.lower() == ".cu"


def _files(root: Path) -> Iterator[Member]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            inside = PurePosixPath(path.relative_to(root))
            if not _wanted(inside) or not stat.S_ISREG(path.lstat().st_mode):
                continue
            # Between the two looks at it the file could have become a link.
            with os.fdopen(
                os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb"
            ) as file:
                data = file.read(DOWNLOAD_CAPS.member_bytes + 1)
                modified = os.fstat(file.fileno()).st_mtime
            moment = datetime.datetime.fromtimestamp(modified, datetime.UTC)
            yield Member(inside, data if len(data) <= DOWNLOAD_CAPS.member_bytes else None, moment)


def _download(path: Path) -> Iterator[Member]:
    if not is_archive(path.name):
        raise UsageError(f"{path} is neither a folder nor a zip or tar file of submissions")
    with path.open("rb") as file:
        yield from read_archive(file, path.name, _wanted, DOWNLOAD_CAPS)


def _upload(member: Member, zone: datetime.tzinfo, oldest: datetime.datetime) -> Upload:
    modified = member.modified or oldest
    if modified.tzinfo is None:
        modified = modified.replace(tzinfo=zone)
    parts = tuple(CONTROL.sub("?", part) for part in member.path.parts)
    sha256 = hashlib.sha256(member.data or b"").hexdigest()
    upload = Upload(parts, modified.astimezone(datetime.UTC), sha256)
    name = member.path.name
    if member.data is None:
        limit = DOWNLOAD_CAPS.member_bytes // MIB
        return replace(
            upload, refusal=f"{name} is larger than {limit} MiB; hand in only your sources"
        )
    if name == METADATA:
        return replace(upload, metadata=member.data)
    if name.lower().endswith(".cu"):
        return replace(upload, sources=(Source(PurePosixPath(name), member.data),))
    if not is_archive(name):
        return replace(
            upload, refusal=f"{name} is no zip, tar.gz or .cu file; hand in one of these"
        )
    return _opened(upload, name, member.data)


def _opened(upload: Upload, name: str, data: bytes) -> Upload:
    sources = []
    try:
        for member in read_archive(io.BytesIO(data), name, _wanted_in_upload, UPLOAD_CAPS):
            if member.data is None:
                limit = UPLOAD_CAPS.member_bytes / MIB
                raise BadArchiveError(f"holds {member.path}, which is larger than {limit:g} MiB")
            sources.append(Source(member.path, member.data))
    except BadArchiveError as error:
        return replace(upload, refusal=CONTROL.sub("?", f"{name} {error}"))
    return replace(upload, sources=tuple(sources))
