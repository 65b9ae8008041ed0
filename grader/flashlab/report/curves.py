"""Which curves a result holds: measured meters against N, with the formulas that theory gives for the lab."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flashlab.report.figure import LENGTH, Axis, Chart, Kind, Point, Series, Unit
from flashlab.report.theory import Curves, Theory, theory_of
from flashlab.results import Result

Case = dict[str, Any]
BYTES = Axis("", Unit.BYTES, base=2)
# An error of exactly 0 has no place on a logarithmic axis; half a unit in the last place of 1 stands for it.
SMALLEST_ERROR = 2.0**-25


def figures_of(result: Result) -> list[Chart]:
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
    basis = basis_of(result["device"])
    every = (
        _memory(whole, head_dim, theory, basis),
        _traffic(whole, head_dim, theory, basis),
        _sectors(cases, basis),
        _error(square, basis),
    )
    return [figure for figure in every if figure is not None]


def basis_of(device: dict[str, Any]) -> str:
    """How a device comes to its numbers, in words: the virtual GPU counts, a real one is measured."""
    virtual = device["kind"] == "vgpu"
    return "counted on the virtual GPU" if virtual else f"measured on {device['name']}"


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


def exponent(points: Iterable[Point]) -> float | None:
    """The slope of a straight line through `points` on logarithmic axes (least squares); None for one x alone."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    if len({x for x, _ in logs}) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    above = sum((x - mean_x) * (y - mean_y) for x, y in logs)
    return above / sum((x - mean_x) ** 2 for x, _ in logs)


def growth(series: Iterable[Series]) -> str:
    """How measured series grow, as a sentence."""
    fits = [(one.label, exponent(one.points)) for one in series if one.kind is Kind.MEASURED]
    shown = [f"{label} as N^{fit:.2f}" for label, fit in fits if fit is not None]
    return f" Fitted growth: {'; '.join(shown)}." if shown else ""


def _memory(cases: list[Case], d: int, theory: Theory, basis: str) -> Chart | None:
    workspace = _measured("workspace", cases, "workspace_bytes")
    peak = _measured(f"peak, with {theory.tensors}", cases, "peak_device_bytes")
    measured = [series for series in (workspace, peak) if series]
    if not measured:
        return None
    return Chart(
        "memory",
        "Memory against N",
        basis,
        f"Device memory for each head of dimension {d}. {theory.memory.explanation}{growth(measured)}",
        LENGTH,
        replace(BYTES, label="device memory per head"),
        (*measured, *_formulas(theory.memory, cases, d)),
    )


def _traffic(cases: list[Case], d: int, theory: Theory, basis: str) -> Chart | None:
    keys = {
        "distinct": "distinct_bytes",
        "requested by threads": "requested_bytes",
        "moved in sectors": "sector_bytes",
    }
    measured = [_measured(label, cases, key) for label, key in keys.items()]
    present = [series for series in measured if series]
    if not present:
        return None
    return Chart(
        "traffic",
        "Traffic against N",
        basis,
        f"Bytes of global memory for each head of dimension {d}. {theory.traffic.explanation}",
        LENGTH,
        replace(BYTES, label="global traffic per head"),
        (*present, *_formulas(theory.traffic, cases, d)),
    )


def _sectors(cases: list[Case], basis: str) -> Chart | None:
    keys = {"loads": "sectors_per_load_request", "stores": "sectors_per_store_request"}
    measured = [_measured(label, cases, key, per_head=False) for label, key in keys.items()]
    present = [series for series in measured if series]
    if not present:
        return None
    best = Series(
        "32 neighbouring floats: 4", Kind.FORMULA, tuple((n, 4.0) for n, _ in present[0].points)
    )
    return Chart(
        "sectors",
        "Sectors of a request against N",
        basis,
        "Sectors of 32 bytes that one request of a warp touches. 32 lanes that read 32 neighbouring floats"
        " touch 4 sectors; 32 lanes that read 32 different rows touch 32.",
        LENGTH,
        Axis("sectors per request"),
        (*present, best),
    )


def _error(cases: list[Case], basis: str) -> Chart | None:
    errors, limits = set(), set()
    for case in cases:
        error = case.get("error") or {}
        n = float(case["shape"]["seq_q"])
        value, tolerance = error.get("max_abs"), error.get("tolerance")
        if isinstance(value, int | float) and math.isfinite(value):
            errors.add((n, max(value, SMALLEST_ERROR)))
        if isinstance(tolerance, int | float):
            limits.add((n, tolerance))
    if not errors:
        return None
    series = [Series("largest error of a case", Kind.SCATTERED, tuple(sorted(errors)))]
    if limits:
        series.append(Series("tolerance of the case", Kind.LIMIT, tuple(sorted(limits))))
    return Chart(
        "error",
        "Error against N",
        basis.replace("counted", "computed"),
        "Largest difference from the float64 reference, with the absolute tolerance of each case. Every dot has to stay"
        " below its dash; cases with large scores have wider tolerances. Differences below 3e-8 are drawn there.",
        LENGTH,
        Axis("largest absolute error", base=10),
        tuple(series),
    )
