"""What theory says of each lab: bytes of device memory and of global traffic against N, for one head of dimension d.

A lab that is not here has no figures: lab 2 takes rows, which have no N.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

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


def _all_scores(n: float, _: float) -> float:
    return 8 * n * n


def _naive_traffic(n: float, d: float) -> float:
    return 16 * n * n + 16 * n * d


def _fa1_traffic(tile: int) -> Formula:
    """K and V once; for every tile of keys Q is read, and O, m and l are written and, but for the first, read."""

    def formula(n: float, d: float) -> float:
        passes = math.ceil(n / tile)
        return 4 * n * (2 * d + passes * d + (2 * passes - 1) * (d + 2))

    return formula


def _fa2_traffic(tile: int) -> Formula:
    """Q, O and L once; K and V for every tile of queries."""
    return lambda n, d: 4 * (2 * n * d + n + math.ceil(n / tile) * 2 * n * d)


def _backward_traffic(tile: int) -> Formula:
    """Q, dO, L and D for every tile of keys, K and V for every tile of queries, the rest once."""
    return lambda n, d: 4 * (math.ceil(n / tile) * (4 * n * d + 2 * n) + 9 * n * d + 4 * n)


NAIVE = ("naive: 16 N² + 16 N d", _naive_traffic)
SCORES = ("S and P in full: 8 N²", _all_scores)

THEORIES = {
    "lab1": Theory(
        "Q, K, V, O",
        Curves((SCORES,), "Keeping S and P, float32, takes 8 N² bytes."),
        Curves(
            (NAIVE,),
            "Naive attention writes and reads S and P (16 N² bytes), reads Q, K and V and writes O (16 N d bytes);"
            " asking again for the same bytes adds to it.",
        ),
    ),
    "lab3": Theory(
        "Q, K, V, O",
        Curves(
            (("m and l: 8 N", lambda n, _: 8 * n), SCORES),
            "Only m and l are kept for each query, 8 N bytes; naive attention keeps S and P.",
        ),
        Curves(
            (
                ("tiles of 32 keys", _fa1_traffic(32)),
                ("tiles of 64 keys", _fa1_traffic(64)),
                NAIVE,
            ),
            "Every tile of keys is one pass that reads Q, writes O, m and l and, but for the first, reads them: with"
            " T = ⌈N / Bc⌉ threads ask for 4 N (2 d + T d + (2 T - 1) (d + 2)) bytes. Small tiles move more than naive"
            " attention.",
        ),
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
                ("tiles of 32 queries", _fa2_traffic(32)),
                ("tiles of 64 queries", _fa2_traffic(64)),
                ("lab 3, tiles of 32 keys", _fa1_traffic(32)),
            ),
            "Every tile of queries reads K and V once: threads ask for 4 (2 N d + N + ⌈N / Br⌉ 2 N d) bytes.",
        ),
    ),
    "lab5": Theory(
        "Q, K, V, O, L, dO, dQ, dK, dV",
        Curves(
            (("D: 4 N", lambda n, _: 4 * n), ("P and dS in full: 8 N²", _all_scores)),
            "P and dS are computed again, a tile at a time: D is all that has to be kept, 4 N bytes.",
        ),
        Curves(
            (
                ("tiles of 32", _backward_traffic(32)),
                ("tiles of 64", _backward_traffic(64)),
            ),
            "Every tile of keys reads Q, dO, L and D, and every tile of queries reads K and V: with tiles of B rows,"
            " threads ask for 4 (⌈N / B⌉ (4 N d + 2 N) + 9 N d + 4 N) bytes.",
        ),
    ),
}


def theory_of(lab: str) -> Theory | None:
    """The theory of a lab, by its folder's name as in lab1_naive."""
    return THEORIES.get(lab.partition("_")[0])
