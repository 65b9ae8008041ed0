"""`flashlab profile`: what a submission does on the virtual GPU, kernel by kernel and line by line."""

import datetime
import math
import re
import statistics
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flashlab.build import Submission
from flashlab.device import Chosen
from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.measure import Record, Shape, measure
from flashlab.profile_lines import Hint, Listing, hints, listing
from flashlab.profile_tiles import Traffic, traffic

GROWTH_SIZES = (256, 512, 1024, 2048)
LEAST = 256  # bytes; less scratch than this counts as this much, for nothing has no logarithm
SHAPE_KEYS = {
    "batch": ("batch",),
    "heads": ("heads",),
    "seq": ("seq_q", "seq_k"),
    "seq_q": ("seq_q",),
    "seq_k": ("seq_k",),
    "d": ("head_dim",),
    "head_dim": ("head_dim",),
}


@dataclass(frozen=True)
class Order:
    """What to profile: a built submission of a lab, at `shapes`, with times modelled for `gpu`."""

    lab: Lab
    submission: Submission
    library: Path
    device: Chosen
    shapes: tuple[Shape, ...]
    gpu: str


@dataclass(frozen=True)
class ShapeProfile:
    """One call: its record, its modelled time (None while the result is wrong), its traffic against theory, its lines
    and those to look at first.
    """

    record: Record
    modelled: dict[str, Any] | None
    traffic: Traffic
    listing: Listing
    hints: list[Hint]


@dataclass(frozen=True)
class Growth:
    """Scratch memory against N. `exponent` is the slope of log(bytes) over log(N): 0 constant, 1 linear, 2 a matrix."""

    points: list[dict[str, Any]]  # n, workspace_bytes, unmetered_bytes, local_bytes
    exponent: float


@dataclass(frozen=True)
class Profile:
    """All that is known of a submission."""

    order: Order
    shapes: list[ShapeProfile]
    growth: Growth | None
    sections: dict[str, str]  # of the handout, by topic

    def document(self) -> dict[str, Any]:
        """The profile as JSON: records as flashlab-measure gives them, and what was made of them."""
        now = datetime.datetime.now(datetime.UTC)
        return {
            "schema_version": 1,
            "lab": self.order.lab.name,
            "submission": {
                "path": self.order.submission.shown_path,
                "sha256": self.order.submission.sha256,
            },
            "gpu": self.order.gpu,
            "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "shapes": [
                {
                    "record": shape.record,
                    "traffic": asdict(shape.traffic),
                    "look_here": [asdict(hint) for hint in shape.hints],
                    "lines": {
                        str(number): asdict(counts)
                        for number, counts in sorted(shape.listing.lines.items())
                    },
                    "elsewhere": asdict(shape.listing.elsewhere),
                }
                for shape in self.shapes
            ],
            "memory_growth": asdict(self.growth) if self.growth else None,
        }


def profile(layout: Layout, order: Order, on_step: Callable[[], None]) -> Profile:
    """Measures and interprets; `on_step` is called for each shape that is done, of which there are steps(order)."""
    settings = tomllib.loads(order.lab.config.read_text(encoding="utf-8"))
    wanted = [dict(shape) for shape in order.shapes]
    growing = growth_shapes(settings)
    profiled: list[ShapeProfile] = []
    grown: list[Record] = []
    for record in measure(
        layout, order.lab, order.library, order.device, [*wanted, *growing], (order.gpu,)
    ):
        on_step()
        if len(profiled) < len(wanted):
            profiled.append(_profiled(layout, order, record))
        elif record["status"] == "ok":
            grown.append(record)
    return Profile(order, profiled, growth(grown), settings["sections"])


def steps(order: Order) -> int:
    """How many shapes profile() measures."""
    settings = tomllib.loads(order.lab.config.read_text(encoding="utf-8"))
    return len(order.shapes) + len(growth_shapes(settings))


def _profiled(layout: Layout, order: Order, record: Record) -> ShapeProfile:
    if record["status"] not in ("ok", "wrong") or not record.get("launches"):
        why = record["message"].partition("\n")[0] or "it launches no kernel"
        raise SubmissionError(f"{order.submission.shown_path} cannot be profiled: {why}")
    source = (layout.root / order.submission.shown_path).absolute()
    listed = listing(record["launches"], lambda file: Path(file) == source)
    compared = traffic(
        order.lab.name,
        record["shape"],
        record["meters"],
        order.submission.data.decode("utf-8", errors="replace"),
    )
    modelled = record.get("modelled", {}).get(order.gpu)
    shares = modelled["shares"] if modelled else None
    looked = hints(listed, record["meters"]["distinct_bytes"], shares)
    return ShapeProfile(record, modelled, compared, listed, looked)


def parse_shape(text: str) -> Shape:
    """A shape from words such as heads=4,seq=1024,d=64,causal; scale=X and entry=NAME are optional."""
    shape: dict[str, Any] = {}
    for word in text.split(","):
        key, _, value = word.strip().partition("=")
        if key == "causal" and not value:
            shape["causal"] = True
        elif key == "entry" and value:
            shape["entry"] = value
        elif key == "scale" and re.fullmatch(r"[0-9.eE+-]+", value):
            shape["scale"] = float(value)
        elif key in SHAPE_KEYS and re.fullmatch(r"[1-9]\d{0,6}", value):
            shape |= dict.fromkeys(SHAPE_KEYS[key], int(value))
        else:
            raise UsageError(
                f"--shape: '{word.strip()}' is not understood; write it as in heads=4,seq=1024,d=64,causal"
            )
    missing = [name for name in ("seq_q", "head_dim") if name not in shape]
    if missing:
        raise UsageError(f"--shape '{text}' has no {'seq' if 'seq_q' in missing else 'd'}")
    return shape


def default_shapes(lab: Lab) -> tuple[Shape, ...]:
    """For each entry point, the largest case of lab.toml without a mask."""
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    entries = [entry["name"] for entry in settings["lab"]["entries"]]
    found = []
    for entry in entries:
        shapes = [
            case["shape"]
            for case in settings["case"]
            if case.get("entry", entries[0]) == entry
            and case.get("device") != "cuda"
            and not case["shape"].get("causal", False)
        ]
        largest = max(shapes, key=_size)
        found.append({**largest, "entry": entry})
    return tuple(found)


def _size(shape: Shape) -> int:
    keys = ("batch", "heads", "seq_q", "seq_k", "head_dim")
    return math.prod(shape.get(key, 1) for key in keys)


def growth_shapes(settings: dict[str, Any]) -> list[Shape]:
    """The lab's first memory case at growing N: rows and columns of a square, else columns alone."""
    cases = [case for case in settings["case"] if case["group"] == "memory"]
    if not cases:
        return []
    shape = cases[0]["shape"]
    is_square = shape["seq_q"] == shape["seq_k"]
    entry = {"entry": cases[0]["entry"]} if "entry" in cases[0] else {}
    return [
        {
            **entry,
            "seq_q": n if is_square else shape["seq_q"],
            "seq_k": n,
            "head_dim": shape["head_dim"],
        }
        for n in GROWTH_SIZES
    ]


def growth(records: Sequence[Record]) -> Growth | None:
    """The fit over records of growing N; None for fewer than two."""
    keys = ("workspace_bytes", "unmetered_bytes", "local_bytes")
    points = [
        {"n": record["shape"]["seq_k"], **{key: record["meters"][key] for key in keys}}
        for record in records
    ]
    if len(points) < 2:
        return None
    scratch = [max(point["workspace_bytes"] + point["unmetered_bytes"], LEAST) for point in points]
    fit = statistics.linear_regression(
        [math.log(point["n"]) for point in points], [math.log(size) for size in scratch]
    )
    return Growth(points, fit.slope)
