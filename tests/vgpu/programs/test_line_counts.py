"""Counts of source lines: they add up to the launch's, and lie on the line that does the work."""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flashlab.layout import Layout

BUILD = Layout.of_this_package().root / "build"
OF_THE_LAUNCH_ALONE = {
    "shared_static_bytes",
    "shared_dynamic_bytes",
    "registers_per_thread",
    "stack_bytes",
    "spill_store_bytes",
    "spill_load_bytes",
    "blocks_per_multiprocessor",
    "occupancy",
    "compulsory_sectors",
    "largest_block_instructions",
    "device_bytes",
    "local_bytes",
    "peak_device_bytes",
    "seconds",
}
# Program, a count, and what the source has on or just above the lines with it: nvcc takes the end of a statement.
WORK = [
    ("cp_async", "async_copy_bytes", "cp.async"),
    ("cp_async", "async_copy_shared_wavefronts", "cp.async"),
    ("ldmatrix", "ldmatrix_requests", "ldmatrix"),
    ("ldmatrix", "ldmatrix_conflicts", "ldmatrix"),
    ("histogram", "global_atomic_sectors", "atomic"),
    ("histogram", "shared_atomic_requests", "atomic"),
    ("local_array", "local_load_sectors", "["),
    ("local_array", "local_store_bytes", ""),
    ("divergence", "divergent_branches", ""),
    ("reduce_shared", "shared_load_requests", "["),
    ("reduce_shared", "barriers", "__syncthreads"),
]


def launches(program: str, folder: Path) -> list[dict[str, Any]]:
    counters = folder / "counters.json"
    words = [str(BUILD / "bin/vgpu"), "run", "--counters", "json", "--output", str(counters)]
    subprocess.run([*words, str(BUILD / "tests/vgpu/programs" / program)], check=True, timeout=60)
    return json.loads(counters.read_text())


@pytest.mark.parametrize("program", sorted({program for program, _, _ in WORK}))
def test_lines_add_up_to_the_launch(program, tmp_path):
    records = launches(program, tmp_path)
    assert records
    for launch in records:
        sums, classes = Counter(), Counter()
        for line in launch["lines"]:
            counts = {key: n for key, n in line.items() if isinstance(n, int) and key != "line"}
            sums.update(counts)
            classes.update(line["warp_instructions_by_class"])
            # Zeros are left out, but for a part of what is there: conflicts of a load without any.
            assert all(
                n or key.endswith("_conflicts") or key.endswith("_bytes")
                for key, n in counts.items()
            )
        whole = {
            key: n
            for key, n in launch.items()
            if isinstance(n, int | float) and key not in OF_THE_LAUNCH_ALONE
        }
        assert len(whole) > 30
        assert {key: sums[key] for key in whole} == whole
        assert sums.keys() <= whole.keys()
        assert classes == launch["warp_instructions_by_class"]


@pytest.mark.parametrize(("program", "count", "words"), WORK)
def test_counts_lie_on_their_line(program, count, words, tmp_path):
    lines = {
        (line["file"], line["line"])
        for launch in launches(program, tmp_path)
        for line in launch["lines"]
        if line.get(count)
    }
    assert lines
    for file, number in lines:
        assert words in "".join(Path(file).read_text().splitlines()[number - 5 : number])


def test_local_memory_is_that_of_all_threads(tmp_path):
    sort, machines = launches("local_array", tmp_path)
    # 17 ints for each of 96 threads, in frames of whole 16 bytes; 8 ints for each of 64.
    assert (sort["local_bytes"], machines["local_bytes"]) == (96 * 80, 64 * 32)
