"""Who handed an upload in: the folder and file names that learning platforms use.

- plain: STUDENT/file, STUDENT.zip or STUDENT.cu
- Canvas: NAME[_LATE]_USER_ATTACHMENT_file
- Moodle: FULL NAME_NUMBER_assignsubmission_file_[/]file
- Gradescope: submission_NUMBER/file, with submission_metadata.yml in the folder above

Each of them may lie below a folder with a lab's name.
"""

import datetime
import re
from dataclasses import dataclass, replace
from typing import Any

from flashlab.classroom.archive import OTHER_SUFFIXES, SUFFIXES
from flashlab.classroom.roster import Roster, Student
from flashlab.classroom.uploads import Upload
from flashlab.errors import UsageError

CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<user>\d+)_\d+_(?P<file>.+)")
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)"
)
GRADESCOPE = re.compile(r"submission_\d+")


@dataclass(frozen=True)
class Origin:
    """The students of an upload (several for a group, none when nobody is known), the lab that its folder names, the
    time of submission where the platform tells it, and whether the file has the student's name instead of its own.
    """

    students: tuple[Student, ...]
    lab: str | None = None
    submitted_at: datetime.datetime | None = None
    by_file_name: bool = False


class Owners:
    """Finds the origin of uploads of one download."""

    def __init__(self, roster: Roster, lab_words: dict[str, str], uploads: list[Upload]) -> None:
        """`lab_words` has every word for a lab, as lab1 and lab1_naive, with the lab's name."""
        self._roster = roster
        self._lab_words = lab_words
        self._records: dict[tuple[str, ...], Any] = {}
        for upload in uploads:
            # Deeper down it would be a student's own, who could name anybody.
            at_top = len(self._below_lab(upload.parts)) == 1
            if upload.metadata is not None and at_top:
                folder = upload.parts[:-1]
                self._records |= {(*folder, key): item for key, item in _records(upload).items()}

    def origin(self, upload: Upload) -> Origin:
        """Who handed the upload in. Only the topmost name says it: below, a student could name anybody."""
        parts = self._below_lab(upload.parts)
        top = upload.parts[: len(upload.parts) - len(parts) + 1]
        lab = self._lab_words[upload.parts[0]] if len(top) > 1 else None
        if top in self._records:
            return self._gradescope(self._records[top], lab)
        moodle = MOODLE.fullmatch(parts[0])
        if moodle:
            return self._one(lab, moodle["number"], moodle["name"])
        canvas = CANVAS.fullmatch(parts[0])
        if canvas and len(parts) == 1:
            found = self._one(lab, canvas["user"], canvas["name"])
            if found.students:
                return found
        found = self._one(lab, parts[0], _stem(parts[0]))
        return replace(found, by_file_name=len(parts) == 1)

    def _below_lab(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        return parts[1:] if len(parts) > 1 and parts[0] in self._lab_words else parts

    def _one(self, lab: str | None, *names: str) -> Origin:
        student = self._roster.find(*names)
        return Origin((student,) if student else (), lab)

    def _gradescope(self, record: dict[str, Any], lab: str | None) -> Origin:
        people = record.get(":submitters") or []
        found = [
            self._roster.find(*(str(person.get(key, "")) for key in (":sid", ":email", ":name")))
            for person in people
        ]
        moment = record.get(":created_at")
        if not isinstance(moment, datetime.datetime):
            moment = None
        elif moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return Origin(tuple(student for student in found if student), lab, moment)


def names_a_student(folder: str) -> bool:
    """Whether a folder's name has the form that a platform gives to the folder of one submission."""
    return bool(MOODLE.fullmatch(folder) or GRADESCOPE.fullmatch(folder))


def original_name(upload: Upload) -> str:
    """The name that the student gave the file, without what the platform put around it."""
    name = upload.parts[-1]
    moodle, canvas = MOODLE.fullmatch(name), CANVAS.fullmatch(name)
    if moodle:
        return moodle["file"]
    # Canvas numbers files that were handed in again.
    return re.sub(r"-\d+(?=\.cu$)", "", canvas["file"]) if canvas else name


def _stem(name: str) -> str:
    """A file's name without what tells its format; ids may hold dots themselves."""
    endings = sorted((*SUFFIXES, *OTHER_SUFFIXES, ".cu"), key=len, reverse=True)
    return name[: -len(next((end for end in endings if name.lower().endswith(end)), "")) or None]


def _records(upload: Upload) -> dict[str, Any]:
    import yaml

    try:
        records = yaml.load(
            upload.metadata or b"", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
    except yaml.YAMLError as error:
        raise UsageError(f"{upload.shown} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(records, dict) or not all(
        isinstance(item, dict) for item in records.values()
    ):
        raise UsageError(f"{upload.shown} is not Gradescope's list of submissions")
    return {str(key): record for key, record in records.items()}
