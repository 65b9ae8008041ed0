"""Markdown: a summary that people read, as in a pull request or the page of a workflow's run."""

import re
from typing import Any

from flashlab.exports.outcome import Outcome, explanation, number, short
from flashlab.results import Result

SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@$-])")
MESSAGE_LENGTH = 160


def render(outcome: Outcome) -> str:
    """A heading, a table and the whole messages of unsuccessful cases for each lab."""
    parts = []
    if outcome.failure is not None:
        parts.append(
            "# No grade\n\nThe autograder itself failed; this is not the submission's fault."
        )
        parts.append(_block(outcome.failure))
    parts += [part for result in outcome.results for part in _lab(result)]
    return "\n\n".join(parts) + "\n"


def _lab(result: Result) -> list[str]:
    points = f"{number(result['score'])} of {number(result['max_score'])} points"
    rows = ["| case | status | points | message |", "| --- | --- | ---: | --- |"]
    for case in result["cases"]:
        share = f"{number(case['points'])}/{number(case['max_points'])}"
        message = case["message"].partition("\n")[0]
        rows.append(f"| {_cell(case['name'])} | {case['status']} | {share} | {_cell(message)} |")
    heading = f"# {short(result)}: {_cell(result['title'])}"
    origin = f"{points} on {_cell(result['device']['name'])}"
    unsuccessful = [case for case in result["cases"] if case["status"] != "passed"]
    return [heading, origin, "\n".join(rows), *(_details(case) for case in unsuccessful)]


def _details(case: dict[str, Any]) -> str:
    return f"**{_cell(case['name'])}** {case['status']}\n\n{_block(explanation(case))}"


def _cell(text: str) -> str:
    line = " ".join(text.split())
    line = line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 3] + "..."
    return SPECIAL.sub(r"\\\1", line)


def _block(text: str) -> str:
    """A code block that the text cannot end: its fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
