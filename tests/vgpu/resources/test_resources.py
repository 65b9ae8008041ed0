"""Registers, spills and occupancy in the counters and in the runtime's answers, with and without a ptxas."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

LAYOUT = Layout.of_this_package()
BUILD = LAYOUT.root / "build"
RECORD = json.loads((LAYOUT.root / "handouts/data/resources_h200.json").read_text())
PROGRAM = BUILD / "tests/vgpu/resources/resources"
FROM_PTXAS = ("registers_per_thread", "stack_bytes", "spill_store_bytes", "spill_load_bytes")
OCCUPANCY = (
    "blocks_per_multiprocessor",
    "occupancy",
    "blocks_allowed_by",
    "occupancy_limited_by",
)


def ptxas() -> Path:
    return find_compiler(LAYOUT).root / "bin/ptxas"


def release(text: str) -> str:
    """`V13.0.88`."""
    return re.findall(r"V\d+\.\d+\.\d+", text)[-1]


def run(folder: Path, *words: str, **environment: str) -> tuple[list[dict[str, Any]], str, str]:
    """The launch records, standard output and standard error of the program."""
    counters = folder / "counters.json"
    command = [str(BUILD / "bin/vgpu"), "run", "--counters", "json", "--output", str(counters)]
    done = subprocess.run(
        [*command, str(PROGRAM), *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **environment},
    )
    return json.loads(counters.read_text()), done.stdout, done.stderr


@pytest.fixture(scope="module")
def with_ptxas(tmp_path_factory):
    return run(tmp_path_factory.mktemp("with"), "launch", VGPU_PTXAS=str(ptxas()))


def test_the_runtime_answers_as_on_the_h200(with_ptxas):
    answers = [json.loads(line) for line in with_ptxas[1].splitlines()]
    recorded = [{k: v for k, v in kernel.items() if k != "launch"} for kernel in RECORD["kernels"]]
    assert [a["kernel"] for a in answers] == [r["kernel"] for r in recorded]
    version = subprocess.run([ptxas(), "--version"], check=True, capture_output=True, text=True)
    if release(version.stdout) == release(RECORD["provenance"]["compiler"]):
        assert answers == recorded
        return
    # Another ptxas may use other registers; where it uses the same, all else must be the same.
    same = [
        (a, r) for a, r in zip(answers, recorded, strict=True) if a["registers"] == r["registers"]
    ]
    assert len(same) > len(recorded) / 2
    for answer, record in same:
        assert {**answer, "local_bytes": 0} == {**record, "local_bytes": 0}


def test_records_say_what_ptxas_says(with_ptxas):
    records, answers, errors = with_ptxas
    assert errors == ""
    assert len(records) == len(RECORD["kernels"])
    for record, line in zip(records, answers.splitlines(), strict=True):
        answer = json.loads(line)
        assert record["registers_per_thread"] == answer["registers"]
        assert record["stack_bytes"] == answer["local_bytes"]
        # Blocks of 96 threads; 100 bytes of dynamic shared memory make no difference to any kernel.
        assert record["blocks_per_multiprocessor"] == answer["by_threads"][2]
        assert record["occupancy"] == 3 * answer["by_threads"][2] / 64
        least = min(record["blocks_allowed_by"].values())
        assert record["blocks_per_multiprocessor"] == least
        assert record["occupancy_limited_by"] == [
            name for name, blocks in record["blocks_allowed_by"].items() if blocks == least
        ]
    by_kernel = {record["kernel"].partition("(")[0]: record for record in records}
    spilling = by_kernel["void kernel<200, 64, 0>"]
    assert spilling["spill_store_bytes"] >= 4 * (200 - 64)
    assert spilling["spill_load_bytes"] >= 4 * (200 - 64)
    assert by_kernel["void kernel<1, 255, 0>"]["spill_store_bytes"] == 0
    limits = {name for record in records for name in record["occupancy_limited_by"]}
    assert limits == {"registers", "shared_memory", "warps"}


@pytest.mark.parametrize(("setting", "lines"), [("/no/such/ptxas", 1), ("none", 0)])
def test_without_ptxas_the_numbers_are_null(tmp_path, setting, lines):
    records, answers, errors = run(tmp_path, "launch", VGPU_PTXAS=setting)
    assert len(answers.splitlines()) == len(records) == len(RECORD["kernels"])
    for record in records:
        assert {key: record[key] for key in FROM_PTXAS + OCCUPANCY} == dict.fromkeys(
            FROM_PTXAS + OCCUPANCY
        )
        assert record["global_load_requests"] > 0
    assert errors.count("\n") == lines
    assert lines == 0 or ("/no/such/ptxas" in errors and "VGPU_PTXAS=path" in errors)


def test_ptxas_is_found_beside_nvcc_and_asked_once(tmp_path):
    folder = tmp_path / "toolkit"
    folder.mkdir()
    script = folder / "ptxas"
    script.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/runs\nexec {ptxas()} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    path = f"{folder}:/usr/bin:/bin"
    for _ in range(2):
        records, _, errors = run(tmp_path, "launch", PATH=path, VGPU_PTXAS="")
        assert errors == ""
        assert all(record["registers_per_thread"] > 0 for record in records)
    runs = (tmp_path / "runs").read_text().splitlines()
    assert [words for words in runs if words != "--version"] == [
        "-v --gpu-name sm_90 -o /dev/null /proc/self/fd/0"
    ]


def test_programs_that_ask_for_nothing_do_not_run_ptxas(tmp_path):
    vector_add = BUILD / "tests/vgpu/programs/vector_add"
    script = tmp_path / "ptxas"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    words = [str(BUILD / "bin/vgpu"), "run", str(vector_add)]
    subprocess.run(words, check=True, env={**os.environ, "VGPU_PTXAS": str(script)}, timeout=60)
    assert not (tmp_path / "ran").exists()


def test_the_table_shows_registers_and_occupancy(tmp_path):
    words = [str(BUILD / "bin/vgpu"), "run", "--counters", "table", str(PROGRAM), "launch"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "VGPU_PTXAS": str(ptxas())}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    row = next(line for line in done.stderr.splitlines() if line.startswith("kernel<200, 64, 0>"))
    assert row.split()[-4] == "64"
    assert row.endswith(" 47 %")


def test_a_real_ptxas_is_there():
    assert shutil.which(ptxas())
