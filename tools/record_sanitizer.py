"""Records what compute-sanitizer says about the programs of tests/vgpu/checks.

    PYTHONPATH=grader python3 tools/record_sanitizer.py handouts/data/sanitizer_h200.json

Run on a machine with a GPU, nvcc and compute-sanitizer, from the repository's root. Each case runs alone, once by
itself and once under each tool, with a time limit: some mistakes are deadlocks. tools/sanitizer_tables.py makes the
tables in the READMEs from the record.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import check_suites
from check_suites import Case
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler
from record_gpu import compact_json, provenance

# With these a tool finds the most.
OPTIONS = {
    "memcheck": ["--leak-check", "full", "--padding", "4096"],
    "racecheck": [
        *("--racecheck-report", "all", "--racecheck-detect-level", "info", "--print-level", "info"),
        *("--racecheck-deadlock-timeout", "5000"),
    ],
    "initcheck": [],
    "synccheck": [],
}
COMMON = ["--error-exitcode", "1", "--print-limit", "0", "--max-connections", "100"]
SECONDS = 15  # for one run
# What a tool prints about itself and about the program's exit code.
NO_REPORT = re.compile(r"COMPUTE-SANITIZER|[A-Z ]+ SUMMARY|Target application returned an error")


def run(words: list[str]) -> tuple[int | None, str]:
    """Exit code and output of a command; the code is None when it did not end in time."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output,
        subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        code: int | None = None
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the tool and the program it runs
        output.seek(0)
        return code, output.read()


def findings(output: str) -> dict[str, list[str]]:
    """The different reports of a tool, without addresses, and the source lines that they name."""
    lines = re.findall(r"^========= (\S.*)$", output, re.MULTILINE)
    reports = [re.split(r" at |\+0x| 0x", line)[0] for line in lines if not NO_REPORT.match(line)]
    places = re.findall(r"^=========.* in ([\w.]+:\d+)$", output, re.MULTILINE)
    return {"says": list(dict.fromkeys(reports)), "at": list(dict.fromkeys(places))}


def alone(words: list[str]) -> str:
    """How a case ends without a tool: with the hash of its results, a CUDA error, or not at all."""
    code, output = run(words)
    if code is None:
        return "does not end"
    last = output.strip().splitlines()[-1:] or [f"exit code {code}"]
    return last[0].rpartition(" ")[2] if code == 0 else last[0]


def recorded(case: Case, binaries: Path) -> dict[str, Any]:
    """What happens to a case alone, and what each tool that has something to say says about it."""
    words = [str(binaries / case.program), case.name]
    tools: dict[str, dict[str, list[str]]] = {}
    for tool, options in OPTIONS.items():
        code, output = run(["compute-sanitizer", "--tool", tool, *options, *COMMON, *words])
        found = findings(output)
        if code is None:
            found["says"].append("does not end")
        if found["says"]:
            tools[tool] = found
    return {"program": case.program, "name": case.name, "alone": alone(words), "tools": tools}


def build(program: str, binaries: Path) -> None:
    """A program as people build it for a debugging tool."""
    binary = binaries / program
    binary.parent.mkdir(parents=True, exist_ok=True)
    nvcc = str(find_compiler(Layout.of_this_package()).nvcc)
    source = check_suites.FOLDER / f"{program}.cu"
    words = [nvcc, "-std=c++20", "-arch=sm_90", "-lineinfo", "-o", str(binary), str(source)]
    subprocess.run(words, check=True)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases = check_suites.seeded() + check_suites.clean()
    version = subprocess.run(
        ["compute-sanitizer", "--version"], check=True, capture_output=True, text=True
    )
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(12) as pool:
        binaries = Path(folder)
        list(pool.map(lambda program: build(program, binaries), {case.program for case in cases}))
        records = list(pool.map(lambda case: recorded(case, binaries), cases))
    document = {
        "provenance": provenance(),
        "sanitizer": version.stdout.strip().splitlines()[-1],
        "options": {tool: [*options, *COMMON] for tool, options in OPTIONS.items()},
        "cases": records,
    }
    Path(sys.argv[1]).write_text(compact_json(document), encoding="utf-8")


if __name__ == "__main__":
    main()
