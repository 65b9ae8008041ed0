"""Chapters as static pages: build/handouts/{en,zh}/*.html, with search, and one page with all of them for the PDF.

Pandoc turns Markdown into HTML and formulas into MathML, so a page needs no script for its mathematics and loads
nothing from elsewhere. The only script is the search, over an index that lies beside the pages.
"""

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from regions import BLOCK, ROOT, VALUE, ChapterError

HERE = Path(__file__).parent
SOURCE = ROOT / "handouts"
LANGUAGES = {"en": "English", "zh": "中文"}
WORDS = {
    "en": {
        "course": "FlashLab: FlashAttention in CUDA C++",
        "contents": "Contents",
        "search": "Search",
        "nothing": "nothing found",
        "previous": "Previous",
        "next": "Next",
        "on_this_page": "On this page",
        "language": "Language",
    },
    "zh": {
        "course": "FlashLab：用 CUDA C++ 实现 FlashAttention",
        "contents": "目录",
        "search": "搜索",
        "nothing": "没有找到",
        "previous": "上一章",
        "next": "下一章",
        "on_this_page": "本页内容",
        "language": "语言",
    },
}
READER = "markdown+pipe_tables+tex_math_dollars+task_lists+raw_html+east_asian_line_breaks-implicit_figures-smart"


@dataclass(frozen=True)
class Heading:
    """A heading with its anchor; level 2 is a section."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Chapter:
    """A chapter in one language; `name` is that of its file without ending, the same in every language."""

    language: str
    name: str
    source: str

    @cached_property
    def body(self) -> str:
        """The chapter as an HTML fragment."""
        text = VALUE.sub(lambda match: match["text"], self.source)
        text = BLOCK.sub(lambda match: re.sub(r"<!--.*?-->\n?", "", match[0]), text)
        done = subprocess.run(
            [
                "pandoc",
                "--from",
                READER,
                "--to",
                "html5",
                "--mathml",
                "--no-highlight",
                "--wrap=none",
            ],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or done.stderr.strip():
            raise ChapterError(
                f"{self.language}/{self.name}.md: pandoc says: {done.stderr.strip()}"
            )
        # Chapters link to each other as files of the repository; on the site they are pages.
        body = re.sub(r'href="(\d-[\w-]+)\.md(#[\w-]+)?"', r'href="\1.html\2"', done.stdout)
        body = re.sub(
            r"<table>.*?</table>", r'<div class="wide">\g<0></div>', body, flags=re.DOTALL
        )
        return re.sub(r'<img src="\.\./figures/([\w.-]+\.svg)" alt="([^"]*)"\s*/?>', _inline, body)

    @cached_property
    def headings(self) -> list[Heading]:
        """All headings but the title, in order."""
        found = re.finditer(r'<h([23])[^>]*\bid="([^"]+)"[^>]*>(.*?)</h\1>', self.body, re.DOTALL)
        return [Heading(int(m[1]), m[2], plain(m[3])) for m in found]

    @cached_property
    def title(self) -> str:
        """The text of the first heading."""
        match = re.search(r"<h1[^>]*>(.*?)</h1>", self.body, re.DOTALL)
        if match is None:
            raise ChapterError(f"{self.language}/{self.name}.md has no title")
        return plain(match[1])

    def sections(self) -> list[dict[str, str]]:
        """What the search looks through: for each section its anchor, heading and plain text."""
        parts = re.split(r'(?=<h[23][^>]*\bid=")', self.body)
        records = [{"anchor": "", "heading": self.title, "text": plain(parts[0])}]
        for heading, part in zip(self.headings, parts[1:], strict=True):
            records.append({"anchor": heading.anchor, "heading": heading.text, "text": plain(part)})
        return records


def _inline(match: re.Match[str]) -> str:
    """A picture as part of the page, so that the page's colours apply to it and its text can be searched."""
    svg = (SOURCE / "figures" / match[1]).read_text(encoding="utf-8")
    svg = re.sub(r"<style>.*?</style>", "", svg, count=1, flags=re.DOTALL)
    head, _, body = svg.partition(">")
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{match[2]}">{body}'


def plain(fragment: str) -> str:
    """The words of an HTML fragment; a formula is its TeX source."""
    fragment = re.sub(r"<svg.*?</svg>", " ", fragment, flags=re.DOTALL)
    tex = re.sub(
        r"<math.*?<annotation[^>]*>(.*?)</annotation>.*?</math>", r" \1 ", fragment, flags=re.DOTALL
    )
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", tex)).split())


def load_chapters(language: str, source: Path = SOURCE) -> list[Chapter]:
    """The chapters of a language in order of their numbers."""
    files = sorted((source / language).glob("[0-9]-*.md"))
    return [Chapter(language, file.stem, file.read_text(encoding="utf-8")) for file in files]


def build(target: Path) -> list[Path]:
    """Writes the site to `target`, which is made anew, and returns its pages."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in ("style.css", "search.js"):
        shutil.copy(HERE / file, target / file)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages = []
    for language in LANGUAGES:
        pages += _build_language(environment, target, language)
    redirect = '<!doctype html><meta charset="utf-8"><title>FlashLab</title>'
    redirect += '<meta http-equiv="refresh" content="0; url=en/index.html"><a href="en/index.html">FlashLab</a>'
    (target / "index.html").write_text(redirect, encoding="utf-8")
    return pages


def _build_language(environment: jinja2.Environment, target: Path, language: str) -> list[Path]:
    chapters = load_chapters(language)
    folder = target / language
    folder.mkdir()
    common: dict[str, Any] = {
        "language": language,
        "languages": LANGUAGES,
        "words": WORDS[language],
        "chapters": chapters,
    }
    pages = []

    def write(name: str, template: str, **values: Any) -> None:  # noqa: ANN401 (values of a template)
        page = environment.get_template(template).render(**common, name=name, **values)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        pages.append(folder / f"{name}.html")

    write("index", "index.html.j2")
    for number, chapter in enumerate(chapters):
        neighbours = {
            "previous": chapters[number - 1] if number > 0 else None,
            "next": chapters[number + 1] if number + 1 < len(chapters) else None,
        }
        write(chapter.name, "chapter.html.j2", chapter=chapter, **neighbours)
    write("all", "all.html.j2", bodies=[_body_among_others(chapter) for chapter in chapters])
    index = [
        {"page": f"{chapter.name}.html", "chapter": chapter.title, **section}
        for chapter in chapters
        for section in chapter.sections()
    ]
    script = f"const searchIndex = {json.dumps(index, ensure_ascii=False)};\n"
    (folder / "search-index.js").write_text(script, encoding="utf-8")
    return pages


def _body_among_others(chapter: Chapter) -> str:
    """The chapter's body with anchors that stay unique when all chapters are one page."""
    body = re.sub(r'\bid="([\w-]+)"', rf'id="{chapter.name}-\1"', chapter.body)
    body = re.sub(r'href="#([\w-]+)"', rf'href="#{chapter.name}-\1"', body)
    body = re.sub(r'href="(\d-[\w-]+)\.html#([\w-]+)"', r'href="#\1-\2"', body)
    body = re.sub(r'href="(\d-[\w-]+)\.html"', r'href="#chapter-\1"', body)
    return body.replace("<details>", "<details open>")
