#!/usr/bin/env python3
"""Times the staff's kernels of labs 4 and 5 beside PyTorch's attention on this machine's GPU.

    PYTHONPATH=grader python3 tools/bench_gpu.py --output handouts/data/sdpa_h200.json

Float32, B = 1. Each shape is first checked against float64, then timed: ours and PyTorch's backends
EFFICIENT and MATH take turns, with L2 flushed before every call; the figure is the median. TFLOP/s
counts 4 N^2 d H operations forward, half of that causal, 2.5 times that backward, whatever a kernel
really does. The exit code is 1 when a result is wrong.
"""

import argparse
import ctypes
import datetime
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from flashlab.bench.sdpa import attend, event_times
from torch.nn.attention import SDPBackend

ROOT = Path(__file__).resolve().parents[1]
KERNELS = {
    "lab4_tuned": "lab4_flash_attention2/tuned/flash_attention2.cu",
    "lab5": "lab5_backward/flash_attention_backward.cu",
    "lab5_tuned": "lab5_backward/tuned/flash_attention_backward.cu",
}
BACKENDS = {"efficient": SDPBackend.EFFICIENT_ATTENTION, "math": SDPBackend.MATH}
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Shape:
    """A square problem of one batch entry."""

    heads: int
    seq: int
    head_dim: int
    causal: bool = False

    @property
    def scale(self) -> float:
        """The factor of Q K^T."""
        return 1.0 / math.sqrt(self.head_dim)

    def operations(self, *, backward: bool) -> float:
        """Floating-point operations by the usual count."""
        forward = 4 * self.seq**2 * self.head_dim * self.heads / (2 if self.causal else 1)
        return 2.5 * forward if backward else forward


SHAPES = [
    Shape(heads, seq, head_dim, causal)
    for head_dim in (64, 128)
    for heads, seq in ((16, 1024), (16, 4096), (16, 8192), (1, 4096), (4, 2048))
    for causal in (False, True)
] + [Shape(16, 4096, 32), Shape(16, 4000, 64), Shape(16, 4000, 128, causal=True)]


class CShape(ctypes.Structure):
    """flashlab::AttentionShape."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("batch", "heads", "seq_q", "seq_k", "head_dim")),
        ("scale", ctypes.c_float),
        ("causal", ctypes.c_bool),
    )


ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)


class CWorkspace(ctypes.Structure):
    """flashlab::Workspace: a function that gives out memory, and its context."""

    _fields_ = (("allocate", ALLOCATE), ("context", ctypes.c_void_p))


class Kernel:
    """A staff kernel, built into a shared library."""

    def __init__(self, source: Path, entry: str, folder: Path) -> None:
        library = folder / (source.parent.name + "_" + source.stem + ".so")
        command = ["nvcc", "-shared", "-cudart", "shared", "-arch=sm_90", "-O3", "-std=c++17"]
        command += ["-lineinfo", "-Xcompiler", "-fPIC", "-Xptxas", "-v", f"-I{ROOT}/labs/include"]
        command += ["-o", str(library), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"bench_gpu: {source} does not build:\n{done.stderr}")
        self.spills = [
            line.strip() for line in done.stderr.splitlines()
            if "spill" in line and " 0 bytes spill stores, 0 bytes spill loads" not in line
        ]  # fmt: skip
        self.entry = getattr(ctypes.CDLL(str(library)), entry)
        self.scratch: dict[str, torch.Tensor] = {}
        self.workspace = CWorkspace(ALLOCATE(self._allocate), None)

    def _allocate(self, _context: object, name: bytes, size: int) -> int:
        key = name.decode()
        if key not in self.scratch or self.scratch[key].numel() < size:
            self.scratch[key] = torch.empty(size, dtype=torch.uint8, device="cuda")
        return self.scratch[key].data_ptr()

    def __call__(self, shape: Shape, *tensors: torch.Tensor) -> None:
        """Calls the entry point on PyTorch's stream."""
        sizes = (1, shape.heads, shape.seq, shape.seq, shape.head_dim, shape.scale, shape.causal)
        status = self.entry(
            *(ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors),
            CShape(*sizes),
            ctypes.byref(self.workspace),
            ctypes.c_void_p(torch.cuda.current_stream().cuda_stream),
        )
        if status != 0:
            sys.exit(f"bench_gpu: the entry point returned CUDA error {status} for {shape}")


def reference(shape: Shape, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, d_o: torch.Tensor
              ) -> Iterator[Tensors]:  # fmt: skip
    """O, dQ, dK, dV in float64, head by head."""
    for head in range(shape.heads):
        leaves = [x[0, head].double().requires_grad_() for x in (q, k, v)]
        scores = leaves[0] @ leaves[1].T * shape.scale
        if shape.causal:
            hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(hidden, -math.inf)
        output = torch.softmax(scores, dim=-1) @ leaves[2]
        yield (output.detach(), *torch.autograd.grad(output, leaves, d_o[0, head].double()))


def errors(shape: Shape, inputs: Tensors, results: dict[str, torch.Tensor]) -> dict[str, float]:
    """The largest error of each result, in parts of the largest element of what is right."""
    worst = dict.fromkeys(results, 0.0)
    for head, truth in enumerate(reference(shape, *inputs)):
        named = dict(zip(("O", "dQ", "dK", "dV"), truth, strict=True))
        for name, tensor in results.items():
            want = named[name.split()[-1]]
            error = (tensor[0, head].double() - want).abs().max() / want.abs().max()
            # max() of Python drops NaN.
            worst[name] = max(worst[name], error.item() if error.isfinite() else math.inf)
    return worst


def measure(shape: Shape, kernels: dict[str, Kernel], repeats: int) -> dict[str, Any]:
    """Checks and times one shape, forward and backward."""
    torch.manual_seed(1)
    size = (1, shape.heads, shape.seq, shape.head_dim)
    q, k, v, d_o = (torch.randn(size, device="cuda") for _ in range(4))
    lse = torch.empty(size[:3], device="cuda")
    out = torch.full_like(q, math.nan)
    forward: dict[str, Callable[[], object]] = {
        "lab4_tuned": lambda: kernels["lab4_tuned"](shape, q, k, v, out, lse)
    }
    forward["lab4_tuned"]()
    results = {"lab4_tuned O": out}
    backward: dict[str, Callable[[], object]] = {}
    for name in kernels.keys() & {"lab5", "lab5_tuned"}:
        gradients = [torch.full_like(q, math.nan) for _ in range(3)]
        results |= {f"{name} {x}": g for x, g in zip(("dQ", "dK", "dV"), gradients, strict=True)}
        tensors = (q, k, v, out, lse, d_o, *gradients)
        backward[name] = lambda kernel=kernels[name], tensors=tensors: kernel(shape, *tensors)
        backward[name]()
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    for name, backend in BACKENDS.items():

        def sdpa(x: Tensors, backend: SDPBackend = backend) -> torch.Tensor:
            return attend(backend, x, causal=shape.causal, scale=shape.scale)

        forward[name] = lambda sdpa=sdpa: sdpa((q, k, v))
        kept = sdpa(tuple(leaves))
        results[f"{name} O"] = kept.detach()
        backward[name] = lambda kept=kept: torch.autograd.grad(kept, leaves, d_o, retain_graph=True)
    entry: dict[str, Any] = asdict(shape)
    entry["errors"] = errors(shape, (q, k, v, d_o), results)
    for direction, calls in (("forward", forward), ("backward", backward)):
        times = {
            name: 1e3 * statistics.median(samples)
            for name, samples in event_times(calls, repeats).items()
        }
        rate = shape.operations(backward=direction == "backward") / 1e9
        entry[direction] = {
            name: {"ms": round(ms, 4), "tflops": round(rate / ms, 2)} for name, ms in times.items()
        }
    return entry


def provenance() -> dict[str, str]:
    """What made the file: enough to make it again."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    return {
        "command": "PYTHONPATH=grader python3 tools/bench_gpu.py --output handouts/data/sdpa_h200.json",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(),
        "driver": driver.splitlines()[0].strip(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "",
    }


def main() -> int:
    """Measures every shape and writes the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    parser.add_argument("--repeats", type=int, default=30, help="timed calls per kernel and shape")
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="only the first so many")
    parser.add_argument("--tolerance", type=float, default=2e-5, help="see `errors`")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("bench_gpu: no CUDA GPU found by PyTorch; run this on a machine that has one")
    torch.backends.cuda.matmul.allow_tf32 = False
    wrong = 0
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        kernels = {
            name: Kernel(
                ROOT / "solutions" / source,
                "lab4_flash_attention2" if "lab4" in name else "lab5_flash_attention_backward",
                Path(folder),
            )
            for name, source in KERNELS.items()
        }
        for name, kernel in kernels.items():
            print(f"{name}: spills: {kernel.spills or 'none'}")
        for shape in SHAPES[: arguments.shapes]:
            entry = measure(shape, kernels, arguments.repeats)
            measured.append(entry)
            print(shape)
            for direction in ("forward", "backward"):
                rates = entry[direction].items()
                print("  ", direction, *(f"{n} {r['tflops']} ({r['ms']} ms)" for n, r in rates))
            ours = {n: e for n, e in entry["errors"].items() if n.split()[0] in kernels}
            bad = {n: e for n, e in ours.items() if e > arguments.tolerance}
            if bad:
                wrong += 1
                print(f"   WRONG: {bad}")
    if arguments.output:
        text = json.dumps({"provenance": provenance(), "shapes": measured}, indent=1)
        arguments.output.write_text(text + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
