"""Packages for platforms, run as the platforms run them with the programs that are built already: the result is valid
whatever was handed in, and whatever happens to the grader. tools/test_gradescope.py does it in a root of its own.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from export_rules import AUTOLAB_SCORES, CLASSROOM, GRADESCOPE, as_autolab_reads, valid
from flashlab import cli, labs
from flashlab.classroom.course import Course, read_course
from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.package import run as running
from flashlab.package.course import Machine, course_members
from flashlab.sandbox import Box, Limits, Sandbox, run_quietly

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from make_submissions import broken, flat, source_of

ROOT = Path(__file__).parents[2]
SEED = 8675309
LAB = "lab1"
SOURCE = source_of(LAB).name
SOLUTION = source_of(LAB).read_bytes()
BROKEN = {name.removeprefix("broken-"): files for _, name, files in broken()}


def flashlab(layout: Layout, *words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(layout, [str(word) for word in words])
    assert not ended.value.code


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    text = f'title = "x"\nseed = {SEED}\n[labs.lab1]\nhidden = ["stable_*"]\n'
    (folder / "class.toml").write_text(text)
    (folder / "roster.csv").write_text("id\n")
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory, course) -> Path:
    path = tmp_path_factory.mktemp("gradescope") / "lab1.zip"
    words = ("--course", course, "--output", path)
    flashlab(Layout(ROOT), "package", "gradescope", LAB, *words)
    return path


def built(tree: Path, layout: Layout) -> None:
    """Gives an unpacked tree what `make build` would make in it."""
    for folder in ("bin", "lib"):
        shutil.copytree(layout.root / "build" / folder, tree / "build" / folder)
    (tree / ".venv").symlink_to(layout.root / ".venv")
    (tree / "flashlab").chmod(0o755)


@pytest.fixture
def autograder(archive, tmp_path, real_layout) -> Path:
    """A folder laid out as /autograder, after setup.sh."""
    root = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(root / "source")
    shutil.copy(root / "source/run_autograder", root)
    (root / "submission_metadata.json").write_text("{}")
    built(root / "source/flashlab", real_layout)
    return root


def grade(root: Path, files: dict[str, bytes]) -> dict:
    """Runs the autograder on what was handed in; its result, which is held to Gradescope's rules."""
    for name, data in files.items():
        path = root / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = subprocess.run(
        ["bash", root / "run_autograder"],
        env={**os.environ, "AUTOGRADER": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = (root / "results/results.json").read_text()
    assert str(SEED) not in text
    return valid(text, GRADESCOPE)


def state(document: dict) -> str:
    return document["extra_data"]["state"]


def test_the_zip_file_is_what_gradescope_expects(archive):
    with zipfile.ZipFile(archive) as opened:
        modes = {info.filename: info.external_attr >> 16 for info in opened.infolist()}
        settings = tomllib.loads(opened.read("course/class.toml").decode())
        whole = tomllib.loads(opened.read("course/labs/lab1_naive/lab.toml").decode())
        public = tomllib.loads(opened.read("flashlab/labs/lab1_naive/lab.toml").decode())
        for name in ("setup.sh", "run_autograder"):
            assert modes[name] == 0o100755
            script = opened.read(name).decode()
            assert script.startswith("#!/usr/bin/env bash\n")
            assert re.search(r"@[A-Z]+@", script) is None
            subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert settings == {"title": "FlashLab", "seed": SEED, "labs": {LAB: {"hidden": ["stable_*"]}}}
    names = labs.case_names(labs.find(Layout(ROOT), LAB))
    assert [case["name"] for case in whole["case"]] == names
    assert [case["name"] for case in public["case"]] == [n for n in names if "stable" not in n]
    assert [name for name in modes if "solution" in name or name.startswith("flashlab/tests")] == []
    # Half a CPU: three times the seconds; 768 MiB: what is left of them beside the grader.
    assert (whole["limits"]["case_seconds"], whole["limits"]["launch_seconds"]) == (18, 12)
    assert whole["limits"]["memory_bytes"] == 448 << 20
    assert whole["limits"]["device_memory_bytes"] == 224 << 20


def test_a_solution_gets_its_points_and_hidden_cases_stay_hidden(autograder):
    document = grade(autograder, {SOURCE: SOLUTION})
    assert (state(document), document["score"]) == ("graded", 100)
    names = [test["name"] for test in document["tests"]]
    assert "lab1 hidden_1" in names
    assert not any("stable" in name for name in names)


FATES = {  # what the first test says
    "nothing": "there is no naive_attention.cu in the submission: it is empty",
    "another_language": "it holds attention.py",
    "two_files": "there are 2 .cu files (a.cu, b.cu); hand in naive_attention.cu alone",
    "half_a_zip_file": "all.zip cannot be read",
    "a_path_that_leads_out": "leads out of the archive",
    "empty": "is empty",
    "not_utf8": "is not UTF-8",
    "null_bytes": "holds NUL bytes",
    "too_large": "larger than",
    "cut_off": "does not build",
}


@pytest.mark.parametrize("kind", FATES)
def test_what_cannot_be_graded_is_0_points_with_the_reason(autograder, kind):
    document = grade(autograder, BROKEN[kind])
    assert (state(document), document["score"]) == ("graded", 0)
    assert FATES[kind] in document["tests"][0]["output"]


@pytest.mark.parametrize("kind", ["another_name", "the_same_twice", "in_a_zip_file"])
def test_the_file_is_found_where_it_is(autograder, kind):
    assert grade(autograder, BROKEN[kind])["score"] == 100


def test_a_hostile_program_gets_a_valid_result(autograder):
    for name, words in {"prints_a_verdict": "is zero", "exits": "ended its process"}.items():
        source = flat(ROOT / f"tests/cheats/hostile/{name}.cu").encode()
        document = grade(autograder, {SOURCE: source})
        assert (state(document), document["score"]) == ("graded", 0)
        assert words in document["tests"][0]["output"]


def test_a_grader_that_fails_is_no_grade(autograder):
    (autograder / "source/flashlab/build/bin/flashlab-judge").unlink()
    document = grade(autograder, {SOURCE: SOLUTION})
    assert state(document) == "infrastructure_error"
    assert "flashlab-judge is missing" in document["output"]
    assert document["output"].startswith("NO GRADE")


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("exit 1", "It ended with exit code 1"),
        ("kill -9 $$", "It did not finish within"),  # as the kernel does for want of memory
        ("sleep 30", "It did not finish within 1 s"),
        ("exec /nowhere", "It ended with exit code 12"),
    ],
)
def test_whatever_happens_to_the_command_there_is_a_valid_result(autograder, command, says):
    (autograder / "source/flashlab/flashlab").write_text(f"#!/bin/bash\n{command}\n")
    replaced(autograder / "run_autograder", "seconds=570", "seconds=1")
    document = grade(autograder, {SOURCE: SOLUTION})
    assert (state(document), document["score"]) == ("infrastructure_error", 0)
    assert says in document["output"]


def test_a_container_that_is_stopped_leaves_a_valid_result(autograder):
    (autograder / "source/flashlab/flashlab").write_text(
        "#!/bin/bash\nkill -9 $(ps -o ppid= $PPID)\n"
    )
    subprocess.run(
        ["bash", autograder / "run_autograder"],
        env={**os.environ, "AUTOGRADER": str(autograder)},
        capture_output=True,
        check=False,
    )
    document = valid((autograder / "results/results.json").read_text(), GRADESCOPE)
    assert state(document) == "infrastructure_error"
    assert "stopped from outside" in document["output"]


def test_a_sandbox_that_would_show_the_seed_does_not_grade(course, monkeypatch):
    opened = read_course(Layout(ROOT), course)
    running.check_secrets(opened)  # the best rung of this machine keeps it
    monkeypatch.setattr(Sandbox, "find", staticmethod(lambda box: Sandbox("limits", False)))
    with pytest.raises(UsageError, match=r"submissions could read .*class\.toml: .* only `limits`"):
        running.check_secrets(opened)
    outcome = running.outcome_of(Layout(ROOT), course, LAB, course)
    assert "submissions could read" in (outcome.failure or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user for submissions")
def test_another_user_is_enough_when_the_class_is_for_root_alone(course, open_folder, monkeypatch):
    rung = Sandbox("limits", drops_user=True)
    monkeypatch.setattr(Sandbox, "find", staticmethod(lambda box: rung))
    with pytest.raises(UsageError, match="could read"):
        running.check_secrets(_shared(course, open_folder, 0o644))
    running.check_secrets(_shared(course, open_folder, 0o600))


@pytest.fixture
def open_folder():
    """A folder that other users can enter; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _shared(course: Path, folder: Path, file_mode: int) -> Course:
    for name in ("class.toml", "roster.csv"):
        shutil.copy(course / name, folder)
        (folder / name).chmod(file_mode)
    return read_course(Layout(ROOT), folder)


def test_where_there_are_no_namespaces_the_whole_lab_is_graded(
    course, tmp_path, real_layout, monkeypatch
):
    """Containers leave Landlock: no private folder for temporary files, which ptxas would like to have."""
    rung = Sandbox("landlock", drops_user=False)
    if run_quietly([*rung.launcher(Box(Limits(cpu_seconds=5))), "true"], timeout=10) != 0:
        pytest.skip("this kernel has no Landlock")
    monkeypatch.setattr(Sandbox, "find", staticmethod(lambda box: rung))
    (tmp_path / SOURCE).write_bytes(SOLUTION)
    outcome = running.outcome_of(real_layout, course, LAB, tmp_path)
    assert outcome.failure is None
    assert outcome.score == 100
    assert outcome.results[0]["provenance"]["sandbox"] == "landlock"


def test_too_little_memory_is_refused():
    with pytest.raises(UsageError, match="needs 512 MiB"):
        course_members(None, labs.find(Layout(ROOT), LAB), Machine(1, 256, 10))


# --- Autolab ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def autolab(tmp_path_factory, course) -> Path:
    folder = tmp_path_factory.mktemp("autolab")
    flashlab(Layout(ROOT), "package", "autolab", LAB, "--course", course, "--output", folder)
    return folder


def autograde(package: Path, job: Path, source: bytes | None, tree: Path) -> list[str]:
    """Runs a job as Tango does: `make` in a folder with the two files and the submission; the lines of its output."""
    job.mkdir()
    shutil.copy(package / "autograde.tar", job)
    shutil.copy(package / "autograde-Makefile", job / "Makefile")
    if source is not None:
        (job / SOURCE).write_bytes(source)
    words = ["make", f"FLASHLAB={tree}"]
    done = subprocess.run(
        words, cwd=job, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.rstrip().splitlines()


@pytest.fixture
def image(autolab, tmp_path, real_layout) -> Path:
    """The tree as it is in the image."""
    tree = tmp_path / "opt/flashlab"
    shutil.copytree(autolab / "flashlab", tree)
    built(tree, real_layout)
    return tree


def scores(lines: list[str]) -> dict:
    document = as_autolab_reads(lines[-1])
    assert valid(json.dumps(document), AUTOLAB_SCORES) == document
    return document["scores"]


def test_autolab_gets_its_scores(autolab, image, tmp_path):
    lines = autograde(autolab, tmp_path / "a", SOLUTION, image)
    assert scores(lines) == {"lab1": 100}
    assert json.loads(lines[-2])["_presentation"] == "semantic"
    cheat = flat(ROOT / "tests/cheats/hostile/prints_a_verdict.cu").encode()
    assert scores(autograde(autolab, tmp_path / "b", cheat, image)) == {"lab1": 0}
    assert scores(autograde(autolab, tmp_path / "c", None, image)) == {"lab1": 0}


def test_autolab_gets_no_score_when_the_grader_fails(autolab, image, tmp_path):
    lines = autograde(autolab, tmp_path / "a", SOLUTION, tmp_path / "nothing")
    assert scores(lines) == {}
    assert "There is no FlashLab in the image" in lines[1]
    (image / "VERSION").write_text("0.0.1\n")
    lines = autograde(autolab, tmp_path / "b", SOLUTION, image)
    assert scores(lines) == {}
    assert "another version" in lines[1]


def test_an_autolab_job_that_fails_has_no_score(autolab, image, tmp_path):
    (image / "build/bin/flashlab-judge").unlink()
    lines = autograde(autolab, tmp_path / "a", SOLUTION, image)
    assert scores(lines) == {}
    assert "flashlab-judge is missing" in lines[1]
    (image / "flashlab").write_text("#!/bin/sh\necho student output; exit 7\n")
    lines = autograde(autolab, tmp_path / "b", SOLUTION, image)
    assert scores(lines) == {}
    assert "exit code 7" in lines[1]


def test_what_is_uploaded_to_autolab_is_small_and_its_image_knows_no_secret(autolab):
    with tarfile.open(autolab / "autograde.tar") as opened:
        names = {info.name for info in opened}
    assert names == {"run", "VERSION", "course/class.toml", "course/labs/lab1_naive/lab.toml"}
    for path in (autolab / "flashlab").rglob("*"):
        assert not path.is_file() or str(SEED).encode() not in path.read_bytes()
    dockerfile = (autolab / "Dockerfile").read_text().replace("\\\n", " ")
    for line in re.findall(r"^RUN (.*)$", dockerfile, re.MULTILINE):
        subprocess.run(["bash", "-n"], input=line, text=True, check=True)


# --- GitHub Classroom ------------------------------------------------------------------------------------------------


@pytest.fixture
def workflow(tmp_path) -> dict:
    flashlab(
        Layout(ROOT), "package", "classroom", "--lab", "lab1", "--lab", "lab3", "--output", tmp_path
    )
    return yaml.safe_load((tmp_path / ".github/workflows/classroom.yml").read_text())


def test_the_workflow_is_whole(workflow):
    assert set(workflow[True]) == {"push", "workflow_dispatch"}  # YAML takes `on` for true
    steps = workflow["jobs"]["grade"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    known = {"make", "mkdir", "rm", "echo", "./flashlab"}
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert {line.split()[0] for line in script.splitlines()} <= known
    for target in re.findall(r"make (\w+)", "\n".join(scripts)):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    report = steps[-1]
    assert report["with"]["runners"] == "lab1,lab3"
    assert report["env"] == {
        f"{lab.upper()}_RESULTS": f"${{{{ steps.{lab}.outputs.result }}}}"
        for lab in ("lab1", "lab3")
    }
    assert {step.get("id") for step in steps} >= {"lab1", "lab3", "built"}


@pytest.mark.parametrize(("source", "status"), [(SOLUTION, "pass"), (b"no code\n", "fail")])
def test_the_workflow_grades(workflow, archive, real_layout, tmp_path, source, status):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "repository")
    tree = tmp_path / "repository/flashlab"
    built(tree, real_layout)
    (tree / "labs/lab1_naive" / SOURCE).write_bytes(source)
    (script,) = [s["run"] for s in workflow["jobs"]["grade"]["steps"] if s.get("id") == "lab1"]
    output = tmp_path / "output"
    subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tree,
        env={**os.environ, "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        check=True,
    )
    key, _, value = output.read_text().strip().partition("=")
    assert key == "result"
    document = valid(base64.b64decode(value).decode(), CLASSROOM)
    assert document["status"] == status
    points = sum(test["score"] for test in document["tests"])
    assert points == (document["max_score"] if status == "pass" else 0)
