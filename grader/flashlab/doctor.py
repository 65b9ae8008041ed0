"""What a machine has and lacks for FlashLab, and the command that adds each missing part."""

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flashlab.device import Device, choose, host_cpu, probe_gpu
from flashlab.errors import FlashLabError
from flashlab.layout import Layout
from flashlab.sandbox import level_here
from flashlab.toolchain import RUNTIME, find_compiler, find_nvidia_runtime

TOOLS = {  # program: its Debian package
    "g++": "g++",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "prlimit": "util-linux",
    "setpriv": "util-linux",
    "bwrap": "bubblewrap",
}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's answer; `cure` is the command that helps, empty when nothing is wrong."""

    subject: str
    found: str
    cure: str = ""
    required: bool = True


def examine(layout: Layout) -> list[Finding]:
    """Everything that the commands need, in the order in which they need it."""
    return [
        Finding("Python", f"{platform.python_version()}, {sys.executable}"),
        Finding("CPU", host_cpu()),
        *(_tool(program, package) for program, package in TOOLS.items()),
        _compiler(layout),
        *(_built(layout, path) for path in (layout.judge, layout.worker)),
        _built(layout, layout.virtual_runtime / RUNTIME),
        _sandbox(),
        _gpu(layout),
        _device(layout),
    ]


def _tool(program: str, package: str) -> Finding:
    path = shutil.which(program)
    if path is None:
        sudo = "" if os.geteuid() == 0 else "sudo "
        return Finding(program, "missing", f"{sudo}apt-get install {package}")
    return Finding(program, f"{_version(path)}, {path}")


def _version(path: str) -> str:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not start"
    match = re.search(r"\d+(\.\d+)+", done.stdout)
    return match[0] if match else "version unknown"


def _compiler(layout: Layout) -> Finding:
    try:
        compiler = find_compiler(layout)
    except FlashLabError as error:
        return Finding("nvcc", str(error).partition("; run:")[0], "make setup")
    return Finding("nvcc", f"{compiler.release}, {compiler.nvcc}")


def _built(layout: Layout, path: Path) -> Finding:
    if path.exists():
        return Finding(path.name, layout.shown(path))
    return Finding(path.name, f"{layout.shown(path)} is missing", "make build")


def _sandbox() -> Finding:
    try:
        level = level_here()
    except FlashLabError as error:
        return Finding("sandbox", str(error))
    if level.startswith("bubblewrap"):
        return Finding("sandbox", level)
    lack = "see other processes" if level.startswith("landlock") else "read your files"
    return Finding(
        "sandbox",
        f"{level}: submissions can {lack}; fine for your own, not for those of others",
        "allow user namespaces and install bubblewrap",
        required=False,
    )


def _gpu(layout: Layout) -> Finding:
    gpu, runtime = probe_gpu(), find_nvidia_runtime(layout)
    if gpu.name is None:
        return Finding("GPU", f"none: {gpu.why_not}", required=False)
    if runtime is None:
        return Finding("GPU", f"{gpu.name}, but NVIDIA's {RUNTIME} is missing", "make setup", False)
    return Finding("GPU", f"{gpu.name}, {runtime / RUNTIME}")


def _device(layout: Layout) -> Finding:
    try:
        chosen = choose(layout, Device.AUTO)
    except FlashLabError:
        return Finding("device used", "none yet", "make build")
    words = "the virtual GPU" if chosen.kind is Device.VGPU else f"the GPU {probe_gpu().name}"
    return Finding("device used", f"{chosen.kind}: {words}")
