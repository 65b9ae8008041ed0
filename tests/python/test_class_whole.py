"""A made-up class, graded by the real grader, killed at random moments and resumed: the gradebook is the same."""

import os
import random
import shutil
import signal
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
    for name in ("labs", "solutions", "build/bin", "build/lib", "tests/corpus"):
        shutil.copytree(real_layout.root / name, root / name)
    return Layout(root)


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
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
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
        make_class.make_class(layout, folder, STUDENTS, seed=6, shared=True)
    grade = ("grade", str(killed / "submissions"), "--jobs", "2")
    for _ in range(KILLS):
        process = start(layout, killed, *grade)
        time.sleep(dice.uniform(0.5, 2.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(layout, killed, *grade)
    finish(layout, calm, "grade", str(calm / "submissions"), "--jobs", "2")
    book = finish(layout, calm, "gradebook")
    assert finish(layout, killed, "gradebook") == book
    cells = [cell for row in book.splitlines()[1:] for cell in row.split(",")]
    assert {"graded", "refused"} <= set(cells)
    assert "100" in cells, "a solution is among them"
    assert not {"pending", "error"} & set(cells)


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
