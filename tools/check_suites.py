"""The programs of tests/vgpu/checks: which cases there are, and what is wrong with the seeded ones."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests/vgpu/checks"
BUILD = ROOT / "build"
PROGRAMS = BUILD / "tests/vgpu/checks"  # their binaries


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


def clean(folder: str = "clean") -> list[Case]:
    """Every case of a folder that no check may report."""
    mistakes = {(case.program, case.name) for case in seeded(folder)}
    return [
        Case(program, name)
        for source in sorted(FOLDER.glob(f"{folder}/*.cu"))
        for program in [f"{folder}/{source.stem}"]
        for name in names(source)
        if (program, name) not in mistakes
    ]


def seeded(folder: str = "seeded") -> list[Case]:
    """Every case of a folder with a mistake, as the `// BUG name: kind` on its line tells."""
    return [
        Case(f"{folder}/{source.stem}", name, kind, number)
        for source in sorted(FOLDER.glob(f"{folder}/*.cu"))
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1)
        for name, kind in re.findall(r"// BUG (\w+): (\w+)$", line)
    ]


def run(case: Case, checks: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A case on the virtual GPU; what the checks find goes to stderr."""
    words = [str(BUILD / "bin/vgpu"), "run", "--check", checks, "--timeout", "30", *options]
    words += [str(PROGRAMS / case.program), case.name]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


def reports(stderr: str) -> list[str]:
    """What the virtual GPU reported, one text each."""
    return re.split(r"^vgpu: ", stderr, flags=re.MULTILINE)[1:]
