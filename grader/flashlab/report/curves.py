"""Which curves a result holds: measured meters against N, with the formulas that theory gives for the lab."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flashlab.report.theory import Curves, Theory, theory_of
from flashlab.results import Result

Point = tuple[float, float]
Case = dict[str, Any]


class Kind(StrEnum):
    """How a series is drawn."""

    MEASURED = "measured"
    SCATTERED = "scattered"  # measured, with more than one value for one N
    FORMULA = "formula"
    LIMIT = "limit"


@dataclass(frozen=True)
class Series:
    """One curve; `points` are (N, value) in order of N."""

    label: str
    kind: Kind
    points: tuple[Point, ...]


@dataclass(frozen=True)
class FigureData:
    """A figure against N. `unit` is B for bytes, else the y axis shows plain numbers; `log_y` is how it is scaled."""

    name: str
    caption: str
    y_label: str
    series: tuple[Series, ...]
    unit: str = ""
    log_y: bool = True

    @property
    def alternative(self) -> str:
        """The figure in words, for those who do not see it."""
        scale = "logarithmic axes" if self.log_y else "logarithmic N axis"
        parts = [f"{self.y_label} against N, {scale}."]
        for series in self.series:
            (first_n, first), (last_n, last) = series.points[0], series.points[-1]
            parts.append(
                f"{series.label}: {self.shown(first)} at N = {first_n:g}"
                + (f", {self.shown(last)} at N = {last_n:g}." if len(series.points) > 1 else ".")
            )
        return " ".join(parts)

    def shown(self, value: float) -> str:
        """A value of the y axis as text."""
        return in_bytes(value) if self.unit == "B" else f"{value:.3g}"


def in_bytes(value: float) -> str:
    """Bytes with a binary unit, as in 2 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.4g} {unit}"


def figures_of(result: Result) -> list[FigureData]:
    """The figures for which a result has data; on a real GPU, which counts no sectors, these are fewer."""
    theory = theory_of(result["lab"])
    if theory is None:
        return []
    square = [case for case in result["cases"] if _is_square(case)]
    sizes: dict[int, set[int]] = {}
    for case in square:
        sizes.setdefault(case["shape"]["head_dim"], set()).add(case["shape"]["seq_q"])
    if not sizes:
        return []
    head_dim = max(sizes, key=lambda d: (len(sizes[d]), d))
    cases = [case for case in square if case["shape"]["head_dim"] == head_dim]
    # Under a mask less is read than the formulas say.
    whole = [case for case in cases if not case["shape"].get("causal", False)]
    every = (
        _memory(whole, head_dim, theory),
        _traffic(whole, head_dim, theory),
        _sectors(cases),
        _error(square),
    )
    return [figure for figure in every if figure is not None]


def _is_square(case: Case) -> bool:
    shape = case.get("shape", {})
    keys = ("batch", "heads", "seq_q", "seq_k", "head_dim")
    return all(key in shape for key in keys) and shape["seq_q"] == shape["seq_k"]


def _measured(label: str, cases: Iterable[Case], key: str, per_head: bool = True) -> Series | None:
    points = set()
    for case in cases:
        value = case.get("meters", {}).get(key)
        if isinstance(value, int | float) and value > 0:
            heads = case["shape"]["batch"] * case["shape"]["heads"] if per_head else 1
            points.add((float(case["shape"]["seq_q"]), value / heads))
    return Series(label, Kind.MEASURED, tuple(sorted(points))) if points else None


def _formulas(curves: Curves, cases: Iterable[Case], d: int) -> list[Series]:
    sizes = sorted({float(case["shape"]["seq_q"]) for case in cases})
    return [
        Series(label, Kind.FORMULA, tuple((n, formula(n, d)) for n in sizes))
        for label, formula in curves.formulas
    ]


def _memory(cases: list[Case], d: int, theory: Theory) -> FigureData | None:
    workspace = _measured("workspace", cases, "workspace_bytes")
    peak = _measured(f"peak, with {theory.tensors}", cases, "peak_device_bytes")
    measured = [series for series in (workspace, peak) if series]
    if not measured:
        return None
    return FigureData(
        "memory",
        f"Memory against N, for each head of dimension {d}. {theory.memory.explanation}",
        "device memory per head",
        (*measured, *_formulas(theory.memory, cases, d)),
        unit="B",
    )


def _traffic(cases: list[Case], d: int, theory: Theory) -> FigureData | None:
    keys = {
        "distinct": "distinct_bytes",
        "requested by threads": "requested_bytes",
        "moved in sectors": "sector_bytes",
    }
    measured = [_measured(label, cases, key) for label, key in keys.items()]
    present = [series for series in measured if series]
    if not present:
        return None
    return FigureData(
        "traffic",
        f"Global memory traffic against N, for each head of dimension {d}. {theory.traffic.explanation}",
        "global traffic per head",
        (*present, *_formulas(theory.traffic, cases, d)),
        unit="B",
    )


def _sectors(cases: list[Case]) -> FigureData | None:
    keys = {"loads": "sectors_per_load_request", "stores": "sectors_per_store_request"}
    measured = [_measured(label, cases, key, per_head=False) for label, key in keys.items()]
    present = [series for series in measured if series]
    if not present:
        return None
    best = Series(
        "32 neighbouring floats: 4", Kind.FORMULA, tuple((n, 4.0) for n, _ in present[0].points)
    )
    return FigureData(
        "sectors",
        "Sectors of 32 bytes that one request of a warp touches, against N. 32 lanes that read 32 neighbouring floats"
        " touch 4 sectors; 32 lanes that read 32 different rows touch 32.",
        "sectors per request",
        (*present, best),
        log_y=False,
    )


def _error(cases: list[Case]) -> FigureData | None:
    errors, limits = set(), set()
    for case in cases:
        error = case.get("error") or {}
        n = float(case["shape"]["seq_q"])
        value, tolerance = error.get("max_abs"), error.get("tolerance")
        # An error of exactly 0 has no place on a logarithmic axis; half a unit in the last place of 1 stands for it.
        if isinstance(value, int | float) and math.isfinite(value):
            errors.add((n, max(value, 2.0**-25)))
        if isinstance(tolerance, int | float):
            limits.add((n, tolerance))
    if not errors:
        return None
    series = [Series("largest error of a case", Kind.SCATTERED, tuple(sorted(errors)))]
    if limits:
        series.append(Series("tolerance of the case", Kind.LIMIT, tuple(sorted(limits))))
    return FigureData(
        "error",
        "Largest difference from the float64 reference against N, with the absolute tolerance of each case. Cases with"
        " large scores have wider tolerances. Differences below 3e-8 are drawn there.",
        "largest absolute error",
        tuple(series),
    )
