"""The checks find every seeded mistake on its line, and say nothing about correct programs."""

import re
import subprocess
from pathlib import Path

import pytest
from flashlab.layout import Layout

BUILD = Layout.of_this_package().root / "build"
PROGRAMS = BUILD / "tests/vgpu/checks"
SOURCE = Path(__file__).with_name("seeded.cu")
HEADLINES = {
    "race": "race on shared memory",
    "uninitialised": "uninitialised read of shared memory",
}
BUGS = [
    (name, kind, number)
    for number, line in enumerate(SOURCE.read_text(encoding="utf-8").splitlines(), start=1)
    for name, kind in re.findall(r"// BUG (\w+): (\w+)$", line)
]


def run(checks: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A test program on the virtual GPU; what the checks find goes to stderr."""
    words = [str(BUILD / "bin/vgpu"), "run", "--check", checks, str(PROGRAMS / program), *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def test_there_are_bugs() -> None:
    kernels = re.findall(r"__global__ void (\w+)", SOURCE.read_text(encoding="utf-8"))
    assert kernels
    assert [name for name, _, _ in BUGS] == kernels


@pytest.mark.parametrize(("name", "kind", "line"), BUGS, ids=[name for name, _, _ in BUGS])
def test_finds(name: str, kind: str, line: int) -> None:
    said = run("all", "seeded", name).stderr
    reports = [report for report in said.split("vgpu: ") if report.startswith(HEADLINES[kind])]
    assert reports, said
    # A race has two ends; a report names both.
    ends = (f"seeded.cu:{line} ", f", at line {line}\n")
    assert any(end in report for report in reports for end in ends), said


@pytest.mark.parametrize("name", [name for name, _, _ in BUGS])
def test_is_silent_when_off(name: str) -> None:
    assert run("none", "seeded", name).stderr == ""


def test_clean_programs_raise_no_alarm() -> None:
    result = run("all", "clean")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("threads", ["1", "3"])
def test_existing_programs_raise_no_alarm(threads: str) -> None:
    folder = BUILD / "tests/vgpu/programs"
    programs = [p for p in sorted(folder.iterdir()) if p.is_file() and p.stat().st_mode & 0o100]
    assert len(programs) > 20
    for program in programs:
        words = [
            str(BUILD / "bin/vgpu"),
            "run",
            "--check",
            "all",
            "--threads",
            threads,
            str(program),
        ]
        words += ["128"] if program.name == "flash_one_thread_per_row" else []
        result = subprocess.run(words, capture_output=True, text=True, timeout=120)
        alarms = [
            line for line in result.stderr.splitlines() if "race" in line or "uninitialised" in line
        ]
        assert not alarms, f"{program.name}: {alarms}"


def test_unknown_check_is_named() -> None:
    assert "there is no check `speling`" in run("speling", "clean").stderr
