"""What a report can be written as; apart from the rest, for the command line needs it before anything is imported."""

from enum import StrEnum


class Format(StrEnum):
    """What `flashlab report --format` accepts."""

    HTML = "html"
    MARKDOWN = "markdown"
    PDF = "pdf"
