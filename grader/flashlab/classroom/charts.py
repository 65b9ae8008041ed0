"""The two kinds of charts of a class, as SVG whose colours are CSS variables of the page."""

import html
import io
import re
from collections.abc import Callable, Sequence

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Drawn with these, then replaced by variables of the page's style.
INK, GRID, MARK = "#000011", "#000012", "#000021"
VARIABLES = {INK: "--ink", GRID: "--line", MARK: "--mark"}
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "flashlab",  # without it identifiers would differ from run to run
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
}
BINS = 10


def histogram(scores: Sequence[float], most: float, title: str) -> str:
    """How many students have how many points."""

    def paint(axes: matplotlib.axes.Axes) -> None:
        edges = [most * step / BINS for step in range(BINS + 1)]
        axes.hist(scores, bins=edges, color=MARK, rwidth=0.9)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("points")
        axes.set_ylabel("students")

    return _draw(paint, title)


def scatter(x: Sequence[float], y: Sequence[float], labels: tuple[str, str], title: str) -> str:
    """One mark per submission; both axes are logarithmic."""

    def paint(axes: matplotlib.axes.Axes) -> None:
        axes.loglog(x, y, "o", color=MARK, ms=4, alpha=0.6)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])

    return _draw(paint, title)


def _draw(paint: Callable[[matplotlib.axes.Axes], None], title: str) -> str:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        figure = Figure(figsize=(4.4, 2.8), layout="constrained")
        paint(figure.add_subplot())
        buffer = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    prefix = re.sub(r"\W+", "-", title)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\g<1>#{prefix}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    head, _, body = text.partition(">")
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} role="img"><title>{html.escape(title)}</title>{body}'
