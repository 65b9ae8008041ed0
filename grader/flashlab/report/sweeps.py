"""Figures of what `flashlab bench` measured, labs side by side: memory, traffic, time, speed-up and error against N."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from flashlab.report.curves import BYTES, SMALLEST_ERROR, basis_of, growth
from flashlab.report.figure import LENGTH, Axis, Chart, Kind, Series, Unit
from flashlab.report.measurements import Clock, Measurement, labels
from flashlab.report.theory import NAIVE, fa1_traffic, fa2_traffic, theory_of

Reading = Callable[[Measurement], float | None]
# A curve keeps its colour and marker from figure to figure.
SLOTS = {"lab1": 0, "lab3": 1, "lab4": 2, "lab5": 3, "lab2": 4, "torch": 5}
SECONDS = Axis("time of one call", Unit.SECONDS, base=10)


@dataclass(frozen=True)
class Sweep:
    """What can be compared: right results on square shapes of one dimension and mask, and their curves' names."""

    points: tuple[Measurement, ...]
    names: dict[tuple[str, str], str]
    head_dim: int
    causal: bool

    def label(self, one: Measurement) -> str:
        """Of the curve that a point belongs to."""
        return self.names[one.lab, one.submission]

    @cached_property
    def slots(self) -> dict[tuple[str, str], int]:
        """A colour and marker for each curve, the same in every figure; submissions of one lab have different ones."""
        slots: dict[tuple[str, str], int] = {}
        for key in sorted(self.names, key=lambda key: self.names[key]):
            wanted = SLOTS.get(key[0].partition("_")[0], len(SLOTS) - 1)
            free = [slot for slot in reversed(range(len(SLOTS))) if slot not in slots.values()]
            slots[key] = wanted if wanted in free or not free else free[0]
        return slots

    def slot(self, one: Measurement) -> int:
        """Of the curve that a point belongs to."""
        return self.slots[one.lab, one.submission]

    @property
    def of(self) -> str:
        """The slice in words."""
        return f"d = {self.head_dim}{', causal' if self.causal else ''}"

    @property
    def whole(self) -> tuple[Measurement, ...]:
        """Without changed tiles."""
        return tuple(one for one in self.points if not one.tile)

    @property
    def basis(self) -> str:
        """How the meters came about."""
        return " and ".join(sorted({basis_of(one.record["device"]) for one in self.points}))

    @property
    def clocks(self) -> list[Clock]:
        """Measured before modelled, then by how many points each has, and for how fast a GPU."""
        counts = Counter(clock for one in self.points for clock in one.times)
        fastest = {
            clock: min(one.times[clock] for one in self.points if clock in one.times)
            for clock in counts
        }
        return sorted(counts, key=lambda c: (c.how != "measured", -counts[c], fastest[c], c.name))


def sweep_of(measurements: Iterable[Measurement]) -> Sweep | None:
    """The largest comparable part: the dimension and mask for which most labs were measured at most N."""
    points = [one for one in measurements if one.ok and one.square and _comparable(one)]
    slices: dict[tuple[int, bool], set[tuple[str, int]]] = {}
    for one in points:
        slices.setdefault(one.slice[1:], set()).add((one.lab, one.n))
    if not slices:
        return None
    head_dim, causal = max(slices, key=lambda s: (len(slices[s]), not s[1], s[0]))
    chosen = tuple(one for one in points if one.slice[1:] == (head_dim, causal))
    return Sweep(chosen, labels(chosen), head_dim, causal)


def _comparable(one: Measurement) -> bool:
    return theory_of(one.lab) is not None or one.lab == "torch"


def against_length(sweep: Sweep) -> list[Chart]:
    """Memory, traffic and error against N, for each head."""
    figures = (_memory(sweep), _traffic(sweep), _error(sweep))
    return [figure for figure in figures if figure is not None]


def against_clock(sweep: Sweep, clock: Clock) -> list[Chart]:
    """Time and speed-up against N, on one GPU."""
    timed = [one for one in sweep.whole if clock in one.times]
    if not timed:
        return []
    reach: dict[int, set[tuple[str, int]]] = {}
    for one in timed:
        reach.setdefault(one.heads, set()).add((one.lab, one.n))
    heads = max(reach, key=lambda h: (len(reach[h]), h))
    timed = [one for one in timed if one.heads == heads]
    series = _curves(sweep, timed, lambda one: one.times[clock])
    of = f"{sweep.of}, {heads} head{'s' if heads > 1 else ''}"
    time = Chart(
        f"time-{clock.key}",
        f"{clock.how.capitalize()} time against N",
        clock.basis,
        f"Time of one call, {of}.{growth(series)} The work grows as N² in every lab, and so does the"
        " time once the GPU is full; a smaller exponent says that it is not.",
        LENGTH,
        SECONDS,
        series,
    )
    return [time, *_speed_up(series, clock, of)]


def _speed_up(series: tuple[Series, ...], clock: Clock, of: str) -> list[Chart]:
    """How many times as fast as naive attention."""
    naive = next((dict(one.points) for one in series if one.label.startswith("lab 1")), None)
    if naive is None:
        return []
    ratios = [
        replace(one, points=tuple((n, naive[n] / t) for n, t in one.points if n in naive))
        for one in series
        if not one.label.startswith(("lab 1", "lab 5"))  # the backward pass does other work
    ]
    ratios = [one for one in ratios if one.points]
    if not ratios:
        return []
    same = Series("naive attention: 1", Kind.FORMULA, tuple((n, 1.0) for n in sorted(naive)))
    return [
        Chart(
            f"speedup-{clock.key}",
            f"Speed-up against N, from {clock.how} times",
            clock.basis,
            f"Time of naive attention (lab 1) divided by each lab's, {of}. Below 1 a kernel is slower than naive"
            " attention, as one is that has a block for each head alone and leaves the other multiprocessors idle.",
            LENGTH,
            Axis("speed-up over lab 1", Unit.TIMES, base=2),
            (*ratios, same),
        )
    ]


def per_head(one: Measurement, value: float | None) -> float | None:
    """A reading of all heads divided by their number."""
    return None if value is None else value / one.heads


def _curves(sweep: Sweep, points: Iterable[Measurement], reading: Reading) -> tuple[Series, ...]:
    """One series for each submission."""
    values: dict[tuple[str, str], dict[float, float]] = {}
    for one in points:
        value = reading(one)
        if value is not None and value > 0:
            values.setdefault((one.lab, one.submission), {})[float(one.n)] = value
    return tuple(
        Series(sweep.names[key], Kind.MEASURED, tuple(sorted(curve.items())), sweep.slots[key])
        for key, curve in sorted(values.items(), key=lambda item: sweep.names[item[0]])
    )


def _lengths(series: Iterable[Series]) -> list[float]:
    return sorted({n for one in series for n, _ in one.points})


def _memory(sweep: Sweep) -> Chart | None:
    series = _curves(
        sweep,
        [one for one in sweep.whole if one.lab != "torch"],
        lambda one: per_head(one, one.meter("peak_device_bytes")),
    )
    if not series:
        return None
    d, sizes = sweep.head_dim, _lengths(series)
    formulas = (
        ("naive: 8 N² + 16 N d", lambda n: 8 * n * n + 16 * n * d),
        ("flash: 16 N d + 4 N", lambda n: 16 * n * d + 4 * n),
    )
    return Chart(
        "memory",
        "Memory against N",
        sweep.basis,
        f"Most device memory at one time for each head, {sweep.of}, with the tensors themselves. Naive attention"
        " keeps S and P, so doubling N takes four times the memory; without them it takes twice. Lab 5 has twice as"
        f" many tensors.{growth(series)}",
        LENGTH,
        replace(BYTES, label="device memory per head"),
        (*series, *(formula_series(label, f, sizes) for label, f in formulas)),
    )


def formula_series(label: str, formula: Callable[[float], float], sizes: list[float]) -> Series:
    """What theory says at `sizes`."""
    return Series(label, Kind.FORMULA, tuple((n, formula(n)) for n in sizes))


def _traffic(sweep: Sweep) -> Chart | None:
    series = _curves(sweep, sweep.whole, lambda one: per_head(one, one.meter("requested_bytes")))
    if not series:
        return None
    d, sizes = sweep.head_dim, _lengths(series)
    formulas = (
        ("naive, each byte once", lambda n: NAIVE[1](n, d)),
        ("FlashAttention, Bc = 64", lambda n: fa1_traffic(64)(n, d)),
        ("FlashAttention-2, Br = 64", lambda n: fa2_traffic(64)(n, d)),
    )
    return Chart(
        "traffic",
        "Traffic against N",
        sweep.basis,
        f"Bytes of global memory that threads ask for, for each head, {sweep.of}. A kernel without shared memory asks"
        " for every element of K and V once for each query, far above the line of naive attention, which counts each"
        " byte once; tiles bring that down by the number of rows in a tile.",
        LENGTH,
        replace(BYTES, label="global traffic per head"),
        (*series, *(formula_series(label, f, sizes) for label, f in formulas)),
    )


def _error(sweep: Sweep) -> Chart | None:
    def largest(one: Measurement) -> float | None:
        value = (one.record.get("error") or {}).get("max_abs")
        usable = isinstance(value, int | float) and math.isfinite(value)
        return max(float(value), SMALLEST_ERROR) if usable else None

    series = _curves(sweep, sweep.whole, largest)
    if not series:
        return None
    limits: dict[float, float] = {}
    for one in sweep.whole:
        tolerance = (one.record.get("error") or {}).get("tolerance")
        if isinstance(tolerance, int | float):
            limits[float(one.n)] = min(tolerance, limits.get(float(one.n), math.inf))
    if limits:
        series += (Series("smallest tolerance", Kind.LIMIT, tuple(sorted(limits.items()))),)
    return Chart(
        "error",
        "Error against N",
        sweep.basis.replace("counted", "computed"),
        f"Largest difference from the float64 reference, {sweep.of}. Tiling changes the order of sums, not their"
        " precision: all curves stay a few units of float32 apart, and below the tolerance.",
        LENGTH,
        Axis("largest absolute error", base=10),
        series,
    )
