"""What theory says of each lab: bytes of device memory and of global traffic against N, for one head of dimension d.

A lab that is not here has no figures: lab 2 takes rows, which have no N. All tensors are float32.
Sources: Dao et al. 2022, "FlashAttention", section 3; Dao 2023, "FlashAttention-2", section 3.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Formula = Callable[[float, float], float]
"""Bytes from (N, d)."""


@dataclass(frozen=True)
class Curves:
    """Formulas with their labels, and what they count in words."""

    formulas: tuple[tuple[str, Formula], ...]
    explanation: str


@dataclass(frozen=True)
class Theory:
    """The curves of one lab."""

    tensors: str  # parameters in device memory, which the peak counts besides the workspace
    memory: Curves
    traffic: Curves
    products: int  # multiplications of an N x d matrix with an N x N one, or the like: 2 N^2 d operations each
    tiled: Callable[[int], Formula] | None = (
        None  # traffic with tiles of so many rows; `tile` says which
    )
    tile: str = ""


def operations(lab: str, shape: dict[str, Any]) -> float:
    """Floating-point operations of one call, counted as the papers do: products alone, 5 in the backward pass for
    2 in the forward pass, whatever a kernel really does. A mask leaves exactly the pairs that it lets through.
    """
    theory = theory_of(lab)
    if theory is None:
        return 0.0
    rows, keys = shape["seq_q"], shape["seq_k"]
    pairs = rows * keys
    if shape.get("causal", False):
        pairs = sum(min(max(row + keys - rows + 1, 0), keys) for row in range(rows))
    return 2.0 * theory.products * shape["head_dim"] * pairs * shape["batch"] * shape["heads"]


def all_scores(n: float, _: float) -> float:
    """S and P, written in full."""
    return 8 * n * n


def naive_traffic(n: float, d: float) -> float:
    """S written and read, P written and read, Q, K and V read, O written: each byte once."""
    return 16 * n * n + 16 * n * d


def fa1_traffic(tile: int) -> Formula:
    """K and V once; for every tile of keys Q is read, and O, m and l are written and, but for the first, read."""

    def formula(n: float, d: float) -> float:
        passes = math.ceil(n / tile)
        return 4 * n * (2 * d + passes * d + (2 * passes - 1) * (d + 2))

    return formula


def fa2_traffic(tile: int) -> Formula:
    """Q, O and L once; K and V for every tile of queries."""
    return lambda n, d: 4 * (2 * n * d + n + math.ceil(n / tile) * 2 * n * d)


def backward_traffic(tile: int) -> Formula:
    """Q, dO, L and D for every tile of keys, K and V for every tile of queries, the rest once."""
    return lambda n, d: 4 * (math.ceil(n / tile) * (4 * n * d + 2 * n) + 9 * n * d + 3 * n)


NAIVE = ("naive: 16 N² + 16 N d", naive_traffic)
SCORES = ("S and P in full: 8 N²", all_scores)

THEORIES = {
    "lab1": Theory(
        "Q, K, V, O",
        Curves((SCORES,), "Keeping S and P, float32, takes 8 N² bytes."),
        Curves(
            (NAIVE,),
            "Naive attention writes and reads S and P (16 N² bytes), reads Q, K and V and writes O (16 N d bytes);"
            " asking again for the same bytes adds to it.",
        ),
        products=2,
    ),
    "lab3": Theory(
        "Q, K, V, O",
        Curves(
            (("m and l: 8 N", lambda n, _: 8 * n), SCORES),
            "Only m and l are kept for each query, 8 N bytes; naive attention keeps S and P.",
        ),
        Curves(
            (
                ("tiles of 32 keys", fa1_traffic(32)),
                ("tiles of 64 keys", fa1_traffic(64)),
                NAIVE,
            ),
            "Every tile of keys is one pass that reads Q, writes O, m and l and, but for the first, reads them: with"
            " T = ⌈N / Bc⌉ threads ask for 4 N (2 d + T d + (2 T - 1) (d + 2)) bytes. Small tiles move more than naive"
            " attention.",
        ),
        products=2,
        tiled=fa1_traffic,
        tile="keys",
    ),
    "lab4": Theory(
        "Q, K, V, O, L",
        Curves(
            (("tensors: 16 N d + 4 N", lambda n, d: 16 * n * d + 4 * n), SCORES),
            "Scores stay in registers and shared memory: besides Q, K, V, O and L nothing has to be kept. Naive"
            " attention keeps S and P.",
        ),
        Curves(
            (
                ("tiles of 32 queries", fa2_traffic(32)),
                ("tiles of 64 queries", fa2_traffic(64)),
                ("lab 3, tiles of 32 keys", fa1_traffic(32)),
            ),
            "Every tile of queries reads K and V once: threads ask for 4 (2 N d + N + ⌈N / Br⌉ 2 N d) bytes.",
        ),
        products=2,
        tiled=fa2_traffic,
        tile="queries",
    ),
    "lab5": Theory(
        "Q, K, V, O, L, dO, dQ, dK, dV",
        Curves(
            (("D: 4 N", lambda n, _: 4 * n), ("P and dS in full: 8 N²", all_scores)),
            "P and dS are computed again, a tile at a time: D is all that has to be kept, 4 N bytes.",
        ),
        Curves(
            (
                ("tiles of 32", backward_traffic(32)),
                ("tiles of 64", backward_traffic(64)),
            ),
            "Every tile of keys reads Q, dO, L and D, and every tile of queries reads K and V: with tiles of B rows,"
            " threads ask for 4 (⌈N / B⌉ (4 N d + 2 N) + 9 N d + 4 N) bytes.",
        ),
        products=5,
        tiled=backward_traffic,
        tile="queries and of keys",
    ),
}


def theory_of(lab: str) -> Theory | None:
    """The theory of a lab, by its folder's name as in lab1_naive."""
    return THEORIES.get(lab.partition("_")[0])
