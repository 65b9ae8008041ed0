"""Draws a figure as SVG whose colours are CSS variables, so that the page's light and dark styles apply to it."""

import html
import io
import re

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from flashlab.report.curves import FigureData, Kind, in_bytes

# Drawn with these, then replaced by variables of style.css.
INK, GRID = "#000011", "#000012"
SERIES = ("#000021", "#000022", "#000023")
FORMULA = "#000024"
VARIABLES = {INK: "--ink", GRID: "--grid", FORMULA: "--formula"}
VARIABLES |= {colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)}
MARKERS = ("o", "s", "^")
DASHES = ("--", ":", "-.")

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
    "legend.frameon": False,
}


def draw(data: FigureData, prefix: str) -> str:
    """The figure as an <svg> element with a title and its description; `prefix` keeps its ids apart from others'."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        figure = _figure(data)
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _embed(buffer.getvalue(), data, prefix)


def _figure(data: FigureData) -> Figure:
    figure = Figure(figsize=(4.6, 3.7), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axisbelow(True)
    axes.set_xscale("log", base=2)
    if data.log_y:
        axes.set_yscale("log", base=2 if data.unit == "B" else 10)
    measured = formulas = 0
    for series in data.series:
        x, y = zip(*series.points, strict=True)
        if series.kind is Kind.MEASURED:
            style = {"color": SERIES[measured], "marker": MARKERS[measured], "ms": 5, "lw": 1}
            measured += 1
        elif series.kind is Kind.SCATTERED:
            style = {"color": SERIES[measured], "marker": MARKERS[measured], "ms": 5, "ls": "none"}
            measured += 1
        elif series.kind is Kind.FORMULA:  # above what was measured, which may lie exactly on it
            style = {"color": FORMULA, "ls": DASHES[formulas], "lw": 1.6, "zorder": 3}
            formulas += 1
        else:
            style = {"color": FORMULA, "marker": "_", "ms": 9, "mew": 2, "ls": "none"}
        axes.plot(x, y, label=series.label, **style)
    _label(axes, data)
    figure.legend(loc="outside upper left", ncols=2, fontsize=8.5, handlelength=2.4)
    return figure


def _label(axes: matplotlib.axes.Axes, data: FigureData) -> None:
    axes.set_xlabel("N, rows of Q and of K")
    axes.set_ylabel(data.y_label)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if data.unit == "B":
        axes.yaxis.set_major_locator(LogLocator(base=4, numticks=12))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: in_bytes(value)))
    if not data.log_y:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_minor_locator(NullLocator())


def _embed(svg: str, data: FigureData, prefix: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\g<1>#{prefix}-", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    head, _, body = svg.partition(">")
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    label = f'role="img" aria-labelledby="{prefix}-title {prefix}-text"'
    title = f'<title id="{prefix}-title">{html.escape(data.y_label)} against N</title>'
    text = f'<desc id="{prefix}-text">{html.escape(data.alternative)}</desc>'
    return f"{head} {label}>{title}{text}{body}"
