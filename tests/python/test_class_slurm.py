"""`flashlab class grade --slurm` on a real Slurm: one node, daemons of the test's own, a stand-in judge."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flashlab.classroom import slurm_run, slurm_task
from flashlab.classroom.slurm import RefusedError, Slurm
from slurm_cluster import Cluster, missing, wait_until
from test_class_grade import Klass

ROOT = Path(__file__).parents[2]
ARRAY_SIZE = 2  # of the test's Slurm
# The command in processes of their own: the collector's, and each task's. Its times are for tests.
LAUNCHER = """#!{python}
import os, sys
sys.path.insert(0, {grader!r})
from pathlib import Path
from flashlab import build, cli, device
from flashlab.classroom import slurm_run, slurm_task, work
from flashlab.layout import Layout
root = Path(__file__).parent
build.check_assembly = build.check_library = lambda *words: None
slurm_run.POLL_SECONDS, slurm_run.GRACE_SECONDS = 0.3, 1
slurm_run.LEAST = slurm_run.MOST = int(os.environ["SHARD"])
slurm_task.SECONDS_TO_BE_ENDED = 0.5
if (root / "nvidia").exists():
    device.find_nvidia_runtime = lambda layout: root / "nvidia"
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES") and os.environ.get("SLURM_JOB_GPUS")
    device.probe_gpu = lambda: device.Gpu(gpu and "Test GPU", "none given", root / "nvidia")
cli.run(Layout(root), sys.argv[1:])
"""


@pytest.fixture(scope="module")
def slurm():
    if missing():
        text = f"{', '.join(missing())} missing; run: tools/setup.sh --test"
        pytest.fail(text) if os.environ.get("CI") == "true" else pytest.skip(text)
    cluster = Cluster(ARRAY_SIZE)
    yield cluster
    cluster.stop()


class SlurmKlass(Klass):
    """A class whose submissions are graded through Slurm; `gate` is the file that some of them wait for."""

    def __init__(self, cluster, repository, course, flashlab):
        super().__init__(repository, course, flashlab)
        self.cluster, self.gate = cluster, repository.layout.root / "gate"
        launcher = repository.layout.root / "flashlab"
        launcher.write_text(LAUNCHER.format(python=sys.executable, grader=str(ROOT / "grader")))
        launcher.chmod(0o755)

    def grade_by_slurm(self, *words):
        return self.grade("--slurm", *words)

    def start_collector(self):
        words = ("class", "grade", self.subs, "--course", self.course, "--slurm")
        return subprocess.Popen(
            [self.repository.layout.root / "flashlab", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self, collector, words):
        """Whether the collector comes to say this; it is ended when it does not within a minute."""
        timer = threading.Timer(60, collector.kill)
        timer.start()
        said = any(words in line for line in collector.stdout)
        timer.cancel()
        return said

    def end(self, collector, code=0):
        out, _ = collector.communicate(timeout=120)
        assert collector.returncode == code, out
        return out

    def runs_are(self, count):
        wait_until(lambda: self.repository.runs() >= count, what=f"not {count} runs")

    def tasks_end(self):
        wait_until(lambda: not self.cluster.tasks())

    def leftovers(self):
        return sorted(path.name for path in (self.course / "slurm").iterdir())

    def answers(self):
        return sorted((self.course / "slurm").glob("flashlab-*/*/*.json"))


@pytest.fixture
def klass(slurm, repository, course, flashlab, monkeypatch):
    for name, value in slurm.environment.items():
        if name in ("PATH", "SLURM_CONF"):
            path = os.environ["PATH"].partition(os.pathsep)[0]  # that of the stand-in compiler
            monkeypatch.setenv(name, f"{path}:{value}" if name == "PATH" else value)
    monkeypatch.setattr(slurm_run, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(slurm_run, "GRACE_SECONDS", 1)
    monkeypatch.setattr(slurm_task, "SECONDS_TO_BE_ENDED", 0.5)
    klass = SlurmKlass(slurm, repository, course, flashlab)

    def shard(size):
        monkeypatch.setattr(slurm_run, "LEAST", size)
        monkeypatch.setattr(slurm_run, "MOST", size)
        monkeypatch.setenv("SHARD", str(size))

    klass.shard = shard
    shard(1)
    yield klass
    klass.gate.touch()
    slurm.command("scancel", "--me")
    klass.tasks_end()


def test_slurm_gives_the_gradebook_of_this_machine(klass, repository):
    klass.hand_in("s1", cases={"points": 1, "status": "failed", "message": "wrong"}, hours=30)
    klass.hand_in("s2", "SYNTAX_ERROR\n")
    klass.hand_in("s3", "// Ω, \x0c and a quote '\n")
    assert klass.grade().code == 0
    local = klass.run("gradebook").out
    assert local.count(",graded,") == 2
    assert local.count(",refused,") == 1
    (klass.course / "class.sqlite").unlink()
    answer = klass.grade_by_slurm()
    assert answer.code == 0, answer.err
    assert "3 graded, 0 had a grade already" in answer.out
    assert klass.run("gradebook").out == local
    assert "2 submissions in 2 tasks" in answer.out, f"MaxArraySize is {ARRAY_SIZE}"
    assert "1 submissions in 1 tasks" in answer.out
    assert klass.leftovers() == []
    runs = repository.runs()
    answer = klass.grade_by_slurm()
    assert "0 graded, 3 had a grade already" in answer.out
    assert "array" not in answer.out
    assert repository.runs() == runs


def test_cancelled_tasks_are_sent_again(klass, repository):
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student)
    repository.plan(seconds=60)
    collector = klass.start_collector()
    klass.runs_are(3)
    repository.plan()
    klass.cluster.command("scancel", "--me")
    out = klass.end(collector)
    assert "for the second time" in out
    assert set(klass.book().values()) == {("10", "graded")}, "the end of a judge is no failure"


def test_a_killed_task_and_a_requeued_one_do_only_what_is_left(klass, repository):
    klass.shard(3)
    klass.hand_in("s1")
    klass.hand_in("s2", until=str(klass.gate))
    klass.hand_in("s3")
    collector = klass.start_collector()
    klass.runs_are(2)
    (task,) = klass.cluster.tasks()
    klass.cluster.requeue(task)
    klass.runs_are(3)
    os.kill(task_process(klass.course), signal.SIGKILL)
    klass.runs_are(4)
    klass.gate.touch()
    out = klass.end(collector)
    assert "2 submissions in 2 tasks, for the second time" in out, "in smaller shards"
    assert repository.runs() == 5, "s1 once, s2 three times, s3 once"
    assert set(klass.book().values()) == {("10", "graded")}


def task_process(course):
    """The process of the one task that grades for this class."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"work" in words and any(word.startswith(bytes(course)) for word in words):
            found.append(int(folder.name))
    (pid,) = found
    return pid


def test_killed_daemons_lose_nothing(klass, repository):
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student, until=str(klass.gate))
    collector = klass.start_collector()
    klass.runs_are(3)
    klass.cluster.save()
    for daemon in ("slurmctld", "slurmd"):
        klass.cluster.kill(daemon)
    assert klass.says(collector, "Slurm does not answer")
    for daemon in ("slurmctld", "slurmd"):
        klass.cluster.start(daemon)
    klass.gate.touch()
    klass.end(collector)
    assert set(klass.book().values()) == {("10", "graded")}
    assert repository.runs() == 3


def test_a_collector_that_is_stopped_or_killed_goes_on(klass, repository):
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student, until=str(klass.gate))
    first = klass.start_collector()
    klass.runs_are(3)
    first.send_signal(signal.SIGINT)
    out = klass.end(first, code=130)
    assert "3 of 3 are left; the same command goes on" in out
    assert "scancel --name=flashlab-" in out
    assert len(klass.cluster.tasks()) == 3, "Slurm goes on"
    second = klass.start_collector()
    assert klass.says(second, "3 of 3 were sent earlier")
    second.kill()
    second.wait()
    klass.gate.touch()
    klass.tasks_end()
    klass.hand_in("s3", "// better\n")  # what was graded of s3 counts no more
    answer = klass.grade_by_slurm()
    assert answer.code == 0, answer.err
    assert "2 of 3 were sent earlier" in answer.out
    assert set(klass.book().values()) == {("10", "graded")}
    assert repository.runs() == 4, "nothing twice"


def of_another_submission(document):
    document["result"]["submission"]["sha256"] = "0" * 64


def of_another_seed(document):
    document["result"]["provenance"]["seed"] += 1


def of_another_device(document):
    document["result"]["device"]["kind"] = "cuda"


def of_another_key(document):
    document["key"] = "0" * 64


def without_cases(document):
    del document["result"]["cases"]


@pytest.mark.parametrize("round_", [0, 1])
def test_files_that_are_no_valid_result_are_not_trusted(klass, repository, round_):
    damages = [
        (of_another_submission, of_another_seed, without_cases),
        (of_another_device, of_another_key, None),
    ][round_]
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student, until=str(klass.gate))
    collector = klass.start_collector()
    klass.runs_are(3)
    collector.kill()
    collector.wait()
    klass.gate.touch()
    klass.tasks_end()
    assert len(klass.answers()) == 3
    for path, damage in zip(klass.answers(), damages, strict=True):
        document = json.loads(path.read_text())
        if damage:
            damage(document)
        text = json.dumps(document)
        path.write_text(text if damage else text[: len(text) // 2])
    answer = klass.grade_by_slurm()
    assert answer.code == 0, answer.err
    assert repository.runs() == 6
    assert set(klass.book().values()) == {("10", "graded")}


def test_a_submission_that_ends_every_task_is_a_failure_of_its_own(klass, repository):
    klass.shard(3)
    klass.hand_in("s1")
    klass.hand_in("s2", kill=True)
    klass.hand_in("s3", exit=2, silent=True, stderr="no memory")
    answer = klass.grade_by_slurm()
    assert answer.code == 2
    assert "NOT GRADED, the grader failed: s2 lab1" in answer.out
    assert "3 Slurm tasks ended without its result; the last said: grading lab1_naive" in answer.out
    assert "NOT GRADED, the grader failed: s3 lab1" in answer.out
    assert klass.book() == {"s1": ("10", "graded"), "s2": ("", "error"), "s3": ("", "error")}
    assert [name.partition("-")[0] for name in klass.leftovers()] == ["failed"], "its logs"
    assert repository.runs() == 5, "s1 and s3 once, s2 three times"
    klass.hand_in("s2")
    klass.hand_in("s3")
    assert klass.grade_by_slurm().code == 0
    assert set(klass.book().values()) == {("10", "graded")}
    assert klass.leftovers() == []


def test_tasks_get_a_gpu_that_the_collector_has_not(klass, repository, monkeypatch):
    nvidia = repository.layout.root / "nvidia"
    nvidia.mkdir()
    (nvidia / "libcudart.so.13").write_bytes(b"")
    monkeypatch.setattr("flashlab.device.find_nvidia_runtime", lambda layout: nvidia)
    klass.hand_in("s1")
    answer = klass.grade_by_slurm("--device", "cuda", "--partition", "all", "--time", "5")
    assert answer.code == 0, answer.out + answer.err
    words = repository.judge_saw()
    assert words[words.index("--device") + 1] == "cuda"
    assert klass.book()["s1"] == ("10", "graded")


def test_an_array_that_is_over_a_limit_is_sent_in_parts(klass, monkeypatch):
    real = Slurm.submit

    def limited(self, name, tasks, program, folder):
        if tasks > 1:
            raise RefusedError("sbatch refuses the array: (job submit limit)")
        return real(self, name, tasks, program, folder)

    monkeypatch.setattr(Slurm, "submit", limited)
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student)
    answer = klass.grade_by_slurm()
    assert answer.code == 0, answer.err
    assert answer.out.count("1 submissions in 1 tasks") == 3
    assert set(klass.book().values()) == {("10", "graded")}


def test_regrade_works_through_slurm_too(klass, repository):
    klass.hand_in("s1")
    klass.grade_by_slurm()
    repository.plan(cases={"points": 1, "status": "failed", "message": "now seen"})
    config = repository.lab / "lab.toml"
    config.write_text(config.read_text() + "\n# a comment\n")
    answer = klass.run("regrade", "--slurm", "--apply")
    assert "1 results differ" in answer.out, answer.err
    assert klass.book()["s1"] == ("4", "graded")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--slurm", "--partition", "nosuch"), "sbatch refuses the array: sbatch: error: invalid"),
        (("--slurm", "--jobs", "2"), "--jobs is for this machine; with --slurm the cluster"),
        (("--time", "5"), "--time is for --slurm"),
        (("--slurm", "--device", "auto"), "auto would mean another device on each machine"),
    ],
)
def test_a_wrong_option_is_one_line_and_sends_nothing(klass, words, line):
    klass.hand_in("s1")
    answer = klass.grade(*words)
    assert answer.code == 2
    assert line in answer.err
    assert answer.err.count("\n") == 1
    assert klass.cluster.tasks() == {}
    assert not (klass.course / "slurm").exists() or klass.leftovers() == []


def test_a_missing_or_silent_slurm_is_one_line(klass, monkeypatch, tmp_path):
    klass.hand_in("s1")
    config = tmp_path / "slurm.conf"
    config.write_text("ClusterName=none\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=1\n")
    monkeypatch.setenv("SLURM_CONF", str(config))
    silent = klass.grade_by_slurm()
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[0])
    absent = klass.grade_by_slurm()
    for answer, line in ((silent, "Slurm does not answer"), (absent, "--slurm needs sbatch")):
        assert answer.code == 2
        assert line in answer.err
        assert answer.err.count("\n") == 1
