"""What students get: everything that their commands need, and nothing of the solutions."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
from flashlab import cli, labs
from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.package.lab_config import with_numbers, without_cases

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(ROOT.glob("labs/*/lab.toml"))
LEAST = 40  # bytes of a line, without white space, that is more than a brace or a common phrase


def package(layout: Layout, output: Path, *words: object) -> dict[str, bytes]:
    """The members of a student's archive that the command writes."""
    with pytest.raises(SystemExit) as ended:
        cli.run(layout, ["package", "student", "--output", str(output), *map(str, words)])
    assert not ended.value.code
    with tarfile.open(output) as archive:
        assert {(info.mtime, info.uid, info.gid, info.isreg()) for info in archive} == {
            (315532800, 0, 0, True)
        }
        return {
            info.name.removeprefix("flashlab/"): archive.extractfile(info).read()
            for info in archive.getmembers()
        }


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("student") / "flashlab.tar.gz"
    package(Layout(ROOT), path)
    return path


@pytest.fixture(scope="module")
def members(archive) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {
            info.name.removeprefix("flashlab/"): opened.extractfile(info).read()
            for info in opened.getmembers()
        }


def dense(data: bytes) -> bytes:
    return b"".join(data.split())


def secret_lines() -> set[bytes]:
    """Lines of the solutions that neither stubs nor headers have."""
    public = dense(b"".join(path.read_bytes() for path in ROOT.glob("labs/*/*.cu")))
    public += dense(b"".join(path.read_bytes() for path in ROOT.glob("labs/include/*/*.h")))
    found = set()
    for path in ROOT.glob("solutions/**/*.cu"):
        text = path.read_bytes()
        marked = re.findall(rb"// BEGIN SOLUTION\n(.*?)// END SOLUTION", text, re.DOTALL)
        for line in b"\n".join(marked or [text]).splitlines():
            if len(dense(line)) >= LEAST and dense(line) not in public:
                found.add(dense(line))
    return found


def leaks(members: dict[str, bytes]) -> list[str]:
    lines = secret_lines()
    assert len(lines) > 300
    return [
        f"{name}: {line.decode()}"
        for name, text in ((name, dense(data)) for name, data in members.items())
        for line in lines
        if line in text
    ]


def test_it_holds_no_line_of_a_solution(members):
    assert leaks(members) == []


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_a_planted_line_is_found(members, kind):
    line = next(iter(sorted(secret_lines())))
    planted = line if kind == "text" else b"\x89PNG\0\xff" + line + b"\0\xfe"
    assert leaks({**members, "handouts/figures/new.png": planted})[0].startswith("handouts/figures")


def test_it_holds_what_students_need_and_no_more(members):
    for lab in labs.discover(Layout(ROOT)):
        assert members[f"labs/{lab.name}/{lab.source}"] == lab.stub.read_bytes()
        assert members[f"labs/{lab.name}/lab.toml"] == lab.config.read_bytes()
    tops = {name.partition("/")[0] for name in members}
    assert tops == {
        ".devcontainer", ".gitignore", "CMakeLists.txt", "LICENSE", "Makefile", "README.md", "VERSION", "cmake",
        "flashlab", "grader", "labs", "reference", "requirements.lock", "requirements-cuda.lock", "tools",
        *({"handouts"} & tops),
    }  # fmt: skip
    assert [name for name in members if name.startswith("tools/")] == ["tools/setup.sh"]
    assert {path.partition("/")[0] for path in _below("handouts/", members)} <= {
        "en", "zh", "figures", "quiz",
    }  # fmt: skip
    for name in ("handouts/en", "handouts/zh", "handouts/figures", "handouts/quiz"):
        tracked = subprocess.run(
            ["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert set(tracked.stdout.split()) <= set(members)


def _below(folder: str, members: dict[str, bytes]) -> list[str]:
    return [name.removeprefix(folder) for name in members if name.startswith(folder)]


def test_equal_trees_give_equal_archives(archive, tmp_path):
    package(Layout(ROOT), tmp_path / "again.tar.gz")
    assert (tmp_path / "again.tar.gz").read_bytes() == archive.read_bytes()


@pytest.fixture
def unpacked(archive, tmp_path, real_layout) -> Path:
    """The archive unpacked, with the programs that `make build` would make in it."""
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path], check=True)
    root = tmp_path / "flashlab"
    for folder in ("bin", "lib"):
        shutil.copytree(real_layout.root / "build" / folder, root / "build" / folder)
    (root / ".venv").symlink_to(real_layout.root / ".venv")
    return root


def test_a_student_grades_a_lab_in_the_unpacked_archive(unpacked):
    words = ["./flashlab", "grade", "lab1", "--device", "vgpu", "--json", "result.json"]
    done = subprocess.run(words, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((unpacked / "result.json").read_text())
    assert (result["score"], result["max_score"]) == (0, 100)
    assert "not implemented" in done.stdout
    version = (unpacked / "VERSION").read_text().strip()
    assert result["provenance"]["grader_version"] == version
    shutil.copy(ROOT / "solutions/lab1_naive/naive_attention.cu", unpacked / "labs/lab1_naive")
    subprocess.run(words, cwd=unpacked, capture_output=True, check=True)
    result = json.loads((unpacked / "result.json").read_text())
    assert result["score"] == 100, "the speed case needs no staff kernel on the virtual GPU"


def test_the_build_needs_neither_tests_nor_solutions(unpacked):
    done = subprocess.run(
        ["cmake", "-S", ".", "-B", "fresh", "-G", "Ninja", "-Wno-dev"],
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_commands_of_the_staff_are_not_offered(unpacked):
    done = subprocess.run(["make"], cwd=unpacked, capture_output=True, text=True, check=True)
    offered = set(re.findall(r"^  ([\w-]+) {2,}\S", done.stdout, re.MULTILINE))
    assert {"labN", "doctor", "grade", "profile"} <= offered
    assert offered & {"test", "lint", "stubs", "demo"} == set()


# --- In a small repository -------------------------------------------------------------------------------------------

SECRET = "  const float accumulated_dot_product = multiply_and_add(Q_row, K_row, head_dim);\n"
SOLUTION = f"int shared;\n// BEGIN SOLUTION\n// HINT 1 line: multiply\n{SECRET}// END SOLUTION\n"


@pytest.fixture
def small(repository) -> Layout:
    root = repository.layout.root
    (root / "solutions/lab1_naive/naive_attention.cu").write_text(SOLUTION)
    repository.stub.write_text("int shared;\n// HINT 1 line: multiply\n")
    return repository.layout


def test_a_stub_that_somebody_filled_in_is_refused(small, repository, flashlab, tmp_path):
    package(small, tmp_path / "good.tar.gz")
    repository.stub.write_text(SOLUTION.replace("  const float", "\tconst  float"))
    answer = flashlab("package", "student", "--output", tmp_path / "bad.tar.gz")
    assert answer.code == 2
    assert "labs/lab1_naive/naive_attention.cu holds what solutions/lab1_naive" in answer.err
    assert "naive_attention.cu:4 says; put the stub back: make stubs" in answer.err
    assert not (tmp_path / "bad.tar.gz").exists()


def test_without_solutions_nothing_can_be_said(small, flashlab, tmp_path):
    shutil.rmtree(small.solutions)
    answer = flashlab("package", "student", "--output", tmp_path / "x.tar.gz")
    assert answer.code == 2
    assert "solutions is missing: without the solutions" in answer.err


def test_only_what_git_tracks_is_packed(small, tmp_path):
    (small.root / "grader/notes.md").write_text("a stray file\n")
    (small.root / "labs/lab1_naive/mine.cu").write_text("// another try\n")
    without_git = package(small, tmp_path / "a.tar.gz")
    assert "grader/notes.md" in without_git
    assert "labs/lab1_naive/mine.cu" not in without_git
    for words in (["init", "-q"], ["add", "labs", "solutions"]):
        subprocess.run(["git", *words], cwd=small.root, check=True)
    assert "grader/notes.md" not in package(small, tmp_path / "b.tar.gz")


def test_hidden_cases_and_the_seed_stay_with_the_staff(small, course, tmp_path):
    with (course / "class.toml").open("a") as file:
        file.write('hidden = ["stable_*", "memory_n256_d64"]\n')
    members = package(small, tmp_path / "x.tar.gz", "--course", course)
    text = members["labs/lab1_naive/lab.toml"].decode()
    names = [case["name"] for case in tomllib.loads(text)["case"]]
    everything = labs.case_names(labs.find(small, "lab1"))
    hidden = [n for n in everything if n.startswith("stable_") or n == "memory_n256_d64"]
    assert len(hidden) == 6
    assert names == [name for name in everything if name not in hidden]
    assert not any(name.encode() in data for name in hidden for data in members.values())
    assert not any(b"seed = 11" in data for data in members.values())


# --- Changes of lab.toml ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.parent.name)
def test_any_case_can_be_left_out(config):
    text = config.read_text()
    settings = tomllib.loads(text)
    for case in settings["case"]:
        left = tomllib.loads(without_cases(text, [case["name"]], "it"))
        assert left["case"] == [one for one in settings["case"] if one is not case]
        assert {**left, "case": 0} == {**settings, "case": 0}


def test_a_case_that_cannot_be_left_out_alone_is_an_error():
    text = '[a]\nx = 1\n[[case]]\nname = "one"\n\n[[case]]\nname = "two"\n'
    with pytest.raises(UsageError, match="a blank line has to stand above each"):
        without_cases(text, ["one"], "it")
    with pytest.raises(UsageError, match="hides every case of it"):
        without_cases(text, ["one", "two"], "it")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.parent.name)
def test_numbers_change_alone(config):
    numbers = {("limits", "case_seconds"): 18, ("speed", "case_seconds"): 90}
    changed = tomllib.loads(with_numbers(config.read_text(), numbers, "it"))
    settings = tomllib.loads(config.read_text())
    settings["limits"]["case_seconds"], settings["speed"]["case_seconds"] = 18, 90
    assert changed == settings


def test_a_number_that_is_not_there_is_an_error():
    with pytest.raises(UsageError, match="more than that would change"):
        with_numbers("[limits]\na = 1\n", {("limits", "b"): 2}, "it")


# --- The container ---------------------------------------------------------------------------------------------------


def test_the_container_has_the_packages_of_the_set_up():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    dockerfile = ROOT / ".devcontainer" / container["build"]["dockerfile"]
    text = dockerfile.read_text().replace("\\\n", " ")
    copied = re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE)
    assert copied == [("tools/setup.sh", "/opt/flashlab/tools/setup.sh")]
    installed = re.findall(r"apt-get install [^&]*", text)
    assert [line.split()[2:] for line in installed] == [
        ["--yes", "--no-install-recommends", "git", "make", "python3", "ca-certificates"]
    ], "all others are those of tools/setup.sh"
    assert "/opt/flashlab/tools/setup.sh --packages" in text
    for line in re.findall(r"^RUN (.*)$", text, re.MULTILINE):
        subprocess.run(["bash", "-n"], input=line, text=True, check=True)
    assert container["postCreateCommand"] == "make build"


def test_the_set_up_installs_packages_alone(tmp_path):
    for name, body in {
        "dpkg-query": "exit 1",
        "id": "echo 0",
        "apt-get": f'echo "$@" >>{tmp_path}/calls',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/setup.sh", tmp_path / "tools")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("FLASHLAB_SKIP_PACKAGES", None)
    done = subprocess.run(
        [tmp_path / "tools/setup.sh", "--packages"],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert b"installing" in done.stdout
    calls = (tmp_path / "calls").read_text()
    assert "bubblewrap" in calls
    assert "cmake" in calls
    assert not (tmp_path / ".venv").exists()
