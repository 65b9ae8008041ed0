"""The virtual GPU's counts equal those that a real GPU's counters gave, on any number of CPU threads."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
RECORDED = [
    program
    for name in ("counters_h200", "counters_labs_h200")
    for program in json.loads((ROOT / f"handouts/data/{name}.json").read_text())["programs"]
]

# Nsight Compute takes what a generic load or store moves for bytes of global memory, also where the address lies in
# shared memory: so WMMA reads bfloat16 and tf32 there. We count bytes of global memory only.
GENERIC_BYTES = {"in_shared": {"global_load_bytes", "global_store_bytes"}}

# What differs in a program's launches, and why: grader/vgpu/README.md, "Compared with an H200".
EXCEPTIONS = {
    ("lab3_launches", "shared_load_wavefronts"): "ptxas merges loads",
    ("lab4_launches", "shared_store_conflicts"): "another number in each run",
    ("lab4_tuned_launches", "shared_store_conflicts"): "another number in each run",
    ("lab4_tuned_launches", "async_copy_shared_conflicts"): "of a request, not of each look-up",
    ("lab4_tuned_launches", "async_copy_bytes"): "zero fill",
    ("lab5_launches", "shared_load_conflicts"): "another number in each run",
    ("lab5_tuned_launches", "shared_load_conflicts"): "another number in each run",
    ("lab5_tuned_launches", "async_copy_bytes"): "another number in each run",
}

# Where the difference is one of definition, every launch that has it: ours, the hardware's.
DIFFERENCES = {("lab4_tuned_launches", "async_copy_shared_conflicts"): [(1192, 1248), (1704, 1792)]}


def launches(
    program: str, arguments: list[str], threads: int, folder: Path
) -> list[dict[str, Any]]:
    """What the virtual GPU counted for each launch of a program, without the wall time."""
    counters = folder / "counters.json"
    words = [str(BUILD / "bin/vgpu"), "run", "--counters", "json", "--output", str(counters)]
    words += ["--threads", str(threads), str(BUILD / "tests/vgpu/programs" / program), *arguments]
    subprocess.run(words, check=True, timeout=60)
    records = json.loads(counters.read_text())
    for launch in records:
        del launch["seconds"]
    return records


def plain_name(kernel: str) -> str:
    """A kernel's name alone: each tool writes types, template arguments and parameters in its own way."""
    before_arguments = kernel.partition("<")[0].partition("(")[0]
    return re.split(r"[\s:]+", before_arguments.strip())[-1]


def hardware(launch: dict[str, Any]) -> dict[str, Any]:
    """A recorded launch under the virtual GPU's names: it does not tell `red` from `atom`."""
    counts = dict(launch)
    for what in ("requests", "sectors", "bytes"):
        parts = [counts.pop(f"global_{kind}_{what}", None) for kind in ("red", "atom")]
        if None not in parts:
            counts[f"global_atomic_{what}"] = sum(parts)
    return counts


def differences(
    recorded: dict[str, Any], counted: list[dict[str, Any]]
) -> dict[str, list[tuple[int, int]]]:
    """Per count, what the virtual GPU and the hardware have where they differ."""
    found: dict[str, list[tuple[int, int]]] = {}
    for ours, launch in zip(counted, recorded["launches"], strict=True):
        theirs = hardware(launch)
        name = plain_name(ours["kernel"])
        assert name == plain_name(theirs.pop("kernel"))
        for key in theirs.keys() - GENERIC_BYTES.get(name, set()):
            if ours[key] != theirs[key]:
                found.setdefault(key, []).append((ours[key], theirs[key]))
    return found


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["program"])
def test_counts_equal_the_hardware_s(recorded: dict[str, Any], tmp_path: Path) -> None:
    program = recorded["program"]
    found = differences(recorded, launches(program, recorded["arguments"], 1, tmp_path))
    # Each exception has to be needed, and what several warps make of one another's accesses only adds conflicts.
    assert found.keys() == {key for name, key in EXCEPTIONS if name == program}, found
    for key in found:
        if key.endswith("conflicts"):
            assert all(ours < theirs for ours, theirs in found[key]), (key, found[key])
        assert DIFFERENCES.get((program, key), found[key]) == found[key]


@pytest.mark.parametrize("program", ["naive_attention", "divergence", "histogram", "reduce_shared"])
def test_counts_do_not_depend_on_the_number_of_threads(program: str, tmp_path: Path) -> None:
    alone = launches(program, [], 1, tmp_path)
    assert alone
    assert launches(program, [], 3, tmp_path) == alone
