"""Figures of sweeps over the size of a tile: this course's version of the one in the FlashAttention paper.

Source: Dao et al. 2022, figure 2, middle: accesses of device memory and time against the size of a block.
"""

from collections import Counter
from collections.abc import Iterable

from flashlab.report.curves import basis_of
from flashlab.report.figure import Axis, Chart, Kind, Point, Series, Unit
from flashlab.report.measurements import Clock, Measurement, short
from flashlab.report.sweeps import SECONDS, SLOTS, Reading, formula_series, per_head
from flashlab.report.theory import NAIVE, Formula, theory_of

ROWS = (
    "kBr",
    "kBc",
    "kTile",
    "Br",
    "Bc",
)  # constants that are the rows of a tile, as theory has them


def against_tile(measurements: Iterable[Measurement], clocks: Iterable[Clock]) -> list[Chart]:
    """Traffic and time against the rows of a tile, for every lab whose tiles a sweep changed: of each the shape with
    most sizes, by the first of `clocks` that timed it.
    """
    by_lab: dict[str, list[Measurement]] = {}
    for one in measurements:
        if one.ok and one.square and len(one.tile) == 1 and theory_of(one.lab) is not None:
            by_lab.setdefault(one.lab, []).append(one)
    figures = []
    for lab, tiled in sorted(by_lab.items()):
        (key, _), *_ = Counter(_sweep(one) for one in tiled).most_common(1)
        chosen = [one for one in tiled if _sweep(one) == key]
        figures += _traffic(lab, chosen)
        figures += _time(lab, chosen, clocks)
    return figures


def _sweep(one: Measurement) -> tuple[object, ...]:
    """What is equal for points that differ in the value of a constant alone."""
    return one.tile[0][0], one.submission, one.n, *one.slice


def _axis(lab: str, chosen: list[Measurement]) -> Axis:
    constant, theory = chosen[0].tile[0][0], theory_of(lab)
    assert theory is not None
    rows = f", rows of a tile of {theory.tile}" if constant in ROWS else ""
    return Axis(f"{constant}{rows}", base=2)


def _of(chosen: list[Measurement]) -> str:
    one = chosen[0]
    heads, head_dim, causal = one.slice
    return f"N = {one.n}, {heads} head{'s' if heads > 1 else ''}, d = {head_dim}{', causal' if causal else ''}"


def _traffic(lab: str, chosen: list[Measurement]) -> list[Chart]:
    moved = _by_tile(chosen, lambda one: per_head(one, one.meter("requested_bytes")))
    theory, n, d = theory_of(lab), chosen[0].n, chosen[0].shape["head_dim"]
    if not moved or theory is None:
        return []
    formulas: list[tuple[str, Formula]] = [(NAIVE[0], lambda _tile, _d: NAIVE[1](n, d))]
    if theory.tiled is not None and chosen[0].tile[0][0] in ROWS:
        tiled = theory.tiled
        formulas.insert(0, ("theory for this tile", lambda tile, _d: tiled(int(tile))(n, d)))
    sizes = [size for size, _ in moved]
    return [
        Chart(
            f"tile-traffic-{lab}",
            f"Traffic against the tile, {short(lab)}",
            basis_of(chosen[0].record["device"]),
            f"Bytes of global memory for each head, {_of(chosen)}: twice the tile, half as often is everything read"
            " again. Where the curve lies above the line of naive attention, tiles that small move more than keeping"
            " S and P would.",
            _axis(lab, chosen),
            Axis("global traffic per head", Unit.BYTES, base=2),
            (
                Series(
                    f"{short(lab)}, requested by threads",
                    Kind.MEASURED,
                    moved,
                    SLOTS.get(lab.partition("_")[0]),
                ),
                *(formula_series(text, lambda x, f=f: f(x, d), sizes) for text, f in formulas),
            ),
        )
    ]


def _time(lab: str, chosen: list[Measurement], clocks: Iterable[Clock]) -> list[Chart]:
    for clock in clocks:
        timed = _by_tile(chosen, lambda one, clock=clock: one.times.get(clock))
        if timed:
            return [
                Chart(
                    f"tile-time-{lab}",
                    f"{clock.how.capitalize()} time against the tile, {short(lab)}",
                    clock.basis,
                    f"The same calls, {_of(chosen)}. The time follows the traffic until something else limits the"
                    " kernel: larger tiles then gain nothing, and the shared memory and registers that they need"
                    " leave room for fewer warps.",
                    _axis(lab, chosen),
                    SECONDS,
                    (Series(short(lab), Kind.MEASURED, timed, SLOTS.get(lab.partition("_")[0])),),
                )
            ]
    return []


def _by_tile(chosen: list[Measurement], reading: Reading) -> tuple[Point, ...]:
    points = {}
    for one in chosen:
        value = reading(one)
        if value:
            points[float(one.tile[0][1])] = value
    return tuple(sorted(points.items()))
