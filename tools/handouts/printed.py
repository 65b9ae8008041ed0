"""The chapters of a language as one PDF, with page numbers in its table of contents."""

import io
from pathlib import Path

import pypdf
from flashlab.report.pdf import to_pdf
from site_pages import book, load_chapters


def pdf_name(language: str) -> str:
    """The file's name, in the folder of the language's pages."""
    return f"flashlab-{language}.pdf"


def pages_of_anchors(document: bytes) -> dict[str, int]:
    """The page, from 1, of every anchor that something in the document links to."""
    reader = pypdf.PdfReader(io.BytesIO(document))
    return {
        name.removeprefix("/"): (reader.get_destination_page_number(target) or 0) + 1
        for name, target in reader.named_destinations.items()
    }


def write(target: Path, language: str) -> Path:
    """Makes a language's PDF in its folder of `target`. Raises UsageError when there is no Chromium."""
    folder = target / language
    folder.mkdir(parents=True, exist_ok=True)
    chapters = load_chapters(language)
    # The first print tells where the headings are; their numbers take the same room in the second.
    first = to_pdf(book(language, chapters, {}), folder)
    path = folder / pdf_name(language)
    path.write_bytes(to_pdf(book(language, chapters, pages_of_anchors(first)), folder))
    return path
