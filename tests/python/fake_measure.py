"""Stands in for flashlab-measure: same command line, same records, `plan.json` beside it says how to behave.

Every call adds a line to calls.txt: the submission's text and the shape. The plan's keys: sleep (seconds per point),
seconds_per_work (what a record claims to have taken), exit, stderr, status (of every record), fields (of every record).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--lab", "--submission", "--worker", "--runtime-dir", "--device", "--shapes"):
        parser.add_argument(option, required=True, type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--launcher", action="append", default=[])
    parser.add_argument("--gpu", action="append", default=[])
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(_glue_launcher(sys.argv[1:]))
    here = Path(__file__).parent
    plan = json.loads((here / "plan.json").read_text())
    print(plan.get("stderr", ""), file=sys.stderr)
    if plan.get("exit"):
        return plan["exit"]
    source = options.submission.read_text()
    for shape in json.loads(options.shapes.read_text()):
        record = _record(options, plan, source, shape)
        _note(here / "calls.txt", f"{hash_of(source)} {json.dumps(record['shape'])}\n")
        time.sleep(plan.get("sleep", 0))
        if options.output is not None:
            with options.output.open("a") as file:
                file.write(json.dumps(record) + "\n")
        print(json.dumps({"event": "measured", **record}), flush=True)
    return 0


def _note(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, text.encode())
    os.close(handle)


def hash_of(source: str) -> int:
    """A small number that tells sources apart and is the same in every process."""
    return sum((place + 1) * ord(letter) for place, letter in enumerate(source)) % 1_000_003


def _glue_launcher(words: list[str]) -> list[str]:
    """argparse takes a value that starts with dashes only in the form --launcher=VALUE."""
    glued = []
    rest = iter(words)
    for word in rest:
        glued.append(f"--launcher={next(rest)}" if word == "--launcher" else word)
    return glued


def _record(options: argparse.Namespace, plan: dict, source: str, shape: dict) -> dict:
    sizes = {key: value for key, value in shape.items() if key not in ("entry", "check_rows")}
    n, slices = shape["seq_k"], shape["batch"] * shape["heads"]
    work = slices * shape["seq_q"] * n * shape["head_dim"]
    seconds = (1 + hash_of(source) % 7) * work * 1e-13
    record = {
        "shape": sizes,
        "entry": shape["entry"],
        "seed": options.seed,
        "device": {"kind": str(options.device), "name": "Test device"},
        "status": plan.get("status", "ok"),
        "message": "" if plan.get("status", "ok") == "ok" else "the plan says so",
        "seconds": work * plan.get("seconds_per_work", 1e-9),
        "error": {"max_abs": 1e-9 * n, "max_rel": 1e-6, "tolerance": 2e-5, "wrong": 0},
        "checked_rows": n,
        "meters": {
            "workspace_bytes": slices * 8 * n * n,
            "peak_device_bytes": slices * (8 * n * n + 16 * n * 64),
            "requested_bytes": slices * 1056 * n * n,
            "sector_bytes": slices * 2432 * n * n,
            "distinct_bytes": slices * (16 * n * n + 16 * n * 64),
        },
        "launches": [],
        "modelled": {
            gpu: {
                "gpu": gpu,
                "name": gpu.upper(),
                "seconds": factor * seconds,
                "limiter": "shared-memory bandwidth",
                "limiter_share": 0.8,
                "shares": {"fma": 0.5, "shared": 0.8},
                "launches": [],
            }
            for gpu, factor in (("h200", 1.0), ("t4", 8.0))
            if gpu in options.gpu
        },
    }
    return {**record, **plan.get("fields", {})}


if __name__ == "__main__":
    sys.exit(main())
