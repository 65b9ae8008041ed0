"""What people see of a sweep: a line per point, the table at the end, CSV."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table
from rich.text import Text

from flashlab.bench.sweep import Done
from flashlab.bench.tiles import shown
from flashlab.errors import UsageError
from flashlab.terminal import STYLES, clean

STATUS_STYLES = {"ok": STYLES["passed"], "skipped": STYLES["skipped"], "error": STYLES["error"]}
METERS = (
    "workspace_bytes",
    "peak_device_bytes",
    "requested_bytes",
    "sector_bytes",
    "distinct_bytes",
    "compulsory_bytes",
    "shared_conflict_share",
)
SHAPE = ("batch", "heads", "seq_q", "seq_k", "head_dim", "causal")
TIMING = ("median_s", "q1_s", "q3_s")


def seconds_of(done: Done, gpu: str) -> float | None:
    """A call's seconds: measured on a real GPU, modelled for `gpu` on the virtual one; None when there are none."""
    record = done.line["record"]
    if record["status"] != "ok":
        return None
    if record.get("timing"):
        return record["timing"]["median_s"]
    return (record.get("modelled") or {}).get(gpu, {}).get("seconds")


def teraflops(done: Done, gpu: str) -> float | None:
    """The usual count of operations over the time."""
    seconds, operations = seconds_of(done, gpu), done.point.series.operations(done.point.shape)
    return operations / seconds / 1e12 if seconds and operations else None


def progress_line(done: Done, gpu: str) -> str:
    """One finished point, for logs and pipes."""
    record = done.line["record"]
    seconds = seconds_of(done, gpu)
    time = f"{seconds * 1e3:.4g} ms" if seconds else ""
    what = time if record["status"] == "ok" else clean(record["message"]).partition("\n")[0]
    after = f"({record['seconds']:.1f} s)" if done.fresh else "(kept)"
    words = (clean(done.point.series.name), str(done.point.shape), record["status"], what, after)
    return "  ".join(word for word in words if word)


def table(points: Iterable[Done], gpus: list[str], *, virtual: bool) -> Table:
    """All points of a sweep. On the virtual GPU times carry the name of the GPU that they are modelled for."""
    result = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("kernel", "BxHxNxd", "status"):
        result.add_column(heading, no_wrap=True)
    shown_gpus = gpus if virtual else gpus[:1]
    times = [f"ms {gpu}*" for gpu in gpus] if virtual else ["ms"]
    for heading in (*times, "TFLOP/s", "MB moved", "MB peak", "max error", "s"):
        result.add_column(heading, justify="right", no_wrap=True)
    for done in points:
        record = done.line["record"]
        meters = record["meters"]
        result.add_row(
            Text(clean(done.point.series.name)),
            str(done.point.shape),
            Text(record["status"], STATUS_STYLES.get(record["status"], STYLES["failed"])),
            *(_scaled(seconds_of(done, gpu), 1e3) for gpu in shown_gpus),
            _scaled(teraflops(done, gpus[0])),
            _scaled(meters.get("sector_bytes"), 1e-6),
            _scaled(meters.get("peak_device_bytes"), 1e-6),
            _scaled((record["error"] or {}).get("max_abs")),
            f"{record['seconds']:.1f}",
        )
    return result


def notes(points: Iterable[Done], gpus: list[str], *, virtual: bool) -> Iterator[str]:
    """What the table cannot say in a cell: why points have no time, each reason once, and what was modelled."""
    reasons: dict[str, list[str]] = {}
    for done in points:
        if any(seconds_of(done, gpu) is None for gpu in gpus):
            name, record = clean(done.point.series.name), done.line["record"]
            reason = clean(record["message"]).partition("\n")[0]
            key = f"{name}: {record['status']}: {reason}" if reason else ""
            reasons.setdefault(key, []).append(str(done.point.shape))
    yield from (f"{key} ({', '.join(shapes)})" for key, shapes in reasons.items() if key)
    if virtual:
        yield f"* modelled from exact counts, not measured; TFLOP/s are those of {gpus[0]}"


def write_csv(file: TextIO, points: Iterable[Done]) -> None:
    """Every point with all that a plot could need; empty cells where there is no figure."""
    flat = [dict(_cells(done)) for done in points]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    writer = csv.DictWriter(file, columns, restval="")
    writer.writeheader()
    writer.writerows(flat)


def save_csv(path: Path, points: Iterable[Done]) -> None:
    """`write_csv` to a file."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, points)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _cells(done: Done) -> Iterator[tuple[str, Any]]:
    record, label = done.line["record"], done.line["series"]
    yield from ((key, label[key]) for key in ("lab", "submission", "device"))
    yield "tile", shown(tuple(label["tile"].items()))
    yield "entry", record["entry"]
    yield from ((key, record["shape"].get(key)) for key in SHAPE)
    yield from (("status", record["status"]), ("message", record["message"]))
    timing = record.get("timing") or {}
    yield from ((f"measured_{key}", timing[key]) for key in TIMING if key in timing)
    for gpu, modelled in (record.get("modelled") or {}).items():
        yield f"modelled_{gpu}_s", modelled["seconds"]
        yield f"limiter_{gpu}", modelled["limiter"]
    yield from ((key, record["meters"].get(key)) for key in METERS)
    error = record["error"] or {}
    yield from ((key, error.get(key)) for key in ("max_abs", "tolerance", "wrong"))
    yield from (("seconds", record["seconds"]), ("key", done.line["key"]))
    yield "date", done.line["provenance"]["date"]


def _scaled(value: float | None, factor: float = 1.0) -> str:
    return "" if value is None else f"{value * factor:.4g}"
