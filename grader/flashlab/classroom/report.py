"""The page of a class for its instructors: what `flashlab report --class` shows of results, and who is missing, memory
against time, rates at which cases are passed, the slowest and the flakiest cases, and what a person should look at.
"""

from collections import Counter

from flashlab.classroom.gradebook import Gradebook, State
from flashlab.classroom.statistics import (
    CaseFigures,
    case_figures,
    flags,
    flaky_cases,
    memory_against_time,
    slowest,
    states,
)
from flashlab.classroom.store import ClassStore
from flashlab.exports.text import clean
from flashlab.report.blocks import Block, Figures, Heading, Report, Table, Text
from flashlab.report.classroom import Entry, class_report
from flashlab.report.figure import Axis, Chart, Figure, Kind, Series, Unit
from flashlab.report.measurements import short

TEXT_BYTES = 4096  # of one text


def report_of_class(book: Gradebook, store: ClassStore) -> Report:
    """The report of all grades as they are now."""
    results = [
        Entry(student.id, clean(entry.result, TEXT_BYTES))
        for student, entries in book.rows
        for entry in entries.values()
        if entry.result is not None
    ]
    cases = case_figures(book)
    blocks: list[Block] = [Heading(1, book.course.title, "class"), _states(book)]
    blocks += class_report(results).blocks[1:] if results else []
    figures = tuple(figure for figure in _memory(book) if figure)
    if figures:
        blocks += [Heading(2, "Memory against time", "memory"), Figures(figures)]
    if cases:
        blocks += [Heading(2, "Cases", "cases"), _cases(cases), _slowest(cases)]
    blocks += [Heading(2, "Flakiest cases", "flaky"), _flaky(store)]
    blocks += [Heading(2, "To look at", "flags"), *_to_look_at(book), *_ungraded(book)]
    return Report(book.course.title, tuple(blocks))


def _states(book: Gradebook) -> Table:
    rows = tuple(
        (lab, *(str(counts[state]) for state in State)) for lab, counts in states(book).items()
    )
    return Table("Students by state", ("lab", *(f"{state}>" for state in State)), rows, "graded")


def _memory(book: Gradebook) -> list[Figure | None]:
    figures: list[Figure | None] = []
    for item in book.course.labs:
        case, points = memory_against_time(book, item.lab.name)
        if len(points) < 2:
            continue
        figures.append(
            Chart(
                f"memory-{item.lab.short}",
                f"Memory against time in {short(item.lab.name)}",
                "graded",
                f"Each mark is a submission that passed the case {case}, the one with the most memory.",
                Axis("time of the call", Unit.SECONDS, base=10),
                Axis("peak device memory", Unit.BYTES, base=2),
                (Series("a submission", Kind.SCATTERED, tuple(points)),),
            )
        )
    return figures


def _cases(cases: list[CaseFigures]) -> Table:
    rows = tuple(
        (
            case.lab,
            f"`{case.name}`" + (" (hidden)" if case.hidden else ""),
            case.group,
            f"{case.passed}",
            f"{case.graded}",
            f"{100 * case.passed / case.graded:.0f} %",
            f"{case.skipped}",
        )
        for case in cases
    )
    head = ("lab", "case", "group", "passed>", "of>", "rate>", "not reached>")
    return Table("Rates at which cases are passed", head, rows, "graded")


def _slowest(cases: list[CaseFigures]) -> Table:
    rows = tuple((case.lab, f"`{case.name}`", f"{case.seconds:.3f}") for case in slowest(cases))
    return Table("Slowest cases", ("lab", "case", "median seconds>"), rows, "graded")


def _flaky(store: ClassStore) -> Block:
    rows = tuple(
        (short(found.lab), f"`{found.case}`", f"{found.submissions}", f"{found.runs}")
        for found in flaky_cases(store)
    )
    if not rows:
        return Text(
            "No case has had different verdicts for one submission. `./flashlab class regrade --seed 1` tries other"
            " inputs and changes no grade."
        )
    head = ("lab", "case", "submissions>", "their runs>")
    title = "Different verdicts for one submission under another seed, grader or device"
    return Table(title, head, rows, "graded")


def _to_look_at(book: Gradebook) -> list[Block]:
    """What costs no points, but should be seen by a person, and which sandboxes the grades come from."""
    found, levels = [], Counter[str]()
    for student, entries in book.rows:
        for lab, entry in entries.items():
            if entry.result is None:
                continue
            levels[entry.result["provenance"]["sandbox"]] += 1
            why = "; ".join(clean(flags(entry.result), TEXT_BYTES))
            if why:
                found.append((student.id, short(lab), f"{entry.score:g}", why))
    said = ", ".join(f"{count} in `{level}`" for level, count in sorted(levels.items()))
    blocks: list[Block] = [Text(f"Sandboxes of the results: {said or 'none yet'}.")]
    if not found:
        return [*blocks, Text("No submission has anything that a person should look at.")]
    head = ("student", "lab", "points>", "what")
    text = "These cost no points: read the lines, then judge. Honest code may resemble what is looked for."
    return [*blocks, Text(text), Table("Flags", head, tuple(found), "graded")]


def _ungraded(book: Gradebook) -> list[Block]:
    rows = tuple(
        (student.id, short(lab), str(entry.state)) for student, lab, entry in book.ungraded()
    )
    if not rows:
        return []
    text = "These are not 0 points: `./flashlab class grade` with the same submissions tries them again."
    head = ("student", "lab", "state")
    table = Table("No grade yet", head, rows, "graded")
    return [Heading(2, "Handed in, but not graded", "ungraded"), Text(text), table]
