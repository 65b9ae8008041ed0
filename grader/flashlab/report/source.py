"""The annotated source: what each line of a submission costs, from the per-line counts of the virtual GPU."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from flashlab.report.blocks import Line, Listing
from flashlab.report.figure import in_bytes
from flashlab.report.measurements import Measurement

HEAD = ("instructions", "global memory", "sectors per request", "bank conflicts")
SECTOR_BYTES = 32
CONTEXT = 2  # lines shown before and after one that has counts
GLOBAL = ("global_load", "global_store", "global_atomic")
SHARED = ("shared_load", "shared_store", "shared_atomic")


def annotated(measurement: Measurement, text: str) -> Listing | None:
    """The listing of a submission whose source is `text`, or None when the record has no counts by line."""
    counts = _by_line(measurement)
    if not counts:
        return None
    total = sum(count["warp_instructions"] for count in counts.values())
    hottest = max(_cost(count) for count in counts.values())
    lines = []
    for number, code in enumerate(text.expandtabs(4).splitlines(), 1):
        count = counts.get(number)
        near = range(number - CONTEXT, number + CONTEXT + 1)
        if count is not None:
            lines.append(Line(number, code, _cells(count, total), _cost(count) / hottest))
        elif any(other in counts for other in near):
            lines.append(Line(number, code, ("",) * len(HEAD), 0.0))
    shape = measurement.shape
    sizes = " × ".join(str(shape[key]) for key in ("batch", "heads", "seq_q", "head_dim"))
    title = f"{measurement.submission} at B × H × N × d = {sizes}"
    return Listing(title, "counted on the virtual GPU", HEAD, tuple(lines))


def _by_line(measurement: Measurement) -> dict[int, dict[str, float]]:
    """The counts of all launches together, by line of the submission's file; line 0 is code of no line."""
    name = PurePath(measurement.submission).name
    lines: dict[int, dict[str, float]] = {}
    for launch in measurement.record.get("launches", ()):
        for line in launch.get("lines", ()):
            if PurePath(line["file"]).name == name and line["line"] > 0:
                total = lines.setdefault(line["line"], {"warp_instructions": 0})
                for key, value in _numbers(line):
                    total[key] = total.get(key, 0) + value
    return lines


def _numbers(line: dict[str, Any]) -> Iterable[tuple[str, float]]:
    return ((key, value) for key, value in line.items() if isinstance(value, int) and key != "line")


def _sum(count: dict[str, float], kinds: str, names: Iterable[str]) -> float:
    return sum(count.get(f"{name}_{kinds}", 0) for name in names)


def _cost(count: dict[str, float]) -> float:
    """What the heat of a line stands for: issue slots, wavefronts of shared memory, and sectors, which take turns."""
    return (
        count["warp_instructions"]
        + _sum(count, "wavefronts", SHARED)
        + _sum(count, "sectors", GLOBAL)
    )


def _cells(count: dict[str, float], total: float) -> tuple[str, ...]:
    requests = _sum(count, "requests", GLOBAL)
    sectors = _sum(count, "sectors", GLOBAL)
    conflicts = _sum(count, "conflicts", SHARED)
    return (
        f"{100 * count['warp_instructions'] / total:.1f} %",
        in_bytes(SECTOR_BYTES * sectors) if requests else "",
        f"{sectors / requests:.3g}" if requests else "",
        f"{conflicts:,.0f}" if conflicts else "",
    )
