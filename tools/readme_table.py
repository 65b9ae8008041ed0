"""A table that a script writes into a document, between two marks."""


def put(text: str, begin: str, end: str, table: str) -> str:
    """`text` with `table` between the marks. Ends the program when one is missing."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        marks = f"`{begin.strip()}` and `{end.strip()}`"
        raise SystemExit(f"no place for the table: put the lines {marks} back into the document")
    return f"{before}{begin}{table}{end}{after}"
