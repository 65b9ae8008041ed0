"""The order of events: points that are there already, points that would take too long, points to measure."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flashlab.bench.journal import Journal, Line
from flashlab.bench.series import Record, Series, bare_record, key_of
from flashlab.bench.shapes import Shape

SETTLED = ("ok", "wrong", "failed")  # the kernel's own doing; the rest is tried again


@dataclass(frozen=True)
class Point:
    """One measurement of a sweep."""

    series: Series
    shape: Shape
    key: str


@dataclass(frozen=True)
class Done:
    """A point with its line; `fresh` unless an earlier run had it."""

    point: Point
    line: Line
    fresh: bool


def plan(all_series: Iterable[Series]) -> list[Point]:
    """The points of all series, each identity once; those whose costs are compared come together, cheapest first."""
    points: dict[str, Point] = {}
    for series in all_series:
        for shape in sorted(series.shapes, key=lambda s: (s.head_dim, s.causal, s.work)):
            key = key_of(series, shape)
            points.setdefault(key, Point(series, shape, key))
    return list(points.values())


def is_settled(journal: Journal, point: Point) -> bool:
    """Whether the file has a record of `point` that another measurement would only repeat."""
    line = journal.lines.get(point.key)
    return line is not None and line["record"]["status"] in SETTLED


def run(
    points: Iterable[Point],
    journal: Journal,
    provenance: dict[str, Any],
    max_seconds: float | None,
    follow: Callable[[Done], None],
) -> None:
    """Measures what `journal` does not have. Each point is on the disk before `follow` hears of it and the next starts.

    On the virtual GPU a point is predicted to take what the one before it took, in proportion to its work; above
    `max_seconds` (None: no limit) it is recorded as skipped, with the reason.
    """
    costs = _Costs()
    for point in points:
        kept = journal.lines.get(point.key)
        fresh = not is_settled(journal, point)
        if fresh:
            record = costs.too_long(point, max_seconds) or point.series.measure(point.shape)
            # The same decision again is no news.
            if kept is None or (kept["record"]["status"], record["status"]) != ("skipped",) * 2:
                now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                kept = {
                    "key": point.key,
                    "series": point.series.label,
                    "record": record,
                    "provenance": {**provenance, "date": now},
                }
                journal.append(kept)
        assert kept is not None
        costs.learn(point, kept["record"])
        follow(Done(point, kept, fresh))


class _Costs:
    """The last measured point of each series, head dimension and mask."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, bool], tuple[Shape, float]] = {}

    def learn(self, point: Point, record: Record) -> None:
        if record["status"] != "skipped":
            self._known[self._group(point)] = (point.shape, record["seconds"])

    def too_long(self, point: Point, max_seconds: float | None) -> Record | None:
        """The record of a point that is not worth its predicted time, or None."""
        known = self._known.get(self._group(point))
        if max_seconds is None or known is None or not point.series.cost_grows:
            return None
        shape, seconds = known
        predicted = seconds * point.shape.work / shape.work
        if predicted <= max_seconds:
            return None
        reason = (
            f"would take about {predicted:.0f} s, for {shape} took {seconds:.1f} s;"
            f" the limit is --max-seconds {max_seconds:g}"
        )
        request = point.series.request(point.shape)
        return bare_record(point.series.entry, request, "skipped", reason)

    def _group(self, point: Point) -> tuple[int, int, bool]:
        return (id(point.series), point.shape.head_dim, point.shape.causal)
