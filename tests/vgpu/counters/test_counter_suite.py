"""The virtual GPU counts what the hardware's counters counted, on every launch of the counter suite."""

import json
import subprocess
from pathlib import Path

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
DOCUMENT = json.loads((ROOT / "handouts/data/counters_suite_h200.json").read_text())
RECORDED = {
    label: dict(zip(DOCUMENT["metrics"], values, strict=True))
    for label, values in DOCUMENT["launches"].items()
}

# Where the counts differ, and why (grader/vgpu/README.md, "Counts"): by the label's beginning and end.
EXCEPTIONS = [
    ("load global and shared", "", "global_load_bytes"),
]


def hardware(label: str) -> dict[str, int]:
    """The recorded counts under the virtual GPU's names: it does not tell `red` from `atom`."""
    counts = dict(RECORDED[label])
    for what in ("requests", "sectors"):
        parts = [counts.pop(f"global_{kind}_{what}") for kind in ("red", "atom")]
        counts[f"global_atomic_{what}"] = sum(parts)
    return counts


def is_exception(label: str, key: str) -> bool:
    return any(
        label.startswith(begin) and label.endswith(end) and key == excepted
        for begin, end, excepted in EXCEPTIONS
    )


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    program = BUILD / "tests/vgpu/counters/counter_suite"
    counters: Path = tmp_path_factory.mktemp("counters") / "counters.json"
    vgpu = [str(BUILD / "bin/vgpu"), "run"]
    listed = subprocess.run(
        [*vgpu, str(program), "--list"], check=True, capture_output=True, text=True
    )
    words = [*vgpu, "--counters", "json", "--output", str(counters), str(program)]
    subprocess.run(words, check=True, timeout=120)
    labels = listed.stdout.splitlines()
    return dict(zip(labels, json.loads(counters.read_text()), strict=True))


def test_the_record_holds_the_launches_of_the_program(counted):
    assert len(counted) >= 150
    assert list(counted) == list(RECORDED)


@pytest.mark.parametrize(
    "access", sorted({label.partition(": ")[0] for label in RECORDED}), ids=str
)
def test_counts_equal_the_hardware_s(counted, access):
    differs = [
        f"{label}: {key} is {counted[label][key]}, on the H200 {count}"
        for label in RECORDED
        if label.partition(": ")[0] == access
        for key, count in hardware(label).items()
        if counted[label][key] != count and not is_exception(label, key)
    ]
    assert not differs, "\n" + "\n".join(differs)


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=str)
def test_every_exception_is_needed(counted, exception):
    begin, end, key = exception
    labels = [label for label in RECORDED if label.startswith(begin) and label.endswith(end)]
    assert any(counted[label][key] != hardware(label)[key] for label in labels)
