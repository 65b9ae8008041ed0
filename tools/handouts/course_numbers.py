"""What the chapters may compute with: formulas of the course, recorded measurements, and how numbers are written.

A chapter holds `<!--=EXPRESSION-->TEXT<!--/-->`; TEXT is what EXPRESSION gives in this module's names (regions.py).
Bytes are for one head in float32, N queries and N keys, as in the headers of the labs.
"""

import json
import math
import tomllib
from dataclasses import dataclass
from math import ceil, exp
from pathlib import Path

from flashlab.report import theory

DATA = Path(__file__).resolve().parents[2] / "handouts/data"

__all__ = ["ceil", "exp"]  # used by chapters


@dataclass(frozen=True)
class Gpu:
    """Peaks of a GPU: FLOP/s in float32 and bfloat16 (tensor cores, dense), bytes/s of device memory, bytes of L2."""

    fp32: float
    bf16: float
    dram: float
    l2: float


H200 = Gpu(
    fp32=67e12, bf16=989e12, dram=4.8e12, l2=50 * 2**20
)  # NVIDIA, "H200 Tensor Core GPU", data sheet


def flops(n: float, d: float) -> float:
    """Forward: two products of N x N x d multiply-adds."""
    return 4 * n * n * d


def naive_bytes(n: float, d: float) -> float:
    """S and P written and read once, Q, K, V read and O written once: Dao et al. 2022, Algorithm 0."""
    return theory.naive_traffic(n, d)


def fa1_bytes(n: int, d: int, bc: int) -> float:
    """Lab 3: K and V once; Q in each of the passes, O, m, l written in each and read in all but the first."""
    return theory.fa1_traffic(bc)(n, d)


def fa2_bytes(n: int, d: int, br: int) -> float:
    """Lab 4: Q, O, L once; K and V for every tile of queries."""
    return theory.fa2_traffic(br)(n, d)


def backward_bytes(n: int, d: int, tile: int) -> float:
    """Lab 5: two kernels with tiles of `tile` rows."""
    return theory.backward_traffic(tile)(n, d)


def causal_tiles(n: int, br: int, bc: int) -> int:
    """Pairs of tiles that a causal kernel visits: for each tile of queries, keys up to its last one's own position."""
    return sum(ceil(min((i + 1) * br, n) / bc) for i in range(ceil(n / br)))


def softmax_l(scores: list[float]) -> float:
    """The sum of exp(score - largest score)."""
    return sum(exp(score - max(scores)) for score in scores)


def softmax(scores: list[float]) -> list[float]:
    """Weights that sum to 1."""
    return [exp(score - max(scores)) / softmax_l(scores) for score in scores]


def overflow_score() -> float:
    """The largest x for which exp(x) is finite in float32."""
    return math.log((2 - 2**-23) * 2**127)


@dataclass(frozen=True)
class Sdpa:
    """Times of our tuned kernels beside PyTorch's, from handouts/data/sdpa_h200.json."""

    device: str
    shapes: list[dict]

    def ms(self, kernel: str, heads: int, n: int, d: int, causal: bool = False) -> float:
        """Milliseconds of a forward pass; StopIteration when it was not measured."""
        wanted = {"heads": heads, "seq": n, "head_dim": d, "causal": causal}
        shape = next(s for s in self.shapes if all(s[key] == wanted[key] for key in wanted))
        return shape["forward"][kernel]["ms"]


def _load_sdpa() -> Sdpa:
    document = json.loads((DATA / "sdpa_h200.json").read_text(encoding="utf-8"))
    return Sdpa(document["provenance"]["device"], document["shapes"])


SDPA = _load_sdpa()


def sdpa_ms(kernel: str, heads: int, n: int, d: int) -> str:
    """Milliseconds with two decimals, as in 1.50 ms."""
    return f"{SDPA.ms(kernel, heads, n, d):.2f} ms"


def mb(count: float) -> str:
    """Decimal megabytes: 1.3 MB below 20, whole ones above."""
    return f"{count / 1e6:.1f} MB" if count < 20e6 else f"{count / 1e6:.0f} MB"


def kib(count: float) -> str:
    """Binary kilobytes."""
    return f"{count / 2**10:g} KiB"


def mib(count: float) -> str:
    """Binary megabytes."""
    return f"{count / 2**20:g} MiB"


def gib(count: float) -> str:
    """Binary gigabytes."""
    return f"{count / 2**30:g} GiB"


def giga(count: float) -> float:
    """In units of 1e9."""
    return count / 1e9


def tera(count: float) -> str:
    """In units of 1e12, without needless digits."""
    return f"{count / 1e12:g}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage with a space before the sign."""
    return f"{100 * share:.{digits}f} %"


def row(values: list[float]) -> str:
    """Values with four decimals, separated by commas."""
    return ", ".join(f"{value:.4f}" for value in values)


def lab_points(lab: str, *entries: str) -> float:
    """The points of a lab's cases that call one of `entries`, as its lab.toml has them."""
    (path,) = (DATA.parents[1] / "labs").glob(f"{lab}_*/lab.toml")
    cases = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    return sum(case["points"] for case in cases if case["entry"] in entries)
