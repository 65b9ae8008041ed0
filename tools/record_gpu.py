"""Records what a real GPU says, for tests that run without one.

    PYTHONPATH=grader python3 tools/record_gpu.py {counters,suite,resources,differential,verdicts} OUTPUT.json

counters   Nsight Compute's counters of every launch of the programs in PROGRAMS (needs nvcc and ncu). The virtual
           GPU must count the same: tests/vgpu/programs/test_known_counts.py.
suite      the same and more counters of every launch of tests/vgpu/counters, compared by its test (needs nvcc and ncu).
resources  registers, local memory and occupancy of every kernel of tests/vgpu/resources, from the runtime and from
           Nsight Compute, compared by its tests (needs nvcc and ncu).
differential  results of every operation of tests/vgpu/differential, compared by its test (needs nvcc).
verdicts   the judge's verdicts on lab 1's solution, its stub and every kernel of the corpus, with equal inputs on the
           GPU and on the virtual GPU (needs nvcc and a built build/).

Run on a machine with a GPU from the repository's root. The results belong in handouts/data/.
"""

import csv
import datetime
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flashlab.build import FLAGS
from flashlab.device import Device, choose
from flashlab.judge import Request, run_judge
from flashlab.labs import find
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

LAYOUT = Layout.of_this_package()

# Our names of counters and Nsight Compute's.
METRICS = {
    "global_load_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum",
    "global_load_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",
    "global_load_bytes": "smsp__sass_data_bytes_mem_global_op_ld.sum",
    "global_store_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum",
    "global_store_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum",
    "global_store_bytes": "smsp__sass_data_bytes_mem_global_op_st.sum",
    "shared_load_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "shared_store_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
    "async_copy_bytes": "smsp__sass_data_bytes_mem_global_op_ldgsts.sum",
    "async_copy_shared_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ldgsts.sum",
}
# Those of the suite besides: its kernels hold single accesses, which ptxas cannot merge.
SUITE_METRICS = METRICS | {
    "shared_load_wavefronts": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared_store_wavefronts": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "global_red_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_red.sum",
    "global_red_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_red.sum",
    "global_atom_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_atom.sum",
    "global_atom_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_atom.sum",
    "shared_atomic_requests": "smsp__inst_executed_op_shared_atom.sum",
    "local_load_requests": "l1tex__t_requests_pipe_lsu_mem_local_op_ld.sum",
    "local_load_sectors": "l1tex__t_sectors_pipe_lsu_mem_local_op_ld.sum",
    "local_store_requests": "l1tex__t_requests_pipe_lsu_mem_local_op_st.sum",
    "local_store_sectors": "l1tex__t_sectors_pipe_lsu_mem_local_op_st.sum",
}
# Of tests/vgpu/resources: what a launch of one block of 96 threads got, and how many blocks each resource allows.
RESOURCE_METRICS = {
    "registers": "launch__registers_per_thread",
    "shared_allocated_bytes": "launch__shared_mem_per_block_allocated",
    "shared_of_multiprocessor_bytes": "launch__shared_mem_config_size",
    "blocks_by_registers": "launch__occupancy_limit_registers",
    "blocks_by_shared_memory": "launch__occupancy_limit_shared_mem",
    "blocks_by_warps": "launch__occupancy_limit_warps",
    "blocks_by_blocks": "launch__occupancy_limit_blocks",
}
PROGRAMS = [
    ("flash_one_thread_per_row", ["1024"]),
    ("naive_attention", ["130"]),
    ("lab1_launches", []),
    ("cp_async", []),
    ("ldmatrix", []),
    ("mma_sync", []),
    ("wmma_gemm", []),
    ("bf16_gemm", ["512"]),
]
ONLY_PTX = ("-arch=compute_80", "-code=compute_80")
SEED = 1  # of the inputs in `verdicts`


def provenance() -> dict[str, str]:
    """The device, its driver, the toolkit, the date and the command of this run."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    name, driver = subprocess.run(query, check=True, capture_output=True, text=True).stdout.split(
        ", "
    )
    return {
        "device": name,
        "driver": driver.strip(),
        "compiler": find_compiler(LAYOUT).version,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": "tools/" + " ".join(Path(word).name for word in sys.argv),
    }


def source_of(program: str) -> Path:
    """The .cu of a test program or benchmark."""
    folders = [LAYOUT.root / "tests/vgpu/programs", LAYOUT.root / "tests/bench"]
    return next(path for folder in folders if (path := folder / f"{program}.cu").exists())


def built(source: Path, folder: Path, target: Sequence[str] = ONLY_PTX) -> Path:
    """A test program, built as its CMakeLists.txt does; generated files are looked for in `folder`."""
    compiler = find_compiler(LAYOUT)
    binary = folder / source.stem
    words = [str(compiler.nvcc), "-std=c++20", "-cudart", "shared", *target, "-lineinfo", "-O3"]
    words += [f"-I{LAYOUT.headers}", f"-I{folder}"]
    subprocess.run([*words, "-o", str(binary), str(source)], check=True)
    return binary


def profiled(words: list[str], metrics: dict[str, str]) -> list[tuple[dict[str, str], list[int]]]:
    """Nsight Compute's row and the values of `metrics` for each launch of a program."""
    ncu = ["ncu", "--clock-control", "none", "--csv", "--page", "raw", "--print-units", "base"]
    ncu += ["--metrics", ",".join(metrics.values()), *words]
    text = subprocess.run(ncu, check=True, capture_output=True, text=True).stdout
    table = text[text.index('"ID"') :]
    rows = list(csv.DictReader(io.StringIO(table)))[1:]  # the first row holds units
    return [(row, [int(row[name].replace(",", "")) for name in metrics.values()]) for row in rows]


def plain_name(kernel: str) -> str:
    """A kernel's name without types, template arguments and parameters."""
    return re.split(r"[\s:]+", kernel.partition("<")[0].partition("(")[0].strip())[-1]


def counted_launches(program: str, arguments: list[str], folder: Path) -> list[dict[str, Any]]:
    """Builds a program and reads its counters launch by launch."""
    binary = built(source_of(program), folder)
    return [
        {
            "kernel": plain_name(row["Kernel Name"]),
            "grid": [int(n) for n in row["Grid Size"].strip("()").split(",")],
            "block": [int(n) for n in row["Block Size"].strip("()").split(",")],
            **dict(zip(METRICS, values, strict=True)),
        }
        for row, values in profiled([str(binary), *arguments], METRICS)
    ]


def record_counters() -> dict[str, Any]:
    """Every program's launches."""
    with tempfile.TemporaryDirectory() as folder:
        programs = [
            {
                "program": program,
                "arguments": arguments,
                "launches": counted_launches(program, arguments, Path(folder)),
            }
            for program, arguments in PROGRAMS
        ]
    return {"profiler": profiler(), "metrics": METRICS, "programs": programs}


def profiler() -> str:
    """Nsight Compute's version."""
    version = subprocess.run(["ncu", "--version"], check=True, capture_output=True, text=True)
    return version.stdout.strip().splitlines()[-1]


def record_suite() -> dict[str, Any]:
    """The counter suite: one row of values, in the order of the metrics, for each launch's label."""
    with tempfile.TemporaryDirectory() as folder:
        suite = LAYOUT.root / "tests/vgpu/counters/counter_suite.cu"
        binary = str(built(suite, Path(folder)))
        listed = subprocess.run([binary, "--list"], check=True, capture_output=True, text=True)
        rows = profiled([binary], SUITE_METRICS)
        values = [values for _, values in rows]
        launches = dict(zip(listed.stdout.splitlines(), values, strict=True))
    return {"profiler": profiler(), "metrics": SUITE_METRICS, "launches": launches}


def record_resources() -> dict[str, Any]:
    """What the runtime says of each kernel, assembled by nvcc's ptxas, and what Nsight Compute says of its launch."""
    with tempfile.TemporaryDirectory() as folder:
        source = LAYOUT.root / "tests/vgpu/resources/resources.cu"
        binary = str(built(source, Path(folder), target=["-arch=sm_90"]))
        lines = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
        launches = profiled([binary, "launch"], RESOURCE_METRICS)
    kernels = [json.loads(line) for line in lines.splitlines()]
    for kernel, (_, values) in zip(kernels, launches, strict=True):
        kernel["launch"] = dict(zip(RESOURCE_METRICS, values, strict=True))
    return {"profiler": profiler(), "metrics": RESOURCE_METRICS, "kernels": kernels}


def record_differential() -> dict[str, Any]:
    """Every operation: the hash of its results, or the errors of an approximation."""
    tests = LAYOUT.root / "tests/vgpu/differential"
    with tempfile.TemporaryDirectory() as folder:
        kernels = Path(folder) / "operations.inc"
        subprocess.run([sys.executable, str(tests / "operations.py"), str(kernels)], check=True)
        binary = built(tests / "differential.cu", Path(folder))
        lines = subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
    operations = [json.loads(line) for line in lines.splitlines()]
    return {"operations": {operation.pop("name"): operation for operation in operations}}


def judged(name: str, library: Path, device: Device) -> dict[str, Any]:
    """Score and status of each case that `device` grades, and the first line of each failure."""
    request = Request(find(LAYOUT, "lab1"), library, choose(LAYOUT, device), seed=SEED)
    document = run_judge(LAYOUT, request, lambda event: None).document
    return {
        "submission": name,
        "score": document["score"],
        "max_score": document["max_score"],
        "cases": {case["name"]: case["status"] for case in document["cases"] if case["max_points"]},
        "messages": {
            case["name"]: case["message"].splitlines()[0]
            for case in document["cases"]
            if case["status"] == "failed"
        },
    }


def record_verdicts() -> dict[str, Any]:
    """Solution, stub and corpus on both devices."""
    compiler = find_compiler(LAYOUT)
    corpus = LAYOUT.root / "tests/corpus/lab1"
    sources = {
        "solution": LAYOUT.solutions / "lab1_naive/naive_attention.cu",
        "stub": LAYOUT.labs / "lab1_naive/naive_attention.cu",
    }
    for entry in tomllib.loads((corpus / "manifest.toml").read_text(encoding="utf-8"))["kernel"]:
        sources[f"{entry['kind']}/{Path(entry['file']).stem}"] = corpus / entry["file"]
    submissions = []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in sources.items():
            library = Path(folder) / f"{source.parent.name}_{source.stem}.so"
            words = [str(compiler.nvcc), *FLAGS, f"-I{LAYOUT.headers}"]
            subprocess.run([*words, "-o", str(library), str(source)], check=True)
            virtual = judged(name, library, Device.VGPU)
            real = judged(name, library, Device.CUDA)
            differs = sorted(c for c, s in real["cases"].items() if virtual["cases"][c] != s)
            print(
                f"{name}: {virtual['score']} on vgpu, {real['score']} on cuda; {differs or 'equal'}"
            )
            submissions.append({"vgpu": virtual, "cuda": real, "differs": differs})
    return {"seed": SEED, "submissions": submissions}


def compact_json(document: dict[str, Any]) -> str:
    """A document as text; a list or object without others in it stays on one line."""
    text = json.dumps(document, indent=1)
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda part: " ".join(part[0].split()), text) + "\n"


def main() -> int:
    """Runs one recording and writes it."""
    recordings = {
        "counters": record_counters,
        "suite": record_suite,
        "resources": record_resources,
        "differential": record_differential,
        "verdicts": record_verdicts,
    }
    if len(sys.argv) != 3 or sys.argv[1] not in recordings:
        print(__doc__, file=sys.stderr)
        return 2
    for tool in ("nvidia-smi", "ncu"):
        if shutil.which(tool) is None:
            print(
                f"record_gpu: {tool} is not on PATH; this needs a machine with a GPU",
                file=sys.stderr,
            )
            return 2
    document = {"provenance": provenance(), **recordings[sys.argv[1]]()}
    Path(sys.argv[2]).write_text(compact_json(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
