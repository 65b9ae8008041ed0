"""A short run of the fuzz targets that are quick to build. `tools/fuzz.sh program SECONDS` is the long one."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 5


def has_clang() -> bool:
    return shutil.which("clang++-14") is not None


@pytest.mark.skipif(not has_clang() and not os.environ.get("CI"), reason="needs clang-14")
def test_nothing_breaks_the_readers():
    for target in ("fatbin", "ptx", "elf"):
        words = [str(ROOT / "tools/fuzz.sh"), target, str(SECONDS)]
        run = subprocess.run(words, capture_output=True, text=True, timeout=600)
        assert run.returncode == 0, run.stderr[-3000:]
        executed = re.search(r"number_of_executed_units: (\d+)", run.stderr)
        assert executed and int(executed[1]) > 200, run.stderr[-1000:]


def test_every_target_has_inputs():
    corpus = ROOT / "tests/vgpu/fuzz/corpus"
    sizes = {
        folder.name: sum(f.stat().st_size for f in folder.iterdir()) for folder in corpus.iterdir()
    }
    assert set(sizes) == {"elf", "fatbin", "program", "ptx", "ptxas"}
    assert min(sizes.values()) > 0
    assert sum(sizes.values()) < 200_000
