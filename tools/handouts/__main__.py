"""The handouts: writes their generated parts, checks them, builds site and PDFs.

write    makes numbers, excerpts of code and output in handouts/{en,zh}/*.md anew, and the figures
check    changes nothing; exit code 1 and a line for each part that `write` would change
record   keeps what the terminal shows of the stubs, handouts/data/output; needs a built grader
build    makes build/handouts/: pages with search in two languages, and a PDF of each; needs pandoc and Chromium
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import figures
import printed
import record
import site_pages
from flashlab.errors import UsageError
from regions import ROOT, ChapterError, refresh, stale

SOURCE = ROOT / "handouts"
TARGET = ROOT / "build/handouts"


def texts(source: Path = SOURCE) -> list[Path]:
    """Every text of every language."""
    return [
        path
        for language in site_pages.LANGUAGES
        for path in sorted((source / language).glob("*.md"))
    ]


def drawings(source: Path = SOURCE) -> list[tuple[Path, str]]:
    """Every figure's file and what it should hold."""
    return [
        (source / f"figures/{name}.{language}.svg", figures.draw(name, language))
        for name in figures.FIGURES
        for language in site_pages.LANGUAGES
    ]


def write() -> None:
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


def check() -> None:
    found = differences()
    if found:
        raise ChapterError(
            "\n".join([*found, "`python tools/handouts write` brings them up to date"])
        )


def build() -> None:
    pages = site_pages.build(TARGET)
    print(f"{len(pages)} pages: {TARGET.relative_to(ROOT)}/index.html", flush=True)
    for path in printed.write_all(TARGET):
        print(f"PDF: {path.relative_to(ROOT)}")


COMMANDS: dict[str, Callable[[], object]] = {
    "write": write,
    "check": check,
    "record": record.record,
    "build": build,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command]()
    except (ChapterError, UsageError) as error:
        print(f"handouts: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
