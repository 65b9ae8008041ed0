"""Which device runs a submission: the virtual GPU, or a real one where it is usable."""

import ctypes
import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.toolchain import RUNTIME, find_nvidia_runtime


class Device(StrEnum):
    """What `--device` accepts; a result is always of `vgpu` or `cuda`."""

    AUTO = "auto"
    VGPU = "vgpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class Chosen:
    """A device, the folder of the libcudart.so.13 that drives it, and that of a real GPU's driver library."""

    kind: Device
    runtime: Path
    driver: Path | None = None

    @property
    def library_path(self) -> tuple[Path, ...]:
        """Where the worker finds its libraries: the runtime first, since that decides the device."""
        return (self.runtime,) if self.driver is None else (self.runtime, self.driver)


@dataclass(frozen=True)
class Gpu:
    """What the driver says about the first GPU; `name` is None where none is usable, for the reason in `why_not`.
    `driver` is the folder of libcuda.so.1, which may be known only to this process's environment.
    """

    name: str | None
    why_not: str = ""
    driver: Path | None = None


def choose(layout: Layout, wanted: Device) -> Chosen:
    """The device for `wanted`; a real GPU is asked for only when it could be used."""
    if wanted is not Device.VGPU:
        gpu, runtime = probe_gpu(), find_nvidia_runtime(layout)
        if gpu.name is not None and runtime is not None:
            return Chosen(Device.CUDA, runtime, gpu.driver)
        if wanted is Device.CUDA:
            reason = gpu.why_not or f"NVIDIA's {RUNTIME} is missing; run: make setup"
            raise UsageError(f"no GPU can be used: {reason}; --device vgpu needs none")
    if not (layout.virtual_runtime / RUNTIME).exists():
        raise UsageError(f"{layout.virtual_runtime / RUNTIME} is missing; run: make build")
    return Chosen(Device.VGPU, layout.virtual_runtime)


def choose_elsewhere(layout: Layout, wanted: Device) -> Chosen:
    """The device of other machines that share this one's files, which need not have a GPU itself."""
    if wanted is Device.AUTO:
        raise UsageError("auto would mean another device on each machine; name one: --device")
    if wanted is Device.VGPU:
        return choose(layout, wanted)
    runtime = find_nvidia_runtime(layout)
    if runtime is None:
        raise UsageError(f"NVIDIA's {RUNTIME} is missing; run: make setup")
    return Chosen(Device.CUDA, runtime)


@cache
def probe_gpu() -> Gpu:
    """Asks the driver itself, since a library or a device file alone proves nothing."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Gpu(None, "libcuda.so.1 is not there (no NVIDIA driver)")
    code = driver.cuInit(0)
    if code != 0:
        return Gpu(None, f"the driver's cuInit fails with error {code}")
    count = ctypes.c_int(0)
    code = driver.cuDeviceGetCount(ctypes.byref(count))
    if code != 0 or count.value == 0:
        return Gpu(None, "the driver finds no GPU")
    name = ctypes.create_string_buffer(128)
    driver.cuDeviceGetName(name, len(name), 0)
    return Gpu(name.value.decode(errors="replace"), driver=_folder_of_driver())


def _folder_of_driver() -> Path | None:
    """The folder that this process has loaded libcuda from."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        path = line.partition("/")[2]
        if "/libcuda.so" in f"/{path}":
            return Path(f"/{path}").parent
    return None


def host_cpu() -> str:
    """The CPU's name and the number of CPUs that this process may use."""
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs"
