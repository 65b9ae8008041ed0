"""PyTorch's attention beside our kernels, by backend, on a real GPU. Needs torch.

FLASH knows no float32; it is measured with bfloat16 and says so in its name.
"""

import dataclasses
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from flashlab.bench.series import Record, bare_record
from flashlab.bench.shapes import Shape

FLUSH_BYTES = 256 << 20  # several times the L2
WARM_UP = 3
BACKENDS = {
    "efficient float32": (SDPBackend.EFFICIENT_ATTENTION, torch.float32),
    "math float32": (SDPBackend.MATH, torch.float32),
    "flash bfloat16": (SDPBackend.FLASH_ATTENTION, torch.bfloat16),
}


def event_times(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call by CUDA events, `repeats` times; the calls take turns, and L2 is flushed before each."""
    flush = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")
    events: dict[str, list[tuple[torch.cuda.Event, torch.cuda.Event]]] = {
        name: [] for name in calls
    }
    for repeat in range(repeats + WARM_UP):
        for name, call in calls.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            flush.zero_()
            torch.cuda._sleep(200_000)  # the CPU gets ahead: launches are not part of the time
            start.record()
            call()
            end.record()
            if repeat >= WARM_UP:
                events[name].append((start, end))
        torch.cuda.synchronize()
    return {
        name: [start.elapsed_time(end) / 1e3 for start, end in pairs]
        for name, pairs in events.items()
    }


def attend(
    backend: SDPBackend, tensors: tuple[torch.Tensor, ...], *, causal: bool, scale: float
) -> torch.Tensor:
    """O of [batch, heads, seq, head_dim] tensors Q, K, V, by one backend and no other."""
    with sdpa_kernel(backend):
        return scaled_dot_product_attention(*tensors, is_causal=causal, scale=scale)


@dataclass(frozen=True)
class SdpaSeries:
    """One backend of PyTorch, forward or backward."""

    backend: str
    backward: bool
    device_name: str
    shapes: tuple[Shape, ...]
    seed: int
    repeats: int = 30
    cost_grows: bool = False

    @property
    def label(self) -> dict[str, Any]:
        """See series.Series; "lab" is torch, for there is no file of a lab."""
        return {
            "lab": "torch",
            "submission": self.backend,
            "sha256": None,
            "device": "cuda",
            "tile": {},
        }

    @property
    def name(self) -> str:
        """See series.Series."""
        return f"PyTorch {self.backend} {'backward' if self.backward else 'forward'}"

    @property
    def entry(self) -> str:
        """See series.Series."""
        return "sdpa_backward" if self.backward else "sdpa_forward"

    def operations(self, shape: Shape) -> float:
        """See series.Series."""
        return shape.operations(backward=self.backward)

    def request(self, shape: Shape) -> dict[str, Any]:
        """See series.Series."""
        sizes = dataclasses.asdict(shape)
        seq = sizes.pop("seq")
        return {**sizes, "seq_q": seq, "seq_k": seq, "scale": 1.0 / math.sqrt(shape.head_dim)}

    def identity(self, shape: Shape) -> dict[str, Any]:
        """See series.Series."""
        return {
            "torch": torch.__version__,
            "backend": self.backend,
            "entry": self.entry,
            "shape": self.request(shape),
            "seed": self.seed,
            "repeats": self.repeats,
            "device": self.device_name,
        }

    def measure(self, shape: Shape) -> Record:
        """See series.Series. A backend that refuses a shape or runs out of memory is a failed point."""
        begin = time.monotonic()
        record = bare_record(self.entry, self.request(shape), "ok", "")
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        try:
            times = event_times({self.entry: self._call(shape)}, self.repeats)[self.entry]
        except RuntimeError as error:  # out of memory, or no kernel for this shape
            record |= {"status": "failed", "message": str(error).partition("\n")[0]}
        else:
            q1, median, q3 = statistics.quantiles(times, n=4)
            record["timing"] = {
                "repeats": self.repeats,
                "samples_s": None,
                "events_s": times,
                "median_s": median,
                "q1_s": q1,
                "q3_s": q3,
            }
            peak = torch.cuda.max_memory_allocated() - FLUSH_BYTES
            record["meters"] = {"peak_device_bytes": peak}
        record["device"] = {"kind": "cuda", "name": torch.cuda.get_device_name()}
        record["torch"] = torch.__version__
        record["seconds"] = time.monotonic() - begin
        return record

    def _call(self, shape: Shape) -> Callable[[], object]:
        backend, dtype = BACKENDS[self.backend]
        torch.manual_seed(self.seed)
        size = (shape.batch, shape.heads, shape.seq, shape.head_dim)
        tensors = [torch.randn(size, device="cuda", dtype=dtype) for _ in range(4)]
        scale = 1.0 / math.sqrt(shape.head_dim)
        if not self.backward:
            return lambda: attend(backend, tuple(tensors[:3]), causal=shape.causal, scale=scale)
        leaves = tuple(x.requires_grad_() for x in tensors[:3])
        kept = attend(backend, leaves, causal=shape.causal, scale=scale)
        return lambda: torch.autograd.grad(kept, leaves, tensors[3], retain_graph=True)
