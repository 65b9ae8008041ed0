"""The instructors' guide, typed as it stands: every command works, and prints what the guide shows."""

import re
import shutil
from pathlib import Path

import pytest
import run_guide
from flashlab.sandbox import Box, Limits, Sandbox

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "handouts/instructors/guide.md"
# What `git clone` and `make build` give; everything else of the guide is typed.
CLONED = ("grader", "labs", "solutions", "tools", "tests/corpus", "tests/cheats")
BUILT = ("build/bin", "build/lib")


@pytest.fixture
def clone(real_layout, tmp_path):
    """A built clone."""
    for name in (*CLONED, *BUILT):
        shutil.copytree(real_layout.root / name, tmp_path / name)
    shutil.copy(real_layout.root / "flashlab", tmp_path)
    (tmp_path / ".venv").symlink_to(real_layout.root / ".venv")
    return tmp_path


def test_every_command_does_what_the_guide_shows(clone):
    text = GUIDE.read_text(encoding="utf-8")
    # --strict would refuse a machine without the best sandbox, as it should.
    if not Sandbox.find(Box(Limits(cpu_seconds=10))).is_full:
        text = text.replace(" --strict", "")
    fresh, differ = run_guide.follow(text, clone)
    assert differ == []
    assert fresh == text


def test_the_guide_has_ten_commands_and_no_other_code_to_type():
    text = GUIDE.read_text(encoding="utf-8")
    (ten,) = re.findall(r"^## The ten commands\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    (first,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert [line.split()[:2] for line in first.splitlines()] == [
        ["git", "clone"],
        ["make", "build"],
    ]
    typed = [step for block in run_guide.BLOCK.findall(ten) for step in run_guide.steps(block)]
    assert len(typed) - 1 + 2 == 10, "the last one only shows the file"
    assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) == {"sh", "console", "toml"}


def guide(command, shown):
    return f"text\n\n```console\n$ {command}\n{shown}```\nmore\n"


def test_output_that_differs_is_found_and_can_be_written(tmp_path):
    old = guide("echo one; echo two", "one\nthree\n")
    fresh, differ = run_guide.follow(old, tmp_path)
    assert differ == ["echo one; echo two"]
    assert fresh == guide("echo one; echo two", "one\ntwo\n")
    assert run_guide.follow(fresh, tmp_path) == (fresh, [])


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("...\n", True),
        ("1\n...\n", True),
        ("1\n...\n4\n", True),
        ("...\n4\n", True),
        ("1\n2\n3\n4\n", True),
        ("1\n2\n3\n4\n...\n", True),
        ("1\n...\n3\n", False),
        ("1\n2\n", False),
        ("", False),
    ],
)
def test_three_dots_stand_for_any_lines(tmp_path, shown, same):
    text = guide("seq 4", shown)
    assert (run_guide.follow(text, tmp_path)[1] == []) == same


def test_a_command_that_fails_ends_the_guide(tmp_path):
    with pytest.raises(ValueError, match="exit code 3"):
        run_guide.follow(guide("echo no; exit 3", "no\n"), tmp_path)


def test_progress_depends_on_the_machine(tmp_path):
    text = guide("echo 'graded 3 of 9, 12 per minute, 30 s left'; echo done", "done\n")
    assert run_guide.follow(text, tmp_path) == (text, [])
