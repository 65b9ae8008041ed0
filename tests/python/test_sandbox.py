"""What code in the sandbox can reach. Run on the best rung that this machine has."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from flashlab import sandbox
from flashlab.errors import UsageError
from flashlab.sandbox import MIB, NOBODY, Box, Limits, Sandbox, run_quietly

LIMITS = Limits(cpu_seconds=20, file_bytes=MIB, memory_bytes=1024 * MIB)


def in_box(rung: Sandbox, box: Box, script: str) -> subprocess.CompletedProcess[str]:
    words = [*rung.launcher(box), "/bin/sh", "-c", script]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def places(tmp_path):
    for name in ("readable", "writable", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"{name}\n")
    (tmp_path / "writable").chmod(0o777)
    return tmp_path


@pytest.fixture
def box(places) -> Box:
    return Box(LIMITS, (places / "readable",), (places / "writable",), folder=places)


@pytest.fixture
def bubblewrap(box) -> Sandbox:
    plain = [
        "bwrap",
        "--ro-bind",
        "/",
        "/",
        "--unshare-pid",
        "--unshare-net",
        "--proc",
        "/proc",
        "true",
    ]
    if run_quietly(plain, timeout=10) != 0:
        pytest.skip("bubblewrap does not work on this machine")
    rung = Sandbox.find(box)
    assert rung.kind == "bubblewrap"
    return rung


@pytest.fixture
def landlock(box, real_layout) -> Sandbox:
    assert sandbox.confine() is not None, "flashlab-confine is built with the rest"
    rung = Sandbox("landlock", drops_user=False)  # another user has no way to the test's folder
    if run_quietly([*rung.launcher(box), "true"], timeout=10) != 0:
        pytest.skip("this kernel has no Landlock")
    return rung


def test_only_named_files_exist(bubblewrap, box, places):
    done = in_box(bubblewrap, box, f"cat {places}/readable/file {places}/secret/file")
    assert done.stdout == "readable\n"
    assert "No such file" in done.stderr


def test_readable_is_not_writable(bubblewrap, box, places):
    script = f"echo x > {places}/writable/new; echo x > {places}/readable/new"
    assert "Read-only" in in_box(bubblewrap, box, script).stderr
    assert (places / "writable/new").read_text() == "x\n"
    assert not (places / "readable/new").exists()


def test_no_network(bubblewrap, box):
    done = in_box(bubblewrap, box, "cat /proc/net/dev")
    names = [line.split(":")[0].strip() for line in done.stdout.splitlines() if ":" in line]
    assert names == ["lo"]


def test_no_other_processes(bubblewrap, box):
    done = in_box(bubblewrap, box, "ls -d /proc/[0-9]*")
    assert len(done.stdout.split()) <= 4
    assert str(os.getpid()) not in done.stdout.split("/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
def test_root_is_dropped(bubblewrap, box):
    assert bubblewrap.level == "bubblewrap+uid"
    done = in_box(bubblewrap, box, "id -u; grep CapBnd /proc/self/status; ulimit -p")
    assert done.stdout.split() == [str(NOBODY), "CapBnd:", "0" * 16, str(LIMITS.processes)]


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock", "limits"])
def test_limits_hold_on_every_rung(box, places, kind, request):
    if kind != "limits":
        request.getfixturevalue(kind)
    rung = Sandbox(kind, drops_user=False)
    done = in_box(rung, box, f"ulimit -f -v; head -c 2000000 /dev/zero > {places}/writable/big")
    assert done.returncode != 0
    assert (places / "writable/big").stat().st_size == MIB


LOOP = "while :; do :; done"


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock", "limits"])
def test_cpu_time_is_limited_on_every_rung(box, kind, request):
    if kind != "limits":
        request.getfixturevalue(kind)
    rung = Sandbox(kind, drops_user=False)
    short = Box(Limits(cpu_seconds=1), box.readable, box.writable, box.folder)
    assert in_box(rung, short, LOOP).returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU)
    stubborn = in_box(rung, short, f"trap '' XCPU; {LOOP}")
    assert stubborn.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def test_open_files_and_environment_pass_through(box):
    ours, theirs = socket.socketpair()
    script = f'echo "$WORD" >&{theirs.fileno()}'
    words = [*Sandbox.find(box).launcher(box), "/bin/bash", "-c", script]
    subprocess.run(
        words, env={**os.environ, "WORD": "hello"}, pass_fds=[theirs.fileno()], check=True
    )
    theirs.close()
    assert ours.recv(100) == b"hello\n"
    assert ours.recv(100) == b"", "nothing in the sandbox keeps the socket open"
    ours.close()


def test_a_box_that_cannot_be_reached_goes_down_the_ladder(places):
    if os.geteuid() != 0:
        pytest.skip("needs a file that only root can read")
    private = places / "secret/file"
    private.chmod(0o600)
    rung = Sandbox.find(Box(LIMITS, (private,)))
    assert not rung.drops_user
    assert in_box(rung, Box(LIMITS, (private,)), f"cat {private}").stdout == "secret\n"


def test_landlock_opens_named_files_only(landlock, box, places):
    writable, secret = places / "writable", places / "secret"
    script = f"cat {places}/readable/file {secret}/file /etc/passwd; ls /;"
    script += f"echo x > {writable}/new; echo x > /tmp/new"
    done = in_box(landlock, box, script)
    assert done.stdout == "readable\n"
    assert done.stderr.count("Permission denied") == 4
    assert (writable / "new").read_text() == "x\n"
    script = f"echo x > {places}/readable/new"
    assert "Permission denied" in in_box(landlock, box, script).stderr


LIBRARY = "import ctypes; library = ctypes.CDLL(None, use_errno=True)\n"
FORBIDDEN = {
    "network": "import socket; socket.socket(socket.AF_INET)",
    "local sockets": "import socket; socket.socket(socket.AF_UNIX)",
    "signals": "import os; os.kill(os.getppid(), 0)",
    "name spaces": LIBRARY + "library.unshare(0x10000000) and exit(ctypes.get_errno())",
    "tracing": LIBRARY + "library.ptrace(16, 1, 0, 0) and exit(ctypes.get_errno())",
    "signals by number": LIBRARY + "library.tgkill(1, 1, 0) and exit(ctypes.get_errno())",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_system_calls_that_reach_others_fail(landlock, box, what):
    python = os.path.realpath(sys.executable)
    reachable = Box(box.limits, (*box.readable, Path(sys.base_prefix)), box.writable, box.folder)
    words = [*landlock.launcher(reachable), python, "-I", "-c", FORBIDDEN[what]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == errno.EPERM or "PermissionError" in done.stderr, done.stderr
    harmless = subprocess.run(
        [*words[:-1], "import os; os.kill(os.getpid(), 0)"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert harmless.returncode == 0


# The driver of a GPU makes a local socket for itself, and names its threads.
OF_A_GPU = {
    "import socket; socket.socket(socket.AF_UNIX).bind('\\0flashlab-test')": True,
    "open('/proc/self/task/%d/comm' % __import__('os').getpid(), 'r+').write('x')": True,
    "import socket; socket.socket(socket.AF_UNIX).connect('/dev/log')": False,
    "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)": False,
    "import socket; socket.socket(socket.AF_INET)": False,
}


@pytest.mark.parametrize("script", OF_A_GPU)
def test_a_gpu_gets_no_more_than_its_driver_needs(landlock, box, script):
    python = os.path.realpath(sys.executable)
    readable = (*box.readable, Path(sys.base_prefix))
    for gpu in (False, True):
        launcher = landlock.launcher(Box(box.limits, readable, box.writable, box.folder, gpu))
        words = [*launcher, python, "-I", "-c", script]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        allowed = gpu and OF_A_GPU[script]
        assert (done.returncode == 0) == allowed, done.stderr
        assert allowed or "PermissionError" in done.stderr


def test_inside_bubblewrap_system_calls_are_filtered_too(bubblewrap, box, real_layout):
    assert "Seccomp:\t2" in in_box(bubblewrap, box, "cat /proc/self/status").stdout


def without_bubblewrap(monkeypatch):
    found = {"prlimit": "/usr/bin/prlimit", "setpriv": "/usr/bin/setpriv"}
    monkeypatch.setattr(sandbox.shutil, "which", found.get)


def test_a_strict_grader_takes_the_first_rung_only(box, monkeypatch):
    without_bubblewrap(monkeypatch)
    assert not Sandbox.find(box).is_full
    monkeypatch.setenv(sandbox.STRICT, "1")
    with pytest.raises(UsageError, match=r"the sandbox is only `(landlock|limits)"):
        Sandbox.find(box)


def test_no_rung_below_works_without_its_tools(box, monkeypatch):
    monkeypatch.setattr(sandbox, "confine", lambda: None)
    without_bubblewrap(monkeypatch)
    assert Sandbox.find(box).level.startswith("limits")
