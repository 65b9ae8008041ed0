"""`flashlab doctor`: what it finds, what it misses, and the command for it."""

import ctypes
import os
import shutil

import pytest
from flashlab import device, doctor, sandbox


@pytest.fixture
def forget():
    device.probe_gpu.cache_clear()
    yield
    device.probe_gpu.cache_clear()


def without(monkeypatch, program: str) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else which(name))


def test_everything_there(flashlab):
    answer = flashlab("doctor")
    assert answer.code == 0, answer.out
    assert "missing" not in answer.out
    assert "vgpu: the virtual GPU" in answer.out


def test_missing_package_names_the_command(flashlab, monkeypatch):
    without(monkeypatch, "cmake")
    answer = flashlab("doctor")
    assert answer.code == 2
    sudo = "" if os.geteuid() == 0 else "sudo "
    assert f"-> {sudo}apt-get install cmake" in answer.out


def test_not_built_names_make_build(repository, flashlab):
    repository.layout.judge.unlink()
    answer = flashlab("doctor")
    assert answer.code == 2
    assert "build/bin/flashlab-judge is missing" in answer.out
    assert "-> make build" in answer.out


def test_a_weak_sandbox_is_a_note_not_a_failure(repository, monkeypatch):
    monkeypatch.setattr(doctor, "level_here", lambda: "limits")
    (finding,) = [f for f in doctor.examine(repository.layout) if f.subject == "sandbox"]
    assert finding.cure
    assert not finding.required


class Driver:
    """A libcuda that answers as told."""

    def __init__(self, init: int, count: int) -> None:
        self.init, self.count = init, count

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self.init

    def cuDeviceGetCount(self, count: object) -> int:  # noqa: N802
        count._obj.value = self.count
        return 0

    def cuDeviceGetName(self, name: object, size: int, number: int) -> int:  # noqa: N802
        name.value = b"Test GPU"
        return 0


@pytest.mark.parametrize(
    ("init", "count", "name", "why_not"),
    [
        (0, 2, "Test GPU", ""),
        (0, 0, None, "the driver finds no GPU"),
        (100, 1, None, "error 100"),
    ],
)
def test_only_the_driver_decides_that_there_is_a_gpu(
    monkeypatch, forget, init, count, name, why_not
):
    monkeypatch.setattr(ctypes, "CDLL", lambda library: Driver(init, count))
    gpu = device.probe_gpu()
    assert gpu.name == name
    assert why_not in gpu.why_not


def test_auto_takes_the_gpu_only_with_nvidias_runtime(repository, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "probe_gpu", lambda: device.Gpu("Test GPU"))
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: None)
    assert device.choose(repository.layout, device.Device.AUTO).kind == "vgpu"
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: tmp_path)
    chosen = device.choose(repository.layout, device.Device.AUTO)
    assert (chosen.kind, chosen.runtime) == ("cuda", tmp_path)


def test_the_ladder_ends_at_limits(monkeypatch):
    monkeypatch.setattr(sandbox.Sandbox, "_reaches", lambda self, box: False)
    assert sandbox.level_here() == "limits"
