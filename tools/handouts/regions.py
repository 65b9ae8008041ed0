"""The parts of a chapter that scripts write: numbers, excerpts of code and what the terminal shows.

    <!--=EXPRESSION-->TEXT<!--/-->        a value; EXPRESSION is Python in the names of course_numbers.py
    <!--begin code FILE NAME-->           the function, struct or kernel NAME of FILE, with the comment above it
    ...
    <!--end-->
    <!--begin output NAME-->              handouts/data/output/NAME.txt, recorded by `python tools/handouts record`
    ...
    <!--end-->

Comments do not show on a page, so a chapter also reads well as plain Markdown. `refresh` returns a chapter with all of
them made anew; `stale` names those that this would change.
"""

import re
from pathlib import Path

import course_numbers

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "handouts/data/output"
VALUE = re.compile(r"<!--=(?P<expression>.+?)-->(?P<text>.*?)<!--/-->")
BLOCK = re.compile(r"<!--begin (?P<kind>\w+) (?P<argument>[^>]+?)-->\n.*?<!--end-->", re.DOTALL)


class ChapterError(Exception):
    """One line: file, line, what is wrong."""


def refresh(text: str, where: str) -> str:
    """`text` with every generated part made anew. Raises ChapterError with `where` and the line of what fails."""
    for begin, whole in (("<!--=", VALUE), ("<!--begin ", BLOCK)):
        starts = {match.start() for match in whole.finditer(text)}
        for match in re.finditer(re.escape(begin), text):
            if match.start() not in starts:
                raise ChapterError(f"{_at(match, where)}: {begin} has no end")

    def value(match: re.Match[str]) -> str:
        expression = match["expression"]
        try:
            result = eval(expression, vars(course_numbers))  # our own text, as our own code
        except Exception as error:
            raise ChapterError(f"{_at(match, where)}: {expression} fails: {error!r}") from None
        return f"<!--={expression}-->{result}<!--/-->"

    def block(match: re.Match[str]) -> str:
        kind, argument = match["kind"], match["argument"].strip()
        try:
            language, body = BLOCKS[kind](argument)
        except (KeyError, OSError, ValueError) as error:
            raise ChapterError(f"{_at(match, where)}: {kind} {argument}: {error}") from None
        fence = f"```{language}\n{body.rstrip()}\n```"
        return f"<!--begin {kind} {argument}-->\n{fence}\n<!--end-->"

    return BLOCK.sub(block, VALUE.sub(value, text))


def stale(text: str, where: str) -> list[str]:
    """One line for each generated part that `refresh` would change. Raises ChapterError as it does."""
    fresh = refresh(text, where)
    changed = [
        f"{_at(old, where)}: {old['expression']} is {new['text']}, the text says {old['text']}"
        for old, new in zip(VALUE.finditer(text), VALUE.finditer(fresh), strict=True)
        if old[0] != new[0]
    ]
    changed += [
        f"{_at(old, where)}: {old['kind']} {old['argument'].strip()} has changed"
        for old, new in zip(BLOCK.finditer(text), BLOCK.finditer(fresh), strict=True)
        if old[0] != new[0]
    ]
    return changed


def _at(match: re.Match[str], where: str) -> str:
    """File and line of a match."""
    return f"{where}:{match.string.count(chr(10), 0, match.start()) + 1}"


def _code(argument: str) -> tuple[str, str]:
    """A function or type of a source file: from the comment above it to the brace that closes it at its indent."""
    file, _, name = argument.partition(" ")
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    opening = re.compile(rf"^(?=\S).*\b{re.escape(name)}\b.*[({{]")
    found = [
        number
        for number, line in enumerate(lines)
        if opening.match(line) and not line.startswith("//") and not line.endswith(";")
    ]
    if not found:
        raise ValueError(f"no function or type of that name in {file}")
    first = last = found[0]
    while first > 0 and re.match(r"//|template", lines[first - 1]):
        first -= 1
    while last < len(lines) and not lines[last].startswith("}"):
        last += 1
    if last == len(lines):
        raise ValueError("its end was not found")
    kept = (
        line for line in lines[first : last + 1] if not re.match(r"\s*// (BEGIN|END|HINT)\b", line)
    )
    return "cuda", "\n".join(kept)


def _output(name: str) -> tuple[str, str]:
    return "text", (OUTPUT / f"{name}.txt").read_text(encoding="utf-8")


BLOCKS = {"code": _code, "output": _output}
