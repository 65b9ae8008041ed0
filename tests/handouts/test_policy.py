"""The page on honesty and the rules for assistants: in both languages, linked, and found by assistants."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "labs/AGENTS.md").read_text(encoding="utf-8")
PAGES = [ROOT / "handouts" / language / "honesty.md" for language in ("en", "zh")]


def outline(text: str) -> list[str]:
    """Anchors, bullets and paragraphs' ends in order: what translations have in common."""
    return [match[1] or "-" for match in re.finditer(r"\{#([\w-]+)\}|^- ", text, re.MULTILINE)]


def test_the_page_is_the_same_in_both_languages():
    english, chinese = (page.read_text(encoding="utf-8") for page in PAGES)
    assert outline(english) == outline(chinese)
    assert len(outline(english)) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_links_lead_somewhere(page):
    chapter = page.parent / "0-set-up.md"
    assert "](honesty.md)" in chapter.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert any(target.endswith("labs/AGENTS.md") for target in targets)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_assistants_get_the_same_rules_in_both_languages():
    english, chinese = RULES.split("\n# ")
    assert outline(english) == outline(chinese)
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert not re.search("[\u4e00-\u9fff]", english)
    for text in (english, chinese):
        for path in re.findall(r"`((?:handouts|solutions|tests)/[\w/.]+)`", text):
            assert (ROOT / path).exists(), path


def test_assistants_that_look_for_another_name_are_sent_there():
    assert (ROOT / "labs/CLAUDE.md").read_text(encoding="utf-8").strip() == "@AGENTS.md"
