"""`flashlab bench` ended at any moment and started again: nothing measured is lost or measured twice."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from bench_fixtures import BenchRepository, kill, make_bench, settled
from flashlab.bench.journal import Journal, read
from flashlab.errors import UsageError

SWEEP = ("lab1", "lab4", "--n", "16,32,64,128", "--d", "32,64", "--both", "--device", "vgpu")
POINTS = 8 + 16
# What RLIMIT_FSIZE does to a file that reaches it: the write is cut there, and the next one is a signal that kills,
# or an error where the signal is ignored.
LIMITED = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.{action}); "
LIMITED += "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


@pytest.fixture
def bench(repository, monkeypatch) -> BenchRepository:
    return make_bench(repository, monkeypatch)


@pytest.fixture
def undisturbed(bench) -> list[dict]:
    """The lines of the sweep without a kill; their file is gone afterwards."""
    done = bench.finish(*SWEEP)
    assert done.returncode == 0, done.stderr
    lines = [settled(line) for line in bench.lines("sweep")]
    assert len(lines) == len(bench.calls) == POINTS
    bench.path("sweep").unlink()
    (bench.root / "build/bin/calls.txt").unlink()
    return lines


def whole_lines(bench: BenchRepository) -> list[bytes]:
    path = bench.path("sweep")
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1].splitlines()


def test_killed_at_random_points(bench, undisturbed):
    bench.repository.plan(sleep=0.03)
    chance = random.Random(20261121)
    kept: list[bytes] = []
    for kills in range(1, 40):
        process = bench.start(*SWEEP)
        enough = len(kept) + chance.randrange(0, 4)
        while process.poll() is None and len(whole_lines(bench)) < enough:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.06))
        alive = process.poll() is None
        if alive:
            kill(process, os.killpg if kills % 2 else os.kill)
        assert whole_lines(bench)[: len(kept)] == kept  # what was there is there, byte by byte
        kept = whole_lines(bench)
        if not alive:
            break
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert kills >= 5
    assert [settled(line) for line in bench.lines("sweep")] == undisturbed
    # A kill costs at most the point that was being measured.
    assert POINTS <= len(bench.calls) < POINTS + kills


@pytest.mark.parametrize("extra", [1, 100, -1])
def test_killed_while_writing(bench, undisturbed, extra):
    sizes = [0]
    bench.finish(*SWEEP)
    for line in whole_lines(bench):
        sizes.append(sizes[-1] + len(line) + 1)
    bench.path("sweep").unlink()
    cut = sizes[3] + extra if extra > 0 else sizes[4] + extra
    done = bench.finish(*SWEEP, before=LIMITED.format(action="SIG_DFL", size=cut))
    assert done.returncode == -signal.SIGXFSZ
    data = bench.path("sweep").read_bytes()
    assert len(data) == cut
    assert not data.endswith(b"\n")
    assert len(bench.lines("sweep")) == 3  # readers do not see the torn line
    calls = len(bench.calls)
    done = bench.finish(*SWEEP)
    assert done.returncode == 0, done.stderr
    assert "dropped a line that an earlier run had not finished writing" in done.stdout
    assert [settled(line) for line in bench.lines("sweep")] == undisturbed
    assert len(bench.calls) == calls + POINTS - 3


def test_a_full_disk_is_one_line_and_leaves_whole_lines(bench, undisturbed):
    done = bench.finish(*SWEEP, before=LIMITED.format(action="SIG_IGN", size=5000))
    assert done.returncode == 2
    last = done.stderr.splitlines()
    assert len(last) == 1
    assert "cannot write" in last[0]
    assert "File too large; the points in it are kept, and the same command goes on" in last[0]
    data = bench.path("sweep").read_bytes()
    assert data.endswith(b"\n")
    assert 0 < data.count(b"\n") < POINTS
    assert bench.finish(*SWEEP).returncode == 0
    assert [settled(line) for line in bench.lines("sweep")] == undisturbed


def test_interrupted(bench, undisturbed):
    bench.repository.plan(sleep=0.1)
    process = bench.start(*SWEEP)
    while len(whole_lines(bench)) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "points are left, and the same command goes on" in out
    assert err == ""
    bench.repository.plan()
    assert bench.finish(*SWEEP).returncode == 0
    assert [settled(line) for line in bench.lines("sweep")] == undisturbed


def test_a_kill_leaves_nothing_running(bench):
    bench.repository.plan(sleep=60)
    process = bench.start(*SWEEP)
    program = str(bench.repository.layout.measure)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := [pid for pid in children.read_text().split() if program in command(pid)]):
        time.sleep(0.01)
    kill(process)
    deadline = time.monotonic() + 10
    while program in command(found[0]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert program not in command(found[0])


def command(pid: str) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_two_sweeps_do_not_write_one_file(bench):
    bench.repository.plan(sleep=0.3)
    first = bench.start(*SWEEP)
    while not bench.path("sweep").exists():
        time.sleep(0.01)
    try:
        second = bench.finish(*SWEEP)
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1
        assert "is being written by another sweep" in second.stderr
    finally:
        kill(first, os.killpg)


def test_a_folder_that_cannot_be_written(bench):
    (bench.root / "build/results").mkdir(parents=True)
    (bench.root / "build/results/bench").write_text("not a folder\n")
    done = bench.finish(*SWEEP)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot write to" in done.stderr
    assert bench.calls == []


def line(key: str, status: str = "ok") -> dict:
    return {"key": key, "series": {}, "record": {"status": status}, "provenance": {}}


def test_every_cut_of_the_last_line_is_repaired(tmp_path):
    path = tmp_path / "x.jsonl"
    with Journal(path) as journal:
        journal.append(line("a"))
        journal.append(line("b"))
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for cut in range(first, len(data)):
        path.write_bytes(data[:cut])
        assert [entry["key"] for entry in read(path)] == ["a"]
        with Journal(path) as journal:
            assert journal.lines.keys() == {"a"}
            assert journal.dropped == cut - first
            journal.append(line("b"))
        assert path.read_bytes() == data


def test_the_last_line_of_a_key_counts(tmp_path):
    path = tmp_path / "x.jsonl"
    with Journal(path) as journal:
        for entry in (line("a", "skipped"), line("b"), line("a", "ok")):
            journal.append(entry)
    assert [(entry["key"], entry["record"]["status"]) for entry in read(path)] == [
        ("a", "ok"),
        ("b", "ok"),
    ]


@pytest.mark.parametrize("text", ["{]\n", '{"key": 1}\n', "\0\0\0\n"])
def test_damage_elsewhere_is_an_error_with_its_place(tmp_path, text):
    path = tmp_path / "x.jsonl"
    with Journal(path) as journal:
        journal.append(line("a"))
    path.write_text(path.read_text() + text)
    with pytest.raises(UsageError, match=r"x\.jsonl:2"), Journal(path):
        pass
    assert path.read_text().endswith(text)  # nobody's data is thrown away
