"""The ./flashlab script itself, run as a user runs it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path) -> Path:
    """The script beside the real package, in a folder of its own."""
    shutil.copy(ROOT / "flashlab", tmp_path)
    (tmp_path / "grader").symlink_to(ROOT / "grader")
    return tmp_path


def with_python(root: Path) -> Path:
    bin_folder = root / ".venv/bin"
    bin_folder.mkdir(parents=True)
    python = bin_folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return root


def test_without_set_up_it_says_what_to_run(copy):
    done = subprocess.run(
        [str(copy / "flashlab"), "status"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"make -C {copy} setup" in done.stderr


def test_it_works_from_anywhere_and_ignores_the_files_there(copy, tmp_path, monkeypatch):
    with_python(copy)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "typer.py").write_text("raise SystemExit('the wrong typer')")
    link = elsewhere / "link"
    link.symlink_to(copy / "flashlab")
    monkeypatch.chdir(elsewhere)
    done = subprocess.run([str(link), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "grade" in done.stdout


def test_an_unfinished_set_up_is_one_line(copy):
    bare = with_python(copy) / ".venv/bin/python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # no installed packages
    done = subprocess.run(
        [str(copy / "flashlab"), "status"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "flashlab: the Python package typer is missing; run: make setup\n"


def test_commands_that_draw_nothing_load_no_drawing():
    code = (
        "import sys, flashlab.cli;"
        "slow = {'matplotlib', 'numpy', 'jinja2', 'jsonschema'} & set(sys.modules);"
        "sys.exit(f'loaded: {slow}' if slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
