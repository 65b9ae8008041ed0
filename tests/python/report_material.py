"""Results and measurements that look like real ones, for the tests of the report."""

import hashlib
import json
from pathlib import Path
from typing import Any

LABS = {
    "lab1_naive": ("naive_attention.cu", "Naive attention"),
    "lab2_online_softmax": ("online_softmax.cu", "Online softmax"),
    "lab3_tiled_attention": ("tiled_attention.cu", "Tiled attention"),
    "lab4_flash_attention2": ("flash_attention2.cu", "FlashAttention-2, forward"),
    "lab5_backward": ("flash_attention_backward.cu", "Backward by recomputation"),
}
SOURCE = "// kernel\n__global__ void kernel() {\n  int x = 1 < 2 && 3 > 2;\n}\n"
SHA = hashlib.sha256(SOURCE.encode()).hexdigest()
GPUS = {"h200": "NVIDIA H200", "t4": "NVIDIA T4"}
SHARES = {"fma": 0.4, "issue": 0.3, "shared": 0.9, "l2": 0.2, "latency": 0.05}


def path_of(lab: str) -> str:
    """Of the file that a student edits."""
    return f"labs/{lab}/{LABS[lab][0]}"


def case(name: str, group: str, n: int, status: str = "passed", **more: Any) -> dict[str, Any]:
    """A case of 10 points."""
    return {
        "name": name,
        "group": group,
        "status": status,
        "points": 10.0 if status == "passed" else 0.0,
        "max_points": 0.0 if status == "skipped" else 10.0,
        "message": f"{name} {status}",
        "rerun": f"./flashlab grade lab1 --case {name} --seed 7",
        "shape": {"batch": 1, "heads": 2, "seq_q": n, "seq_k": n, "head_dim": 64, "causal": False},
        "meters": {
            "workspace_bytes": 2 * 8 * n * n,
            "peak_device_bytes": 2 * (8 * n * n + 16 * n * 64),
            "distinct_bytes": 2 * (16 * n * n + 16 * n * 64),
            "requested_bytes": 2 * 1056 * n * n,
            "sector_bytes": 2 * 2432 * n * n,
            "sectors_per_load_request": 16.5,
        },
        "error": {"max_abs": 1e-8 * n, "tolerance": 2e-5},
        "diagnosis": None,
        **more,
    }


def result(lab: str, cases: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A result that follows the schema."""
    if cases is None:
        cases = [case(f"forward_n{n}", "correctness", n) for n in (32, 64, 128)]
        cases.append(case("memory_n256", "memory", 256))
    return {
        "schema_version": 1,
        "lab": lab,
        "title": LABS[lab][1],
        "device": {"kind": "vgpu", "name": "FlashLab Virtual GPU (H200 profile)"},
        "score": sum(one["points"] for one in cases),
        "max_score": sum(one["max_points"] for one in cases),
        "submission": {"path": path_of(lab), "sha256": SHA},
        "cases": cases,
        "provenance": {
            "grader_version": "0.1.0",
            "command": f"./flashlab grade {lab[:4]} --device vgpu --seed 7",
            "case_filter": None,
            "seed": 7,
            "date": "2026-11-21T10:00:00Z",
            "compiler": "nvcc V13.0.88",
            "flags": ["-std=c++20", "-O3"],
            "host_cpu": "a CPU, 2 CPUs",
            "sandbox": "bubblewrap+uid",
            "runtime": "build/lib/libcudart.so.13",
        },
        **more,
    }


EXTRA = {"lab1_naive": lambda n: 8 * n * n, "lab3_tiled_attention": lambda n: 8 * n}
REQUESTED = {
    "lab1_naive": lambda n, _: 1056 * n * n,
    "lab3_tiled_attention": lambda n, tile: (
        4 * n * (128 + n // tile * 64 + (2 * (n // tile) - 1) * 66)
    ),
    "lab4_flash_attention2": lambda n, tile: 4 * (128 * n + n + n // tile * 128 * n),
    "lab5_backward": lambda n, tile: 4 * (n // tile * (256 * n + 2 * n) + 9 * n * 64 + 3 * n),
}
SPEED = {
    "lab1_naive": 8.0,
    "lab3_tiled_attention": 4.0,
    "lab4_flash_attention2": 1.0,
    "lab5_backward": 3.0,
}


def line(
    lab: str, n: int, heads: int = 1, tile: dict[str, int] | None = None, **more: Any
) -> dict[str, Any]:
    """A line of a bench file, of a right kernel on the virtual GPU; `more` goes into the record."""
    requested = REQUESTED[lab](n, next(iter((tile or {}).values()), 32)) * heads
    seconds = SPEED[lab] * 1e-11 * n * n * heads
    launch = {
        "kernel": "void lab::kernel<64>(float const*)",
        "grid": [n // 32, heads, 1],
        "block": [256, 1, 1],
        "shared_static_bytes": 16512,
        "shared_dynamic_bytes": 0,
        "registers_per_thread": 104,
        "occupancy": 0.25,
        "lines": [
            {"file": path_of(lab), "line": 2, "warp_instructions": 100},
            {
                "file": path_of(lab),
                "line": 3,
                "warp_instructions": 300,
                "global_load_requests": 10,
                "global_load_sectors": 40,
                "global_load_bytes": 1280,
                "shared_load_requests": 8,
                "shared_load_wavefronts": 16,
                "shared_load_conflicts": 8,
            },
        ],
    }
    record = {
        "shape": {
            "batch": 1,
            "heads": heads,
            "seq_q": n,
            "seq_k": n,
            "head_dim": 64,
            "scale": 0.125,
            "causal": False,
        },
        "entry": f"{lab}_entry",
        "device": {"kind": "vgpu", "name": "FlashLab Virtual GPU (H200 profile)"},
        "status": "ok",
        "message": "",
        "seconds": 0.5,
        "error": {"max_abs": 1e-8 * n, "tolerance": 2e-5},
        "meters": {
            "workspace_bytes": EXTRA.get(lab, lambda _: 0)(n) * heads,
            "unmetered_bytes": 0,
            "peak_device_bytes": (16 * n * 64 + EXTRA.get(lab, lambda _: 0)(n)) * heads,
            "requested_bytes": requested,
            "sector_bytes": requested,
            "distinct_bytes": 16 * n * 64 * heads,
        },
        "launches": [launch],
        "modelled": {
            gpu: {
                "gpu": gpu,
                "name": name,
                "seconds": seconds * (index * 9 + 1),
                "limiter": "shared-memory bandwidth",
                "limiter_share": 0.9,
                "shares": SHARES,
                "launches": [],
            }
            for index, (gpu, name) in enumerate(GPUS.items())
        },
        **more,
    }
    identity = json.dumps([lab, n, heads, tile, record["device"], more], sort_keys=True)
    return {
        "key": hashlib.sha256(identity.encode()).hexdigest(),
        "series": {
            "lab": lab,
            "submission": path_of(lab),
            "sha256": SHA,
            "device": "vgpu",
            "tile": tile or {},
        },
        "record": record,
        "provenance": {"date": "2026-11-21T11:00:00Z"},
    }


def sweep_lines() -> list[dict[str, Any]]:
    """Four labs over N, and tiles of lab 3."""
    lines = [line(lab, n) for lab in SPEED for n in (128, 256, 512, 1024)]
    return lines + [
        line("lab3_tiled_attention", 512, tile={"kBc": kbc}) for kbc in (16, 32, 64, 128)
    ]


def write_lines(path: Path, lines: list[dict[str, Any]], torn: str = "") -> Path:
    """A bench file; `torn` is what a kill left of a last line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in lines) + torn)
    return path
