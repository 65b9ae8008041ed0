"""No tracked file speaks of one particular machine: its folders, its users, its package servers."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each is written so that it does not match itself.
FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w.~$}*\])-])/wor[k]/",
            r"/bash[_]jobs",
            r"/hom[e]/[a-z]",
            r"/User[s]/\w",
            r"pypi[.]org|pythonhosted[.]org|pkg[.]dev",
            r"index-ur[l] *=|^-[i] http",
        )
    )
)


def foreign_lines(name: str, text: str) -> list[str]:
    """`name:line: text` of each line that mentions something of one machine."""
    return [
        f"{name}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if FOREIGN.search(line)
    ]


def tracked_texts() -> dict[str, str]:
    """Text of every tracked file that is UTF-8; what is not is data."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    texts = {}
    for name in filter(None, names):
        file = ROOT / name
        if file.is_file():
            try:
                texts[name] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return texts


def test_no_tracked_file_mentions_one_machine() -> None:
    texts = tracked_texts()
    assert "Makefile" in texts
    assert [line for name, text in texts.items() for line in foreign_lines(name, text)] == []


@pytest.mark.parametrize(
    "line",
    [
        "cd /" + "work/main",
        'log = "/tmp/bash' + '_jobs.0/7/stdout"',
        "see /ho" + "me/anna/flashlab",
        "--index-" + "url=https://mirror.example/simple",
        "https://files.python" + "hosted.org/packages",
    ],
)
def test_a_planted_line_is_found(line: str) -> None:
    assert foreign_lines("file", f"first\n{line}\n") == [f"file:2: {line}"]


def test_ordinary_lines_pass() -> None:
    nested = "a/" + "work/b"
    assert foreign_lines("file", f"{nested}\nhttps://example.org/home\n/usr/bin\nwork/main\n") == []
