"""Times on a GPU and counts on the virtual GPU of the launches that the model of times is validated on.

    PYTHONPATH=grader python3 tools/record_times.py build FOLDER
    PYTHONPATH=grader python3 tools/record_times.py times FOLDER OUTPUT.json    (on a machine with a GPU and ncu)
    PYTHONPATH=grader python3 tools/record_times.py counts FOLDER OUTPUT.json   (needs a built build/)

tests/model/launches.toml names the calls. FOLDER gets their programs, which run on both devices. The
results belong in handouts/data/: times_h200.json and model_counts.json, which tools/validate_model.py compares.

A time is the median of gpu__time_duration, as Nsight Compute reports it, over REPEATS launches after one to warm up, at
the clocks that the GPU chooses: with L2 emptied before each launch (`seconds`), and with what earlier launches left in
it (`warm_seconds`).
"""

import csv
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.build import FLAGS
from flashlab.toolchain import find_compiler
from record_gpu import LAYOUT, built, compact_json, plain_name, profiler, provenance

LAUNCHES = LAYOUT.root / "tests/model/launches.toml"
DRIVER = LAYOUT.root / "tests/model/calls.cu"
MARKER = "next_call"  # the driver's launch before each call
REPEATS = 5
TIME = "gpu__time_duration.sum"  # ns
CLOCK = "smsp__cycles_elapsed.avg.per_second"
# What the hardware did, once for each launch: to see where a modelled time goes wrong, no part of it.
DETAILS = {
    "instructions": "smsp__inst_executed.sum",
    "shared_wavefronts": "l1tex__data_pipe_lsu_wavefronts_mem_shared.sum",
    "l1_wavefronts": "l1tex__data_pipe_lsu_wavefronts.sum",
    "l2_read_sectors": "lts__t_sectors_srcunit_tex_op_read.sum",
    "l2_write_sectors": "lts__t_sectors_srcunit_tex_op_write.sum",
    "dram_read_bytes": "dram__bytes_read.sum",
    "registers": "launch__registers_per_thread",
}


# Of the virtual GPU's records, what the model reads (grader/judge/model/work.cpp).
KEPT = (
    "kernel", "grid", "block", "shared_static_bytes", "shared_dynamic_bytes", "registers_per_thread",
    "warp_instructions", "warp_instructions_by_class", "largest_block_instructions", "branches", "barriers",
    "global_load_requests", "global_load_sectors", "global_load_bytes", "global_store_requests",
    "global_store_sectors", "global_store_bytes", "global_atomic_requests", "global_atomic_sectors",
    "local_load_requests", "local_load_sectors", "local_store_requests", "local_store_sectors",
    "shared_load_requests", "shared_load_wavefronts", "shared_store_wavefronts", "shared_atomic_wavefronts",
    "async_copy_bytes", "async_copy_shared_requests", "async_copy_shared_wavefronts", "compulsory_sectors",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call of a submission's entry point (shape of six numbers), or one run of a program (its size)."""

    source: str  # from the root
    entry: str  # "" for a program
    shape: str

    @property
    def name(self) -> str:
        """Names the call in the recorded files."""
        return " ".join(filter(None, (self.source, self.entry, self.shape)))

    @property
    def binary(self) -> str:
        """The name of its program or library."""
        stem = self.source.removesuffix(".cu").replace("/", "_")
        return stem + ".so" if self.entry else Path(self.source).stem


def six_numbers(shape: str) -> str:
    """A shape of lab 2, "rows columns" or "rows parts d", as B H Nq Nk d causal."""
    numbers = shape.split()
    if len(numbers) == 6:
        return shape
    return " ".join(["1", "1", *numbers[:2], *(numbers[2:] or ["1"]), "0"])


def calls() -> list[Call]:
    """All calls of launches.toml."""
    plan = tomllib.loads(LAUNCHES.read_text(encoding="utf-8"))
    found = []
    for item in plan["submission"]:
        files = (
            [item["file"]]
            if "file" in item
            else [f"{item['folder']}/{stem}.cu" for stem in item["files"]]
        )
        shapes = [shape for name in item["shapes"] for shape in plan["shapes"][name]]
        found += [
            Call(file, item["entry"], six_numbers(shape))
            for file, shape in itertools.product(files, shapes)
        ]
    for item in plan["program"]:
        found += [Call(item["file"], "", str(size)) for size in item["sizes"]]
    return found


def build(folder: Path, chosen: list[Call]) -> None:
    """Builds the driver, and each submission and program unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)

    def build_one(call: Call) -> None:
        if (folder / call.binary).exists():
            return
        source = LAYOUT.root / call.source
        if call.entry:
            words = [str(find_compiler(LAYOUT).nvcc), *FLAGS, f"-I{LAYOUT.headers}"]
            subprocess.run([*words, "-o", str(folder / call.binary), str(source)], check=True)
        else:
            built(source, folder)

    built(DRIVER, folder)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(build_one, {call.binary: call for call in chosen}.values()))


def commands(folder: Path, chosen: list[Call], repeats: int) -> list[tuple[list[Call], list[str]]]:
    """What to run, with the calls that each run makes: one run of the driver for all submissions, then the programs."""
    submissions = [call for call in chosen if call.entry]
    lines = [f"{folder / call.binary} {call.entry} {call.shape}\n" for call in submissions]
    (folder / "calls.txt").write_text("".join(lines), encoding="utf-8")
    driver = [str(folder / DRIVER.stem), str(folder / "calls.txt"), str(repeats)]
    programs = [call for call in chosen if not call.entry]
    return [
        (submissions, driver),
        *(([call], [str(folder / call.binary), call.shape, str(repeats)]) for call in programs),
    ]


def by_repeat(of_run: list[Call], rows: list[Any], names: list[str], repeats: int) -> list[Any]:
    """The rows of a run, one list for each call: of each repeat its launches. The driver's rows are told apart by its
    markers, a program's are one call's.
    """
    if of_run[0].entry == "":
        launches = len(rows) // repeats
        return [[rows[i : i + launches] for i in range(0, len(rows), launches)]]
    starts = [i for i, name in enumerate(names) if name == MARKER]
    parts = [rows[start + 1 : stop] for start, stop in itertools.pairwise(starts)]
    if len(parts) != len(of_run) * repeats:
        raise RuntimeError(f"{len(parts)} calls were seen, not {len(of_run)} times {repeats}")
    return [parts[i : i + repeats] for i in range(0, len(parts), repeats)]


def profiled(words: list[str], metrics: list[str], cache: str) -> list[dict[str, str]]:
    """Nsight Compute's rows of a run, in base units."""
    ncu = ["ncu", "--clock-control", "none", "--cache-control", cache, "--csv", "--page", "raw"]
    ncu += ["--print-units", "base", "--metrics", ",".join(metrics), *words]
    done = subprocess.run(ncu, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(ncu)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    table = done.stdout[done.stdout.index('"ID"') :]
    return list(csv.DictReader(io.StringIO(table)))[1:]  # the first row holds units


def number(row: dict[str, str], metric: str) -> float:
    """A value of a row."""
    return float(row[metric].replace(",", ""))


def measured(folder: Path, metrics: list[str], cache: str, repeats: int) -> dict[str, list[Any]]:
    """Of each call its launches, each a list of the rows of its repeats."""
    result = {}
    for of_run, words in commands(folder, calls(), repeats):
        rows = profiled(words, metrics, cache)
        names = [plain_name(row["Kernel Name"]) for row in rows]
        for call, repetitions in zip(of_run, by_repeat(of_run, rows, names, repeats), strict=True):
            result[call.name] = list(zip(*repetitions, strict=True))
        print(f"record_times: {Path(words[0]).name} {cache}: {len(rows)} launches", flush=True)
    return result


def sizes(row: dict[str, str], name: str) -> list[int]:
    """A grid or a block."""
    return [int(n) for n in row[name].strip("()").split(",")]


def record_times(folder: Path) -> dict[str, Any]:
    """Every launch of every call."""
    cold = measured(folder, [TIME, CLOCK], "all", REPEATS + 1)
    warm = measured(folder, [TIME], "none", REPEATS + 1)
    details = measured(folder, list(DETAILS.values()), "all", 1)

    def seconds(rows: list[dict[str, str]]) -> float:
        return statistics.median(number(row, TIME) for row in rows[1:]) * 1e-9

    return {
        "repeats": REPEATS,
        "profiler": profiler(),
        "metrics": {"seconds": TIME, "clock_hz": CLOCK, **DETAILS},
        "calls": {
            name: [
                {
                    "kernel": plain_name(rows[0]["Kernel Name"]),
                    "grid": sizes(rows[0], "Grid Size"),
                    "block": sizes(rows[0], "Block Size"),
                    "seconds": round(seconds(rows), 10),
                    "warm_seconds": round(seconds(warm_rows), 10),
                    "clock_hz": round(statistics.median(number(row, CLOCK) for row in rows[1:])),
                    **{key: round(number(of_hardware[0], m)) for key, m in DETAILS.items()},
                }
                for rows, warm_rows, of_hardware in zip(
                    launches, warm[name], details[name], strict=True
                )
            ]
            for name, launches in cold.items()
        },
    }


def record_counts(folder: Path, chosen: list[Call]) -> dict[str, Any]:
    """What the virtual GPU counted for every launch of each call."""
    result = {}
    vgpu = str(LAYOUT.root / "build/bin/vgpu")
    for of_run, words in commands(folder, chosen, 1):
        with tempfile.NamedTemporaryFile() as file:
            run = [vgpu, "run", "--counters", "json", "--output", file.name, *words]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
            records = json.load(file)
        for record in records:
            record["kernel"] = plain_name(record["kernel"])
        names = [record["kernel"] for record in records]
        for call, repetitions in zip(of_run, by_repeat(of_run, records, names, 1), strict=True):
            launches = [{key: record[key] for key in KEPT} for record in repetitions[0]]
            result[call.name] = launches
    return {"calls": result}


def main() -> int:
    """Runs one recording and writes it."""
    what, *rest = sys.argv[1:] or [""]
    if what == "build" and len(rest) == 1:
        build(Path(rest[0]).resolve(), calls())
        return 0
    if what not in ("times", "counts") or len(rest) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(rest[0]).resolve()
    build(folder, calls())
    document = (
        {"provenance": provenance(), **record_times(folder)}
        if what == "times"
        else record_counts(folder, calls())
    )
    Path(rest[1]).write_text(compact_json(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
