"""Timing cheats get no points for speed, on the virtual GPU and on a real one; honest look-alikes get all."""

import tomllib

import pytest
from flashlab.device import Device, choose, probe_gpu
from flashlab.errors import SubmissionError
from flashlab.grade import build_baseline
from flashlab.measure import measure
from timing_cheats import (
    LAB,
    LAYOUT,
    Submission,
    build,
    complaints,
    speed_cases,
    submissions,
)

SUBMISSIONS = submissions()
NONE = tomllib.loads(LAB.config.read_text(encoding="utf-8"))["speed"]["none"]
each = pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda one: one.source.stem)


@each
def test_points_on_the_virtual_gpu(submission: Submission) -> None:
    cases = speed_cases(build(submission.source), choose(LAYOUT, Device.VGPU))
    assert complaints(submission, cases, NONE) == []


@each
@pytest.mark.skipif(probe_gpu().name is None, reason="needs a GPU: recorded in timing_h200.json")
def test_points_on_a_gpu(submission: Submission) -> None:
    cases = speed_cases(build(submission.source), choose(LAYOUT, Device.CUDA))
    assert complaints(submission, cases, NONE) == []


@each
def test_the_clock_on_the_virtual_gpu(submission: Submission) -> None:
    """The engine that a real GPU's times come from, with this machine in place of the GPU."""
    (record,) = measure(
        LAYOUT,
        LAB,
        build(submission.source),
        choose(LAYOUT, Device.VGPU),
        [{"seq_q": 128, "head_dim": 64}],
        (),
        baseline=build_baseline(LAYOUT, LAB),
        repeats=5,
        clock=True,
    )
    assert record["status"] in submission.timed, record["message"]
    assert submission.says in record["message"]


def test_a_library_that_cannot_be_loaded_is_one_line() -> None:
    device = choose(LAYOUT, Device.VGPU)
    with pytest.raises(SubmissionError, match="cannot be loaded"):
        list(measure(LAYOUT, LAB, LAB.config, device, [{"seq_q": 8, "head_dim": 32}]))


def judged(status: str, points: float, message: str = "", ratio: float = 1) -> dict[str, object]:
    return {
        "name": "a",
        "status": status,
        "points": points,
        "max_points": 4,
        "message": message,
        "speed": {"ratio": ratio},
    }


def test_other_verdicts_bring_complaints() -> None:
    by_verdict = {one.verdicts[0]: one for one in SUBMISSIONS if len(one.verdicts) == 1}
    right = {
        "full": judged("passed", 4),
        "slow": judged("failed", 0, ratio=4),
        "wrong": judged("skipped", 0, "not graded until the result is right"),
        "failed": judged("failed", 0, by_verdict["failed"].says),
    }
    for verdict, submission in by_verdict.items():
        assert complaints(submission, [right[verdict]], NONE) == []
        assert complaints(submission, [judged("failed", 1, "?")], NONE)
        for other in right.keys() - {verdict}:
            assert complaints(submission, [right[other]], NONE), (verdict, other)
        assert complaints(submission, [], NONE)
    assert complaints(by_verdict["slow"], [judged("passed", 4, ratio=0.5)], NONE)
