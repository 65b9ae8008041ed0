"""A small repository in a temporary folder, with stand-ins for nvcc, the judge and flashlab-measure."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from flashlab import build as building
from flashlab import cli
from flashlab.layout import Layout

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

FAKE_NVCC = """#!/bin/sh
[ "$1" = --version ] && { echo "Cuda compilation tools, release 13.0, V13.0.88"; exit 0; }
[ "$1" = --dryrun ] && exit 0
while [ "$1" != -o ]; do shift; done
if grep -q SYNTAX_ERROR "$3"; then echo "labs/x.cu(3): error: expected a ;"; exit 2; fi
cp "$3" "$2"
"""


CLASS = """title = "Test class"
seed = 11
[late]
penalty_per_day = 10
[labs.lab1]
due = 2026-10-01T12:00:00Z
"""
ROSTER = """id,name,email,canvas_id,section
s1,Ada King Lovelace,ada@example.org,1001,A
s2,"Bärbel Öz-Müller",oz@example.org,1002,B
s3,Carl Gauß,gauss@example.org,1003,A
"""


@dataclass
class Answer:
    code: int
    out: str
    err: str


class Repository:
    """The temporary repository and ways to use it."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.lab = root / "labs/lab1_naive"
        self.stub = self.lab / "naive_attention.cu"

    def plan(self, **keys: object) -> None:
        """Tells the stand-in judge how to behave."""
        (self.layout.judge.parent / "plan.json").write_text(json.dumps(keys))

    def judge_saw(self) -> list[str]:
        return json.loads((self.layout.judge.parent / "seen.json").read_text())

    def runs(self) -> int:
        """How often the stand-in judge was started."""
        path = self.layout.judge.parent / "runs"
        return len(path.read_text()) if path.exists() else 0

    def results(self) -> list[Path]:
        return sorted(self.layout.results.glob("lab1_naive/2*.json"))

    def latest(self) -> dict:
        return json.loads((self.layout.results / "lab1_naive/latest.json").read_text())


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    root = tmp_path / "repo"
    repo = Repository(root)
    shutil.copytree(ROOT / "labs/include", root / "labs/include")
    for folder in ("labs", "solutions"):
        (root / folder / "lab1_naive").mkdir(parents=True)
        (root / folder / "lab1_naive/naive_attention.cu").write_text(f"// from {folder}\n")
    shutil.copy(ROOT / "labs/lab1_naive/lab.toml", repo.lab)
    programs = {repo.layout.judge: "fake_judge.py", repo.layout.measure: "fake_measure.py"}
    for program, stand_in in programs.items():
        write_program(program, f"#!{sys.executable}\n" + (HERE / stand_in).read_text())
    repo.layout.gpus.mkdir(parents=True)
    for gpu in ("h200", "t4"):
        shutil.copy(ROOT / f"grader/judge/gpus/{gpu}.toml", repo.layout.gpus)
    write_program(repo.layout.worker, "#!/bin/sh\n")
    repo.layout.virtual_runtime.mkdir()
    (repo.layout.virtual_runtime / "libcudart.so.13").write_bytes(b"")
    write_program(tmp_path / "cuda/bin/nvcc", FAKE_NVCC)
    # What the stand-in for nvcc leaves is no library.
    for check in ("check_assembly", "check_library"):
        monkeypatch.setattr(building, check, lambda *words: None)
    monkeypatch.setenv("PATH", f"{tmp_path}/cuda/bin{os.pathsep}{os.environ['PATH']}")
    repo.plan()
    return repo


@pytest.fixture
def course(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a class with three students and lab 1, which was due at noon of 1 October 2026."""
    monkeypatch.setenv(
        "VGPU_THREADS", "0"
    )  # a class sets it for its process: no longer than the test
    folder = repository.layout.root / "course"
    folder.mkdir()
    (folder / "class.toml").write_text(CLASS)
    (folder / "roster.csv").write_text(ROSTER)
    return folder


@pytest.fixture
def flashlab(repository: Repository, capsys: pytest.CaptureFixture[str]):
    """Runs one command in the temporary repository."""

    def run(*words: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(repository.layout, [str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return run


GPU_PROFILE = """name = "NVIDIA Test"
[rates]
fma = 100
[chip]
multiprocessors = 100
clock_hz = 1e9
dram_bytes_per_second = 4e12
l2_bytes_per_second = 8e12
"""


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A folder of GPU profiles with round numbers."""
    folder = tmp_path / "gpus"
    folder.mkdir()
    for name in ("h200", "t4"):
        (folder / f"{name}.toml").write_text(GPU_PROFILE)
    return folder
