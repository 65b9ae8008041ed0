"""Sectors of atomic updates at random words: an H200's within 8 sectors; beyond, never more and at most 3 fewer."""

import json
import subprocess
from pathlib import Path

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
RECORDED = json.loads((ROOT / "handouts/data/atomics_h200.json").read_text())["sectors"]
EXACT = ["16", "64"]  # words, in 2 and 8 sectors
MOST_MISSED = 3  # sectors of a request, of about 24


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[int]]]:
    output: Path = tmp_path_factory.mktemp("counters") / "counters.json"
    words = [str(BUILD / "bin/vgpu"), "run", "--counters", "json", "--output", str(output)]
    subprocess.run(
        [*words, str(BUILD / "tests/vgpu/counters/random_atomics")], check=True, timeout=60
    )
    sectors = iter(launch["global_atomic_sectors"] for launch in json.loads(output.read_text()))
    counts: dict[str, dict[str, list[int]]] = {}
    for words_in_range, recorded in RECORDED.items():
        kinds: dict[str, list[int]] = {kind: [] for kind in recorded}
        for _ in recorded["red"]:
            kinds["red"].append(next(sectors))
            kinds["cas"].append(next(sectors))
        counts[words_in_range] = kinds
    assert next(sectors, None) is None
    return counts


@pytest.mark.parametrize("words", EXACT)
def test_equal_within_eight_sectors(counted: dict[str, dict[str, list[int]]], words: str) -> None:
    assert counted[words] == RECORDED[words]


@pytest.mark.parametrize("words", sorted(RECORDED.keys() - set(EXACT)))
def test_close_beyond(counted: dict[str, dict[str, list[int]]], words: str) -> None:
    misses = [
        hardware - ours
        for kind, recorded in RECORDED[words].items()
        for ours, hardware in zip(counted[words][kind], recorded, strict=True)
    ]
    assert min(misses) >= 0 and max(misses) <= MOST_MISSED
    assert misses.count(0) >= 0.7 * len(misses)
