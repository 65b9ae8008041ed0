"""What the commands of a class show on the terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flashlab.classroom.grading import Change, Graded
from flashlab.classroom.intake import Intake
from flashlab.classroom.leaderboard import Leaderboard
from flashlab.classroom.store import Kept
from flashlab.terminal import clean, points

SHOWN = 20  # of a list that may be as long as the class


def intake(console: Console, root: Path, found: Intake) -> None:
    """What was found in one folder or download."""
    refused = sum(item.refusal is not None for item in found.handed)
    students = len({item.student for item in found.handed})
    by_file = sum(item.time_source == "file" for item in found.handed)
    _line(
        console,
        f"{root}: {len(found.handed)} submissions of {students} students, {refused} unusable",
    )
    if by_file:
        _line(console, f"  times of {by_file} are those of the files; --times FILE gives others")


def graded(console: Console, done: Graded, problems: Sequence[str]) -> None:
    """What one `grade` did; what the grader could not do comes last."""
    _line(console, f"{done.fresh} graded, {done.unchanged} had a grade already")
    if done.outdated:
        text = f"{done.outdated} grades are of another grader, lab.toml or device"
        _line(console, f"{text}: flashlab class regrade shows what would change")
    if problems:
        _line(console, f"uploads that are no submission: {len(problems)}")
        _list(console, problems)
    failures(console, done.failures)


def failures(console: Console, failed: Sequence[tuple[Kept, str]]) -> None:
    """Submissions without a result through the grader's fault, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for kept, text in failed:
        reasons.setdefault(text, []).append(f"{kept.student} {kept.lab}")
    for text, names in reasons.items():
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        _line(console, f"NOT GRADED, the grader failed: {', '.join(names[:4])}{more}")
        _line(console, f"  {text}")
    if reasons:
        _line(
            console,
            "  these count as not graded, not as 0 points; the same command tries them again",
        )


def changes(console: Console, found: Sequence[Change]) -> None:
    """Grades before and after."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("student", "lab", "before", "after", "because of", "other verdicts"):
        table.add_column(heading, justify="right" if heading in ("before", "after") else "left")
    different = [change for change in found if change.cases or change.before != change.after]
    for change in different:
        cases = ", ".join(change.cases[:3]) + (" ..." if len(change.cases) > 3 else "")
        table.add_row(
            change.submission.student,
            change.submission.lab,
            points(change.before),
            points(change.after),
            ", ".join(change.reasons),
            Text(clean(cases)),
        )
    if different:
        console.print(table)
    same = len(found) - len(different)
    _line(console, f"{len(different)} results differ, {same} were graded again and are the same")


def leaderboard(console: Console, found: Leaderboard, folder: Path) -> None:
    """Where the leaderboard is, and which kernels wait for a person before they appear on it."""
    places = sum(len(board.places) for board in found.boards)
    _line(console, f"{places} places on {len(found.boards)} boards: {folder}/leaderboard.html")
    if found.waiting:
        text = "not shown until somebody has looked at them and written so into leaderboard.csv, column reviewed"
        _line(console, f"{text}: {len(found.waiting)}")
        _list(console, found.waiting)


def _list(console: Console, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        _line(console, f"  {line}")
    if len(lines) > SHOWN:
        _line(console, f"  ... and {len(lines) - SHOWN} more")


def _line(console: Console, text: str) -> None:
    console.print(Text(clean(text)), soft_wrap=True)
