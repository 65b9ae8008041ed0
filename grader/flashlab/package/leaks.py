"""Whether a file holds lines of a solution.

Texts are compared without white space, so that indentation and line ends hide nothing. What is looked for are runs of
whole lines of the solutions, of at least LEAST characters: what is shorter is a brace or a common phrase.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.package.archive import Member

BEGIN, END, HINT = "// BEGIN SOLUTION", "// END SOLUTION", "// HINT"
LEAST = 40
SPACE = b" \t\r\n\v\f"

Runs = dict[bytes, str]


def solution_text(layout: Layout) -> Runs:
    """Runs of lines of all solutions, without white space, and where each stands. What headers and stubs say, too, is
    no secret.
    """
    secrets = []
    public = [path.read_text(encoding="utf-8") for path in sorted(layout.headers.rglob("*.h"))]
    for path in sorted(path for path in layout.solutions.rglob("*") if path.is_file()):
        shared, secret = _split(path, layout)
        public += shared
        secrets.append((layout.shown(path), secret))
    known = _dense("\n".join(public).encode())
    runs: Runs = {}
    for name, secret in secrets:
        for begin, (number, _) in enumerate(secret):
            run = b""
            for following, (line, text) in enumerate(secret[begin:]):
                if line != number + following:
                    break  # the next region
                run += _dense(text.encode())
                if len(run) >= LEAST:
                    if run not in known:
                        runs.setdefault(run, f"{name}:{number}")
                    break
    if not runs:
        raise UsageError(f"{layout.shown(layout.solutions)} holds no solution to look for")
    return runs


def find_leak(members: Iterable[Member], runs: Runs) -> str | None:
    """The first member that holds a run of a solution, and which; None when none does."""
    lengths = sorted({len(run) for run in runs})
    heads: dict[bytes, list[bytes]] = {}
    for run in runs:
        heads.setdefault(run[:LEAST], []).append(run)
    for member in members:
        text = _dense(member.data)
        for run in _found(text, heads, lengths):
            return f"{member.path} holds what {runs[run]} says"
    return None


def _found(text: bytes, heads: dict[bytes, list[bytes]], lengths: list[int]) -> Iterator[bytes]:
    for start in range(len(text) - lengths[0] + 1 if lengths else 0):
        for run in heads.get(text[start : start + LEAST], ()):
            if text.startswith(run, start):
                yield run


def _split(path: Path, layout: Layout) -> tuple[list[str], list[tuple[int, str]]]:
    """The lines of a solution's file that its stub has too, and the others with their numbers. A file without marks
    is secret as a whole, but for what students get in handouts/ in a file of the same name.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    twin = layout.root / "handouts" / path.relative_to(layout.solutions)
    public = twin.read_text(encoding="utf-8").splitlines() if twin.is_file() else []
    secret = []
    marked = any(line.strip() == BEGIN for line in lines)
    inside = not marked
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text in (BEGIN, END):
            inside = text == BEGIN
        elif inside and not text.startswith(HINT):
            secret.append((number, line))
        else:
            public.append(line)
    return public, secret


def _dense(data: bytes) -> bytes:
    return data.translate(None, SPACE)
