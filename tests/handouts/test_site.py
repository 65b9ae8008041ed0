"""The built pages: links resolve, nothing overflows, everything has words, the search finds; the PDFs."""

import io
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import printed
import pypdf
import pytest
import site_pages
from flashlab.report.pdf import find_browser, to_pdf
from page_checks import (
    OVERFLOWING,
    WORDLESS,
    background_is_dark,
    complaints,
    contrasts,
    loaded,
)
from pypdf.generic import ContentStream

LANGUAGES = tuple(site_pages.LANGUAGES)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The built site, without the PDFs. CI has to have pandoc; elsewhere its absence is said."""
    if shutil.which("pandoc") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no pandoc: tools/setup.sh --test installs it")
        pytest.skip("no pandoc: pages not built")
    folder = tmp_path_factory.mktemp("site")
    site_pages.build(folder)
    return folder


class Page(HTMLParser):
    """Anchors of a page, what it refers to, and its text outside of code, formulas and pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.targets: list[str] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors += [values["id"]] if values.get("id") else []
        self.targets += [
            values[key] or "" for key in ("href", "src", "xlink:href") if key in values
        ]
        self._hidden += tag in ("pre", "code", "math", "svg", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("pre", "code", "math", "svg", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def dangling(folder: Path) -> list[str]:
    """Links, scripts and pictures of the pages in `folder` that lead nowhere, and anchors that are there twice."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    made_later = {printed.pdf_name(language) for language in LANGUAGES}
    found = []
    for path, page in pages.items():
        where = path.relative_to(folder)
        found += [f"{where}: #{a} twice" for a in set(page.anchors) if page.anchors.count(a) > 1]
        for target in page.targets:
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path
            if re.match(r"[a-z]+:", target):
                found.append(f"{where}: {target} is elsewhere")
            elif other.name in made_later:
                continue
            elif not other.is_file():
                found.append(f"{where}: no {name}")
            elif anchor and anchor not in pages[other].anchors:
                found.append(f"{where}: no {target}")
    return found


def test_every_link_leads_somewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) == 1 + 2 * (len(site_pages.load_chapters("en")) + 2)
    assert sum(len(Page(page.read_text(encoding="utf-8")).targets) for page in pages) > 300
    assert dangling(site) == []


def test_a_dangling_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="x"><p id="x"><a href="#y">1</a><a href="b.html">2</a><a href="a.html#x">3</a>'
        '<img src="https://example.org/p.png">'
    )
    assert sorted(dangling(tmp_path)) == [
        "a.html: #x twice",
        "a.html: https://example.org/p.png is elsewhere",
        "a.html: no #y",
        "a.html: no b.html",
    ]


def test_no_markup_is_left_in_the_words(site):
    """A dollar sign is a formula that pandoc did not take for one; two asterisks are emphasis that it did not."""
    for path in site.rglob("*.html"):
        words = "".join(Page(path.read_text(encoding="utf-8")).words)
        left = re.findall(r".{0,30}(?:\$|\*\*|<!--|\]\(|\{#).{0,30}", words)
        assert left == [], path.name


def test_a_link_to_a_missing_file_is_refused(tmp_path):
    chapter = site_pages.Chapter("en", "1-memory-bound", "# Title\n\n[gone](gone.md)\n")
    with pytest.raises(site_pages.ChapterError, match=r"there is no gone\.md to link to"):
        _ = chapter.body


def test_what_is_not_part_of_the_site_is_named():
    text = "# Title\n\n[why](../../README.md#x), [`README.md`](../../README.md), [1](1-memory-bound.md#s2)\n"
    body = site_pages.Chapter("en", "x", text).body
    assert "why (<code>README.md</code>), <code>README.md</code>, " in body
    assert '<a href="1-memory-bound.html#s2">1</a>' in body


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_in_a_browser(browser, site, language, width):
    for path in sorted((site / language).glob("*.html")):
        if path.stem == "all" and width == 1280:
            continue  # the same words as the chapters
        browser.open(path, width)
        browser.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert browser.evaluate("innerWidth") == width
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, path.name
        assert browser.evaluate(OVERFLOWING) == [], path.name
        assert browser.evaluate(WORDLESS) == [], path.name
        assert complaints(browser) == [], path.name
        assert all(url.startswith(site.as_uri()) for url in loaded(browser)), path.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out(browser, site, scheme):
    browser.open(site / "en/1-memory-bound.html", 1280, scheme)
    assert background_is_dark(browser) == (scheme == "dark")
    texts = contrasts(browser, "--ink", "--soft", "--link")
    assert {name: ratio for name, ratio in texts.items() if ratio < 4.5} == {}
    others = contrasts(browser, "--mark", *(f"--series-{number}" for number in range(1, 5)))
    assert {name: ratio for name, ratio in others.items() if ratio < 3} == {}


def search(browser, page: Path, words: str) -> Iterator[tuple[str, str]]:
    """Target and text of each entry that a search finds."""
    browser.open(page, 1280)
    browser.evaluate(
        f"(input => {{ input.value = {words!r}; input.dispatchEvent(new Event('input')) }})"
        "(document.querySelector('.search input'))"
    )
    return browser.evaluate(
        "[...document.querySelectorAll('.found li')].map(item => "
        "[item.querySelector('a')?.getAttribute('href') ?? '', item.textContent])"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_finds(browser, site, language):
    page = site / language / "0-set-up.html"
    chapters = {chapter.name: chapter for chapter in site_pages.load_chapters(language)}
    for name, anchor in (("3-tiling", "s7"), ("4-flash-attention-2", "s6"), ("5-backward", "s1")):
        heading = next(h.text for h in chapters[name].headings if h.anchor == anchor)
        found = search(browser, page, re.sub(r"^\d+\. ", "", heading))
        assert f"{name}.html#{anchor}" in [target for target, _ in found[:3]]
    found = search(browser, page, "milakov")
    assert "2-online-softmax.html#reading" in [target for target, _ in found]
    assert [target for target, _ in search(browser, page, "no such words anywhere")] == [""]


def missing_glyphs(document: bytes) -> int:
    """How often the PDF shows glyph 0 of a font, the box for a character that no font has."""
    reader, count = pypdf.PdfReader(io.BytesIO(document)), 0
    for page in reader.pages:
        fonts = page["/Resources"]["/Font"]
        wide = True
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator == b"Tf":
                wide = fonts[operands[0]]["/Subtype"] == "/Type0"
            elif operator in (b"Tj", b"TJ"):
                parts = operands[0] if operator == b"TJ" else operands
                for part in parts:
                    if hasattr(part, "original_bytes"):
                        step = 2 if wide else 1
                        codes = part.original_bytes
                        count += sum(
                            not any(codes[at : at + step]) for at in range(0, len(codes), step)
                        )
    return count


def titles(outline: list) -> list[str]:
    """All titles of an outline in order."""
    return [
        title
        for item in outline
        for title in (titles(item) if isinstance(item, list) else [" ".join(item.title.split())])
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf(site, language, tmp_path):
    if find_browser() is None:
        pytest.skip("no Chromium: PDF not printed")
    printed.write(tmp_path, language)
    document = (tmp_path / language / printed.pdf_name(language)).read_bytes()
    reader = pypdf.PdfReader(io.BytesIO(document))
    assert missing_glyphs(document) == 0

    chapters = site_pages.load_chapters(language)
    wanted = [site_pages.WORDS[language]["course"], site_pages.WORDS[language]["contents"]]
    for chapter in chapters:
        wanted += [chapter.title, *(heading.text for heading in chapter.headings)]
    assert titles(reader.outline) == wanted
    contents = "".join(reader.pages[n].extract_text() for n in range(2))
    assert "000" not in contents, "a page number is missing in the table of contents"
    pages = printed.pages_of_anchors(document)
    assert pages["chapter-0-set-up"] < pages["chapter-6-beyond"] <= len(reader.pages)
    text = reader.pages[pages["chapter-3-tiling"] - 1].extract_text()
    assert "".join(chapters[3].title.split())[:6] in "".join(text.split())


def test_a_missing_glyph_is_found(tmp_path):
    if find_browser() is None:
        pytest.skip("no Chromium: PDF not printed")
    assert missing_glyphs(to_pdf("<meta charset='utf-8'><p>words \u4e2d\u6587</p>", tmp_path)) == 0
    assert missing_glyphs(to_pdf("<meta charset='utf-8'><p>words \U0010fffd</p>", tmp_path)) == 1
