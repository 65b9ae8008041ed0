"""The students of a class, and who is meant by the names that learning platforms use."""

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flashlab.errors import UsageError

COLUMNS = ("id", "name", "email", "login", "canvas_id", "sis_id", "moodle_id", "section")
ID = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Student:
    """One line of roster.csv. `id` names the student's files and rows; the rest may be empty."""

    id: str
    name: str = ""
    email: str = ""
    login: str = ""
    canvas_id: str = ""
    sis_id: str = ""
    moodle_id: str = ""
    section: str = ""


@dataclass(frozen=True)
class Roster:
    """All students, in the order of the file."""

    students: tuple[Student, ...]

    def find(self, *names: str) -> Student | None:
        """The one student whom one of `names` identifies: any of the id columns, the e-mail address or the name. An
        earlier name wins; one that fits several students identifies nobody.
        """
        for name in names:
            for index in (self._by_id, self._by_name):
                found = index.get(_plain(name) if index is self._by_id else _squashed(name), ())
                if len(found) == 1:
                    return found[0]
        return None

    @cached_property
    def _by_id(self) -> dict[str, tuple[Student, ...]]:
        index: dict[str, tuple[Student, ...]] = {}
        for student in self.students:
            columns = (
                getattr(student, name) for name in COLUMNS if name not in ("name", "section")
            )
            for text in {_plain(column) for column in columns if column}:
                index[text] = (*index.get(text, ()), student)
        return index

    @cached_property
    def _by_name(self) -> dict[str, tuple[Student, ...]]:
        """Platforms write Ada King Lovelace also as lovelaceadaking or "Lovelace, Ada King"."""
        index: dict[str, tuple[Student, ...]] = {}
        for student in self.students:
            words = student.name.replace(",", " ").split()
            turned = [words[i:] + words[:i] for i in range(len(words))]
            for text in {_squashed("".join(order)) for order in turned}:
                index[text] = (*index.get(text, ()), student)
        return index


def read_roster(path: Path) -> Roster:
    """The students of a CSV file whose first line names the columns: `id` is needed, the others may be missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    students = [_student(path, line, row) for line, row in enumerate(rows, 2)]
    if not students:
        raise UsageError(f"{path} has no student; its first line is: {','.join(COLUMNS)}")
    seen: set[str] = set()
    for student in students:
        # Pages are files named by the id, and some file systems take no difference between cases.
        if student.id.lower() in seen:
            raise UsageError(f"{path}: the id {student.id} is there twice; every student needs one")
        seen.add(student.id.lower())
    return Roster(tuple(students))


def _student(path: Path, line: int, row: dict[str, str]) -> Student:
    known = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not ID.fullmatch(known["id"]):
        rule = "an id has letters, digits, '_', '.' and '-' and starts with a letter or digit"
        raise UsageError(f"{path}:{line}: {known['id']!r} is no id: {rule}")
    return Student(**known)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _squashed(text: str) -> str:
    """Letters and digits only, without accents."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
