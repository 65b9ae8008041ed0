"""What the terminal shows of each lab before anything is written: handouts/data/output/labN_stub.txt."""

import contextlib
import io
import itertools
import os
import re
import tempfile
from pathlib import Path

from flashlab import cli, labs
from flashlab.layout import Layout
from regions import OUTPUT, ROOT

MOST_SKIPPED = 3
COLUMNS = "88"  # fits on a printed page
# What depends on the run or the machine, in place of what is shown for it.
PLAIN = (
    (re.compile(r"^sha256: .*", re.MULTILINE), "sha256: (of your file)"),
    (
        re.compile(r"^result: .*?\.json", re.MULTILINE),
        "result: build/results/{lab}/DATE-NUMBER.json",
    ),
    (re.compile(r"sandbox: .*"), "sandbox: bubblewrap"),
    (re.compile(r" +$", re.MULTILINE), ""),
)


class _Elsewhere(Layout):
    """The repository with results in a folder of their own."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder


def stub_output(lab: labs.Lab) -> str:
    """What `./flashlab grade` prints for the stub of a lab, on the virtual GPU. The grader has to be built."""
    with tempfile.TemporaryDirectory() as name:
        layout = _Elsewhere(ROOT)
        object.__setattr__(layout, "folder", Path(name))
        printed = io.StringIO()
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = COLUMNS
        try:
            with contextlib.redirect_stdout(printed):
                cli.run(layout, ["grade", lab.short, "--device", "vgpu", "--seed", "1"])
        except SystemExit as ended:
            if ended.code:
                raise
        finally:
            os.environ.pop("COLUMNS")
            if before is not None:
                os.environ["COLUMNS"] = before
    text = printed.getvalue()
    for pattern, replacement in PLAIN:
        text = pattern.sub(replacement.format(lab=lab.name), text)
    return _without_repetition(text.strip()) + "\n"


def _without_repetition(text: str) -> str:
    """Of cases that are skipped for the same reason, the first two and how many more there are."""
    lines: list[str] = []
    for reason, run in itertools.groupby(text.splitlines(), key=_reason_of_skipping):
        shown = list(run)
        if reason and len(shown) > MOST_SKIPPED:
            shown[MOST_SKIPPED - 1 :] = [
                f"... ({len(shown) - MOST_SKIPPED + 1} more lines like these)"
            ]
        lines += shown
    return "\n".join(lines)


def _reason_of_skipping(line: str) -> str:
    """The message in a line of the table about a skipped case, else nothing."""
    match = re.fullmatch(r"\w+ +skipped +0/[\d.]+ +(.*)", line)
    return match[1] if match else ""


def record() -> list[Path]:
    """Writes the output of every lab's stub."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    written = []
    for lab in labs.discover(Layout(ROOT)):
        path = OUTPUT / f"{lab.short}_stub.txt"
        path.write_text(stub_output(lab), encoding="utf-8")
        written.append(path)
    return written
