"""A class's folder: class.toml, roster.csv, and what is kept beside them."""

import datetime
import fnmatch
import secrets
import tomllib
import zoneinfo
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flashlab import labs
from flashlab.classroom.roster import COLUMNS, Roster, read_roster
from flashlab.errors import UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.results import write_atomically

LAB_KEYS = {"due", "hidden", "canvas", "moodle"}
LATE_KEYS = {"grace_minutes", "free_days", "penalty_per_day", "max_days"}
TEMPLATE = """\
# A FlashLab class. Times of day need their distance from UTC, as in 2026-10-12T23:59:00+02:00.
title = "FlashLab"
seed = {seed}        # the inputs of all cases follow from it: keep it secret
timezone = "UTC"       # of times that come without one, as those in a zip file do

[late]
grace_minutes = 10     # so much after the due time is still in time
free_days = 0          # late days that each student has for all labs together
penalty_per_day = 10   # per cent of a lab's points, for each late day beyond those
max_days = 7           # after so many late days there are no points

# Below, hidden names cases of which students see only the category. Those of a private labs/labN_name/lab.toml beside
# this file that the students' lab.toml does not have are hidden anyway. canvas, moodle: columns in their gradebooks.
"""
TEMPLATE_OF_A_LAB = """
[labs.{lab.short}]
# due = 2026-10-12T23:59:00+02:00
# hidden = ["stable_*"]
# canvas = "{lab.title} (12345)"
# moodle = "Assignment: {lab.title} (Real)"
"""


@dataclass(frozen=True)
class LatePolicy:
    """What lateness costs; `penalty_per_day` is a fraction of the points."""

    grace: datetime.timedelta = datetime.timedelta()
    free_days: int = 0
    penalty_per_day: float = 0.0
    max_days: int | None = None


@dataclass(frozen=True)
class CourseLab:
    """A lab as this class grades it; `public_cases` are those that students know."""

    lab: Lab
    due: datetime.datetime | None
    hidden: tuple[str, ...]
    public_cases: frozenset[str]
    canvas: str
    moodle: str

    def hides(self, case: str) -> bool:
        """Whether students see only the category of this case."""
        globs = any(fnmatch.fnmatchcase(case, pattern) for pattern in self.hidden)
        return globs or case not in self.public_cases


@dataclass(frozen=True)
class Course:
    """The folder of a class and what its class.toml says."""

    folder: Path
    title: str
    seed: int
    timezone: datetime.tzinfo
    late: LatePolicy
    labs: tuple[CourseLab, ...]
    extensions: dict[tuple[str, str], datetime.datetime] = field(default_factory=dict)

    @cached_property
    def roster(self) -> Roster:
        """The students of roster.csv."""
        return read_roster(self.folder / "roster.csv")

    @property
    def database(self) -> Path:
        """Submissions and results."""
        return self.folder / "class.sqlite"

    def lab(self, word: str) -> CourseLab:
        """The class's lab called `word`."""
        for course_lab in self.labs:
            if word in (course_lab.lab.name, course_lab.lab.short, str(course_lab.lab.number)):
                return course_lab
        known = ", ".join(course_lab.lab.short for course_lab in self.labs)
        raise UsageError(f"{self.folder / 'class.toml'} has no lab '{word}'; its labs are: {known}")

    def due(self, student: str, course_lab: CourseLab) -> datetime.datetime | None:
        """When the student has to hand the lab in, extensions included."""
        return self.extensions.get((student, course_lab.lab.short), course_lab.due)


def create_course(layout: Layout, folder: Path, roster: Path | None) -> None:
    """Makes the folder of a new class; what is there already is an error, never overwritten."""
    for name in ("class.toml", "roster.csv"):
        if (folder / name).exists():
            raise UsageError(f"{folder / name} exists already; edit it, or name another folder")
    students = f"{','.join(COLUMNS)}\n"
    if roster is not None:
        read_roster(roster)
        students = roster.read_text(encoding="utf-8-sig")
    text = TEMPLATE.format(seed=secrets.randbelow(1 << 31))
    text += "".join(TEMPLATE_OF_A_LAB.format(lab=lab) for lab in labs.discover(layout))
    write_atomically(folder / "class.toml", text)
    write_atomically(folder / "roster.csv", students)


def read_course(layout: Layout, folder: Path) -> Course:
    """The class of a folder; an error names the entry of class.toml that is wrong."""
    path = folder / "class.toml"
    if not path.exists():
        raise UsageError(
            f"{folder} is no class; run there: flashlab class init, or name it: --course"
        )
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        return _course(layout, folder, settings)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    except KeyError as error:
        raise UsageError(f"{path}: {error} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: {error}") from None


def _course(layout: Layout, folder: Path, settings: dict[str, Any]) -> Course:
    _only(settings, {"title", "seed", "timezone", "late", "labs", "extensions"}, "the file")
    course_labs = [_lab(layout, folder, word, table) for word, table in settings["labs"].items()]
    course = Course(
        folder,
        str(settings["title"]),
        _whole(settings, "seed", None),
        _timezone(settings.get("timezone", "UTC")),
        _late(settings.get("late", {})),
        tuple(sorted(course_labs, key=lambda item: item.lab.number)),
    )
    for extension in settings.get("extensions", []):
        _only(extension, {"student", "lab", "due"}, "an entry of extensions")
        key = (extension["student"], course.lab(extension["lab"]).lab.short)
        course.extensions[key] = _moment(extension["due"], "due of an extension")
    return course


def _lab(layout: Layout, folder: Path, word: str, table: dict[str, Any]) -> CourseLab:
    _only(table, LAB_KEYS, f"labs.{word}")
    public = labs.find(layout, word)
    private = folder / "labs" / public.name / "lab.toml"
    due = table.get("due")
    return CourseLab(
        labs.load(private) if private.exists() else public,
        None if due is None else _moment(due, f"due of {word}"),
        tuple(table.get("hidden", ())),
        frozenset(labs.case_names(public)),
        str(table.get("canvas", public.title)),
        str(table.get("moodle", public.title)),
    )


def _timezone(name: str) -> datetime.tzinfo:
    if name == "UTC":
        return datetime.UTC  # also where the system has no list of time zones
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown timezone {name!r}; an example is 'Europe/Berlin'") from None


def _late(table: dict[str, Any]) -> LatePolicy:
    _only(table, LATE_KEYS, "late")
    percent = float(table.get("penalty_per_day", 0))
    if not 0 <= percent <= 100:
        raise ValueError("penalty_per_day is a per cent value from 0 to 100")
    return LatePolicy(
        datetime.timedelta(minutes=_whole(table, "grace_minutes", 0)),
        _whole(table, "free_days", 0),
        percent / 100,
        _whole(table, "max_days", 0) if "max_days" in table else None,
    )


def _whole(table: dict[str, Any], key: str, default: int | None) -> int:
    value = table[key] if default is None else table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key} is a whole number of 0 or more")
    return value


def _moment(value: object, what: str) -> datetime.datetime:
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise ValueError(f"{what} needs the form 2026-10-12T23:59:00+02:00, without quotes")
    return value


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(
            f"{where} has the unknown entry {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
