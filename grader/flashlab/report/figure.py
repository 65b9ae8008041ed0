"""What a figure holds, before it is drawn: series or bars, axes, and the words that go with it."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

Point = tuple[float, float]


class Kind(StrEnum):
    """How a series is drawn."""

    MEASURED = "measured"
    SCATTERED = "scattered"  # values that no line should connect
    FORMULA = "formula"
    LIMIT = "limit"


@dataclass(frozen=True)
class Series:
    """One curve; `points` are (x, y) in order of x. `slot` is its colour and marker; None: its place in the figure."""

    label: str
    kind: Kind
    points: tuple[Point, ...]
    slot: int | None = None


class Unit(StrEnum):
    """What the numbers of an axis count, which decides how they are written."""

    NONE = ""
    BYTES = "B"
    SECONDS = "s"
    FLOPS = "FLOP/s"
    TIMES = "times"
    PERCENT = "%"


@dataclass(frozen=True)
class Axis:
    """`base` is that of a logarithmic scale, None a linear one; `names` replace the numbers 0, 1, 2, ..."""

    label: str
    unit: Unit = Unit.NONE
    base: int | None = None
    names: tuple[str, ...] = ()

    def shown(self, value: float) -> str:
        """A value of the axis as text."""
        if self.names:
            nearest = round(value)
            return self.names[nearest] if 0 <= nearest < len(self.names) else ""
        return WRITERS[self.unit](value)


LENGTH = Axis("N, rows of Q and of K", base=2)
SHARE = Axis("share of the points", Unit.PERCENT)


@dataclass(frozen=True)
class Chart:
    """Series over two axes. `basis` says in a few words whether values are counted, modelled or measured, and where."""

    name: str
    title: str
    basis: str
    caption: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]

    @property
    def alternative(self) -> str:
        """The figure in words, for those who do not see it."""
        parts = [f"{self.y.label} against {self.x.label}{_scales(self.x, self.y)}."]
        name = self.x.label.partition(",")[0]
        for series in self.series:
            ends = series.points[:1] + series.points[1:][-1:]
            shown = (f"{self.y.shown(y)} at {name} = {self.x.shown(x)}" for x, y in ends)
            parts.append(f"{series.label}: {', '.join(shown)}.")
        return " ".join(parts)

    @property
    def csv(self) -> str:
        """Every point, in base units."""
        rows = [(s.label, s.kind, repr(x), repr(y)) for s in self.series for x, y in s.points]
        return _csv(("series", "kind", _column(self.x), _column(self.y)), rows)


@dataclass(frozen=True)
class Bars:
    """Horizontal bars: `rows` from top to bottom, each as long as the sum of its parts. `labels` stand behind the bars,
    `notes` under the names of the rows.
    """

    name: str
    title: str
    basis: str
    caption: str
    x: Axis
    rows: tuple[str, ...]
    parts: tuple[tuple[str, tuple[float, ...]], ...]
    labels: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    whole: float | None = None  # where a line says that a bar is full

    @property
    def alternative(self) -> str:
        """The figure in words."""
        sentences = [f"Bars of {self.x.label}."]
        for index, row in enumerate(self.rows):
            shown = [
                f"{part} {self.x.shown(values[index])}"
                for part, values in self.parts
                if values[index]
            ]
            note = f" ({self.notes[index]})" if self.notes else ""
            sentences.append(f"{row}{note}: {', '.join(shown) or 'nothing'}.")
        return " ".join(sentences)

    @property
    def csv(self) -> str:
        """Every part of every bar."""
        rows = [
            (row, part, repr(values[index]))
            for index, row in enumerate(self.rows)
            for part, values in self.parts
        ]
        return _csv(("bar", "part", _column(self.x)), rows)


Figure = Chart | Bars


def _scales(x: Axis, y: Axis) -> str:
    if x.base and y.base:
        return ", logarithmic axes"
    return f", logarithmic axis of {x.label if x.base else y.label}" if x.base or y.base else ""


def _column(axis: Axis) -> str:
    return f"{axis.label} ({axis.unit})" if axis.unit else axis.label


def _csv(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def in_bytes(value: float) -> str:
    """Bytes with a binary unit, as in 2 MiB."""
    return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB"))


def in_seconds(value: float) -> str:
    """A time from nanoseconds to seconds."""
    return _scaled(value * 1e9, 1000, ("ns", "µs", "ms", "s"))


def in_flops(value: float) -> str:
    """A rate of floating-point operations."""
    return _scaled(value / 1e6, 1000, ("MFLOP/s", "GFLOP/s", "TFLOP/s"))


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    for unit in units:
        if abs(value) < step or unit == units[-1]:
            break
        value /= step
    return f"{value:.4g} {unit}" if step == 1024 else f"{value:.3g} {unit}"


WRITERS: dict[Unit, Callable[[float], str]] = {
    Unit.NONE: lambda value: f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e+"),
    Unit.BYTES: in_bytes,
    Unit.SECONDS: in_seconds,
    Unit.FLOPS: in_flops,
    Unit.TIMES: lambda value: f"{value:.3g}×",
    Unit.PERCENT: lambda value: f"{value:.3g} %",
}
