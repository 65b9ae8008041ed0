"""Figures about what holds a kernel back: the roofline, and each resource's share of the time."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.report.blocks import Table
from flashlab.report.figure import Axis, Bars, Chart, Kind, Series, Unit, in_seconds
from flashlab.report.measurements import RESOURCES, Clock, Measurement
from flashlab.report.sweeps import Sweep

BARS_SHOW = 6  # resources told apart in one figure; the others are in its data
INTENSITY = Axis("operations per byte", base=2)
RATE = Axis("rate", Unit.FLOPS, base=10)


@dataclass(frozen=True)
class Peaks:
    """What a GPU can do at most: floating-point operations and bytes per second."""

    name: str
    float32: float
    dram: float
    l2: float


def load_peaks(profile: Path) -> Peaks:
    """From a GPU's profile (grader/judge/gpus). A multiply-add is two operations."""
    try:
        gpu = tomllib.loads(profile.read_text(encoding="utf-8"))
        chip = gpu["chip"]
        lanes = gpu["rates"]["fma"] * chip["multiprocessors"]
        return Peaks(
            gpu["name"],
            2.0 * lanes * chip["clock_hz"],
            float(chip["dram_bytes_per_second"]),
            float(chip["l2_bytes_per_second"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{profile} is no usable profile of a GPU: {error}") from None


def largest(sweep: Sweep, clock: Clock) -> list[Measurement]:
    """Of every submission its largest shape that `clock` timed, in order of their names."""
    found: dict[tuple[str, str], Measurement] = {}
    for one in sweep.whole:
        key = one.lab, one.submission
        if clock in one.times and (key not in found or _size(one) > _size(found[key])):
            found[key] = one
    return sorted(found.values(), key=sweep.label)


def _size(one: Measurement) -> tuple[int, int]:
    return one.n, one.heads


def roofline(sweep: Sweep, clock: Clock, peaks: Peaks) -> Chart | None:
    """Every submission twice, at its rate: over the bytes that DRAM and that L2 have to deliver."""
    series = []
    for one in largest(sweep, clock):
        rate = one.operations / one.times[clock]
        points = [
            (one.operations / moved, rate)
            for moved in (one.meter("sector_bytes"), one.meter("distinct_bytes"))
            if moved
        ]
        if points and one.operations:
            label = f"{sweep.label(one)}, N = {one.n}"
            series.append(Series(label, Kind.MEASURED, tuple(sorted(points)), sweep.slot(one)))
    if not series:
        return None
    at = [x for one in series for x, _ in one.points]
    roofs = [_roof("DRAM roof", peaks.dram, peaks, at), _roof("L2 roof", peaks.l2, peaks, at)]
    return Chart(
        f"roofline-{clock.key}",
        f"Roofline of {peaks.name}, {clock.how} rates",
        clock.basis,
        "Each kernel is two points at its rate, joined by a line: left over the bytes that leave L2 in sectors,"
        " right over those that DRAM delivers at least once. A point near a slanted roof is limited by that memory,"
        f" one near the flat roof by arithmetic ({RATE.shown(peaks.float32)} in float32); one far below all of them"
        " waits for something else, which the next figure names.",
        INTENSITY,
        RATE,
        (*series, *roofs),
    )


def _roof(label: str, bandwidth: float, peaks: Peaks, at: list[float]) -> Series:
    ridge = peaks.float32 / bandwidth
    first, last = min(*at, ridge) / 2, max(*at, ridge) * 2
    points = (
        (first, bandwidth * first),
        (ridge, peaks.float32),
        (last, peaks.float32),
    )
    return Series(label, Kind.FORMULA, points)


def limiters(sweep: Sweep, clock: Clock) -> Bars | None:
    """Each resource's own time as a part of the kernel's, for the largest shape of every submission."""
    chosen = [one for one in largest(sweep, clock) if clock.profile]
    if not chosen:
        return None
    times = [one.modelled[clock.profile] for one in chosen]
    highest = {
        name: max(float(time["shares"].get(name, 0.0)) for time in times) for name in RESOURCES
    }
    shown = sorted(highest, key=lambda name: -highest[name])[:BARS_SHOW]
    return Bars(
        f"limiter-{clock.key}",
        "What the kernels wait for",
        clock.basis,
        "How long each resource is busy, as a part of the kernel's time. Resources work at the same time, so a bar"
        " may be longer than 100 %; the longest part is what limits the kernel, and the words under its name say so.",
        Axis("busy, of the kernel's time", Unit.PERCENT),
        tuple(f"{sweep.label(one)}, N = {one.n}" for one in chosen),
        tuple(
            (RESOURCES[name], tuple(100 * float(time["shares"].get(name, 0.0)) for time in times))
            for name in RESOURCES
            if name in shown and highest[name] > 0
        ),
        notes=tuple(f"{time['limiter']}, {100 * time['limiter_share']:.0f} %" for time in times),
        whole=100.0,
    )


def time_table(sweep: Sweep) -> Table | None:
    """The largest shape of every submission, with its time on every GPU."""
    rows: dict[str, tuple[str, ...]] = {}
    clocks = sweep.clocks
    for clock in clocks[:1]:
        for one in largest(sweep, clock):
            times = (in_seconds(one.times[c]) if c in one.times else "–" for c in clocks)
            rate = RATE.shown(one.operations / one.times[clock]) if one.operations else "–"
            shape = f"{one.heads} × {one.n} × {sweep.head_dim}"
            rows[sweep.label(one)] = (sweep.label(one), shape, *times, rate)
    if not rows:
        return None
    head = (
        "kernel",
        "B H × N × d",
        *(f"{clock.name}, {clock.how}>" for clock in clocks),
        "rate on the first>",
    )
    return Table("Time of the largest shape of each kernel", head, tuple(rows.values()))
