"""Chapters as static pages: build/handouts/{en,zh}/*.html, with search, and one page with all of them to print.

Pandoc turns Markdown into HTML and formulas into MathML, so a page needs no script for its mathematics and loads
nothing from elsewhere. The only script is the search, over an index that lies beside the pages.

Chapters have a number in their file's name; other files, such as a page on honesty, come after them.
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
        "one_page": "All on one page",
        "printed": "PDF",
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
        "one_page": "全部内容在一页",
        "printed": "PDF",
    },
}
FIGURE_SCALE = 1.1  # of a picture's own size, whose letters have 9 pt
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
        command = ["pandoc", "--from", READER, "--to", "html5"]
        command += ["--mathml", "--no-highlight", "--wrap=none"]
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise ChapterError("pandoc is missing: `make handouts` installs it") from None
        if done.returncode != 0 or done.stderr.strip():
            raise ChapterError(f"{self.file}: pandoc says: {done.stderr.strip()}")
        body = re.sub(
            r"<table>.*?</table>", r'<div class="wide">\g<0></div>', done.stdout, flags=re.DOTALL
        )
        body = re.sub(
            r'<math display="block".*?</math>',
            r'<span class="formula">\g<0></span>',
            body,
            flags=re.DOTALL,
        )
        # Pandoc takes ℓ for an operator, which gets space on both sides.
        body = re.sub(r"<mo[^>]*>ℓ</mo>", "<mi>ℓ</mi>", body)
        # No line begins with the mark that follows a formula.
        body = re.sub(
            r'<math display="inline"(?:(?!</math>).)*</math>[\u3002\uff0c\u3001\uff1b\uff1a\uff09\uff1f\uff01]+',
            r'<span class="together">\g<0></span>',
            body,
            flags=re.DOTALL,
        )
        body = re.sub(r'<a href="([^"#:]+)(#[^"]*)?"[^>]*>(.*?)</a>', self._link, body)
        return re.sub(r'<img src="\.\./figures/([\w.-]+\.svg)" alt="([^"]*)"\s*/?>', _inline, body)

    @property
    def file(self) -> str:
        """Where the source is, from the root of the repository."""
        return f"handouts/{self.language}/{self.name}.md"

    def _link(self, match: re.Match[str]) -> str:
        """A link to another file: chapters are pages; what is not part of the site is named by its path."""
        target, anchor, words = match[1], match[2] or "", match[3]
        path = (SOURCE / self.language / target).resolve()
        if not path.exists():
            raise ChapterError(f"{self.file}: there is no {target} to link to")
        if path.parent == SOURCE / self.language and path.suffix == ".md":
            return f'<a href="{path.stem}.html{anchor}">{words}</a>'
        name = str(path.relative_to(ROOT))
        return words if name in words else f"{words} (<code>{name}</code>)"

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
            raise ChapterError(f"{self.file} has no title")
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
    width = re.search(r' width="([\d.]+)pt"', head)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    size = f'style="max-width: {float(width[1]) * FIGURE_SCALE:.0f}pt" ' if width else ""
    return f'<div class="wide">{head} {size}role="img" aria-label="{match[2]}">{body}</div>'


def plain(fragment: str) -> str:
    """The words of an HTML fragment; a formula is its TeX source."""
    fragment = re.sub(r"<svg.*?</svg>", " ", fragment, flags=re.DOTALL)
    tex = re.sub(
        r"<math.*?<annotation[^>]*>(.*?)</annotation>.*?</math>", r" \1 ", fragment, flags=re.DOTALL
    )
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", tex)).split())


def load_chapters(language: str, source: Path = SOURCE) -> list[Chapter]:
    """The chapters of a language in order of their numbers, then its other pages by name."""
    files = sorted((source / language).glob("*.md"))
    return [Chapter(language, file.stem, file.read_text(encoding="utf-8")) for file in files]


def build(target: Path) -> list[Path]:
    """Writes the site to `target`, which is made anew, and returns its pages; pdf.py adds what they link to."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in ("style.css", "search.js"):
        shutil.copy(HERE / file, target / file)
    pages = []
    for language in LANGUAGES:
        pages += _build_language(target, language)
    redirect = '<!doctype html><meta charset="utf-8"><title>FlashLab</title>'
    redirect += '<meta http-equiv="refresh" content="0; url=en/index.html"><a href="en/index.html">FlashLab</a>'
    (target / "index.html").write_text(redirect, encoding="utf-8")
    return pages


def _render(template: str, language: str, chapters: list[Chapter], **values: Any) -> str:  # noqa: ANN401
    """A page by its template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(
        language=language,
        languages=LANGUAGES,
        words=WORDS[language],
        chapters=chapters,
        numbered=sum(chapter.name[0].isdigit() for chapter in chapters),
        **values,
    )


def _build_language(target: Path, language: str) -> list[Path]:
    chapters = load_chapters(language)
    folder = target / language
    folder.mkdir()
    pages = {"index": _render("index.html.j2", language, chapters, name="index")}
    for number, chapter in enumerate(chapters):
        pages[chapter.name] = _render(
            "chapter.html.j2",
            language,
            chapters,
            name=chapter.name,
            chapter=chapter,
            previous=chapters[number - 1] if number > 0 else None,
            next=chapters[number + 1] if number + 1 < len(chapters) else None,
        )
    pages["all"] = book(language, chapters)
    index = [
        {"page": f"{chapter.name}.html", "chapter": chapter.title, **section}
        for chapter in chapters
        for section in chapter.sections()
    ]
    script = f"const searchIndex = {json.dumps(index, ensure_ascii=False)};\n"
    (folder / "search-index.js").write_text(script, encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return [folder / f"{name}.html" for name in pages]


def book(language: str, chapters: list[Chapter], page_numbers: dict[str, int] | None = None) -> str:
    """All chapters as one page; with the pages of its anchors, which stand in its table of contents, one to print."""
    bodies = [_body_among_others(chapter) for chapter in chapters]
    style = (HERE / "style.css").read_text(encoding="utf-8") if page_numbers is not None else ""
    return _render(
        "all.html.j2",
        language,
        chapters,
        name="all",
        bodies=bodies,
        style=style,
        page_numbers=page_numbers,
    )


def _body_among_others(chapter: Chapter) -> str:
    """The chapter's body with anchors that stay unique when all chapters are one page."""
    body = re.sub(r'\bid="([\w-]+)"', rf'id="{chapter.name}-\1"', chapter.body)
    body = re.sub(r'(href="|url\()#([\w-]+)', rf"\1#{chapter.name}-\2", body)
    body = re.sub(r'href="([\w-]+)\.html#([\w-]+)"', r'href="#\1-\2"', body)
    body = re.sub(r'href="([\w-]+)\.html"', r'href="#chapter-\1"', body)
    return body.replace("<details>", "<details open>")
