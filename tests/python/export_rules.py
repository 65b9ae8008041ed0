"""What each learning platform accepts, written from its documentation: a JSON schema where JSON is what it reads."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
NUMBER, TEXT = {"type": "number"}, {"type": "string"}


def record(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


def listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


GRADESCOPE = record(
    "score tests",
    score=NUMBER,
    execution_time=NUMBER,
    output=TEXT,
    output_format=FORMAT,
    test_output_format=FORMAT,
    test_name_format=FORMAT,
    visibility=VISIBILITY,
    stdout_visibility=VISIBILITY,
    extra_data={"type": "object"},
    tests=listed(
        record(
            "name",
            score=NUMBER,
            max_score=NUMBER,
            status={"enum": ["passed", "failed"]},
            name=TEXT,
            number=TEXT,
            output=TEXT,
            tags=listed(TEXT),
            visibility=VISIBILITY,
        )
    ),
)
STATE = {"enum": ["pass", "fail", "error"]}
CLASSROOM = record(
    "version status max_score tests",
    version={"const": 1},
    status=STATE,
    max_score=NUMBER,
    tests=listed(
        record(
            "name status score message test_code filename line_no duration",
            name=TEXT,
            status=STATE,
            score=NUMBER,
            message=TEXT,
            test_code=TEXT,
            filename=TEXT,
            line_no={"type": "integer"},
            duration={"type": "integer", "minimum": 0},
        )
    ),
)
PRAIRIELEARN_TEST = record(
    # Points are shown only when every test has both numbers.
    "name points max_points message output",
    name=TEXT,
    points=NUMBER,
    max_points=NUMBER,
    message=TEXT,
    output=TEXT,
)
PRAIRIELEARN = {
    "oneOf": [
        record(
            "gradable score tests",
            gradable={"const": True},
            score={"type": "number", "minimum": 0, "maximum": 1},
            message=TEXT,
            output=TEXT,
            tests=listed(PRAIRIELEARN_TEST),
        ),
        record("gradable", gradable={"const": False}, message=TEXT, format_errors=listed(TEXT)),
    ]
}
AUTOLAB_SCORES = record(
    "scores",
    scores={"type": "object", "additionalProperties": NUMBER},
    scoreboard=listed(NUMBER),
)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def strict(text: str) -> Any:
    """JSON without NaN, infinity and keys that come twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), f"a key comes twice in {pairs}"
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


def valid(text: str, schema: dict[str, Any]) -> Any:
    document = strict(text)
    Draft202012Validator(schema).validate(document)
    return document


def as_autolab_reads(line: str) -> Any:
    """Autolab puts quotes around every word before a colon, whether inside a text or not, and then parses."""
    return strict(re.sub(r"([A-Za-z0-9_]+):", r'"\1":', line))
