"""The manifest of timing cheats, and how its submissions are built and judged."""

import hashlib
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.build import FLAGS
from flashlab.device import Chosen, Device
from flashlab.grade import build_baseline
from flashlab.judge import Request, run_judge
from flashlab.labs import find
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

LAYOUT = Layout.of_this_package()
LAB = find(LAYOUT, "lab4")
HERE = Path(__file__).resolve().parent
SPEED_CASES = "speed_*"


@dataclass(frozen=True)
class Submission:
    """One file of the folder; manifest.toml explains the fields."""

    source: Path
    category: str
    attack: str
    verdicts: tuple[str, ...]
    timed: tuple[str, ...]
    says: str = ""


def submissions() -> list[Submission]:
    """All submissions of the manifest, which has to name every file of the folder."""
    entries = tomllib.loads((HERE / "manifest.toml").read_text(encoding="utf-8"))["submission"]
    listed = sorted(entry["file"] for entry in entries)
    on_disk = sorted(path.name for path in HERE.glob("*.cu"))
    if listed != on_disk:
        raise ValueError(f"manifest and files differ: {set(listed) ^ set(on_disk)}")
    return [
        Submission(
            HERE / entry["file"],
            entry["class"],
            entry["attack"],
            _words(entry["verdict"]),
            _words(entry["timed"]),
            entry.get("says", ""),
        )
        for entry in entries
    ]


def _words(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def build(source: Path) -> Path:
    """The shared library of a cheat, from build/cache/cheats when nothing it depends on has changed."""
    compiler = find_compiler(LAYOUT)
    words = [str(compiler.nvcc), *FLAGS, f"-I{LAYOUT.headers}"]
    digest = hashlib.sha256("\0".join([compiler.version, *words]).encode())
    others = [HERE / "honest.cuh", LAB.solution(LAYOUT), LAYOUT.root / "grader/worker/protocol.hpp"]
    for path in (source, *others, *sorted(LAYOUT.headers.rglob("*.h"))):
        digest.update(path.read_bytes())
    library = LAYOUT.cache / "cheats" / f"{source.stem}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*words, "-o", str(fresh), str(source)], check=True)
        fresh.rename(library)
    return library


def speed_cases(library: Path, device: Chosen) -> list[dict[str, Any]]:
    """What the judge says about a library in the speed cases of lab 4."""
    baseline = build_baseline(LAYOUT, LAB) if device.kind is Device.CUDA else None
    request = Request(LAB, library, device, SPEED_CASES, baseline=baseline)
    return run_judge(LAYOUT, request, lambda event: None).document["cases"]


def complaints(submission: Submission, cases: list[dict[str, Any]], none: float) -> list[str]:
    """What is wrong about the verdicts; empty when they are as the manifest says."""
    found = []
    for case in cases:
        full = case["points"] == case["max_points"] > 0 and case["status"] == "passed"
        slow = case["status"] == "failed" and case.get("speed", {}).get("ratio", 0) >= none
        wrong = case["status"] == "skipped" and "until the result is right" in case["message"]
        failed = case["status"] == "failed" and submission.says in case["message"]
        as_said = {"full": full, "slow": slow, "wrong": wrong, "failed": failed}
        if not any(as_said[word] for word in submission.verdicts) or (case["points"] and not full):
            found.append(f"{case['name']}: {case['status']}, {case['points']}: {case['message']}")
    return found if cases else ["no speed cases"]
