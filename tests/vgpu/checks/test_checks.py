"""The checks find every seeded mistake on its line, and say nothing about correct programs."""

import re
import subprocess

import check_suites
import pytest
import sanitizer_tables
from check_suites import BUILD, PROGRAMS, Case, reports, run

# What a report of each kind says, after the "vgpu: " that begins it.
REPORTS = {
    "race": r"race on shared memory",
    "race_global": r"race on global memory",
    "uninitialised": r"uninitialised read of shared memory",
    "uninitialised_global": r"uninitialised read of global memory",
    "async": r"use of shared memory that a cp\.async is still filling",
    "bounds": r"illegal .* in global memory\n(?!(.*\n)*.*(freed before|a host pointer))",
    "bounds_shared": r"illegal .* in shared memory|access outside of every array in shared memory",
    "misaligned": r"misaligned ",
    "freed": r"illegal .* in global memory\n(.*\n)*.*which was freed before",
    "host_pointer": r"illegal .* in global memory\n(.*\n)*.*a host pointer used in a kernel",
    "barrier": r"divergent barrier|deadlock: a barrier|threads of one block wait at different",
    "shuffle": r"shuffle from a lane that is not there|deadlock in a warp",
    "double_free": r"cudaFree: .*double free",
    "leak": r".*4000 bytes.*(not|never) freed|.*(not|never) freed.*4000 bytes",
}
ON_THE_HOST = {"double_free", "leak"}  # no source line is known
# Mistakes that hardware lets pass: only a check finds them.
SILENT_WITHOUT_CHECKS = {"race", "race_global", "uninitialised", "uninitialised_global", "async"}

SEEDED, CLEAN = check_suites.seeded(), check_suites.clean()
# Programs on either side of one rule. No other tool has been asked about them.
WRONG, RIGHT = check_suites.seeded("pairs"), check_suites.clean("pairs")


def names_line(report: str, case: Case) -> bool:
    """A report says where it is; a race or two barriers have two ends, and it names both."""
    source = f"{case.program.partition('/')[2]}.cu"
    return re.search(rf"{source}:{case.line}\b", report) is not None


def test_suites_are_complete() -> None:
    assert len(SEEDED) >= 40 and len(CLEAN) >= 40
    assert {case.kind for case in SEEDED} == set(REPORTS)
    for source in sorted(check_suites.FOLDER.glob("seeded/*.cu")):
        marked = [case.name for case in SEEDED if case.program == f"seeded/{source.stem}"]
        assert sorted(marked) == sorted(check_suites.names(source)), source
    for source in sorted(check_suites.FOLDER.glob("pairs/*.cu")):
        for cases in (WRONG, RIGHT):
            assert f"pairs/{source.stem}" in {case.program for case in cases}, source
    for program in {case.program for case in SEEDED + CLEAN + WRONG + RIGHT}:
        words = [str(BUILD / "bin/vgpu"), "run", str(PROGRAMS / program), "--list"]
        listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        assert listed == check_suites.names(check_suites.FOLDER / f"{program}.cu")


@pytest.mark.parametrize("case", SEEDED + WRONG, ids=lambda case: case.name)
def test_finds(case: Case) -> None:
    said = run(case, "all").stderr
    found = [report for report in reports(said) if re.match(REPORTS[case.kind], report)]
    assert found, said
    if case.kind in ON_THE_HOST:
        return
    assert any(names_line(report, case) for report in found), said
    # One mistake: whatever else is said about it is said about the same line.
    assert all(names_line(report, case) for report in reports(said)), said


@pytest.mark.parametrize(
    "case", [c for c in SEEDED if c.kind in SILENT_WITHOUT_CHECKS], ids=lambda case: case.name
)
def test_is_silent_when_off(case: Case) -> None:
    assert run(case, "none").stderr == ""


@pytest.mark.parametrize("case", CLEAN + RIGHT, ids=lambda case: f"{case.program}-{case.name}")
def test_clean_program_raises_no_alarm(case: Case) -> None:
    result = run(case, "all")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "case",
    [c for c in CLEAN + RIGHT if c.program in ("clean/blocks", "pairs/in_place")],
    ids=lambda case: case.name,
)
def test_blocks_on_several_threads_raise_no_alarm(case: Case) -> None:
    """Blocks meet differently each time; an alarm that depends on it needs some rounds to show."""
    for _ in range(15):
        assert run(case, "all", "--threads", "4").stderr == ""


def test_clean_programs_compute_what_a_gpu_computes() -> None:
    recorded = sanitizer_tables.records()
    for case in CLEAN:
        last = run(case, "none").stdout.splitlines()[-1]
        assert last == f"{case.name} {recorded[case.program, case.name]['alone']}"


def test_tables_are_those_of_the_record() -> None:
    for page, text in sanitizer_tables.pages().items():
        assert page.read_text(encoding="utf-8") == text, (
            f"{page}: run tools/sanitizer_tables.py (after tools/record_sanitizer.py on a GPU, "
            "if programs have changed)"
        )


@pytest.mark.parametrize("threads", ["1", "3"])
def test_existing_programs_raise_no_alarm(threads: str) -> None:
    folder = BUILD / "tests/vgpu/programs"
    programs = [p for p in sorted(folder.iterdir()) if p.is_file() and p.stat().st_mode & 0o100]
    assert len(programs) > 20
    for program in programs:
        words = [str(BUILD / "bin/vgpu"), "run", "--check", "all", "--threads", threads]
        words += [str(program)]
        words += ["128"] if program.name == "flash_one_thread_per_row" else []
        result = subprocess.run(words, capture_output=True, text=True, timeout=120)
        alarms = [
            line for line in result.stderr.splitlines() if "race" in line or "uninitialised" in line
        ]
        assert not alarms, f"{program.name}: {alarms}"


def test_unknown_check_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGPU_CHECK", "speling")
    words = [str(BUILD / "bin/vgpu"), "run", str(PROGRAMS / CLEAN[0].program), CLEAN[0].name]
    said = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0
    assert "VGPU_CHECK: there is no check `speling`" in said.stderr
