"""What an H200 said about every submission of every lab, compared with what it must say.

The records are handouts/data/labN_verdicts_h200.json, from tools/record_gpu.py; test_corpus.py holds the virtual GPU to
the same manifests. A GPU grades fewer cases: traffic, bank conflicts and checks are the virtual GPU's alone.
"""

import json
import tomllib
from typing import Any

import pytest
from corpus_manifest import LAYOUT, SEED, Kernel, corpora
from flashlab.labs import Lab, discover
from record_gpu import submissions_of

LABS = discover(LAYOUT)
RECORDS = {
    lab.short: json.loads(
        (LAYOUT.root / f"handouts/data/{lab.short}_verdicts_h200.json").read_text()
    )
    for lab in LABS
}


def complaints(
    verdict: dict[str, Any],
    graded: frozenset[str],
    must_lose: frozenset[str],
    may_keep: frozenset[str] = frozenset(),
    may_lose: frozenset[str] = frozenset(),
) -> list[str]:
    """What is wrong about a recorded verdict: it must lose the points of exactly the cases `must_lose`, as far as they
    are `graded`. Of `may_keep`, some of them, it may keep any and must keep one; if there are such cases, its behaviour
    is undefined and may cost others too. What it does with `may_lose` is chance."""
    lost = set(verdict["failed"]) | set(verdict["skipped"])
    must_lose &= graded
    may_keep &= graded
    found = [f"must lose {case}" for case in sorted(must_lose - may_keep - lost)]
    if not may_keep:
        for case in sorted(lost - must_lose - may_lose):
            found.append(f"must keep {case}: {verdict['failed'].get(case, 'skipped')}")
    elif may_keep <= lost:
        found.append("loses all of `unseen`")
    if (verdict["score"] == verdict["max_score"]) != (not lost):
        found.append(f"{verdict['score']} of {verdict['max_score']} points, and lost {len(lost)}")
    return found


def expected() -> list[tuple[Lab, str, Kernel]]:
    """Every submission by its lab and its name in the record. Solutions, also tuned ones, lose nothing, stubs all."""
    manifested = {kernel.source: kernel for _, _, kernel in corpora()}
    found = []
    for lab in LABS:
        cases = tomllib.loads(lab.config.read_text(encoding="utf-8"))["case"]
        for name, source in submissions_of(lab).items():
            loses = frozenset(case["name"] for case in cases if name == "stub")
            found.append((lab, name, manifested.get(source, Kernel(source, name, loses))))
    return found


EXPECTED = expected()


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.short)
def test_the_record_holds_every_submission_and_every_case_that_a_gpu_grades(lab: Lab) -> None:
    record = RECORDS[lab.short]
    cases = tomllib.loads(lab.config.read_text(encoding="utf-8"))["case"]
    assert record["seed"] == SEED
    assert list(record["submissions"]) == list(submissions_of(lab))
    assert record["graded"] == [
        case["name"]
        for case in cases
        if case.get("device") != "vgpu" and not case.get("checks") and not case.get("speed")
    ]


@pytest.mark.parametrize(
    ("lab", "name", "kernel"),
    EXPECTED,
    ids=[f"{lab.short}-{name.rpartition('/')[2]}" for lab, name, _ in EXPECTED],
)
def test_verdict_on_the_gpu(lab: Lab, name: str, kernel: Kernel) -> None:
    record = RECORDS[lab.short]
    verdict = record["submissions"][name]
    found = complaints(
        verdict, frozenset(record["graded"]), kernel.must_fail, kernel.unseen, kernel.may_fail
    )
    if name == "stub" and verdict["score"] != 0:
        found.append(f"a stub has {verdict['score']} points")
    if found:
        pytest.fail("\n".join([f"{lab.short} {name}: {kernel.about}", *found]), pytrace=False)


def verdict(score: float, *lost: str) -> dict[str, Any]:
    """A verdict on three cases of a point each, where the judge said no about `lost`."""
    return {"score": score, "max_score": 3, "failed": dict.fromkeys(lost, "no"), "skipped": []}


@pytest.mark.parametrize(
    ("recorded", "must_lose", "may_keep", "complaint"),
    [
        (verdict(3), "", "", None),
        (verdict(2, "a"), "az", "", None),
        (verdict(2, "a"), "ab", "b", None),
        (verdict(1, "a", "c"), "ab", "b", None),
        (verdict(3), "a", "", "must lose a"),
        (verdict(2, "b"), "", "", "must keep b: no"),
        (verdict(1, "a", "b"), "ab", "b", "loses all of `unseen`"),
        (verdict(3, "a"), "a", "", "3 of 3 points"),
        (verdict(2), "", "", "2 of 3 points"),
    ],
)
def test_unexpected_verdicts_bring_complaints(
    recorded: dict[str, Any], must_lose: str, may_keep: str, complaint: str | None
) -> None:
    found = complaints(recorded, frozenset("abc"), frozenset(must_lose), frozenset(may_keep))
    assert [complaint in line for line in found] == ([] if complaint is None else [True])


def test_what_happens_by_chance_brings_no_complaint() -> None:
    graded, nothing = frozenset("abc"), frozenset[str]()
    assert complaints(verdict(2, "a"), graded, nothing, nothing, frozenset("a")) == []
    assert complaints(verdict(3), graded, nothing, nothing, frozenset("a")) == []
    assert complaints(verdict(2, "b"), graded, nothing, nothing, frozenset("a"))
