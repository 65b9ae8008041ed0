"""Records what a real GPU says, for tests that run without one.

    PYTHONPATH=grader python3 tools/record_gpu.py WHAT OUTPUT.json

counters   Nsight Compute's counters of every launch of the programs in PROGRAMS (needs nvcc and ncu). The virtual
           GPU must count the same: tests/vgpu/programs/test_known_counts.py.
labs       the same, and those of atomics, of the staff kernels in LAB_PROGRAMS.
suite      the same and more counters of every launch of tests/vgpu/counters, compared by its test (needs nvcc and ncu).
atomics    sectors of each launch of tests/vgpu/counters/random_atomics.cu, compared by its test (needs nvcc and ncu).
copies     conflicts of each launch of tests/vgpu/counters/random_copies.cu, compared by its test (needs nvcc and ncu).
resources  registers, local memory and occupancy of every kernel of tests/vgpu/resources, from the runtime and from
           Nsight Compute, compared by its tests (needs nvcc and ncu).
differential  results of every operation of tests/vgpu/differential, compared by its test (needs nvcc).
labN       the judge's verdicts on lab N's solution, tuned solution, stub and every kernel of its corpus, with the
           inputs of tests/corpus/test_corpus.py (needs nvcc and a built build/). tests/corpus/test_gpu_verdicts.py
           compares them with the manifest.

Run on a machine with a GPU from the repository's root. The results belong in handouts/data/.
"""

import csv
import datetime
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from flashlab.build import FLAGS
from flashlab.device import Device, choose
from flashlab.errors import UsageError
from flashlab.judge import Request, run_judge
from flashlab.labs import Lab, discover
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
# Those of the labs besides: atomics, for lab 5 adds to dQ; and what the addresses of each instruction make of an access
# to shared memory. The counters of conflicts in METRICS have also clocks that accesses of several warps wait for one
# another, other ones in each run.
LAB_METRICS = METRICS | {
    "shared_load_wavefronts": "smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared_store_wavefronts": "smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "async_copy_shared_conflicts": "smsp__sass_l1tex_data_bank_conflicts_pipe_lsu_mem_shared_op_ldgsts.sum",
    "global_red_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_red.sum",
    "global_red_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_red.sum",
    "global_red_bytes": "smsp__sass_data_bytes_mem_global_op_red.sum",
    "global_atom_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_atom.sum",
    "global_atom_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_atom.sum",
    "global_atom_bytes": "smsp__sass_data_bytes_mem_global_op_atom.sum",
}
# Of tests/vgpu/counters/random_*.cu. A launch has either kind of sector.
ATOMICS_METRICS = {key: SUITE_METRICS[key] for key in ("global_red_sectors", "global_atom_sectors")}
COPIES_METRICS = {
    "async_copy_shared_conflicts": SUITE_METRICS["async_copy_shared_conflicts"],
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
    ("cp_async", []),
    ("ldmatrix", []),
    ("mma_sync", []),
    ("wmma_gemm", []),
    ("bf16_gemm", ["512"]),
]
LAB_PROGRAMS: list[tuple[str, list[str]]] = [
    ("lab1_launches", []),
    ("lab3_launches", []),
    ("lab4_launches", []),
    ("lab4_tuned_launches", []),
    ("lab5_launches", []),
    ("lab5_tuned_launches", []),
]
ONLY_PTX = ("-arch=compute_80", "-code=compute_80")
SEED = 1  # of the inputs in the verdicts
JUDGES = 8  # at once: the judge gives a case seconds, and the GPU serves one process at a time


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


def counted_launches(
    program: str, arguments: list[str], metrics: dict[str, str], folder: Path
) -> list[dict[str, Any]]:
    """Builds a program and reads its counters launch by launch."""
    binary = built(source_of(program), folder)
    return [
        {
            "kernel": plain_name(row["Kernel Name"]),
            "grid": [int(n) for n in row["Grid Size"].strip("()").split(",")],
            "block": [int(n) for n in row["Block Size"].strip("()").split(",")],
            **dict(zip(metrics, values, strict=True)),
        }
        for row, values in profiled([str(binary), *arguments], metrics)
    ]


def record_counters(chosen: list[tuple[str, list[str]]], metrics: dict[str, str]) -> dict[str, Any]:
    """The launches of the `chosen` programs, each given with its arguments."""
    with tempfile.TemporaryDirectory() as folder:
        programs = [
            {
                "program": program,
                "arguments": arguments,
                "launches": counted_launches(program, arguments, metrics, Path(folder)),
            }
            for program, arguments in chosen
        ]
    return {"profiler": profiler(), "metrics": metrics, "programs": programs}


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


def record_random(program: str, metrics: dict[str, str]) -> dict[str, Any]:
    """The sum of the metrics for each launch of a program of random requests, under the launch's label."""
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = LAYOUT.root / f"tests/vgpu/counters/{program}.cu"
        binary = str(built(source, Path(folder)))
        listed = subprocess.run([binary, "--list"], check=True, capture_output=True, text=True)
        rows = profiled([binary], metrics)
        for label, (_, values) in zip(listed.stdout.splitlines(), rows, strict=True):
            counts.setdefault(label, []).append(sum(values))
    return {"profiler": profiler(), "metrics": metrics, "counts": counts}


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


def submissions_of(lab: Lab) -> dict[str, Path]:
    """The sources to judge, by name: the staff's, the stub, and the corpus where there is one."""
    solution = lab.solution(LAYOUT)
    sources = {"solution": solution, "stub": lab.stub}
    tuned = solution.parent / "tuned" / solution.name
    if tuned.exists():
        sources["tuned"] = tuned
    manifest = LAYOUT.root / "tests/corpus" / lab.short / "manifest.toml"
    if manifest.exists():
        for entry in tomllib.loads(manifest.read_text(encoding="utf-8"))["kernel"]:
            name = f"{entry['kind']}/{Path(entry['file']).stem}"
            sources[name] = manifest.parent / entry["file"]
    return sources


def built_submission(folder: Path, name: str, source: Path) -> Path:
    """A submission's shared library, with the flags of `flashlab grade`."""
    library = folder / f"{name.replace('/', '_')}.so"
    words = [str(find_compiler(LAYOUT).nvcc), *FLAGS, f"-I{LAYOUT.headers}"]
    subprocess.run([*words, "-o", str(library), str(source)], check=True)
    return library


def judged(lab: Lab, device: Device, library: Path) -> dict[str, Any]:
    """Score, the first line about each case that failed, and the cases that were skipped though the device could
    grade them; all without the cases for speed, which tools/record_timing.py records."""
    request = Request(lab, library, choose(LAYOUT, device), seed=SEED)
    verdict = run_judge(LAYOUT, request, lambda event: None)
    if isinstance(verdict.problem, UsageError):  # a case that the grader could not judge
        raise verdict.problem
    document = verdict.document
    graded = [case for case in document["cases"] if case["max_points"] and case["group"] != "speed"]
    return {
        "score": sum(case["points"] for case in graded),
        "max_score": sum(case["max_points"] for case in graded),
        "graded": [case["name"] for case in graded],
        "failed": {
            case["name"]: case["message"].splitlines()[0]
            for case in graded
            if case["status"] == "failed"
        },
        "skipped": [case["name"] for case in graded if case["status"] == "skipped"],
    }


def record_verdicts(lab: Lab, device: Device = Device.CUDA) -> dict[str, Any]:
    """Builds and judges every submission of a lab."""
    sources = submissions_of(lab)
    with tempfile.TemporaryDirectory() as folder:
        build = partial(built_submission, Path(folder))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            libraries = list(pool.map(build, sources.keys(), sources.values()))
        with ThreadPoolExecutor(JUDGES) as pool:
            verdicts = dict(
                zip(sources, pool.map(partial(judged, lab, device), libraries), strict=True)
            )
    graded = verdicts["solution"]["graded"]
    for name, verdict in verdicts.items():
        if verdict.pop("graded") != graded:
            raise RuntimeError(f"{lab.short}: {name} was not graded on the solution's cases")
        print(f"{lab.short} {name}: {verdict['score']} of {verdict['max_score']}", flush=True)
    return {"seed": SEED, "graded": graded, "submissions": verdicts}


def compact_json(document: dict[str, Any]) -> str:
    """A document as text; a list or object without others in it stays on one line."""
    text = json.dumps(document, indent=1)
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda part: " ".join(part[0].split()), text) + "\n"


def main() -> int:
    """Runs one recording and writes it."""
    recordings: dict[str, Callable[[], dict[str, Any]]] = {
        "counters": partial(record_counters, PROGRAMS, METRICS),
        "labs": partial(record_counters, LAB_PROGRAMS, LAB_METRICS),
        "suite": record_suite,
        "atomics": partial(record_random, "random_atomics", ATOMICS_METRICS),
        "copies": partial(record_random, "random_copies", COPIES_METRICS),
        "resources": record_resources,
        "differential": record_differential,
        **{lab.short: partial(record_verdicts, lab) for lab in discover(LAYOUT)},
    }
    if len(sys.argv) != 3 or sys.argv[1] not in recordings:
        print(f"{__doc__}\nWHAT is one of {', '.join(recordings)}.", file=sys.stderr)
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
