"""Where the course's text is: from "handout 1, section 3" to its file and anchor."""

import re
from pathlib import Path

PLACE = re.compile(r"handout (\d+), section (\d+)")


def link(place: str, root: Path) -> str:
    """`handouts/en/1-memory-bound.md#s3`; empty for what is no such place, or where the texts are missing."""
    match = PLACE.fullmatch(place)
    if match is None:
        return ""
    file = next((root / "handouts/en").glob(f"{match[1]}-*.md"), None)
    return f"{file.relative_to(root)}#s{match[2]}" if file else ""
