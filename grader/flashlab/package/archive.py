"""Archives whose bytes depend on their contents alone: members in order of name, one time, one owner, two modes."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

# Zip files know no earlier time, and what is older than anything else makes no build tool take it for changed.
YEAR_MONTH_DAY = (1980, 1, 1, 0, 0, 0)
SECONDS = 315532800  # the same since 1970


@dataclass(frozen=True, order=True)
class Member:
    """A file of an archive, with its path in it."""

    path: str
    data: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """Its rights, whatever they are where it comes from."""
        return 0o755 if self.executable else 0o644


def below(folder: str, members: Iterable[Member]) -> list[Member]:
    """The members, moved into a folder."""
    return [Member(f"{folder}/{item.path}", item.data, item.executable) for item in members]


def to_tar(members: Iterable[Member]) -> bytes:
    """A tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member in sorted(members):
            info = tarfile.TarInfo(member.path)
            info.size, info.mtime, info.mode = len(member.data), SECONDS, member.mode
            info.uname = info.gname = "root"
            archive.addfile(info, io.BytesIO(member.data))
    return buffer.getvalue()


def to_tar_gz(members: Iterable[Member]) -> bytes:
    """A compressed tar file."""
    return gzip.compress(to_tar(members), mtime=SECONDS)


def to_zip(members: Iterable[Member]) -> bytes:
    """A zip file, which keeps what is executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in sorted(members):
            info = zipfile.ZipInfo(member.path, YEAR_MONTH_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix: what the next line says is a mode
            info.external_attr = (0o100000 | member.mode) << 16
            archive.writestr(info, member.data)
    return buffer.getvalue()
