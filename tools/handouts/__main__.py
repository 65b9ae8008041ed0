"""The handouts: writes their generated parts, checks them, builds site and PDFs.

write    makes numbers, excerpts of code and output in handouts/{en,zh}/*.md anew, and the figures
check    changes nothing; exit code 1 and a line for each part that `write` would change
record   keeps what the terminal shows of the stubs, handouts/data/output; needs a built grader
build    makes build/handouts/: pages with search in two languages, and a PDF of each; needs pandoc and Chromium
"""

import argparse
import sys
from collections.abc import Callable

import generated
import printed
import record
import site_pages
from flashlab.errors import UsageError
from regions import ROOT, ChapterError

TARGET = ROOT / "build/handouts"


def check() -> None:
    found = generated.differences()
    if found:
        raise ChapterError(
            "\n".join(
                [
                    *found,
                    "`PYTHONPATH=grader .venv/bin/python tools/handouts write` brings them up to date",
                ]
            )
        )


def build() -> None:
    pages = site_pages.build(TARGET)
    print(f"{len(pages)} pages: {TARGET.relative_to(ROOT)}/index.html", flush=True)
    for language in site_pages.LANGUAGES:
        print(f"PDF: {printed.write(TARGET, language).relative_to(ROOT)}", flush=True)


COMMANDS: dict[str, Callable[[], object]] = {
    "write": generated.write,
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
