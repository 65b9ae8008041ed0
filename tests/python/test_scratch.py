"""What a killed command leaves behind is removed by the next one, and nothing else is."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flashlab import results, sandbox, scratch
from flashlab.results import check_writable, write_atomically
from flashlab.sandbox import DROP_USER, Sandbox
from flashlab.scratch import remove_left_behind, scratch_folder

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from flashlab.scratch import scratch_folder
with scratch_folder("work-", Path(sys.argv[1])) as folder:
    (folder / "out").mkdir()
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process with a scratch folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        stdout=subprocess.PIPE,
        text=True,
    )
    process.folder = Path(process.stdout.readline().strip())
    yield process
    process.kill()
    process.wait()


def test_a_folder_is_gone_at_the_end_and_not_before(tmp_path):
    with scratch_folder("work-", tmp_path) as folder:
        (folder / "file").write_text("x")
        with scratch_folder("work-", tmp_path) as other:
            assert folder.exists()
            assert other != folder
        assert (folder / "file").exists(), "a folder that this process holds is not left behind"
    assert list(tmp_path.iterdir()) == []


def test_the_next_one_removes_the_folder_of_a_killed_process_only(tmp_path, holder):
    (tmp_path / "work-other").mkdir()
    (tmp_path / "work-file").write_text("")
    remove_left_behind("work-", tmp_path)
    assert holder.folder.exists(), "its process lives"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert holder.folder.exists()
    with scratch_folder("work-", tmp_path):
        assert not holder.folder.exists()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"work-other", "work-file"}, "what has no lock is somebody else's"


def test_programs_at_work_in_such_a_folder_are_ended(tmp_path, holder):
    def start(folder):
        return subprocess.Popen(["sleep", "600"], env={**os.environ, "TMPDIR": f"{folder}/out"})

    orphan, stranger = start(holder.folder), start(f"{holder.folder}2")
    try:
        remove_left_behind("work-", tmp_path)
        assert orphan.poll() is None, "its owner lives"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        remove_left_behind("work-", tmp_path)
        assert orphan.wait(10) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        for process in (orphan, stranger):
            process.kill()
            process.wait()


def test_folders_of_other_users_stay(tmp_path, holder, monkeypatch):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    monkeypatch.setattr(scratch.os, "geteuid", lambda: os.getuid() + 1)
    remove_left_behind("work-", tmp_path)
    assert holder.folder.exists()


def test_files_that_were_not_finished_are_removed_once_they_are_old(tmp_path, monkeypatch):
    def killed(*words):
        raise SystemExit  # as SIGKILL would, but for what is done below

    monkeypatch.setattr(results.Path, "replace", killed)
    monkeypatch.setattr(results.Path, "unlink", lambda *words, **more: None)
    with pytest.raises(SystemExit):
        write_atomically(tmp_path / "gradebook.csv", "half")
    monkeypatch.undo()
    (left,) = tmp_path.iterdir()
    hour_ago = time.time() - 3600
    for name in ("gradebook.csv", ".hidden"):
        (tmp_path / name).write_text("a user's")
        os.utime(tmp_path / name, (hour_ago, hour_ago))
    check_writable(tmp_path)
    assert left.exists(), "somebody may be writing it"
    os.utime(left, (hour_ago, hour_ago))
    check_writable(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "gradebook.csv"]


PARENT = """
import subprocess, sys
subprocess.run(sys.argv[1:])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
@pytest.mark.parametrize("kind", ["limits", "landlock", "bubblewrap"])
def test_a_program_of_another_user_dies_with_the_command_that_started_it(kind, real_layout):
    box = sandbox.Box(sandbox.Limits(cpu_seconds=20))
    rung = Sandbox(kind, drops_user=True)
    if sandbox.run_quietly([*rung.launcher(box), "true"], timeout=10) != 0:
        pytest.skip(f"{kind} does not work here")
    assert set(DROP_USER) <= set(rung.launcher(box))
    program = ["sleep", f"600.{os.getpid()}"]  # known by its words
    words = [*sandbox.DIES_WITH_US, *rung.launcher(box), *program]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *words])
    try:
        wait_until(lambda: is_running(program))
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_running(program))


def is_running(words: list[str]) -> bool:
    line = "".join(f"{word}\0" for word in words).encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes() == line:
                return True
    return False


def wait_until(holds) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
