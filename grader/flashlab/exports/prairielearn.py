"""PrairieLearn, external grading: /grade/results/results.json."""

from flashlab.exports.outcome import Outcome, number, title
from flashlab.results import dump


def render(outcome: Outcome) -> str:
    """One test per case, the total from 0 to 1. When the grader failed, the attempt does not count."""
    if outcome.failure is not None:
        text = "No grade: the autograder itself failed; this attempt does not count."
        return dump({"gradable": False, "message": text, "format_errors": [outcome.failure]})
    share = outcome.score / outcome.max_score if outcome.max_score else 0.0
    points = f"{number(outcome.score)} of {number(outcome.max_score)} points"
    tests = [
        {
            "name": title(result, case),
            "points": number(case["points"]),
            "max_points": number(case["max_points"]),
            "message": f"{case['status']}: {case['message']}".removesuffix(": "),
            "output": case.get("output", ""),
        }
        for result, _, case in outcome.cases()
    ]
    score = round(min(share, 1.0), 6)
    document = {"gradable": True, "score": score, "message": points, "output": ""}
    return dump({**document, "tests": tests})
