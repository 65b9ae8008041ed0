"""Programs as their users write them print on the virtual GPU what they printed on a real one, byte for byte."""

import json
import os
import subprocess
from typing import Any

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
RECORD = ROOT / "handouts/data/field_h200.json"
PROGRAMS = sorted(source.stem for source in (ROOT / "tests/vgpu/field").glob("*.cu"))
MOST_CPU_SECONDS = 3.0


def recorded() -> dict[str, Any]:
    return json.loads(RECORD.read_text())["programs"]


def test_every_program_is_recorded():
    assert len(PROGRAMS) >= 40
    assert sorted(recorded()) == PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS)
def test_prints_what_it_prints_on_a_gpu(program):
    want = recorded()[program]
    before = os.times()
    run = subprocess.run(
        [str(BUILD / "bin/vgpu"), "run", str(BUILD / "tests/vgpu/field" / program)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    after = os.times()
    assert run.stdout.splitlines() == want["output"], run.stderr
    assert run.returncode == want["exit"], run.stderr
    seconds = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    assert seconds < MOST_CPU_SECONDS
