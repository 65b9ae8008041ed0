"""What a report consists of, whatever it is written as: a list of blocks. In texts, `backticks` enclose code."""

from dataclasses import dataclass, field

from flashlab.report.figure import Figure


@dataclass(frozen=True)
class Heading:
    """`level` 1 is the report's own; `anchor` is unique in the report."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Text:
    """A paragraph; a note is one that says what is missing."""

    text: str
    note: bool = False


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Score:
    """Points that were reached, of how many."""

    points: float
    of: float

    @property
    def percent(self) -> float:
        """0 where there is nothing to reach."""
        return 100 * self.points / self.of if self.of else 0.0


@dataclass(frozen=True)
class Table:
    """`title` names it; a column whose head ends in > holds numbers; `links` are anchors for the first column."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    basis: str = ""
    links: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[tuple[str, bool], ...]:
        """Heads, and whether the column holds numbers."""
        return tuple((head.removesuffix(">"), head.endswith(">")) for head in self.head)


@dataclass(frozen=True)
class Figures:
    """Figures that belong side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class CaseOutcome:
    """A case that did not pass, or that several submissions did not pass."""

    status: str
    name: str
    message: str
    output: str = ""
    rerun: str = ""
    open: bool = False
    read: str = ""  # where the handouts treat it


@dataclass(frozen=True)
class Line:
    """A source line: its number, text, cells for the listing's columns, and its share of the hottest line, 0 to 1."""

    number: int
    code: str
    cells: tuple[str, ...]
    heat: float


@dataclass(frozen=True)
class Listing:
    """An annotated source file."""

    title: str
    basis: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Question:
    """Something to answer in one's own words, with what was measured about it."""

    title: str
    question: str
    facts: tuple[str, ...] = ()
    hint: str = ""


Block = Heading | Text | Facts | Score | Table | Figures | CaseOutcome | Listing | Question


@dataclass(frozen=True)
class Report:
    """A whole report, from top to bottom."""

    title: str
    blocks: tuple[Block, ...] = field(default=())
