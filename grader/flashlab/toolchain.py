"""Finds the CUDA compiler and NVIDIA's runtime library."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.layout import Layout

MINIMUM_RELEASE = 13
RUNTIME = "libcudart.so.13"
WHEEL_FOLDER = ".venv/lib/python3*/site-packages/nvidia/cu13"


@dataclass(frozen=True)
class Compiler:
    """An nvcc of release 13 or newer; `version` is its build line with that of the host compiler it calls.
    `root` is the toolkit's folder, which holds bin, include and the libraries.
    """

    nvcc: Path
    root: Path
    release: str
    version: str


def find_compiler(layout: Layout) -> Compiler:
    """The first nvcc >= 13 of PATH, the project's .venv and /usr/local/cuda."""
    seen = []
    for nvcc in _candidates(layout):
        text = _output([str(nvcc), "--version"])
        match = re.search(r"release (\d+)(\.\d+)", text)
        if match and int(match[1]) >= MINIMUM_RELEASE:
            host = (_output(["g++", "--version"]).splitlines() or ["no g++"])[0]
            build = re.search(r"V[\d.]+", text)
            version = f"nvcc {build[0] if build else match[1]}, {host}"
            return Compiler(nvcc, _toolkit(nvcc), match[1] + match[2], version)
        seen.append(f"{nvcc} is {'release ' + match[1] + match[2] if match else 'no nvcc'}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise UsageError(f"no nvcc of release {MINIMUM_RELEASE} or newer{found}; run: make setup")


def find_nvidia_runtime(layout: Layout) -> Path | None:
    """The folder of NVIDIA's own libcudart.so.13, or None."""
    folders = []
    for nvcc in _candidates(layout):
        folders += [_toolkit(nvcc) / "lib64", _toolkit(nvcc) / "lib"]
    folders += [Path("/usr/local/cuda/lib64"), Path("/usr/lib/x86_64-linux-gnu")]
    folders += sorted((layout.root).glob(f"{WHEEL_FOLDER}/lib"))
    return next((folder for folder in folders if (folder / RUNTIME).exists()), None)


@cache
def find_ptxas(layout: Layout) -> Path | None:
    """The assembler of the first toolkit that has one, or None."""
    programs = [_toolkit(nvcc) / "bin/ptxas" for nvcc in _candidates(layout)]
    return next((program for program in programs if os.access(program, os.X_OK)), None)


def _candidates(layout: Layout) -> list[Path]:
    on_path = shutil.which("nvcc")
    paths = [Path(on_path)] if on_path else []
    paths += sorted(layout.root.glob(f"{WHEEL_FOLDER}/bin/nvcc"))
    paths.append(Path("/usr/local/cuda/bin/nvcc"))
    return [path.resolve() for path in paths if os.access(path, os.X_OK)]


def _toolkit(nvcc: Path) -> Path:
    """Where nvcc says that its toolkit is; the one on PATH may be a wrapper that lies elsewhere."""
    words = [str(nvcc), "--dryrun", "-x", "cu", "-c", os.devnull]
    match = re.search(r"\bTOP=(.+)", _output(words))
    return Path(match[1]).resolve() if match else nvcc.parent.parent


def _output(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
