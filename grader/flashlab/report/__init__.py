"""The report, made from result files and measurements alone, so equal inputs give equal bytes (of HTML and
Markdown; a PDF holds the time of printing).

`student` and `classroom` say what is in a report, as a list of `blocks`; `html`, `markdown` and `pdf` write it. Figures
are data (`figure`) until `plots` draws them; `curves`, `sweeps`, `tiles` and `machine` make them.
"""

from flashlab.results import Result


def render(results: list[Result]) -> str:
    """The HTML page of results alone, without measurements and experiment report."""
    from flashlab.report.html import to_html
    from flashlab.report.student import results_report

    return to_html(results_report(results))
