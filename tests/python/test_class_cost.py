"""The costs of grading a class: the README has what the record says, and the arithmetic is right."""

import copy
import json
from typing import Any

import pytest
from class_cost import CLASSES, CORES, README, RECORD, cost, duration, seconds_of_one, with_table
from flashlab import labs
from make_class import KINDS

DOCUMENT: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))


def flat(seconds: float, start: float) -> dict[str, Any]:
    """Rates where everything that is built costs the same."""
    kinds = ("stub", "syntax", "solution", "corpus")
    rates = {kind: [seconds] for kind in kinds}
    return {"start_seconds": start, "labs": {"lab1": rates, "lab2": rates}}


def test_the_readme_shows_the_record():
    text = README.read_text(encoding="utf-8")
    assert with_table(text, DOCUMENT) == text, "run tools/class_cost.py"
    other = copy.deepcopy(DOCUMENT)
    other["labs"]["lab1_naive"]["solution"] = [1000.0]
    assert with_table(text, other) != text


def test_the_record_has_every_lab_and_kind(real_layout):
    assert list(DOCUMENT["labs"]) == [lab.name for lab in labs.discover(real_layout)]
    for rates in DOCUMENT["labs"].values():
        assert set(rates) == {"stub", "syntax", "solution", "corpus"}
        assert len(rates["corpus"]) >= 2
        assert all(seconds > 0 for one in rates.values() for seconds in one)


def test_broken_archives_cost_nothing_and_what_is_missing_is_not_handed_in():
    rates = flat(10, 0)["labs"]["lab1"]
    built = sum(KINDS[kind] for kind in ("corpus", "cheat", "solution", "stub", "syntax"))
    assert seconds_of_one(rates) == pytest.approx(
        10 * built / (sum(KINDS.values()) - KINDS["missing"])
    )


@pytest.mark.parametrize(
    ("submissions", "cores", "tasks", "waves", "size"),
    [
        (100, 2, 25, 13, 4),
        (100, 128, 25, 1, 4),
        (1000, 16, 250, 16, 4),
        (100_000, 1024, 5000, 5, 20),
    ],
)
def test_work_and_time_of_a_class(submissions, cores, tasks, waves, size):
    document = flat(10, 2)
    one = seconds_of_one(document["labs"]["lab1"])
    work, clock = cost(document, submissions, cores)
    assert work == pytest.approx(submissions * one + 2 * tasks)
    assert clock == pytest.approx(waves * (2 + size * one))


def test_classes_are_those_that_were_asked_for():
    assert [students * len(DOCUMENT["labs"]) for students in CLASSES] == [100, 1000, 100_000]
    assert len(CORES) >= 3


def test_durations():
    assert [duration(seconds) for seconds in (45, 700, 12_240)] == ["45 s", "12 min", "3.4 h"]
