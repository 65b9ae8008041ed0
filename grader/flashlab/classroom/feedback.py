"""One page per student: the report of their graded labs, as students may see them."""

from collections.abc import Iterator

from flashlab.classroom.gradebook import Gradebook
from flashlab.classroom.roster import Student
from flashlab.exports.text import clean
from flashlab.report.html import to_html
from flashlab.report.student import feedback_report
from flashlab.student import student_view

TEXT_BYTES = 16_384  # of one text: what a submission printed may be longer


def feedback_pages(book: Gradebook) -> Iterator[tuple[Student, str]]:
    """The page of every student who has a grade."""
    for student, entries in book.rows:
        results = [entry.result for entry in entries.values() if entry.result is not None]
        if results:
            views = [clean(student_view(result), TEXT_BYTES) for result in results]
            yield student, to_html(feedback_report(views))
