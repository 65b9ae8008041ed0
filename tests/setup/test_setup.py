"""The set-up script and the make targets, with a made-up package database and rights."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "tools" / "setup.sh"


def fake(folder: Path, name: str, body: str) -> None:
    """Puts an executable shell script into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    script.chmod(0o755)


def run(*command: str | Path, path: Path | None = None, **env: str) -> subprocess.CompletedProcess:
    """Runs a command, with a folder of fakes before everything else on PATH."""
    environment = {**os.environ, **env}
    environment.pop("FLASHLAB_SKIP_PACKAGES", None)
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """Fakes of a user without rights, on a machine that lacks cmake and liblz4-dev."""
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", "exit 1")
    fake(tmp_path, "apt-get", "echo apt-get was called >&2; exit 1")
    fake(
        tmp_path,
        "dpkg-query",
        'for name in "$@"; do case $name in'
        " --*|cmake) ;; liblz4-dev) echo config-files liblz4-dev ;;"
        ' *) echo installed "$name" ;; esac; done; exit 1',
    )
    return tmp_path


def test_without_rights_it_names_the_missing_packages(user: Path) -> None:
    result = run(SETUP, path=user)
    assert result.returncode == 1
    assert "apt-get install cmake liblz4-dev\n" in result.stderr
    assert "was called" not in result.stderr


def test_check_names_the_missing_packages_and_installs_nothing(user: Path) -> None:
    result = run(SETUP, "--check", path=user)
    assert result.returncode == 1
    assert "missing: Debian packages: apt-get install cmake liblz4-dev\n" in result.stdout
    assert "was called" not in result.stderr


def test_with_sudo_it_installs_what_is_missing(user: Path) -> None:
    fake(user, "sudo", f'test "$1" = -n || echo "$@" >>{user}/calls')
    fake(user, "python3", "exit 1")  # stops the script after the packages
    result = run(SETUP, path=user, PYTHON="python3")
    calls = (user / "calls").read_text(encoding="utf-8").splitlines()
    assert calls[0] == "apt-get update"
    assert calls[1].endswith(" cmake liblz4-dev")
    assert "python3 is not Python 3.11 or newer" in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize(("known", "asked"), [(True, True), (False, False)])
def test_a_browser_is_installed_where_the_system_has_it_as_a_package(
    user: Path, known: bool, asked: bool
) -> None:
    for tool in ("bash", "dirname", "comm", "sort", "sed", "cat", "mkdir", "tail", "cut", "env"):
        (user / tool).symlink_to(shutil.which(tool) or tool)
    fake(
        user,
        "dpkg-query",
        'for name in "$@"; do case $name in'
        ' --*|chromium*) ;; *) echo installed "$name" ;; esac; done',
    )
    fake(user, "apt-cache", f"exit {0 if known else 1}")
    fake(user, "python3", "exit 1")  # stops the script after the packages
    environment = {"PATH": str(user), "PYTHON": "python3"}
    result = subprocess.run(
        [SETUP, "--test"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert ("apt-get install chromium-headless-shell\n" in result.stderr) == asked
    assert ("python3 is not Python 3.11" in result.stderr) == (not asked)


@pytest.mark.parametrize(("option", "asked"), [("--test", True), ("--lint", False)])
def test_slurm_is_installed_for_tests_alone(user: Path, option: str, asked: bool) -> None:
    fake(
        user,
        "dpkg-query",
        'for name in "$@"; do case $name in'
        ' --*|slurm*|munge) ;; *) echo installed "$name" ;; esac; done',
    )
    fake(user, "python3", "exit 1")  # stops the script after the packages
    result = run(SETUP, option, path=user, PYTHON="python3")
    assert result.returncode == 1
    packages = "apt-get install munge slurm-client slurmctld slurmd\n"
    assert (packages in result.stderr) == asked
    assert ("python3 is not Python 3.11" in result.stderr) == (not asked)


def test_an_unknown_option_is_refused() -> None:
    result = run(SETUP, "--everything")
    assert result.returncode == 1
    assert "unknown option --everything" in result.stderr


def test_a_second_run_is_silent_and_quick() -> None:
    assert run(SETUP, "--check").stdout == "", "run `make setup` first"
    start = time.monotonic()
    result = run(SETUP)
    assert time.monotonic() - start < 3
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_help_lists_every_command() -> None:
    files = (ROOT / "Makefile", ROOT / "tools/staff.mk")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    targets = set(re.findall(r"^\.PHONY: ([\w-]+)$", text, re.MULTILINE)) - {"FORCE"}
    listed = set(re.findall(r"^  ([\w-]+) {2,}\S", run("make").stdout, re.MULTILINE))
    assert listed == targets | {"labN"}


@pytest.mark.parametrize(("cpp", "python"), [(0, 0), (8, 0), (0, 1), (8, 5)])
def test_make_test_fails_when_either_runner_does(tmp_path: Path, cpp: int, python: int) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "test.sh", tmp_path / "tools")
    fake(tmp_path / "bin", "ctest", f"echo closing line of ctest; exit {cpp}")
    fake(tmp_path / ".venv/bin", "python", f"echo closing line of pytest; exit {python}")
    result = run(tmp_path / "tools" / "test.sh", path=tmp_path / "bin")
    assert (result.returncode == 0) == (cpp == python == 0)
    assert "closing line of ctest" in result.stdout
    assert "closing line of pytest" in result.stdout
    assert result.stdout.count("FAILED") == (cpp != 0) + (python != 0)
