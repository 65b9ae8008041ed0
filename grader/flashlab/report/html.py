"""A report as one HTML page that loads nothing: figures are inline SVG, their data links hold them."""

import re
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from flashlab.report.blocks import Report
from flashlab.report.figure import Figure
from flashlab.report.plots import draw

FOLDER = Path(__file__).parent
CODE = re.compile(r"`([^`]*)`")
STATUSES = ("passed", "failed", "skipped", "error")


def to_html(report: Report) -> str:
    """The page; equal reports give equal bytes."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.globals |= {
        "svg": _svg,
        "data": _data_link,
        "kind_of": lambda block: type(block).__name__,
        "statuses": STATUSES,
    }
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(style=Markup(style), report=report)


def prose(text: str) -> Markup:
    """A text with `code` in it. A line breaks between the words of a command, not at the dashes inside them."""
    parts = CODE.split(text)
    return Markup("").join(
        _code(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def _code(text: str) -> Markup:
    words = Markup(" ").join(
        Markup('<span class="word">{}</span>').format(word) for word in text.split(" ")
    )
    return Markup("<code>{}</code>").format(words)


def anchor(text: str) -> str:
    """A text as part of an id."""
    return re.sub(r"\W+", "-", text)


def _svg(figure: Figure) -> Markup:
    return Markup(draw(figure, prefix=anchor(figure.name)))


def _data_link(figure: Figure) -> str:
    return f"data:text/csv;charset=utf-8,{quote(figure.csv)}"
