"""The grades of a class, and the CSV files that learning platforms import."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flashlab.classroom.course import Course
from flashlab.classroom.late import Lateness, lateness
from flashlab.classroom.roster import Student
from flashlab.classroom.store import ClassStore, Kept
from flashlab.exports.table import table
from flashlab.results import Result

IN_TIME = Lateness()


class State(StrEnum):
    """How a student stands with a lab. Only graded and refused are grades; the grader's own failure is none."""

    GRADED = "graded"
    REFUSED = "refused"  # 0 points through the submission's own fault, as one that does not build
    MISSING = "missing"
    PENDING = "pending"  # handed in, not graded yet
    ERROR = "error"  # handed in, but the grader failed: to be graded again


@dataclass(frozen=True)
class Entry:
    """A student's grade for a lab; `score` is None where there is none."""

    state: State
    score: float | None = None
    max_score: float = 0.0
    late: Lateness = IN_TIME
    submission: Kept | None = None
    result: Result | None = None

    @property
    def final(self) -> float | None:
        """The points with the penalty for lateness."""
        return None if self.score is None else round(self.score * self.late.factor + 1e-9, 2)


@dataclass(frozen=True)
class Gradebook:
    """Every student's entries, by the labs' names."""

    course: Course
    rows: tuple[tuple[Student, dict[str, Entry]], ...]

    def ungraded(self) -> list[tuple[Student, str, Entry]]:
        """Entries that were handed in and have no grade."""
        waiting = (State.PENDING, State.ERROR)
        return [
            (student, lab, entry)
            for student, entries in self.rows
            for lab, entry in entries.items()
            if entry.state in waiting
        ]


def read_gradebook(course: Course, store: ClassStore) -> Gradebook:
    """The grades as they are now."""
    grades = store.grades()
    failures = store.failures()
    submissions = {(kept.student, kept.lab): kept for kept in store.submissions()}
    rows = []
    for student in course.roster.students:
        mine = {item.lab.name: submissions.get((student.id, item.lab.name)) for item in course.labs}
        times = {lab: kept.submitted_at for lab, kept in mine.items() if kept}
        late = lateness(course, student.id, times)
        entries = {}
        for item in course.labs:
            lab = item.lab.name
            kept = mine[lab]
            key = grades.get((student.id, lab))
            if kept is None:
                entries[lab] = Entry(State.MISSING, max_score=item.lab.points)
            elif key is None or store.graded_hash(key) != kept.sha256:
                state = State.ERROR if (lab, kept.sha256) in failures else State.PENDING
                entries[lab] = Entry(state, None, item.lab.points, late[lab], kept)
            else:
                result = store.result(key)
                refused = [case["name"] for case in result["cases"]] == ["build"]
                state = State.REFUSED if refused else State.GRADED
                score, most = float(result["score"]), float(result["max_score"])
                entries[lab] = Entry(state, score, most, late[lab], kept, result)
        rows.append((student, entries))
    return Gradebook(course, tuple(rows))


class GradebookFormat(StrEnum):
    """What `--format` accepts."""

    PLAIN = "plain"
    CANVAS = "canvas"
    MOODLE = "moodle"


def write_gradebook(book: Gradebook, wanted: GradebookFormat) -> str:
    """The grades as a CSV file. Where there is no grade a platform's cell is empty, which leaves its own unchanged."""
    return table(WRITERS[wanted](book))


def _plain(book: Gradebook) -> list[Sequence[str]]:
    parts = ("points", "late days", "free days", "final", "state", "submitted")
    labs = [item.lab for item in book.course.labs]
    head = ["id", "name", "email", *(f"{lab.short} {part}" for lab in labs for part in parts)]
    rows: list[Sequence[str]] = [[*head, "total"]]
    for student, entries in book.rows:
        row = [student.id, student.name, student.email]
        for lab in labs:
            entry = entries[lab.name]
            moment = entry.submission.submitted_at.isoformat() if entry.submission else ""
            row += [_points(entry.score), str(entry.late.days), str(entry.late.free)]
            row += [_points(entry.final), entry.state, moment]
        rows.append([*row, _points(sum(entry.final or 0 for entry in entries.values()))])
    return rows


def _canvas(book: Gradebook) -> list[Sequence[str]]:
    """Canvas finds students by their IDs and assignments by their names with the ID in parentheses."""
    blanks = ["", "", "", ""]
    names = [item.canvas for item in book.course.labs]
    points = [_points(item.lab.points) for item in book.course.labs]
    rows: list[Sequence[str]] = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names],
        ["    Points Possible", *blanks, *points],
    ]
    for student, entries in book.rows:
        finals = [_points(entries[item.lab.name].final) for item in book.course.labs]
        login = student.login or student.email
        head = [student.name, student.canvas_id, student.sis_id, login, student.section]
        rows.append([*head, *finals])
    return rows


def _moodle(book: Gradebook) -> list[Sequence[str]]:
    names = [item.moodle for item in book.course.labs]
    rows: list[Sequence[str]] = [["ID number", "Full name", "Email address", *names]]
    for student, entries in book.rows:
        finals = [_points(entries[item.lab.name].final) for item in book.course.labs]
        rows.append([student.moodle_id or student.id, student.name, student.email, *finals])
    return rows


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


WRITERS = {
    GradebookFormat.PLAIN: _plain,
    GradebookFormat.CANVAS: _canvas,
    GradebookFormat.MOODLE: _moodle,
}
