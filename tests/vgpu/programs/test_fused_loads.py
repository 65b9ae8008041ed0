"""Fused runs count what their instructions count one by one.

The checks watch each access, so with them a run is never executed as one.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

BUILD = Path(__file__).resolve().parents[3] / "build"
PROGRAM = BUILD / "tests/vgpu/programs/fused_loads"
LAUNCHES = 2 * 3 * 18 * 18  # sizes of a block, kernels, patterns of both operands


def counts(folder: Path, variant: str, *options: str) -> list[dict[str, Any]]:
    """The counters of each launch, without what depends on time."""
    output = folder / "counters.json"
    command = [BUILD / "bin/vgpu", "run", "--counters", "json", "--output", output, *options]
    environment = {**os.environ, "VGPU_ISA": variant}
    done = subprocess.run([*command, PROGRAM], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    records = json.loads(output.read_text(encoding="utf-8"))
    return [{key: record[key] for key in record if key != "seconds"} for record in records]


@pytest.mark.parametrize("variant", ["baseline", "wide"])
def test_counts_are_those_of_single_instructions(tmp_path, variant):
    together = counts(tmp_path, variant)
    singly = counts(tmp_path, variant, "--check", "all")
    assert len(together) == LAUNCHES
    assert all(record["global_load_sectors"] > 0 for record in together)
    differs = [i for i, record in enumerate(together) if record != singly[i]]
    assert len(singly) == LAUNCHES
    assert not differs, f"launches {differs[:10]} of {LAUNCHES} count otherwise"
