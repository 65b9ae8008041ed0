"""`flashlab class grade` and `regrade` with a stand-in judge: what is graded, kept, repeated and never lost."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flashlab import device
from flashlab.classroom import work

ROOT = Path(__file__).parents[2]
SOURCE = "naive_attention.cu"
MAIN = """
import sys
from pathlib import Path
from flashlab import build, cli
from flashlab.layout import Layout
build.check_assembly = build.check_library = lambda *words: None  # nvcc's stand-in makes no library
cli.run(Layout(Path(sys.argv[1])), sys.argv[2:])
"""


class Klass:
    """The class of the temporary repository and its submissions."""

    def __init__(self, repository, course, flashlab):
        self.repository, self.course, self._flashlab = repository, course, flashlab
        self.subs = repository.layout.root / "subs"
        self.moment = 1790845200  # 2026-10-01, an hour before the lab is due

    def hand_in(self, student, text="// mine\n", hours=0, **plan):
        path = self.subs / student / SOURCE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"// {student}\n{text}" + (f"// PLAN {json.dumps(plan)}\n" if plan else ""))
        os.utime(path, (self.moment + 3600 * hours,) * 2)

    def run(self, command, *words):
        return self._flashlab("class", command, *words, "--course", self.course)

    def grade(self, *words):
        return self.run("grade", self.subs, *words)

    def start(self, *words, **options):
        """`class grade` in a process of its own."""
        words = ["class", "grade", str(self.subs), "--course", str(self.course), *words]
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, str(self.repository.layout.root), *words],
            env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def book(self):
        """Points and state of each student."""
        rows = self.run("gradebook").out.splitlines()[1:]
        return {row.split(",")[0]: tuple(row.split(",")[i] for i in (-7, -3)) for row in rows}


@pytest.fixture
def klass(repository, course, flashlab):
    return Klass(repository, course, flashlab)


def test_a_class_is_graded_once(klass, repository):
    klass.hand_in("s1")
    klass.hand_in("s2", cases={"points": 0, "status": "failed", "message": "wrong"})
    answer = klass.grade()
    assert answer.code == 0, answer.err
    assert "2 graded, 0 had a grade already" in answer.out
    assert klass.book() == {"s1": ("10", "graded"), "s2": ("0", "graded"), "s3": ("", "missing")}
    assert repository.runs() == 2
    assert "0 graded, 2 had a grade already" in klass.grade().out
    assert repository.runs() == 2
    words = repository.judge_saw()
    assert words[-1] == "seed=11", "the seed of the class"


def test_blocks_run_in_order_so_that_a_race_has_the_same_grade_each_time(klass, repository):
    klass.hand_in("s1")
    klass.grade()
    assert (repository.layout.judge.parent / "threads").read_text() == "1"


def test_equal_submissions_are_graded_once(klass, repository):
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student)
        (klass.subs / student / SOURCE).write_text("// copied\n")
    assert klass.grade().code == 0
    assert repository.runs() == 1
    assert set(klass.book().values()) == {("10", "graded")}


def test_a_new_submission_replaces_the_grade(klass, repository):
    klass.hand_in("s1")
    klass.grade()
    klass.hand_in("s1", cases={"points": 1})
    assert "1 graded, 0 had" in klass.grade().out
    assert klass.book()["s1"] == ("4", "graded")
    klass.hand_in("s1")
    klass.grade()
    assert klass.book()["s1"] == ("10", "graded")
    assert repository.runs() == 2, "the first result is still there"


def test_what_does_not_build_or_load_is_zero_points_with_the_reason(klass):
    klass.hand_in("s1", "SYNTAX_ERROR\n")
    klass.hand_in("s2", exit=1, silent=True, stderr="the entry lab1_naive_attention is missing")
    (klass.subs / "s3").mkdir()
    (klass.subs / "s3/work.zip").write_bytes(b"PK nothing")
    assert klass.grade().code == 0
    assert klass.book() == dict.fromkeys(("s1", "s2", "s3"), ("0", "refused"))
    klass.run("feedback")
    pages = [(klass.course / f"feedback/s{i}.html").read_text() for i in (1, 2, 3)]
    assert "expected a ;" in pages[0]
    assert "the entry lab1_naive_attention is missing" in pages[1]
    assert "work.zip cannot be read" in pages[2]


def test_the_graders_own_failure_is_no_grade_and_is_tried_again(klass, repository):
    error = {"status": "error", "points": 0, "message": "shared memory is full"}
    klass.hand_in("s1")
    klass.hand_in("s2", exit=2, stderr="4 cases could not be judged", cases=error)
    answer = klass.grade()
    assert answer.code == 2
    assert "NOT GRADED, the grader failed: s2 lab1" in answer.out
    assert answer.out.rstrip().endswith("the same command tries them again")
    assert "forward_n32_d64: shared memory is full" in answer.out, "the case that says why"
    assert klass.book() == {"s1": ("10", "graded"), "s2": ("", "error"), "s3": ("", "missing")}
    assert "1 graded" not in klass.grade().out
    assert repository.runs() == 3, "only the failed one ran again"


def test_a_failure_never_falls_back_to_the_grade_of_an_older_submission(klass):
    klass.hand_in("s1")
    klass.grade()
    klass.hand_in("s1", exit=2, silent=True, stderr="no memory")
    klass.grade()
    assert klass.book()["s1"] == ("", "error")


def test_late_submissions_cost_points_and_copied_files_keep_their_time(klass):
    klass.hand_in("s1", hours=20)
    klass.grade()
    assert ",10,1,0,9,graded,2026-10-02T05:00:00+00:00,9" in klass.run("gradebook").out
    os.utime(klass.subs / f"s1/{SOURCE}")  # as copying does, now
    klass.grade()
    assert ",10,1,0,9,graded,2026-10-02T05:00:00+00:00,9" in klass.run("gradebook").out


def test_regrade_shows_a_difference_and_changes_nothing_without_apply(klass, repository):
    klass.hand_in("s1")
    klass.hand_in("s2")
    klass.grade()
    before = klass.run("gradebook").out
    repository.plan(cases={"points": 1, "status": "failed", "message": "now seen"})
    assert "0 results differ, 0 were graded again" in klass.run("regrade").out, (
        "nothing has changed"
    )
    config = repository.lab / "lab.toml"
    config.write_text(config.read_text() + "\n# a comment\n")
    assert "2 grades are of another grader, lab.toml or device" in klass.grade().out
    out = klass.run("regrade").out
    assert "2 results differ, 0 were graded again and are the same" in out
    assert "configuration" in out
    assert "no grade was changed" in out
    assert klass.run("gradebook").out == before
    runs = repository.runs()
    assert klass.run("regrade", "--student", "s1", "--apply").code == 0
    assert repository.runs() == runs, "what was shown is what is applied"
    assert klass.book() == {"s1": ("4", "graded"), "s2": ("10", "graded"), "s3": ("", "missing")}
    klass.run("regrade", "--apply")
    assert klass.book()["s2"] == ("4", "graded")
    assert "0 results differ, 0 were" in klass.run("regrade").out


def test_hidden_cases_and_seeds_stay_hidden_from_students(klass, repository):
    shutil.copytree(repository.lab, klass.course / "labs/lab1_naive")
    public = repository.lab / "lab.toml"
    public.write_text(public.read_text().replace("forward_n130_d64", "forward_public_d64"))
    toml = klass.course / "class.toml"
    toml.write_text(
        toml.read_text().replace("seed = 11", "seed = 424242") + 'hidden = ["*_n256_*"]\n'
    )
    klass.hand_in(
        "s1", cases={"status": "failed", "points": 0, "message": "n=130 n=256 SECRETVALUE"}
    )
    for name in ("forward_n32_d64", "forward_n64_d64"):
        public.write_text(public.read_text() + f'\n[[case]]\nname = "{name}"\npoints = 1\n')
    klass.grade()
    klass.run("feedback")
    page = (klass.course / "feedback/s1.html").read_text()
    assert "forward_n32_d64" in page
    assert "hidden_1" in page
    assert "hidden_2" in page
    assert "n130" not in page
    assert "n256" not in page
    assert "424242" not in page


def test_ctrl_c_stops_and_the_same_command_goes_on(klass, repository):
    for student in ("s1", "s2", "s3"):
        klass.hand_in(student, seconds=1.0)
    process = klass.start("--jobs", "1", start_new_session=True)
    while repository.runs() == 0:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the judge gets it, too
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "stopping after what is being graded now" in out
    assert "of 3 are left; the same command goes on" in out
    states = {state for _, state in klass.book().values()}
    assert states == {"pending"} or states == {"pending", "graded"}
    assert "error" not in states, "Ctrl-C is no failure of the grader"
    assert klass.grade().code == 0
    assert set(klass.book().values()) == {("10", "graded")}


def test_killed_at_random_moments_the_gradebook_ends_the_same(klass, repository, tmp_path):
    dice = random.Random(4)
    for student in ("s1", "s2", "s3"):
        klass.hand_in(
            student, cases={"points": dice.randint(0, 2)}, seconds=0.3, hours=dice.randint(0, 60)
        )
    assert klass.grade().code == 0
    calm = klass.run("gradebook").out
    assert calm.count(",graded,") == 3
    for name in ("class.sqlite", "class.sqlite-wal", "class.sqlite-shm"):
        (klass.course / name).unlink(missing_ok=True)
    for _ in range(5):
        process = klass.start("--jobs", "2", start_new_session=True)
        time.sleep(dice.uniform(0.1, 1.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = klass.start("--jobs", "2")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert klass.run("gradebook").out == calm


def test_two_at_once_do_not_disturb_each_other(klass, repository):
    klass.hand_in("s1", seconds=2)
    process = klass.start()
    while repository.runs() == 0:
        time.sleep(0.02)
    answer = klass.grade()
    assert answer.code == 2
    assert "another flashlab is at work" in answer.err
    assert process.wait(60) == 0
    assert klass.book()["s1"] == ("10", "graded")


def test_jobs_run_side_by_side_but_one_at_a_time_on_a_gpu(klass, repository, monkeypatch, tmp_path):
    nvidia = tmp_path / "nvidia"
    nvidia.mkdir()
    (nvidia / "libcudart.so.13").write_bytes(b"")
    monkeypatch.setattr(device, "probe_gpu", lambda: device.Gpu("Test GPU", driver=nvidia))
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: nvidia)
    running, most = [], []

    def slow(layout, order, compiler, library, on_event, real=work.grade):
        running.append(1)
        most.append(len(running))
        time.sleep(0.2)
        running.pop()
        return real(layout, order, compiler, library, on_event)

    monkeypatch.setattr(work, "grade", slow)
    for kind, together in (("vgpu", 3), ("cuda", 1)):
        most.clear()
        for student in ("s1", "s2", "s3"):
            klass.hand_in(student, f"// for {kind}\n")
        assert klass.grade("--device", kind, "--jobs", "3").code == 0
        assert max(most) == together


def test_a_full_disk_is_one_line_and_loses_nothing(klass, monkeypatch):
    klass.hand_in("s1")
    assert klass.grade().code == 0
    real = sqlite3.connect

    def full(*words, **options):
        """A database that may not grow: SQLite then says what it says on a full disk."""
        db = real(*words, **options)
        db.execute("PRAGMA max_page_count = 1")
        return db

    monkeypatch.setattr(sqlite3, "connect", full)
    klass.hand_in("s2", "// large\n" * 20_000)
    answer = klass.grade()
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "database or disk is full; free some space" in answer.err
    monkeypatch.undo()
    assert klass.book()["s1"] == ("10", "graded")


SMALL_DISK = """
mount -t tmpfs -o size=1500k none "$DISK" && cp -r "$COURSE"/. "$DISK" || exit 9
"$@"; code=$?
cp -r "$DISK"/. "$KEPT" && exit $code
"""


def test_a_small_disk_that_fills_up_while_grading(klass, tmp_path):
    """The class lies on a tmpfs of 1.5 MB: what was kept before stays, and the line says what to do."""
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no mount namespace can be made here")
    klass.hand_in("s1")
    assert klass.grade().code == 0
    klass.hand_in("s2", "// large\n" * 70_000)
    klass.hand_in("s3", "// largest\n" * 90_000)
    folders = {"DISK": tmp_path / "disk", "KEPT": tmp_path / "kept"}
    for folder in folders.values():
        folder.mkdir()
    environment = {
        name: str(folder) for name, folder in (*folders.items(), ("COURSE", klass.course))
    }
    grade = [sys.executable, "-c", MAIN, str(klass.repository.layout.root), "class", "grade"]
    grade += [str(klass.subs), "--course", str(folders["DISK"])]
    done = subprocess.run(
        [*namespace, "sh", "-c", SMALL_DISK, "sh", *grade],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "full" in done.stderr
    assert "what was graded is kept" in done.stderr
    klass.course = folders["KEPT"]
    answer = klass.run("gradebook")
    assert ",10,0,0,10,graded," in answer.out, answer.err


def test_a_folder_that_cannot_be_written_is_one_line(klass, monkeypatch):
    klass.hand_in("s1")
    blocked = klass.course / "file"
    blocked.write_text("")
    for command, name in (
        ("feedback", "--output"),
        ("report", "--output"),
        ("gradebook", "--output"),
    ):
        answer = klass.run(command, name, blocked / "x/y")
        assert answer.code == 2
        assert answer.err.count("\n") == 1
        assert "cannot write" in answer.err


def test_a_missing_grader_is_told_before_any_work(klass):
    klass.hand_in("s1")
    klass.repository.layout.worker.unlink()
    answer = klass.grade()
    assert (answer.code, answer.err) == (
        2,
        "flashlab: build/bin/flashlab-worker is missing; run: make build\n",
    )


def test_init_makes_a_class_that_can_be_graded_and_overwrites_nothing(
    repository, flashlab, tmp_path
):
    folder = tmp_path / "new"
    assert flashlab("class", "init", folder).code == 0
    answer = flashlab("class", "init", folder)
    assert answer.code == 2
    assert "exists already" in answer.err
    assert "has no student" in flashlab("class", "gradebook", "--course", folder).err
    (folder / "roster.csv").write_text("id,name\ns1,Ada\n")
    assert "s1,Ada" in flashlab("class", "gradebook", "--course", folder).out
    seeds = [line for line in (folder / "class.toml").read_text().splitlines() if "seed" in line]
    assert (
        flashlab("class", "init", tmp_path / "other", "--roster", folder / "roster.csv").code == 0
    )
    assert seeds[0] not in (tmp_path / "other/class.toml").read_text(), (
        "every class has its own seed"
    )


def test_a_folder_that_is_no_class_is_one_line(flashlab, tmp_path):
    answer = flashlab("class", "grade", tmp_path, "--course", tmp_path / "nosuch")
    assert answer.code == 2
    assert "is no class; run there: flashlab class init" in answer.err
