"""The small repository of conftest.py with what a sweep needs besides: lab 4, and processes of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flashlab.bench.journal import read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LAB4 = "lab4_flash_attention2"
SOURCE = """// {name}
inline constexpr int kBr = 64;
inline constexpr int kBc = kBr / 2;  // keys
"""
# Runs one command in a process of its own, after the lines in argv[1].
DRIVER = """
import sys
from pathlib import Path
from flashlab import build, cli
from flashlab.layout import Layout
build.check_assembly = build.check_library = lambda *words: None  # nvcc's stand-in makes no library
exec(sys.argv[1])
cli.run(Layout(Path(sys.argv[2])), sys.argv[3:])
"""


@dataclass
class BenchRepository:
    """A repository to sweep in; `repository` is conftest's."""

    repository: object
    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> list[str]:
        """What was measured, one line for each call of the stand-in."""
        path = self.root / "build/bin/calls.txt"
        return path.read_text().splitlines() if path.exists() else []

    def path(self, name: str = "quick") -> Path:
        return self.root / f"build/results/bench/{name}.jsonl"

    def lines(self, name: str = "quick") -> list[dict]:
        return read(self.path(name))

    def start(self, *words: str, before: str = "") -> subprocess.Popen[str]:
        """A sweep in its own session, so that a signal can reach all of it."""
        command = [sys.executable, "-P", "-c", DRIVER, before, str(self.root), "bench", *words]
        return subprocess.Popen(
            command,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
        process = self.start(*words, before=before)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def kill(process: subprocess.Popen[str], what: Callable[[int, int], None] = os.kill) -> None:
    what(process.pid, signal.SIGKILL)
    process.communicate()


def settled(line: dict) -> dict:
    """A line without what is another in every run: the date and the time that measuring took."""
    provenance = {key: value for key, value in line["provenance"].items() if key != "date"}
    return {**line, "provenance": provenance}


def make_bench(repository, monkeypatch: pytest.MonkeyPatch) -> BenchRepository:
    root = repository.layout.root
    for folder in ("labs", "solutions", "solutions/tuned"):
        top, _, rest = folder.partition("/")
        target = root / top / LAB4 / rest
        target.mkdir(parents=True)
        (target / "flash_attention2.cu").write_text(SOURCE.format(name=folder))
    shutil.copy(ROOT / f"labs/{LAB4}/lab.toml", root / f"labs/{LAB4}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "grader"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return BenchRepository(repository, root, dict(os.environ))
