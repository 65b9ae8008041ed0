"""What other texts get wrong is put right at an anchor of both languages and asked for; all 15 exercises are there."""

import re
import tomllib
from pathlib import Path

import pytest
from flashlab.quiz.bank import load_bank

ROOT = Path(__file__).resolve().parents[2]
COVERAGE = tomllib.loads((ROOT / "handouts/instructors/coverage.toml").read_text(encoding="utf-8"))
QUESTIONS = {one.id for one in load_bank(ROOT / "handouts/quiz", ROOT / "solutions/quiz").questions}


def misses(entry: dict, handouts: Path = ROOT / "handouts") -> list[str]:
    """What an entry names and is not there: anchors, questions, or no question at all."""
    missing = [name for name in entry["questions"] if name not in QUESTIONS]
    if not entry["questions"]:
        missing.append("a question")
    if "anchor" in entry:
        chapter, _, anchor = entry["anchor"].partition("#")
        for language in ("en", "zh"):
            file = handouts / language / f"{chapter}.md"
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            if not re.search(rf'<a id="{re.escape(anchor)}">|\{{#{re.escape(anchor)}\}}', text):
                missing.append(f"{language}: {entry['anchor']}")
    return missing


@pytest.mark.parametrize("entry", COVERAGE["error"], ids=lambda one: one["id"])
def test_each_error_is_explained_and_asked_for(entry):
    assert misses(entry) == []


@pytest.mark.parametrize("entry", COVERAGE["exercise"], ids=lambda one: str(one["number"]))
def test_each_exercise_has_its_questions(entry):
    assert misses(entry) == []


def test_nothing_is_left_out():
    assert [one["number"] for one in COVERAGE["exercise"]] == list(range(1, 16))
    named = {one["anchor"] for one in COVERAGE["error"]}
    for language in ("en", "zh"):
        written = {
            f"{file.stem}#{anchor}"
            for file in (ROOT / "handouts" / language).glob("[0-9]-*.md")
            for anchor in re.findall(r'<a id="(mistake-[\w-]+)">', file.read_text(encoding="utf-8"))
        }
        assert written == named, language


def test_a_missing_anchor_or_question_is_seen():
    good = COVERAGE["error"][0]
    assert misses(good | {"anchor": "1-memory-bound#nowhere"}) == [
        "en: 1-memory-bound#nowhere",
        "zh: 1-memory-bound#nowhere",
    ]
    assert misses(good | {"questions": ["nobody"]}) == ["nobody"]
    assert misses(good | {"questions": []}) == ["a question"]
