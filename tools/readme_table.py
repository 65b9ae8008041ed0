"""A table that a script writes into a document, between two marks."""


def put(text: str, begin: str, end: str, table: str) -> str:
    """`text` with `table` between the marks. Raises ValueError when one is missing."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no place for the table: the lines `{begin.strip()}` and `{end.strip()}`")
    return f"{before}{begin}{table}{end}{after}"
