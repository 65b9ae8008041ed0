"""The result of a quiz in the shape of a lab's, so that every format takes it: a question is a case.

It is a list of sheets, as `flashlab quiz check --json` writes it. What was said of an answer is in English here, as all
messages of the grader are.
"""

import json
from pathlib import Path
from typing import Any

from flashlab.errors import UsageError
from flashlab.results import Result

SCHEMA = "flashlab-quiz/1"


def read_quiz(path: Path) -> Result | None:
    """The quiz of one student, None when the file holds none. Raises UsageError for more sheets than one."""
    try:
        sheets = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # for the reader of results to complain about
    if not isinstance(sheets, list) or not all(
        isinstance(sheet, dict) and sheet.get("schema") == SCHEMA for sheet in sheets
    ):
        return None
    if len(sheets) != 1:
        raise UsageError(f"{path} holds {len(sheets)} sheets: export one student at a time")
    try:
        return _result(sheets[0])
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged: {error!r}") from None


def _result(sheet: dict[str, Any]) -> Result:
    return {
        "lab": "quiz",
        "title": "Quiz on the handouts",
        "device": {"kind": "sheet", "name": "a sheet"},
        "score": sheet["score"],
        "max_score": sheet["max_score"],
        "submission": {"path": sheet["path"], "sha256": sheet["sha256"]},
        "cases": [_case(question) for question in sheet["questions"]],
        "provenance": {"grader_version": sheet["grader_version"], "date": sheet["date"]},
    }


def _case(question: dict[str, Any]) -> dict[str, Any]:
    chapter = question["chapter"].partition("-")[0]
    return {
        "name": question["id"],
        "group": question["chapter"],
        "status": "passed" if question["points"] == question["max_points"] else "failed",
        "points": question["points"],
        "max_points": question["max_points"],
        "message": question["said"]["en"],
        "handout": f"handout {chapter}, section {question['section']}",
    }
