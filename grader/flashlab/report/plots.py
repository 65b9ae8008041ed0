"""Draws a figure as SVG, with colours that a page's style can set (for HTML) or with fixed ones (for a file)."""

import html
import io
import re

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from flashlab.report.figure import Axis, Bars, Chart, Figure, Kind, Series

# Drawn with these, then replaced by variables of style.css, or for a file by the light colours there.
INK, GRID, FORMULA, PAPER = "#000011", "#000012", "#000013", "#000014"
SLOTS = ("#000021", "#000022", "#000023", "#000024", "#000025", "#000026")
VARIABLES = {INK: "--ink", GRID: "--grid", FORMULA: "--formula", PAPER: "--paper"}
VARIABLES |= {colour: f"--series-{number}" for number, colour in enumerate(SLOTS, 1)}
# Colours alone tell nothing apart: each slot has a marker, a dash and a hatch of its own too.
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", (0, (6, 1.5)), (0, (3, 1)), (0, (8, 2, 2, 2)), (0, (4, 1, 1, 1)), (0, (1.5, 1)))
DASHES = ((0, (4, 2.2)), (0, (1, 1.6)), (0, (5, 1.8, 1, 1.8)), (0, (8, 3)), (0, (2, 4)))
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")

SETTINGS = {
    "svg.fonttype": "none",  # text stays text: it can be searched and takes the page's colour
    "svg.hashsalt": "flashlab",  # without it identifiers would differ from run to run
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
}
NAME_LIMIT = 28
WIDTH = 4.6  # inches: text has its best size where a figure is shown 330 to 600 pixels wide


def draw(data: Figure, prefix: str) -> str:
    """The figure as an <svg> element with a title and its description; `prefix` keeps its ids apart from others'."""
    head, _, body = embeddable(_svg(data), prefix, VARIABLES).partition(">")
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    label = f'role="img" aria-labelledby="{prefix}-title {prefix}-text"'
    title = f'<title id="{prefix}-title">{html.escape(data.title)}</title>'
    text = f'<desc id="{prefix}-text">{html.escape(data.alternative)}</desc>'
    return f"{head} {label}>{title}{text}{body}"


def embeddable(svg: str, prefix: str, variables: dict[str, str]) -> str:
    """The <svg> element of a file that matplotlib wrote. Its ids begin with `prefix`, and where colours were, it has
    the CSS variables of `variables`.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\g<1>#{prefix}-", svg)
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg


def draw_file(data: Figure, colours: dict[str, str]) -> str:
    """The figure as an SVG file of its own on white; `colours` maps the names of VARIABLES to colours."""
    svg = _svg(data)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, colours[variable])
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r"(<svg\b[^>]*>)", r'\1<rect width="100%" height="100%" fill="#fff"/>', svg)


def _svg(data: Figure) -> str:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        return print_svg(_bars(data) if isinstance(data, Bars) else _chart(data))


def print_svg(canvas: Canvas) -> str:
    """What matplotlib writes of a figure, the same at any time."""
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(canvas).print_svg(buffer, metadata=metadata)
    return buffer.getvalue()


def _chart(data: Chart) -> Canvas:
    canvas = Canvas(figsize=(WIDTH, 3.7), layout="constrained")
    axes = canvas.add_subplot()
    axes.set_axisbelow(True)
    counts = dict.fromkeys(Kind, 0)
    for series in data.series:
        x, y = zip(*series.points, strict=True)
        axes.plot(x, y, label=series.label, **_style(series, counts))
    for axis, side, set_scale in (
        (data.x, axes.xaxis, axes.set_xscale),
        (data.y, axes.yaxis, axes.set_yscale),
    ):
        if axis.base:
            set_scale("log", base=axis.base)
        _label(side, axis)
    if data.y.names:
        axes.set_ylim(len(data.y.names) - 0.5, -0.5)
    elif data.y.base is None:
        axes.set_ylim(bottom=0)
    canvas.legend(loc="outside upper left", ncols=2, fontsize=8.5, handlelength=2.8)
    return canvas


def _style(series: Series, counts: dict[Kind, int]) -> dict[str, object]:
    """How a series is drawn; `counts` knows how many of each kind were drawn before."""
    drawn = counts[Kind.MEASURED] + counts[Kind.SCATTERED]
    slot = (drawn if series.slot is None else series.slot) % len(SLOTS)
    counts[series.kind] += 1
    if series.kind is Kind.MEASURED:
        return {
            "color": SLOTS[slot],
            "marker": MARKERS[slot],
            "ms": 5,
            "lw": 1.2,
            "ls": LINES[slot],
        }
    if series.kind is Kind.SCATTERED:
        return {"color": SLOTS[slot], "marker": MARKERS[slot], "ms": 5, "ls": "none"}
    if series.kind is Kind.LIMIT:
        return {"color": FORMULA, "marker": "_", "ms": 9, "mew": 2, "ls": "none"}
    # Above what was measured, which may lie exactly on it.
    dash = DASHES[(counts[Kind.FORMULA] - 1) % len(DASHES)]
    return {"color": FORMULA, "ls": dash, "lw": 1.5, "zorder": 3}


def _label(side: matplotlib.axis.Axis, axis: Axis) -> None:
    side.set_label_text(axis.label)
    if axis.names:
        side.set_ticks(range(len(axis.names)), axis.names)
    else:
        side.set_major_formatter(FuncFormatter(lambda value, _: axis.shown(value)))
    if axis.base:
        side.set_major_locator(_log_ticks(axis.base, *side.get_data_interval()))
    elif not axis.names:
        side.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    side.set_minor_locator(NullLocator())


def _log_ticks(base: int, low: float, high: float) -> LogLocator:
    """Ticks at powers, of ten over two decades or less at 2 and 5 times them too, of two over many at every other."""
    if base == 10:
        return LogLocator(base=10, subs=(1, 2, 5) if high <= 100 * low else (1,), numticks=10)
    return LogLocator(base=2 if high <= 2**6 * low else 4, numticks=12)


def _bars(data: Bars) -> Canvas:
    canvas = Canvas(
        figsize=(WIDTH, 0.9 + (0.45 if data.notes else 0.34) * len(data.rows)), layout="constrained"
    )
    axes = canvas.add_subplot()
    axes.set_axisbelow(True)
    axes.grid(visible=False, axis="y")
    starts = [0.0] * len(data.rows)
    places = range(len(data.rows))
    for slot, (label, values) in enumerate(data.parts):
        axes.barh(
            places,
            values,
            left=starts,
            height=0.66,
            label=label,
            color=SLOTS[slot % len(SLOTS)],
            edgecolor=PAPER,
            hatch=HATCHES[slot % len(HATCHES)],
            linewidth=0.6,
        )
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    for place, label in zip(places, data.labels, strict=False):
        axes.annotate(
            label, (starts[place], place), (4, 0), textcoords="offset points", va="center"
        )
    if data.whole is not None:
        axes.axvline(data.whole, color=FORMULA, ls=DASHES[0], lw=1.2)
    notes = (f"\n{note}" for note in data.notes) if data.notes else ("" for _ in data.rows)
    names = [_shortened(row) + note for row, note in zip(data.rows, notes, strict=True)]
    axes.set_yticks(places, names)
    axes.set_ylim(len(data.rows) - 0.5, -0.5)
    axes.margins(x=0.28 if data.labels else 0.02)
    axes.set_xlim(left=0)
    _label(axes.xaxis, data.x)
    if len(data.parts) > 1:
        canvas.legend(loc="outside upper left", ncols=3, fontsize=8.5, handlelength=1.8)
    return canvas


def _shortened(name: str) -> str:
    """A name that leaves room for its bar; the description and the data have all of it."""
    if len(name) <= NAME_LIMIT:
        return name
    half = NAME_LIMIT // 2 - 1
    return f"{name[:half]}…{name[-half:]}"
