"""Autolab: the end of the grader's output, whose last line holds the scores and whose last but one the feedback."""

import json
from typing import Any

from flashlab.exports.outcome import Outcome, number, short

HINT_LENGTH = 200


def render(outcome: Outcome) -> str:
    """A short table, then the line with the feedback, then the scores: one problem per lab, named lab1, lab2, ...

    When the grader failed no problem has a score: Autolab leaves what it had, where an unreadable line would mean 0.
    """
    if outcome.failure is not None:
        stages: dict[str, Any] = {
            "Grader": {"no grade": {"passed": False, "hint": outcome.failure}}
        }
        head = f"NO GRADE - the autograder itself failed\n{_line(outcome.failure)}"
        return "\n".join([head, _semantic(stages), _json({"scores": {}}), ""])
    rows = []
    stages = {}
    for result, _, case in outcome.cases():
        share = f"{number(case['points'])}/{number(case['max_points'])}"
        rows.append(f"{short(result)} {_line(case['name'])} - {case['status']} {share}")
        stage = stages.setdefault(f"{short(result)} {_line(case.get('group', 'other'))}", {})
        stage[_line(case["name"])] = _verdict(case)
    scores = {short(result): number(result["score"]) for result in outcome.results}
    last = {"scores": scores, "scoreboard": [number(outcome.score)]}
    return "\n".join([*rows, _semantic(stages), _json(last), ""])


def _verdict(case: dict[str, Any]) -> dict[str, Any]:
    if case["status"] == "passed":
        return {"passed": True}
    skipped = "not graded - " if case["status"] == "skipped" else ""
    return {"passed": False, "hint": skipped + case["message"]}


def _semantic(stages: dict[str, Any]) -> str:
    return _json({"_presentation": "semantic", "stages": list(stages), **stages})


def _json(document: dict[str, Any]) -> str:
    return json.dumps(_without_colons(document), ensure_ascii=True, allow_nan=False)


def _without_colons(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Autolab takes each `word:` for an unquoted key and puts it into quotes, also inside a text, which breaks it."""
    if isinstance(value, str):
        return _line(value)
    if isinstance(value, dict):
        return {_line(key): _without_colons(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_colons(item) for item in value]
    return value


def _line(text: str) -> str:
    line = " ".join(text.replace(":", " - ").split())
    return line if len(line) <= HINT_LENGTH else line[: HINT_LENGTH - 3] + "..."
