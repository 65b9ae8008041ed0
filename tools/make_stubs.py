#!/usr/bin/env python3
"""Writes the students' stubs, labs/*/*.cu, from the staff's kernels, solutions/*/*.cu.

A stub is its solution without the lines between `// BEGIN SOLUTION` and `// END SOLUTION`; of those
only the `// HINT` lines stay. Each region starts with a hint that says how many lines it takes,
`// HINT 3 lines: ...`, and that number is checked, so hints cannot drift either.

  tools/make_stubs.py           writes the stubs
  tools/make_stubs.py --check   writes nothing; exit code 1 when a stub differs from its solution
"""

import argparse
import difflib
import re
import sys
from pathlib import Path

BEGIN = "// BEGIN SOLUTION"
END = "// END SOLUTION"
HINT = "// HINT"
FIRST_HINT = re.compile(r"// HINT (\d+) lines?: \S")
KEPT = "*.cu"


class StubError(Exception):
    """A solution or the tree is not fit to make stubs from; the message names file, line and cure."""


def make_stub(solution: str, name: str) -> str:
    """The text of the stub for the text of a solution; `name` appears in the errors."""
    stub: list[str] = []
    begin = 0  # line of the open region's BEGIN, 0 outside a region
    promised = 0  # code lines its first hint promises, 0 before that hint
    found = 0  # its code lines so far
    regions = 0
    for number, line in enumerate(solution.splitlines(keepends=True), start=1):
        text = line.strip()
        where = f"{name}:{number}"
        if text == BEGIN:
            if begin:
                raise StubError(
                    f"{where}: BEGIN SOLUTION inside the region of line {begin}; end that first"
                )
            begin, promised, found = number, 0, 0
            regions += 1
        elif text == END:
            if not begin:
                raise StubError(f"{where}: END SOLUTION without a BEGIN SOLUTION before it")
            if found != promised:
                raise StubError(
                    f"{name}:{begin}: the hint promises {promised} lines of solution,"
                    f" there are {found}; correct the hint"
                )
            begin = 0
        elif "BEGIN SOLUTION" in text or "END SOLUTION" in text:
            raise StubError(f"{where}: a marker must stand alone on its line: `{BEGIN}` or `{END}`")
        elif not begin:
            if text.startswith(HINT):
                raise StubError(f"{where}: HINT outside a region; move it behind {BEGIN}")
            stub.append(line)
        elif text.startswith(HINT):
            if not promised:
                match = FIRST_HINT.match(text)
                if not match or found:
                    raise StubError(
                        f"{where}: a region starts with `// HINT <n> lines: <what to do>`"
                    )
                promised = int(match[1])
            stub.append(line)
        elif not promised:
            raise StubError(f"{where}: a region starts with `// HINT <n> lines: <what to do>`")
        else:
            found += bool(text)
    if begin:
        raise StubError(f"{name}:{begin}: BEGIN SOLUTION without an END SOLUTION")
    if not regions:
        raise StubError(f"{name}: no `{BEGIN}` in this file: its stub would give the solution away")
    return "".join(stub)


def make_stubs(root: Path) -> dict[Path, str]:
    """Path and text of every stub the tree at `root` must have."""
    solutions = sorted((root / "solutions").glob(f"*/{KEPT}"))
    if not solutions:
        raise StubError(f"{root}/solutions: no */{KEPT} found: there is nothing to make stubs from")
    stubs = {
        root / "labs" / path.relative_to(root / "solutions"): make_stub(
            path.read_text(encoding="utf-8"), str(path.relative_to(root))
        )
        for path in solutions
    }
    for path in sorted((root / "labs").glob(f"*/{KEPT}")):
        if path not in stubs:
            raise StubError(
                f"{path.relative_to(root)}: no solution of this name; add it under solutions/"
                " or delete the stub"
            )
    return stubs


def differences(stubs: dict[Path, str], root: Path) -> list[str]:
    """One line-by-line difference per stub on disk that is not what its solution says."""
    result = []
    for path, text in stubs.items():
        name = str(path.relative_to(root))
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = difflib.unified_diff(
            old.splitlines(), text.splitlines(), name, f"{name} as its solution says", lineterm=""
        )
        if old != text:
            result.append("\n".join(lines) or f"{name}: line ends differ")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes labs/*/*.cu from solutions/*/*.cu.")
    parser.add_argument("--check", action="store_true", help="write nothing, list differences")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    arguments = parser.parse_args()
    try:
        stubs = make_stubs(arguments.root)
    except (StubError, OSError, UnicodeDecodeError) as error:
        print(f"make_stubs: {error}", file=sys.stderr)
        return 1
    if arguments.check:
        different = differences(stubs, arguments.root)
        if different:
            print(*different, sep="\n")
            print(
                f"make_stubs: {len(different)} stub(s) differ: run tools/make_stubs.py",
                file=sys.stderr,
            )
        return 1 if different else 0
    for path, text in stubs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(arguments.root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
