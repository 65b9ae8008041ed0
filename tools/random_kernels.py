"""Random kernels (tests/vgpu/random) on a GPU and on the virtual GPU: the same results, bit by bit.

    PYTHONPATH=grader python3 tools/random_kernels.py record OUTPUT.json    on a machine with a GPU and nvcc
    PYTHONPATH=grader .venv/bin/python tools/random_kernels.py check        all recorded kernels on the virtual GPU
    PYTHONPATH=grader .venv/bin/python tools/random_kernels.py agree FIRST COUNT    kernels that nobody recorded:
                  optimised and not optimised, with both instruction sets, on the virtual GPU

The last two end with exit code 1 when kernels differ, and name them: `tests/vgpu/random/generate.py 42 1 k.cu` writes
the one that is called k00042.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

ROOT = Layout.of_this_package().root
SOURCES = ROOT / "tests/vgpu/random"
RECORD = ROOT / "handouts/data/random_h200.json"
RECORDED = 2400  # kernels
PER_PROGRAM = 50
FLAGS = ["-std=c++17", "-fmad=false", "-cudart", "shared", f"-I{SOURCES}"]
PTX = ["-arch=compute_80", "-code=compute_80"]
NATIVE = ["-gencode", "arch=compute_80,code=sm_90"]  # of the same PTX
# ptxas's optimiser changes what a few kernels compute with half precision; without it the GPU does what PTX says.
FAITHFUL = [*NATIVE, "-Xptxas", "-O0"]
UNOPTIMISED = ["-Xcicc", "-O0"]

Hashes = dict[str, list[str]]


def write_program(folder: Path, first: int, count: int = PER_PROGRAM) -> Path:
    """The source of a program with the kernels first ... first + count - 1."""
    source = folder / f"random_{first}.cu"
    words = [sys.executable, str(SOURCES / "generate.py"), str(first), str(count), str(source)]
    subprocess.run(words, check=True)
    return source


def build(source: Path, flags: list[str], name: str = "") -> Path:
    """The program of a source."""
    binary = source.with_suffix(name or ".bin")
    words = [str(find_compiler(Layout(ROOT)).nvcc), *FLAGS, *flags, "-o", str(binary), str(source)]
    subprocess.run(words, check=True, capture_output=True, text=True)
    return binary


def run(words: list[str], **environment: str) -> Hashes:
    """What a program prints: the hashes of each kernel, one for each launch."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=600, env={**os.environ, **environment}
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}: {done.stderr[-800:]}")
    return {name: hashes for name, *hashes in map(str.split, done.stdout.splitlines())}


def on_virtual_gpu(binary: Path, **environment: str) -> Hashes:
    """The hashes that the virtual GPU computes."""
    return run([str(ROOT / "build/bin/vgpu"), "run", str(binary)], **environment)


def differing(got: Hashes, want: Hashes) -> list[str]:
    """The kernels whose hashes differ, or that one side lacks."""
    return sorted(name for name in got.keys() | want.keys() if got.get(name) != want.get(name))


def digest_of(source: Path) -> str:
    """Of the generated source and of the header that it includes: a record is about this text and no other."""
    text = source.read_bytes() + (SOURCES / "random.cuh").read_bytes()
    return hashlib.sha256(text).hexdigest()


def compared_with_record(folder: Path, recorded: dict[str, Any]) -> list[str]:
    """Runs one recorded program on the virtual GPU. Returns the kernels that differ.

    Where ptxas's optimiser made a difference, the GPU's results without it are compared.
    """
    source = write_program(folder, recorded["first"], recorded["count"])
    if digest_of(source) != recorded["source"]:
        raise RuntimeError("the generator has changed since the record was made: record again")
    want = recorded["kernels"] | recorded["without_ptxas_optimiser"]
    return differing(on_virtual_gpu(build(source, PTX)), want)


def disagreeing(folder: Path, first: int, count: int) -> list[str]:
    """Kernels with and without optimisation, run with each instruction set: those that differ."""
    source = write_program(folder, first, count)
    optimised, plain = build(source, PTX), build(source, PTX + UNOPTIMISED, ".plain")
    want = on_virtual_gpu(optimised, VGPU_ISA="baseline")
    if len(want) != count:
        raise RuntimeError(f"{len(want)} of {count} kernels have run")
    others = (
        on_virtual_gpu(optimised),
        on_virtual_gpu(plain),
        on_virtual_gpu(plain, VGPU_ISA="baseline"),
    )
    return sorted({name for other in others for name in differing(other, want)})


def record(output: Path) -> None:
    """Builds and runs RECORDED kernels on the GPU of this machine."""
    from record_gpu import compact_json, provenance

    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        firsts = range(0, RECORDED, PER_PROGRAM)
        sources = list(pool.map(partial(write_program, Path(name)), firsts))
        optimised = list(pool.map(lambda source: build(source, NATIVE), sources))
        faithful = list(pool.map(lambda source: build(source, FAITHFUL, ".faithful"), sources))
        programs = []
        for first, source, *binaries in zip(firsts, sources, optimised, faithful, strict=True):
            kernels, plain = (run([str(binary)]) for binary in binaries)
            programs.append(
                {
                    "first": first,
                    "count": PER_PROGRAM,
                    "source": digest_of(source),
                    "kernels": kernels,
                    "without_ptxas_optimiser": {k: plain[k] for k in differing(plain, kernels)},
                }
            )
        generator = sources[0].read_text(encoding="utf-8").splitlines()[0].removeprefix("// ")
    document = {"provenance": provenance(), "generator": generator, "programs": programs}
    output.write_text(compact_json(document), encoding="utf-8")


def check() -> int:
    """All recorded kernels, and how many differ."""
    programs = json.loads(RECORD.read_text(encoding="utf-8"))["programs"]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        lists = pool.map(partial(compared_with_record, Path(name)), programs)
        wrong = [kernel for found in lists for kernel in found]
    total = sum(program["count"] for program in programs)
    changed = sum(len(program["without_ptxas_optimiser"]) for program in programs)
    print(
        f"{total - len(wrong)} of {total} kernels equal the record,"
        f" {changed} of them as the GPU computes without ptxas's optimiser",
        *wrong,
    )
    return 1 if wrong else 0


def agree(first: int, count: int) -> int:
    """Kernels that nobody recorded."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for start in range(first, first + count, PER_PROGRAM):
            size = min(PER_PROGRAM, first + count - start)
            wrong += disagreeing(Path(name), start, size)
            print(f"{start + size - first} kernels, {len(wrong)} disagree", *wrong, flush=True)
    return 1 if wrong else 0


def main() -> int:
    match sys.argv[1:]:
        case ["record", output]:
            record(Path(output))
            return 0
        case ["check"]:
            return check()
        case ["agree", first, count]:
            return agree(int(first), int(count))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
