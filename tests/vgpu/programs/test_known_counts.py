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
RECORDED = json.loads((ROOT / "handouts/data/counters_h200.json").read_text())["programs"]

# Nsight Compute takes what a generic load or store moves for bytes of global memory, also where the address lies in
# shared memory: so WMMA reads bfloat16 and tf32 there. We count bytes of global memory only.
GENERIC_BYTES = {"in_shared": {"global_load_bytes", "global_store_bytes"}}


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


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["program"])
def test_counts_equal_the_hardware_s(recorded: dict[str, Any], tmp_path: Path) -> None:
    counted = launches(recorded["program"], recorded["arguments"], 1, tmp_path)
    assert len(counted) == len(recorded["launches"])
    for ours, theirs in zip(counted, recorded["launches"], strict=True):
        name = plain_name(ours["kernel"])
        assert name == plain_name(theirs["kernel"])
        left_out = {"kernel"} | GENERIC_BYTES.get(name, set())
        assert {key: ours[key] for key in theirs if key not in left_out} == {
            key: value for key, value in theirs.items() if key not in left_out
        }


@pytest.mark.parametrize("program", ["naive_attention", "divergence", "histogram", "reduce_shared"])
def test_counts_do_not_depend_on_the_number_of_threads(program: str, tmp_path: Path) -> None:
    alone = launches(program, [], 1, tmp_path)
    assert alone
    assert launches(program, [], 3, tmp_path) == alone
