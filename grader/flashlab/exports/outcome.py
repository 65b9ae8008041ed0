"""What is exported: the results of one student as students may see them, or why there is no grade."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.errors import FlashLabError
from flashlab.exports.quiz import read_quiz
from flashlab.exports.text import clean
from flashlab.results import Result, load
from flashlab.student import student_view

# PrairieLearn takes 1 MB, Autolab 1,000 KiB. JSON may need twice the bytes for a text, and a case has two long ones.
TEXT_BYTES = 200_000
TEXT_OF_A_CASE = (200, 4096)  # least and most


@dataclass(frozen=True)
class Outcome:
    """Results of one student, cleaned; `failure` says why they are no grade, None when they are one."""

    results: tuple[Result, ...]
    failure: str | None = None

    @property
    def score(self) -> float:
        """Points of all results."""
        return sum(result["score"] for result in self.results)

    @property
    def max_score(self) -> float:
        """Points that the cases of all results offer."""
        return sum(result["max_score"] for result in self.results)

    def cases(self) -> Iterator[tuple[Result, int, dict[str, Any]]]:
        """Every case with its result and its number in it, from 1."""
        for result in self.results:
            for number, case in enumerate(result["cases"], 1):
                yield result, number, case


def read_outcome(paths: Sequence[Path]) -> Outcome:
    """The outcome of result files, of labs or of a quiz. One that is missing, damaged or holds a case that could not be
    judged means that there is no grade: that is the grader's failure, never zero points.
    """
    results, failures = [], []
    for path in paths:
        try:
            result = read_quiz(path) or load(path)
        except FlashLabError as error:
            failures.append(str(error))
            continue
        if not _finite(result):
            failures.append(f"{path} holds a number that is infinite")
        else:
            results.append(result)
    return make_outcome(results, failures)


def make_outcome(results: Sequence[Result], failures: Sequence[str] = ()) -> Outcome:
    """The outcome of results that follow the schema; `failures` are those of the grader outside of them."""
    count = sum(len(result["cases"]) for result in results)
    least, most = TEXT_OF_A_CASE
    limit = min(most, max(least, TEXT_BYTES // max(count, 1)))
    views = tuple(clean(student_view(result), limit) for result in results)
    ungraded = [
        f"{short(view)} {case['name']}: {case['message']}"
        for view in views
        for case in view["cases"]
        if case["status"] == "error"
    ]
    failure = "; ".join([*failures, *ungraded])
    return Outcome(views, clean(failure, most) or None)


def short(result: Result) -> str:
    """The lab's short name: lab1."""
    return result["lab"].partition("_")[0]


def title(result: Result, case: dict[str, Any]) -> str:
    """A case's name among those of all labs."""
    return f"{short(result)} {case['name']}"


def number(value: float) -> int | float:
    """Points as JSON should show them: 5, 2.5."""
    return int(value) if value == int(value) else round(value, 6)


def explanation(case: dict[str, Any]) -> str:
    """All that a student should read about a case."""
    parts = [case["message"] or case["status"]]
    if case["status"] != "passed":
        handout = case.get("handout", "")
        parts.append(f"read: {handout}" if handout and handout not in case["message"] else "")
        parts.append(f"again: {case['rerun']}" if "rerun" in case else "")
        output = case.get("output", "").strip()
        parts.append(f"it printed:\n{output}" if output else "")
    return "\n".join(part for part in parts if part)


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(item) for item in value.values())
    return not isinstance(value, list) or all(_finite(item) for item in value)
