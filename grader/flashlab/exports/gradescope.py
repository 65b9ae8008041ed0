"""Gradescope: /autograder/results/results.json."""

from typing import Any

from flashlab.exports.outcome import Outcome, explanation, number, short, title
from flashlab.results import Result, dump

# A failed case and one that was not reached look the same to Gradescope; it knows no third colour.
STATUS = {"passed": "passed", "failed": "failed", "skipped": "failed", "error": "failed"}


def render(outcome: Outcome) -> str:
    """One test per case, in the order of the labs. Gradescope has no state for a failure of the grader, so such a
    document holds 0 points and says in its first line that they are no grade.
    """
    document: dict[str, Any] = {
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
    }
    if outcome.failure is not None:
        text = f"NO GRADE: the autograder itself failed, and this is not your fault.\n{outcome.failure}"
        extra = {"state": "infrastructure_error"}
        return dump({**document, "score": 0, "output": text, "tests": [], "extra_data": extra})
    seconds = sum(case.get("seconds", 0) for _, _, case in outcome.cases())
    return dump(
        {
            **document,
            "score": number(outcome.score),
            "execution_time": round(seconds, 3),
            "output": "\n".join(_line(result) for result in outcome.results),
            "tests": [_test(*row) for row in outcome.cases()],
            "extra_data": {"state": "graded", "labs": [_origin(item) for item in outcome.results]},
        }
    )


def _line(result: Result) -> str:
    points = f"{number(result['score'])} of {number(result['max_score'])} points"
    return f"{short(result)}, {result['title']}: {points} on {result['device']['name']}"


def _test(result: Result, index: int, case: dict[str, Any]) -> dict[str, Any]:
    test = {
        "number": f"{short(result).removeprefix('lab')}.{index}",
        "name": title(result, case),
        "output": explanation(case),
        "tags": [short(result), case.get("group", "other")],
        "visibility": "visible",
    }
    if case["max_points"] == 0 and case["status"] == "skipped":
        return test  # without score and status it stands as information
    points = {"score": number(case["points"]), "max_score": number(case["max_points"])}
    return {**test, **points, "status": STATUS[case["status"]]}


def _origin(result: Result) -> dict[str, Any]:
    return {
        "lab": result["lab"],
        "submission": result["submission"]["sha256"],
        "device": result["device"]["kind"],
        "grader": result["provenance"]["grader_version"],
        "date": result["provenance"]["date"],
    }
