"""The page of similar submissions."""

from collections.abc import Sequence
from pathlib import Path

from flashlab.classroom.similar import Pair, marked
from flashlab.exports.text import harmless

FOLDER = Path(__file__).parent
PAIRS_SHOWN = 30  # side by side; the table has all


def similar_page(title: str, pairs: Sequence[Pair], least: float) -> str:
    """All pairs in a table, the most similar ones side by side; equal pairs give equal bytes."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["harmless"] = harmless
    shown = [
        (
            pair,
            [
                (code, list(marked(code, places)))
                for code, places in zip(pair.codes, pair.places, strict=True)
            ],
        )
        for pair in pairs[:PAIRS_SHOWN]
    ]
    template = environment.get_template("similar.html.j2")
    return template.render(title=title, pairs=pairs, shown=shown, least=least)
