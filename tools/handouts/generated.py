"""Everything in handouts/ that is made from something else: parts of the chapters, and the figures."""

from pathlib import Path

import figures
from regions import ROOT, refresh, stale
from site_pages import LANGUAGES

SOURCE = ROOT / "handouts"


def texts(source: Path = SOURCE) -> list[Path]:
    """Every text of every language."""
    return [path for language in LANGUAGES for path in sorted((source / language).glob("*.md"))]


def drawings(source: Path = SOURCE) -> list[tuple[Path, str]]:
    """Every figure's file and what it should hold."""
    return [
        (source / f"figures/{name}.{language}.svg", figures.draw(name, language))
        for name in figures.FIGURES
        for language in LANGUAGES
    ]


def write() -> None:
    """Makes all of it anew."""
    for path in texts():
        path.write_text(
            refresh(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))), encoding="utf-8"
        )
    for path, drawing in drawings():
        path.write_text(drawing, encoding="utf-8")


def differences(source: Path = SOURCE) -> list[str]:
    """One line for everything that `write` would change."""
    found = []
    for path in texts(source):
        found += stale(path.read_text(encoding="utf-8"), f"handouts/{path.relative_to(source)}")
    for path, drawing in drawings(source):
        if not path.exists() or path.read_text(encoding="utf-8") != drawing:
            found.append(f"handouts/{path.relative_to(source)}: the figure has changed")
    return found
