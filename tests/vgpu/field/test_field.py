"""Programs as their users write them print on the virtual GPU what they printed on a real one, byte for byte."""

import json
import os
import re
import subprocess
from typing import Any

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
RECORD = ROOT / "handouts/data/field_h200.json"
PROGRAMS = sorted(source.stem for source in (ROOT / "tests/vgpu/field").glob("*.cu"))
MOST_CPU_SECONDS = 3.0
# What programs provoke: every line that one of these matches, and each of them at least once.
INTENDED = {
    "bfs": [
        r"race on global memory: this (read|write) and the (read|write) of another block are not"
    ],
    "device_assert": [r"assertion `.*a divisor is zero.*` failed"],
    "graphs_capture": [
        r"stream capture: a stream that is being captured does no work to wait for",
        r"cudaStreamEndCapture: a call during the capture has ended it",
    ],
    "grid_sync": [r"cudaLaunchCooperativeKernel: .* only \d+ fit on the device at once"],
    "host_threads": [r"cudaMalloc: \d+ bytes do not fit"],
}


def recorded() -> dict[str, Any]:
    return json.loads(RECORD.read_text())["programs"]


def test_every_program_is_recorded():
    assert len(PROGRAMS) >= 40
    assert sorted(recorded()) == PROGRAMS


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    words = [str(BUILD / "bin/vgpu"), "run", *options, str(BUILD / "tests/vgpu/field" / program)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("program", PROGRAMS)
def test_prints_what_it_prints_on_a_gpu(program):
    want = recorded()[program]
    before = os.times()
    result = run(program)
    after = os.times()
    assert result.stdout.splitlines() == want["output"], result.stderr
    assert result.returncode == want["exit"], result.stderr
    seconds = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    assert seconds < MOST_CPU_SECONDS


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_check_reports_what_is_right(program):
    """Programs leak, for they end: of the other reports only those that they provoke may appear."""
    result = run(program, "--check", "all")
    assert result.returncode == recorded()[program]["exit"], result.stderr
    said = re.findall(r"^vgpu: (?!leak: )(.*)", result.stderr, re.MULTILINE)
    intended = INTENDED.get(program, [])
    alarms = [line for line in said if not any(re.match(words, line) for words in intended)]
    assert not alarms, result.stderr
    for words in intended:
        assert any(re.match(words, line) for line in said), f"{words}\n{result.stderr}"
