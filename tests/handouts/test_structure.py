"""English and Chinese have the same structure, and every place that something refers to is there."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from flashlab.handouts import link

ROOT = Path(__file__).resolve().parents[2]
HANDOUTS = ROOT / "handouts"
NAMES = sorted(path.name for path in (HANDOUTS / "en").glob("*.md"))
CHAPTERS = {name[0]: name for name in NAMES if name[0].isdigit()}
HEADING = re.compile(r"^(#+) (.*?)(?: \{#([\w-]+)\})?$", re.MULTILINE)
CODE = re.compile(r"```.*?```", re.DOTALL)
# "handout 1, section 3", "handout 3, sections 1, 4 and 6" and the same in Chinese
REFERENCE = re.compile(
    r"[Hh]andout (\d), sections? (\d+(?:(?:, | and |, and )\d+)*)"
    "|\u8bb2\u4e49 (\\d) (?:\u7684)?\u7b2c (\\d+(?:(?:\u3001| \u548c )\\d+)*) \u8282"
)


def read(language: str, name: str) -> str:
    return (HANDOUTS / language / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    return {match[3] for match in HEADING.finditer(CODE.sub("", text)) if match[3]}


def structure(text: str) -> dict[str, object]:
    """What has to be the same in every language."""
    plain = CODE.sub("", text)
    return {
        "headings": [(len(match[1]), match[3]) for match in HEADING.finditer(plain)],
        "figures": [
            re.sub(r"\.\w\w\.svg$", "", name) for name in re.findall(r'<img src="([^"]+)"', text)
        ],
        "parts": re.findall(r"<!--begin (.*?)-->", text),
        "numbers": Counter(re.findall(r"<!--=(.*?)-->", text)),
        "hints": plain.count("<details>"),
        "formulas": plain.count("$$"),
        "rows of tables": len(re.findall(r"^\|", plain, re.MULTILINE)),
        "steps and questions": len(re.findall(r"^\d+\. ", plain, re.MULTILINE)),
        "bullets": len(re.findall(r"^- ", plain, re.MULTILINE)),
        "excerpts": len(CODE.findall(text)),
        "quotations": len(re.findall(r"(?:^>.*\n)+", plain, re.MULTILINE)),
    }


def references(text: str) -> list[tuple[str, str]]:
    """(chapter, section) of everything that `text` refers to."""
    return [
        (match[1] or match[3], section)
        for match in REFERENCE.finditer(text)
        for section in re.findall(r"\d+", match[2] or match[4])
    ]


def missing(where: str, text: str) -> list[str]:
    """References that lead nowhere in one of the languages."""
    return [
        f"{where}: handout {chapter}, section {section}, is not in {language}"
        for chapter, section in references(text)
        for language in ("en", "zh")
        if chapter not in CHAPTERS
        or f"s{section}" not in anchors(read(language, CHAPTERS[chapter]))
    ]


def test_both_languages_have_the_same_texts():
    assert list("0123456") == sorted(CHAPTERS)
    assert sorted(path.name for path in (HANDOUTS / "zh").glob("*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_structure(name):
    english, chinese = (structure(read(language, name)) for language in ("en", "zh"))
    assert english == chinese


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## 7. Traffic {#s7}", "## 7. Traffic {#s8}"),
        ("../figures/memory.en.svg", "../figures/traffic.en.svg"),
        ("<details>", ""),
        ("- [ ] I can derive", "I can derive"),
        ("<!--=mib(4*256**2)-->", "<!--=mib(4*255**2)-->"),
    ],
)
def test_a_seeded_difference_of_structure_is_found(old, new):
    text = read("en", "1-memory-bound.md")
    assert old in text
    assert structure(text.replace(old, new, 1)) != structure(text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_lab_chapter_has_what_a_chapter_needs(language):
    for number in "12345":
        text = read(language, CHAPTERS[number])
        assert {"predict", "questions", "reading", "s1", "s2"} <= anchors(text), (language, number)
        assert f"<!--begin output lab{number}_stub-->" in text
        assert text.count("<details>") >= 3
        assert "- [ ]" in text
        assert 'alt=""' not in text


def test_every_message_leads_to_a_section():
    found = []
    for lab in sorted(ROOT.glob("labs/lab*/lab.toml")):
        config = tomllib.loads(lab.read_text(encoding="utf-8"))
        assert (ROOT / config["lab"]["handout"]).is_file(), lab
        assert len(config["sections"]) >= 8
        for topic, place in config["sections"].items():
            assert REFERENCE.fullmatch(place), f"{lab}: {topic}"
            found += missing(f"{lab}: {topic}", place)
            assert (ROOT / link(place, ROOT).partition("#")[0]).is_file(), f"{lab}: {topic}"
            assert link(place, ROOT).startswith(config["lab"]["handout"] + "#s")
    assert found == []


def test_every_reference_in_labs_grader_and_texts_leads_somewhere():
    suffixes = {".cu", ".cuh", ".h", ".hpp", ".cpp", ".py", ".toml", ".md", ".j2"}
    folders = ("labs", "solutions", "grader", "reference", "handouts")
    files = [p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in suffixes]
    texts = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in files}
    assert sum(len(references(text)) for text in texts.values()) >= 80
    assert sum(len(references(t)) for name, t in texts.items() if "handouts/zh" in name) >= 5
    assert [line for name, text in texts.items() for line in missing(name, text)] == []


def test_a_reference_that_leads_nowhere_is_found():
    assert len(missing("x", "see handout 1, section 42, and handout 9, section 1")) == 4
    assert references("handout 3, sections 1, 4 and 6") == [("3", "1"), ("3", "4"), ("3", "6")]


def test_every_question_of_the_quiz_belongs_to_a_section():
    for file in sorted((HANDOUTS / "quiz").glob("*.toml")):
        for question in tomllib.loads(file.read_text(encoding="utf-8"))["question"]:
            for language in ("en", "zh"):
                known = anchors(read(language, f"{file.stem}.md"))
                assert f"s{question['section']}" in known, question["id"]
