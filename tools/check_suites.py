"""The programs of tests/vgpu/checks: which cases there are, and what is wrong with the seeded ones."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "tests/vgpu/checks"


@dataclass(frozen=True)
class Case:
    """One case of a program. A clean one has no `kind`, and line 0."""

    program: str  # "seeded/races", a source below FOLDER and a binary below its build folder
    name: str
    kind: str = ""  # of the mistake: the word after `BUG name:`
    line: int = 0  # where it is


def names(source: Path) -> list[str]:
    """The names in a program's table, in its order."""
    table = source.read_text(encoding="utf-8").partition("constexpr Case kCases[] = {")[2]
    return re.findall(r'^    \{"(\w+)",', table, re.MULTILINE)


def clean() -> list[Case]:
    """Every case that no check may report."""
    sources = sorted(FOLDER.glob("clean/*.cu"))
    return [Case(f"clean/{source.stem}", name) for source in sources for name in names(source)]


def seeded() -> list[Case]:
    """Every case with a mistake, as the `// BUG name: kind` on its line tells."""
    return [
        Case(f"seeded/{source.stem}", name, kind, number)
        for source in sorted(FOLDER.glob("seeded/*.cu"))
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1)
        for name, kind in re.findall(r"// BUG (\w+): (\w+)$", line)
    ]
