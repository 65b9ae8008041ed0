"""Results in the formats of learning platforms: each a pure function of the result files, so equal results give equal
bytes. A format gets a valid document also when the grader itself failed, and none of them takes that for zero points
where it has any other way to say so.
"""

from collections.abc import Callable
from enum import StrEnum

from flashlab.exports import autolab, classroom, gradescope, junit, markdown, prairielearn, table
from flashlab.exports.outcome import Outcome


class Format(StrEnum):
    """What `--format` accepts."""

    GRADESCOPE = "gradescope"
    AUTOLAB = "autolab"
    CLASSROOM = "classroom"
    PRAIRIELEARN = "prairielearn"
    JUNIT = "junit"
    CSV = "csv"
    MARKDOWN = "markdown"


RENDERERS: dict[Format, Callable[[Outcome], str]] = {
    Format.GRADESCOPE: gradescope.render,
    Format.AUTOLAB: autolab.render,
    Format.CLASSROOM: classroom.render,
    Format.PRAIRIELEARN: prairielearn.render,
    Format.JUNIT: junit.render,
    Format.CSV: table.render,
    Format.MARKDOWN: markdown.render,
}


def render(outcome: Outcome, wanted: Format) -> str:
    """`outcome` as a document of the wanted format."""
    return RENDERERS[wanted](outcome)
