"""The pages for instructors: the report of a class, and pairs of similar submissions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flashlab.classroom.gradebook import Gradebook, State
from flashlab.classroom.similar import Pair, marked
from flashlab.classroom.statistics import (
    case_figures,
    flaky_cases,
    lab_figures,
    memory_against_time,
    mistakes,
    slowest,
)
from flashlab.classroom.store import ClassStore
from flashlab.exports.text import harmless

FOLDER = Path(__file__).parent
PAIRS_SHOWN = 30  # side by side; the table has all


def class_report(book: Gradebook, store: ClassStore) -> str:
    """The page of a whole class; equal grades give equal bytes."""
    from flashlab.classroom.charts import histogram, scatter

    labs = lab_figures(book)
    charts = []
    for figures, item in zip(labs, book.course.labs, strict=True):
        if figures.scores:
            chart = histogram(figures.scores, figures.max_score, f"{figures.short} points")
            charts.append((chart, f"{figures.short}: distribution of points"))
        case, points = memory_against_time(book, item.lab.name)
        if len(points) > 1:
            chart = scatter(
                [1000 * point.seconds for point in points],
                [point.peak_bytes / (1 << 20) for point in points],
                ("time of the call, ms", "peak device memory, MiB"),
                f"{figures.short} memory",
            )
            charts.append((chart, f"{figures.short}: memory against time, {case}, if passed"))
    cases = case_figures(book)
    return _render(
        "class.html.j2",
        title=book.course.title,
        states=list(State),
        labs=labs,
        charts=charts,
        cases=cases,
        mistakes=mistakes(book),
        slowest=slowest(cases),
        flaky=flaky_cases(store),
        ungraded=book.ungraded(),
    )


def similar_page(title: str, pairs: Sequence[Pair], least: float) -> str:
    """All pairs in a table, the most similar ones side by side."""
    shown = [
        (pair, [(code, list(marked(code, places))) for code, places in _sides(pair)])
        for pair in pairs[:PAIRS_SHOWN]
    ]
    return _render("similar.html.j2", title=title, pairs=pairs, shown=shown, least=least)


def _sides(pair: Pair) -> list[tuple[Any, Any]]:
    return list(zip(pair.codes, pair.places, strict=True))


def _render(name: str, **values: object) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["harmless"] = harmless
    return environment.get_template(name).render(**values)
