"""CSV: one line per case, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from flashlab.exports.outcome import Outcome, number
from flashlab.exports.text import safe_cell

HEADINGS = ("lab", "case", "group", "status", "points", "max_points", "seconds", "message")


def render(outcome: Outcome) -> str:
    """The cases of all labs. When the grader failed, that is a line of its own, without points."""
    rows = [
        (
            result["lab"],
            case["name"],
            case.get("group", ""),
            case["status"],
            f"{number(case['points'])}" if case["status"] != "error" else "",
            f"{number(case['max_points'])}",
            f"{case.get('seconds', 0):.3f}",
            case["message"],
        )
        for result, _, case in outcome.cases()
    ]
    if outcome.failure is not None:
        rows.append(("", "grader", "", "error", "", "", "", f"no grade: {outcome.failure}"))
    return table([HEADINGS, *rows])


def table(rows: Iterable[Iterable[str]]) -> str:
    """A CSV file (RFC 4180, but with line feeds) whose cells no spreadsheet takes for formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()
