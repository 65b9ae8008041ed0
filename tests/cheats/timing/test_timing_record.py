"""What an H200 said of the points for speed (tools/record_timing.py), held to what it has to be."""

import copy
import json
from typing import Any

import pytest
from timing_cheats import LAB, Submission, submissions
from timing_table import README, RECORD, told_apart, with_table

DOCUMENT: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
ORIGINAL = [case for run in DOCUMENT["original"] for case in run]
RUNS = 20
TOLD_APART_AT_LEAST = 0.95


def test_the_same_kernel_gets_the_same_points_every_time() -> None:
    assert len(DOCUMENT["original"]) >= RUNS
    assert {case["points"] == case["max_points"] for case in ORIGINAL} == {True}
    assert {len(run) for run in DOCUMENT["original"]} == {2}


def test_a_kernel_that_is_15_percent_slower_is_told_apart() -> None:
    told = [told_apart(run, ORIGINAL) for run in DOCUMENT["slower"]]
    assert len(told) >= RUNS
    assert sum(told) >= TOLD_APART_AT_LEAST * len(told)
    ratios = sorted(case["ratio"] for run in DOCUMENT["slower"] for case in run)
    assert 1.1 < ratios[len(ratios) // 2] < 1.2, "this is no kernel that is 15 % slower"


def test_the_original_is_not_told_from_itself() -> None:
    assert not any(told_apart(run, ORIGINAL) for run in DOCUMENT["original"])
    faster = copy.deepcopy(DOCUMENT["slower"][0])
    faster[0]["points"] = faster[0]["max_points"]
    assert not told_apart(faster, ORIGINAL)


@pytest.mark.parametrize("submission", submissions(), ids=lambda one: one.source.stem)
def test_points_of_cheats_and_of_honest_code(submission: Submission) -> None:
    cases = DOCUMENT["cheats"][submission.source.stem]
    assert len(cases) == 2
    for case in cases:
        full = submission.verdicts == ("full",)
        assert case["points"] == (case["max_points"] if full else 0), case


def test_work_outside_the_stream_and_a_slow_baseline_are_flagged() -> None:
    for name, words in (("other_stream", "CUDA events"), ("slow_baseline", "beside this")):
        for case in DOCUMENT["cheats"][name]:
            assert any(words in flag for flag in case["flags"])


def test_the_readme_shows_the_record() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text, DOCUMENT) == text, "run tools/timing_table.py"
    assert LAB.short == DOCUMENT["lab"]
