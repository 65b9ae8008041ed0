"""A made-up class, graded by the real grader, killed at random moments and resumed: the gradebook is the same."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import make_class
import pytest
from flashlab.layout import Layout

ROOT = Path(__file__).parents[2]
MAIN = """
import sys
from pathlib import Path
from flashlab import cli
from flashlab.layout import Layout
cli.run(Layout(Path(sys.argv[1])), sys.argv[2:])
"""
STUDENTS = 2
KILLS = 5


@pytest.fixture
def layout(real_layout, tmp_path):
    """A copy of what grading needs, whose cache of builds is empty."""
    root = tmp_path / "repo"
    for name in ("labs", "solutions", "build/bin", "build/lib", "tests/corpus", "tests/cheats"):
        shutil.copytree(real_layout.root / name, root / name)
    # It has the compiler, where the system has none.
    (root / ".venv").symlink_to(real_layout.root / ".venv")
    return Layout(root)


def temporary(layout):
    """The folder for temporary files of what `start` runs."""
    folder = layout.root / "tmp"
    folder.mkdir(exist_ok=True)
    return folder


def start(layout, folder, *words):
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            MAIN,
            str(layout.root),
            "class",
            *words,
            "--course",
            str(folder / "course"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader"), "TMPDIR": str(temporary(layout))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(layout, folder, *words):
    process = start(layout, folder, *words)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, out
    return out


def test_a_killed_class_ends_with_the_same_gradebook(layout, tmp_path):
    dice = random.Random(6)
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    for folder in (killed, calm):
        make_class.make_class(layout, folder, STUDENTS, seed=54, shared=True)
    grade = ("grade", str(killed / "submissions"), "--jobs", "2")
    for _ in range(KILLS):
        process = start(layout, killed, *grade)
        time.sleep(dice.uniform(0.5, 2.5))
        process.kill()  # it alone: what it started has to notice
        process.communicate()
        wait_until(lambda: not at_work(layout))
    finish(layout, killed, *grade)
    finish(layout, calm, "grade", str(calm / "submissions"), "--jobs", "2")
    book = finish(layout, calm, "gradebook")
    assert finish(layout, killed, "gradebook") == book
    cells = [cell for row in book.splitlines()[1:] for cell in row.split(",")]
    assert {"graded", "refused"} <= set(cells)
    assert "100" in cells, "a solution is among them"
    assert not {"pending", "error"} & set(cells)
    assert list(temporary(layout).iterdir()) == [], "what was left by the kills is gone"
    left = {path.name for path in layout.cache.iterdir() if len(path.name) != len("0" * 24)}
    assert left == set(), "of builds that were killed, too"
    assert {path.name for path in (killed / "course").iterdir()} == {
        "class.toml", "roster.csv", "class.sqlite", ".lock",
    }  # fmt: skip


def at_work(layout):
    """Programs of this repository that are running: judges, workers and compilers name files in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if f"{layout.root}/".encode() in words:
                found.append(words)
    return found


def wait_until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_same_arguments_make_the_same_class(real_layout, tmp_path):
    def snapshot(folder):
        files = sorted(path for path in (folder / "submissions").rglob("*") if path.is_file())
        return [
            (
                path.relative_to(folder),
                path.name.endswith("yml") or path.stat().st_mtime,
                path.read_bytes(),
            )
            for path in files
        ]

    for name in ("a", "b"):
        make_class.make_class(real_layout, tmp_path / name, 12, seed=3, shared=False)
    one = snapshot(tmp_path / "a")
    assert one == snapshot(tmp_path / "b")
    sources = [data for path, _, data in one if path.suffix == ".cu"]
    assert len(sources) > 30
    assert len(set(sources)) == len(sources), "every source is its student's own"
