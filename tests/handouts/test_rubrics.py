"""Every question to think about has a rubric in both languages, and the report asks none that the chapters do not."""

import re
import tomllib
from pathlib import Path

import pytest
from flashlab.report import experiment

ROOT = Path(__file__).resolve().parents[2]
RUBRICS = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["question"]
    for path in sorted((ROOT / "solutions/rubrics").glob("*.toml"))
}
CHAPTERS = [
    path.stem
    for path in sorted((ROOT / "handouts/en").glob("[0-9]-*.md"))
    if "{#questions}" in path.read_text(encoding="utf-8")
]


def asked(language: str, chapter: str) -> list[int]:
    """The numbers of the questions in a chapter's list."""
    text = (ROOT / "handouts" / language / f"{chapter}.md").read_text(encoding="utf-8")
    part = text.partition("{#questions}")[2].partition("\n## ")[0]
    return [int(number) for number in re.findall(r"^(\d+)\. ", part, re.MULTILINE)]


def test_every_lab_has_questions():
    assert [name[0] for name in CHAPTERS] == list("12345")
    assert list(RUBRICS) == CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_question_has_a_rubric(language, chapter):
    rubrics = [one["number"] for one in RUBRICS[chapter]]
    assert rubrics == asked(language, chapter)
    assert rubrics == list(range(1, len(rubrics) + 1))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_rubric_says_what_a_good_answer_contains(chapter):
    for rubric in RUBRICS[chapter]:
        assert set(rubric) - {"report"} == {"number", "contains", "wrong"}
        assert sum(one["points"] for one in rubric["contains"]) == 4
        assert rubric["wrong"]
        for one in rubric["contains"] + rubric["wrong"]:
            assert set(one) - {"points"} == {"en", "zh"}
            assert re.search("[\u4e00-\u9fff]", one["zh"])
            assert not re.search("[\u4e00-\u9fff]", one["en"])


def test_the_report_asks_what_the_chapters_ask():
    titles = [one.title for one in experiment.questions([], experiment.Numbers([], None))]
    of_rubrics = [one["report"] for rubric in RUBRICS.values() for one in rubric if "report" in one]
    assert sorted(titles) == sorted(of_rubrics)
