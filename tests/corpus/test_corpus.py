"""Builds every kernel of the corpus, has it judged on the virtual GPU, and compares with the manifest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus_build import build
from corpus_manifest import LAYOUT, SEED, Kernel, corpora, load
from flashlab.device import Device, choose
from flashlab.judge import Request, run_judge
from flashlab.labs import Lab

NAMED_AT_LEAST = 0.85  # of all wrong kernels, by the message that a student reads first
FITS_AT_MOST = 2  # first messages of other bugs in the same lab; words that fit more are too vague to name a cause


def complaints(kernel: Kernel, result: dict[str, Any]) -> list[str]:
    """What is wrong about the judge's result for `kernel`; empty when it is as the manifest says.

    A skipped case counts as not passed, and brings no points; its message says only why it was skipped.
    """
    found = []
    failed_messages = []
    for case in result["cases"]:
        name, status, message = case["name"], case["status"], case["message"]
        said = f"{name}: {status}, {case['points']} points: {message}"
        if name in kernel.may_fail and status in ("passed", "failed", "skipped"):
            continue
        if name not in kernel.must_fail:
            if status != "passed" or case["points"] != case["max_points"]:
                found.append(f"must pass, but {said}")
            continue
        if status not in ("failed", "skipped") or case["points"] != 0:
            found.append(f"must fail, but {said}")
        elif status == "failed":
            failed_messages.append(message)
            if name not in kernel.unnamed and not kernel.names_cause(message):
                found.append(f"does not name the cause: {said}")
    for words in kernel.messages:
        if not any(words in message for message in failed_messages):
            found.append(f"no failed case says '{words}'")
    if kernel.must_fail and not result["score"] < result["max_score"]:
        found.append(f"full marks in spite of failed cases: {result['score']}")
    return found


CORPORA = corpora()


def judged(lab: Lab, kernel: Kernel, case: str | None = None) -> dict[str, Any]:
    """The judge's result for `kernel`, for all cases or for one."""
    request = Request(lab, build(kernel.source), choose(LAYOUT, Device.VGPU), case, SEED)
    return run_judge(LAYOUT, request, lambda event: None).document


@dataclass(frozen=True)
class FirstMessage:
    """What a student reads first about a wrong kernel: the message of the first case that it loses."""

    lab: str
    kernel: Kernel
    case: str
    message: str

    @property
    def is_named(self) -> bool:
        return self.case not in self.kernel.unnamed and self.kernel.names_cause(self.message)

    def fits(self, other: "FirstMessage") -> bool:
        """Whether this kernel's words are also in the message about another bug of the same lab."""
        is_other_bug = not set(self.kernel.messages) & set(other.kernel.messages)
        return self.lab == other.lab and is_other_bug and self.kernel.names_cause(other.message)


def first_message(lab: Lab, cases: dict[str, str], kernel: Kernel) -> FirstMessage:
    case = next(name for name in cases if name in kernel.must_fail)
    return FirstMessage(lab.short, kernel, case, judged(lab, kernel, case)["cases"][0]["message"])


def naming_report(said: list[FirstMessage]) -> tuple[list[str], float]:
    """One line for each wrong kernel, those whose cause is not named first; and the share of those that are named."""
    lines = []
    for first in sorted(said, key=lambda first: first.is_named):
        last_line = first.message.splitlines()[-1]
        told = "named    " if first.is_named else "NOT NAMED"
        lines.append(f"{told}  {first.lab} {first.kernel.source.stem} ({first.case}): {last_line}")
    return lines, sum(first.is_named for first in said) / len(said)


def test_the_first_message_names_the_cause() -> None:
    said = [first_message(*entry) for entry in CORPORA if entry[2].wrong]
    lines, share = naming_report(said)
    print("\n".join([*lines, f"{share:.1%} of {len(said)} wrong kernels are named"]))
    assert share >= NAMED_AT_LEAST
    vague = {
        f"{first.lab} {first.kernel.source.stem} {first.kernel.messages}": others
        for first in said
        if first.is_named
        and len(others := [x.kernel.source.stem for x in said if first.fits(x)]) > FITS_AT_MOST
    }
    assert not vague


@pytest.mark.parametrize(
    ("lab", "cases", "kernel"),
    CORPORA,
    ids=[f"{lab.short}-{kernel.source.stem}" for lab, _, kernel in CORPORA],
)
def test_verdict(lab: Lab, cases: dict[str, str], kernel: Kernel) -> None:
    document = judged(lab, kernel)
    assert {case["name"]: case["group"] for case in document["cases"]} == cases
    found = complaints(kernel, document)
    if found:
        pytest.fail("\n".join([f"{kernel.source.name}: {kernel.about}", *found]), pytrace=False)


def result(**failed: str) -> dict[str, Any]:
    """A result of three cases a, b, c of one point each, where `failed` have the given messages."""
    cases = [
        {
            "name": name,
            "status": "failed" if name in failed else "passed",
            "points": 0 if name in failed else 1,
            "max_points": 1,
            "message": failed.get(name, ""),
        }
        for name in "abc"
    ]
    return {"cases": cases, "score": 3 - len(failed), "max_score": 3}


WRONG = Kernel(Path("wrong.cu"), "", frozenset("ab"), ("scale", "root"))
HONEST = Kernel(Path("honest.cu"), "")
UNNAMED = Kernel(Path("wrong.cu"), "", frozenset("ab"), ("scale",), frozenset("b"))


def test_the_expected_results_bring_no_complaint() -> None:
    assert complaints(WRONG, result(a="the scale", b="the root")) == []
    assert complaints(HONEST, result()) == []
    assert complaints(UNNAMED, result(a="the scale", b="?")) == []


def test_what_happens_by_chance_brings_no_complaint() -> None:
    racing = Kernel(Path("race.cu"), "", frozenset("a"), ("race",), may_fail=frozenset("b"))
    assert complaints(racing, result(a="race", b="?")) == []
    assert complaints(racing, result(a="race")) == []
    assert complaints(racing, result(a="race", c="?"))
    assert complaints(racing, result(b="?"))


@pytest.mark.parametrize(
    ("kernel", "document", "complaint"),
    [
        (WRONG, result(), "full marks"),
        (WRONG, result(a="the scale and root"), "must fail, but b: passed"),
        (WRONG, result(a="the scale", b="the root", c="?"), "must pass, but c: failed"),
        (WRONG, result(a="the scale", b="?"), "does not name the cause: b"),
        (WRONG, result(a="the scale", b="the scale"), "no failed case says 'root'"),
        (HONEST, result(c="?"), "must pass, but c: failed"),
        (UNNAMED, result(a="?", b="?"), "does not name the cause: a"),
        (UNNAMED, result(a="?", b="?"), "no failed case says 'scale'"),
    ],
)
def test_unexpected_results_bring_complaints(
    kernel: Kernel, document: dict[str, Any], complaint: str
) -> None:
    assert any(complaint in line for line in complaints(kernel, document))


def test_only_words_of_the_cause_name_it() -> None:
    def said(kernel: Kernel, case: str, message: str) -> FirstMessage:
        return FirstMessage("lab0", kernel, case, message)

    told, silent = said(WRONG, "a", "the scale"), said(WRONG, "a", "wrong")
    symptom = said(UNNAMED, "b", "the scale")
    assert [first.is_named for first in (told, silent, symptom)] == [True, False, False]
    lines, share = naming_report([told, silent, symptom, told])
    assert share == 0.5
    assert [line[:9] for line in lines] == ["NOT NAMED"] * 2 + ["named    "] * 2


def test_words_that_fit_another_bug_are_noticed() -> None:
    first = FirstMessage("lab1", Kernel(Path("nan.cu"), "", messages=("NaN",)), "a", "O is NaN")
    other = FirstMessage("lab1", Kernel(Path("max.cu"), "", messages=("max",)), "a", "NaN: no max")
    assert first.fits(other)
    assert not other.fits(first)
    assert not first.fits(FirstMessage("lab2", other.kernel, "a", other.message))
    assert not first.fits(first)


def test_points_for_a_failed_case_bring_a_complaint() -> None:
    document = result(a="the scale", b="the root")
    document["cases"][0]["points"] = 1
    assert any("must fail, but a" in line for line in complaints(WRONG, document))


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("kernel = []", "differ"),
        ('[[kernel]]\nfile="y.cu"\nkind="honest"\nabout=""', "differ"),
        ('[[kernel]]\nfile="x.cu"\nkind="honest"\nabout=""\nfails=["a"]', "has messages"),
        (
            '[[kernel]]\nfile="x.cu"\nkind="honest"\nabout=""\nmessages=["m"]\nfails=["a", "c"]',
            "about the result",
        ),
        ('[[kernel]]\nfile="x.cu"\nkind="odd"\nabout=""\nfails=["a"]', "one of"),
        ('[[kernel]]\nfile="x.cu"\nkind="wrong"\nabout=""\nfails=["a"]', "has messages"),
        ('[[kernel]]\nfile="x.cu"\nkind="wrong"\nabout=""\nmessages=["m"]', "one of"),
        (
            '[[kernel]]\nfile="x.cu"\nkind="wrong"\nabout=""\nmessages=["m"]\nfails=["z*"]',
            "no case",
        ),
        (
            '[[kernel]]\nfile="x.cu"\nkind="wrong"\nabout=""\nmessages=["m"]\npasses=["*"]',
            "must fail",
        ),
    ],
)
def test_a_manifest_that_checks_nothing_is_refused(
    tmp_path: Path, manifest: str, message: str
) -> None:
    (tmp_path / "x.cu").touch()
    (tmp_path / "manifest.toml").write_text(manifest)
    with pytest.raises(ValueError, match=message):
        load(tmp_path, {"a": "correctness", "b": "traffic", "c": "traffic"})
