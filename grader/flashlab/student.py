"""What students may see of a result: hidden cases by category only, and no seed of a class."""

import shlex
from typing import Any

from flashlab.results import Result

SHOWN_OF_HIDDEN = ("status", "points", "max_points", "group")
WORDS = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "was not run",
    "error": "had no verdict",
}


def student_view(result: Result) -> Result:
    """`result` without what would give hidden cases away: their names, shapes, messages, meters and output. Commands
    to run a case again name the students' own file and no seed, since inputs follow from the seed and the case's name.
    """
    if result["lab"] == "quiz":
        return result  # nothing in it is hidden, and it has no command
    short = result["lab"].partition("_")[0]
    again = ["./flashlab", "grade", short, "--device", result["device"]["kind"]]
    hidden = 0
    cases = []
    for case in result["cases"]:
        if case.get("hidden"):
            hidden += 1
            cases.append(_hidden_case(case, hidden))
        elif "rerun" in case:
            cases.append({**case, "rerun": shlex.join([*again, "--case", case["name"]])})
        else:
            cases.append(case)
    provenance = {**result["provenance"], "command": shlex.join(again), "seed": 0}
    return {**result, "cases": cases, "provenance": provenance}


def _hidden_case(case: dict[str, Any], number: int) -> dict[str, Any]:
    category = case.get("group", "other")
    message = f"a hidden case of the category '{category}' {WORDS[case['status']]}"
    kept = {key: case[key] for key in SHOWN_OF_HIDDEN if key in case}
    return {**kept, "name": f"hidden_{number}", "message": message, "hidden": True}
