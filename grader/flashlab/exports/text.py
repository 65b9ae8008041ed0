"""Text from submissions made harmless for files that other programs read."""

import re
from typing import Any

# Whole terminal sequences go first, then single control characters, halves of UTF-16 pairs and what XML forbids.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Characters that turn the direction of text, so that what is shown is not what is there.
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NAME_BYTES = 200


def harmless(text: str) -> str:
    """`text` without terminal sequences and control characters other than tab and line feed."""
    text = ESCAPES.sub("", text.replace("\r\n", "\n"))
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", TURNS.sub("", text))


def capped(text: str, limit: int) -> str:
    """At most about `limit` bytes of UTF-8: the beginning and the end, with how much was left out between."""
    data = text.encode("utf-8", errors="replace")
    if len(data) <= limit:
        return text
    head, tail = data[: limit * 2 // 3], data[-(limit // 3) :]
    missing = len(data) - len(head) - len(tail)
    first, last = (part.decode("utf-8", errors="ignore") for part in (head, tail))
    return f"{first}\n[... {missing} bytes left out ...]\n{last}"


def clean(value: Any, limit: int) -> Any:  # noqa: ANN401 (any JSON value)
    """`value` with every text in it harmless and capped to `limit` bytes, names of fields included."""
    if isinstance(value, str):
        return harmless(capped(value, limit))
    if isinstance(value, dict):
        return {
            harmless(capped(key, NAME_BYTES)): clean(item, limit) for key, item in value.items()
        }
    if isinstance(value, list):
        return [clean(item, limit) for item in value]
    return value


def safe_cell(text: str) -> str:
    """`text` for a cell of a CSV file: one line that no spreadsheet takes for a formula."""
    line = " ".join(harmless(text).split())
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line
