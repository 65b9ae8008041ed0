"""From uploads to submissions: for each student and lab the one file that counts, or why there is none."""

import csv
import datetime
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flashlab.classroom.archive import is_archive
from flashlab.classroom.course import Course, CourseLab
from flashlab.classroom.owners import Origin, Owners, names_a_student, original_name
from flashlab.classroom.uploads import Source, Upload, find_uploads
from flashlab.errors import UsageError
from flashlab.labs import check_source

Times = Mapping[tuple[str, str], datetime.datetime]  # by student and lab


@dataclass(frozen=True)
class Handed:
    """What counts as a student's submission of a lab: `source`, or `refusal` with the reason why there is none.
    `sha256` is that of the source, or of the upload together with the refusal. `time_source` says where the time is
    from: times file, platform, or file.
    """

    student: str
    lab: str
    source: bytes | None
    refusal: str | None
    sha256: str
    submitted_at: datetime.datetime
    time_source: str
    found_in: str


@dataclass(frozen=True)
class Intake:
    """All that was found: submissions in the order of the roster, and uploads that are none with the reason."""

    handed: tuple[Handed, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    """A source, or a refused upload, that may become the submission of one student for one lab."""

    upload: Upload
    source: Source | None
    moment: datetime.datetime
    time_source: str


def take_in(course: Course, root: Path, only: CourseLab | None, times: Times) -> Intake:
    """The submissions in a folder or download; `only` leaves out all other labs."""
    words = {}
    for item in course.labs:
        words |= dict.fromkeys((item.lab.name, item.lab.short), item.lab.name)
    uploads = _without_common_folder(find_uploads(root, course.timezone), course, words)
    owners = Owners(course.roster, words, uploads)
    wanted = [only] if only else list(course.labs)
    candidates: dict[tuple[str, str], list[_Candidate]] = {}
    problems = []
    for upload in uploads:
        if upload.metadata is not None:
            continue
        origin = owners.origin(upload)
        if not origin.students:
            problems.append(f"{upload.shown}: nobody in roster.csv fits; add the student or the id")
            continue
        labs = [item for item in wanted if origin.lab in (None, item.lab.name)]
        found = _of_labs(upload, origin, labs)
        if labs and not found:
            files = ", ".join(item.lab.source for item in labs)
            problems.append(f"{upload.shown}: holds none of {files}")
        for lab, candidate in found:
            for student in origin.students:
                candidates.setdefault((student.id, lab), []).append(candidate)
    handed = [
        _chosen(student.id, item, candidates[student.id, item.lab.name], times)
        for student in course.roster.students
        for item in wanted
        if (student.id, item.lab.name) in candidates
    ]
    return Intake(tuple(handed), tuple(problems))


def read_times(course: Course, path: Path) -> dict[tuple[str, str], datetime.datetime]:
    """Times of submission from a CSV file with the columns student, lab and submitted_at (ISO 8601)."""
    times = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), 2):
                student = course.roster.find(row["student"])
                if student is None:
                    raise UsageError(f"{path}:{line}: {row['student']!r} is not in roster.csv")
                moment = datetime.datetime.fromisoformat(row["submitted_at"].strip())
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=course.timezone)
                times[student.id, course.lab(row["lab"].strip()).lab.name] = moment
    except KeyError as error:
        raise UsageError(f"{path}: the column {error} is missing") from None
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    return times


def _without_common_folder(
    uploads: list[Upload], course: Course, words: Mapping[str, str]
) -> list[Upload]:
    """A download is often one folder that holds all others, and its name tells neither a student nor a lab."""
    tops = {upload.parts[0] for upload in uploads}
    if len(tops) != 1 or any(len(upload.parts) == 1 for upload in uploads):
        return uploads
    (top,) = tops
    if top in words or course.roster.find(top) is not None or names_a_student(top):
        return uploads
    return [replace(upload, parts=upload.parts[1:]) for upload in uploads]


def _of_labs(
    upload: Upload, origin: Origin, labs: Sequence[CourseLab]
) -> list[tuple[str, _Candidate]]:
    """Candidates for each lab that the upload has a source of. One that cannot be read counts for every lab."""
    moment, kind = origin.submitted_at, "platform"
    if moment is None:
        moment, kind = upload.modified, "file"
    if upload.refusal is not None:
        candidate = _Candidate(upload, None, moment, kind)
        return [(item.lab.name, candidate) for item in labs]
    if origin.by_file_name and len(labs) == 1 and not is_archive(upload.parts[-1]):
        return [(labs[0].lab.name, _Candidate(upload, upload.sources[0], moment, kind))]
    found = []
    for source in upload.sources:
        alone = str(source.path) == upload.parts[-1]
        name = _folded(original_name(upload) if alone else source.path.name)
        candidate = _Candidate(upload, source, moment, kind)
        found += [(item.lab.name, candidate) for item in labs if name == _folded(item.lab.source)]
    return found


def _chosen(student: str, item: CourseLab, candidates: list[_Candidate], times: Times) -> Handed:
    """The newest readable candidate. Several of one time have to be equal, or one lies in the lab's own folder."""
    usable = [one for one in candidates if one.source is not None] or candidates
    newest = max(one.moment for one in usable)
    latest = [one for one in usable if one.moment == newest]
    proper = [one for one in latest if one.source and item.lab.name in one.source.path.parts]
    first = proper[0] if len(proper) == 1 else latest[0]
    source = first.source.data if first.source else None
    refusal = first.upload.refusal
    if source is not None:
        refusal = _ambiguous(item, proper or latest) or _invalid(source, item)
    known = hashlib.sha256(source or b"")
    if refusal is not None:
        known = hashlib.sha256(f"{first.upload.sha256}\n{refusal}".encode())
    moment, kind = first.moment, first.time_source
    if (student, item.lab.name) in times:
        moment, kind = times[student, item.lab.name], "times file"
    return Handed(
        student,
        item.lab.name,
        None if refusal is not None else source,
        refusal,
        known.hexdigest(),
        moment.astimezone(datetime.UTC).replace(microsecond=0),
        kind,
        first.upload.shown,
    )


def _ambiguous(item: CourseLab, candidates: list[_Candidate]) -> str | None:
    if len({one.source.data for one in candidates if one.source}) == 1:
        return None
    paths = sorted(f"{one.upload.parts[-1]}:{one.source.path}" for one in candidates if one.source)
    shown = ", ".join(paths[:4])
    return f"there are {len(paths)} different files for {item.lab.source} ({shown}); hand in one"


def _invalid(source: bytes, item: CourseLab) -> str | None:
    try:
        check_source(source, Path(item.lab.source))
    except UsageError as error:
        return str(error)
    return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
