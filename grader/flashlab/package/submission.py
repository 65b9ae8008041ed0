"""Which file of a folder that a platform filled is the submission."""

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flashlab.classroom.uploads import Source, Upload, find_uploads
from flashlab.errors import UsageError
from flashlab.labs import Lab, check_source

SHOWN = 5


@dataclass(frozen=True)
class Handed:
    """A submission: its source, or why there is none; `sha256` is that of the source, or of the reason."""

    source: bytes | None
    refusal: str | None
    sha256: str


def find_submission(folder: Path, lab: Lab) -> Handed:
    """The lab's file in `folder`, whatever folders or archives it lies in; a single .cu file may have any name."""
    uploads = find_uploads(folder, datetime.UTC)
    sources = [source for upload in uploads for source in upload.sources]
    named = [one for one in sources if one.path.name.casefold() == lab.source.casefold()]
    chosen = named or sources
    if len({one.data for one in chosen}) != 1:
        return _refused(_why_not(folder, lab, uploads, chosen))
    try:
        data = check_source(chosen[0].data, Path(chosen[0].path.name))
    except UsageError as error:
        return _refused(str(error))
    return Handed(data, None, hashlib.sha256(data).hexdigest())


def _why_not(folder: Path, lab: Lab, uploads: list[Upload], sources: list[Source]) -> str:
    if sources:
        names = sorted({str(one.path) for one in sources})
        which = f"different files for {lab.source}" if len(names) == 1 else ".cu files"
        return f"there are {len(sources)} {which} ({_listed(names)}); hand in {lab.source} alone"
    for upload in uploads:
        if upload.refusal is not None:
            return upload.refusal
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()]
    there = f"it holds {_listed(sorted(files))}" if files else "it is empty"
    return f"there is no {lab.source} in the submission: {there}"


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _refused(why: str) -> Handed:
    return Handed(None, why, hashlib.sha256(why.encode(errors="replace")).hexdigest())
