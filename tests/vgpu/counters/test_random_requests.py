"""Atomic updates and asynchronous copies at random places: the virtual GPU counts what an H200 counted, every time."""

import json
import subprocess
from pathlib import Path

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
# Per program: the record, and our name of what it holds.
PROGRAMS = {
    "random_atomics": ("atomics_h200", "global_atomic_sectors"),
    "random_copies": ("copies_h200", "async_copy_shared_conflicts"),
}
RECORDED: dict[str, dict[str, list[int]]] = {
    program: json.loads((ROOT / f"handouts/data/{record}.json").read_text())["counts"]
    for program, (record, _) in PROGRAMS.items()
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[int]]]:
    """The counts of each program's launches, in their order, under the launches' labels."""
    counts: dict[str, dict[str, list[int]]] = {}
    for program, (_, key) in PROGRAMS.items():
        binary = str(BUILD / "tests/vgpu/counters" / program)
        output: Path = tmp_path_factory.mktemp("counters") / f"{program}.json"
        vgpu = [str(BUILD / "bin/vgpu"), "run"]
        listed = subprocess.run(
            [*vgpu, binary, "--list"], check=True, capture_output=True, text=True
        )
        words = [*vgpu, "--counters", "json", "--output", str(output), binary]
        subprocess.run(words, check=True, timeout=60)
        counts[program] = {}
        for label, launch in zip(
            listed.stdout.splitlines(), json.loads(output.read_text()), strict=True
        ):
            counts[program].setdefault(label, []).append(launch[key])
    return counts


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_record_holds_the_launches_of_the_program(
    counted: dict[str, dict[str, list[int]]], program: str
) -> None:
    assert sum(map(len, RECORDED[program].values())) >= 800
    assert list(counted[program]) == list(RECORDED[program])


@pytest.mark.parametrize(
    ("program", "label"), [(program, label) for program in PROGRAMS for label in RECORDED[program]]
)
def test_counts_equal_the_hardware_s(
    counted: dict[str, dict[str, list[int]]], program: str, label: str
) -> None:
    assert counted[program][label] == RECORDED[program][label]
