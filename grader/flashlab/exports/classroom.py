"""GitHub Classroom: the document that a step of a workflow gives to the reporter, in base64, as its output `result`."""

from typing import Any

from flashlab.exports.outcome import Outcome, explanation, number, title
from flashlab.results import dump

VERSION = 1
# No case that was not run counts as passed; one without points then changes no total.
STATUS = {"passed": "pass", "failed": "fail", "skipped": "fail", "error": "error"}


def render(outcome: Outcome) -> str:
    """One test per case with its own points, which the stock reporter adds up; durations are milliseconds."""
    if outcome.failure is not None:
        test = _test(
            "grader", "error", 0, f"no grade: the autograder itself failed\n{outcome.failure}"
        )
        return dump({"version": VERSION, "status": "error", "max_score": 0, "tests": [test]})
    complete = outcome.score >= outcome.max_score
    tests = [
        {
            **_test(title(result, case), STATUS[case["status"]], case["points"], explanation(case)),
            "test_code": case.get("rerun", ""),
            "duration": round(1000 * case.get("seconds", 0)),
        }
        for result, _, case in outcome.cases()
    ]
    document = {"version": VERSION, "status": "pass" if complete else "fail"}
    return dump({**document, "max_score": number(outcome.max_score), "tests": tests})


def _test(name: str, status: str, points: float, message: str) -> dict[str, Any]:
    test = {"name": name, "status": status, "score": number(points), "message": message}
    return {**test, "test_code": "", "filename": "", "line_no": 0, "duration": 0}
