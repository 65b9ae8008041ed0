#!/usr/bin/env python3
"""Write the golden tensors of the reference tests, computed by PyTorch.

    python3 tools/make_golden.py --device cuda --output tests/reference/golden

The committed files come from a GPU. `--device cpu` runs the same without one, for trying the
script out; the device is recorded in the file, and the tests accept only what a GPU made.

Format. attention.bin holds little-endian tensors one after another, contiguous and row-major.
attention.json describes them:
  format      "flashlab-golden-1"
  provenance  where the numbers come from
  blob        {"file", "bytes"}
  cases       a list of {"name", "seed", "sigma", "tensors"} and the fields of the problem: "batch",
              "heads_q", "heads_kv", "seq_q", "seq_k", "head_dim", "scale", "causal"
and "tensors" maps a name to {"dtype", "shape", "offset" (in bytes, into the blob)}:
  Q, K, V     float32   inputs
  O           float64   scaled_dot_product_attention, MATH backend, in float64
  L           float64   logsumexp of the masked, scaled scores; -inf for a row that sees no key
  O_float32   float32   scaled_dot_product_attention, MATH backend, in float32 without TF32
  dO          float32   input of the backward pass, a gradient with respect to O
  dQ, dK, dV  float64   gradients of sum(dO o O) by PyTorch's autograd, MATH backend, in float64
  S, P        float64   masked scaled scores (-inf where masked) and their softmax, in some cases
"""

import argparse
import ctypes
import datetime
import json
import math
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

FORMAT = "flashlab-golden-1"


@dataclass(frozen=True)
class Case:
    """One attention problem; inputs are normal with standard deviation `sigma`, from `seed`."""

    name: str
    seed: int
    seq_q: int
    seq_k: int
    head_dim: int
    batch: int = 1
    heads_q: int = 1
    heads_kv: int = 1
    causal: bool = False
    sigma: float = 1.0
    scores: bool = False  # keep S and P too

    @property
    def scale(self) -> float:
        """The factor of Q K^T."""
        return 1.0 / math.sqrt(self.head_dim)


CASES = [
    Case("single_element", 1, 1, 1, 1, scores=True),
    Case("square", 2, 33, 33, 16, scores=True),
    Case("batch_and_heads", 3, 17, 17, 8, batch=2, heads_q=3, heads_kv=3),
    Case("more_keys", 4, 20, 45, 32),
    Case("more_queries", 5, 70, 19, 5),
    Case("head_dim_128", 6, 12, 40, 128),
    Case("long_keys", 7, 8, 300, 64),
    Case("causal_square", 8, 40, 40, 16, causal=True, scores=True),
    Case("causal_more_keys", 9, 9, 50, 24, heads_q=2, heads_kv=2, causal=True),
    Case("causal_empty_rows", 10, 30, 11, 8, batch=2, causal=True, scores=True),
    Case("grouped_heads", 11, 21, 34, 8, batch=2, heads_q=6, heads_kv=2),
    Case("grouped_heads_causal", 12, 16, 23, 16, heads_q=4, heads_kv=1, causal=True),
    Case("spiky", 13, 24, 24, 64, sigma=3.0, scores=True),
    Case("large_scores", 14, 24, 24, 64, sigma=30.0),
]


class Blob:
    """Tensors one after another, and the description of each."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, tensor: torch.Tensor) -> dict[str, Any]:
        """Append a tensor and return its entry in the header."""
        host = tensor.detach().cpu().contiguous()
        entry = {
            "dtype": str(host.dtype).removeprefix("torch."),
            "shape": list(host.shape),
            "offset": len(self.data),
        }
        # Straight from memory: Tensor.numpy() would need NumPy for this one line.
        self.data += ctypes.string_at(host.data_ptr(), host.numel() * host.element_size())
        return entry


def sdpa(
    case: Case, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """PyTorch's own attention; the MATH backend keeps the dtype of its inputs throughout."""
    grouped = case.heads_q != case.heads_kv
    with sdpa_kernel(SDPBackend.MATH):
        return scaled_dot_product_attention(
            q, k, v, attn_mask=mask, scale=case.scale, enable_gqa=grouped
        )


def sdpa_gradients(
    case: Case,
    inputs: tuple[torch.Tensor, ...],
    mask: torch.Tensor | None,
    d_output: torch.Tensor,
) -> tuple[torch.Tensor, ...]:
    """The gradients of sum(d_output * O) with respect to Q, K and V, by PyTorch's autograd."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    return torch.autograd.grad(sdpa(case, *leaves, mask), leaves, d_output)


def solve(case: Case, device: torch.device, blob: Blob) -> dict[str, Any]:
    """Run one case and return its entry in the header."""
    generator = torch.Generator(device="cpu").manual_seed(case.seed)

    def normal(heads: int, seq: int) -> torch.Tensor:
        size = (case.batch, heads, seq, case.head_dim)
        return torch.randn(size, generator=generator, dtype=torch.float32) * case.sigma

    # Drawn on the CPU, so that the inputs are the same whatever the device.
    q = normal(case.heads_q, case.seq_q)
    k = normal(case.heads_kv, case.seq_k)
    v = normal(case.heads_kv, case.seq_k)
    d_output = normal(case.heads_q, case.seq_q) / case.sigma
    q32, k32, v32 = (x.to(device) for x in (q, k, v))
    q64, k64, v64 = (x.double() for x in (q32, k32, v32))

    mask = None
    if case.causal:
        # Query i sees key j only if j <= i + (seq_k - seq_q). PyTorch's own is_causal aligns the
        # mask to the top left corner instead.
        i = torch.arange(case.seq_q, device=device)[:, None]
        j = torch.arange(case.seq_k, device=device)[None, :]
        mask = j <= i + (case.seq_k - case.seq_q)

    group = case.heads_q // case.heads_kv
    scores = q64 @ k64.repeat_interleave(group, dim=1).transpose(-1, -2) * case.scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)

    output = sdpa(case, q64, k64, v64, mask)
    if not output.isfinite().all():
        sys.exit(
            f"make_golden: case {case.name}: PyTorch {torch.__version__} gave an output that is "
            "not finite; rows without keys are zero since PyTorch 2.5, use that or a newer one"
        )
    gradients = sdpa_gradients(case, (q64, k64, v64), mask, d_output.to(q64))
    if not all(gradient.isfinite().all() for gradient in gradients):
        sys.exit(
            f"make_golden: case {case.name}: PyTorch {torch.__version__} gave a gradient that is "
            "not finite; use another version"
        )
    tensors = {
        "Q": q,
        "K": k,
        "V": v,
        "O": output,
        "L": torch.logsumexp(scores, dim=-1),
        "O_float32": sdpa(case, q32, k32, v32, mask),
        "dO": d_output,
        **dict(zip(("dQ", "dK", "dV"), gradients, strict=True)),
    }
    if case.scores:
        # A row without keys has no softmax (0/0, NaN here too): zero, as in PyTorch's own output.
        tensors |= {"S": scores, "P": torch.softmax(scores, dim=-1).nan_to_num(nan=0.0)}
    fields = ("name", "seed", "batch", "heads_q", "heads_kv", "seq_q", "seq_k", "head_dim")
    return {
        **{field: getattr(case, field) for field in fields},
        "scale": case.scale,
        "causal": case.causal,
        "sigma": case.sigma,
        "tensors": {name: blob.add(tensor) for name, tensor in tensors.items()},
    }


def provenance(device: torch.device) -> dict[str, Any]:
    """What made the file: enough to make it again."""
    entry: dict[str, Any] = {
        "command": f"python3 tools/make_golden.py --device {device.type}",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device_type": device.type,
        "device": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    if device.type == "cuda":
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(query, check=True, capture_output=True, text=True).stdout
        entry |= {
            "device": torch.cuda.get_device_name(device),
            "driver": driver.splitlines()[0].strip(),
            "cuda": torch.version.cuda,
        }
    return entry


def main() -> None:
    """Run every case and write the two files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--output", type=Path, required=True, help="folder for the two files")
    arguments = parser.parse_args()
    if sys.byteorder != "little":
        sys.exit("make_golden: the format is little-endian, run this on a little-endian machine")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("make_golden: no CUDA GPU found by PyTorch; --device cpu tries the script without")

    torch.backends.cuda.matmul.allow_tf32 = False
    device = torch.device(arguments.device)
    blob = Blob()
    cases = [solve(case, device, blob) for case in CASES]
    header = {
        "format": FORMAT,
        "provenance": provenance(device),
        "blob": {"file": "attention.bin", "bytes": len(blob.data)},
        "cases": cases,
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "attention.bin").write_bytes(blob.data)
    (arguments.output / "attention.json").write_text(json.dumps(header, indent=1) + "\n")
    print(f"{len(cases)} cases, {len(blob.data)} bytes, in {arguments.output}")


if __name__ == "__main__":
    main()
