"""Changes of a lab.toml that leave the rest of its text alone. Each is checked: what was not meant to change is what it
was.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from flashlab.errors import UsageError


def without_cases(text: str, names: Sequence[str], what: str) -> str:
    """A lab.toml without the named cases and the comments that stand right above them."""
    wanted = tomllib.loads(text)
    wanted["case"] = [case for case in wanted["case"] if case["name"] not in names]
    if not wanted["case"]:
        raise UsageError(f"class.toml hides every case of {what}; leave one that students see")
    kept: list[str] = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        comments, head, _ = block.partition("[[case]]")
        case = tomllib.loads(block)["case"][0] if head else {}
        if case.get("name") not in names:
            kept.append(block)
        elif any(line and not line.startswith("#") for line in comments.splitlines()):
            raise _changed(what, "a blank line has to stand above each [[case]]")
    return _checked("\n\n".join(kept) + "\n", wanted, what)


def with_numbers(text: str, numbers: Mapping[tuple[str, str], int], what: str) -> str:
    """A lab.toml with other numbers: those of `numbers`, by table and key."""
    wanted = tomllib.loads(text)
    for (table, key), value in numbers.items():
        wanted[table][key] = value
    table, lines = "", []
    for line in text.split("\n"):
        if header := re.match(r"\[+(\w+)\]+", line):
            table = header[1]
        entry = re.match(r"(\w+)( *= *)[\d.e+-]+", line)
        if entry and (table, entry[1]) in numbers:
            line = f"{entry[1]}{entry[2]}{numbers[table, entry[1]]}{line[entry.end() :]}"
        lines.append(line)
    return _checked("\n".join(lines), wanted, what)


def _checked(text: str, wanted: dict[str, Any], what: str) -> str:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _changed(what, str(error)) from None
    if found != wanted:
        raise _changed(what, "more than that would change")
    return text


def _changed(what: str, why: str) -> UsageError:
    return UsageError(f"{what} cannot be rewritten for a package: {why}")
