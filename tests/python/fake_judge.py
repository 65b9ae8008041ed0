"""Stands in for flashlab-judge: same command line, same events, same document; `plan.json` beside it says how to end.

The plan's keys: exit (code), stderr (text), cases (what to put into each case), each (what to put into the first, the
second, ...), silent (write no document).
A submission, which the stand-in compiler only copies, may hold such a plan itself, in a line with PLAN, with more keys:
seconds (to take), until (a file that it waits for), kill (the process that started it).
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

SIZES = (32, 64, 130, 256)


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--lab", "--submission", "--worker", "--runtime-dir", "--device", "--output"):
        parser.add_argument(option, required=True, type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--launcher", action="append", default=[])
    parser.add_argument("--case")
    options = parser.parse_args(_glue_launcher(sys.argv[1:]))
    here = Path(__file__).parent
    plan = json.loads((here / "plan.json").read_text())
    own = options.submission.read_text(errors="replace").partition("PLAN ")[2].partition("\n")[0]
    plan |= json.loads(own or "{}")
    with (here / "runs").open("a") as runs:
        runs.write("1")
    if plan.get("kill"):
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(plan.get("seconds", 0))
    while "until" in plan and not Path(plan["until"]).exists():
        time.sleep(0.05)
    (here / "threads").write_text(os.environ.get("VGPU_THREADS", "all"))
    (here / "seen.json").write_text(
        json.dumps([*sys.argv[1:], f"seed={os.environ.get('FLASHLAB_SEED')}"])
    )
    print(plan.get("stderr", ""), file=sys.stderr)
    if not plan.get("silent"):
        own = [*plan.get("each", []), {}, {}, {}, {}]
        cases = [
            {**_case(n), **plan.get("cases", {}), **more}
            for n, more in zip(SIZES, own, strict=False)
        ]
        document = {
            "lab": "lab1",
            "device": {"kind": str(options.device), "name": "Test device"},
            "seed": int(os.environ.get("FLASHLAB_SEED", "7")),
            "score": sum(case["points"] for case in cases),
            "max_score": sum(case["max_points"] for case in cases),
            "cases": cases,
        }
        print(json.dumps({"event": "start", "cases": len(cases)}))
        for case in cases:
            print(json.dumps({"case": case, "event": "case"}))
        print(json.dumps({"event": "end"}), flush=True)
        options.output.write_text(json.dumps(document))
    return plan.get("exit", 0)


def _glue_launcher(words: list[str]) -> list[str]:
    """argparse takes a value that starts with dashes only in the form --launcher=VALUE."""
    glued = []
    rest = iter(words)
    for word in rest:
        glued.append(f"--launcher={next(rest)}" if word == "--launcher" else word)
    return glued


def _case(n: int) -> dict:
    return {
        "name": f"forward_n{n}_d64",
        "group": "correctness",
        "status": "passed",
        "points": 2.5,
        "max_points": 2.5,
        "message": "right",
        "handout": "handout 1, section 3",
        "rerun": "unused",
        "seconds": 0.01,
        "shape": {"batch": 1, "heads": 2, "seq_q": n, "seq_k": n, "head_dim": 64},
        "meters": {
            "workspace_bytes": 2 * 8 * n * n,
            "peak_device_bytes": 2 * (8 * n * n + 16 * n * 64),
            "distinct_bytes": 2 * (16 * n * n + 16 * n * 64),
            "requested_bytes": 2 * 1056 * n * n,
            "sector_bytes": 2 * 2432 * n * n,
            "sectors_per_load_request": 16.5,
            "sectors_per_store_request": 4.0,
        },
        "error": {"max_abs": 1e-7 * n, "tolerance": 2e-5},
        "diagnosis": None,
    }


if __name__ == "__main__":
    sys.exit(main())
