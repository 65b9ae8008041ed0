"""The annotated source: what each line of a submission costs, from the per-line counts of the virtual GPU."""

from pathlib import PurePath

from flashlab.profile_lines import SECTOR, Counts, hints, listing
from flashlab.report.blocks import Block, Line, Listing, Table
from flashlab.report.figure import in_bytes
from flashlab.report.measurements import Measurement

HEAD = ("instructions", "global memory", "sectors per request", "bank conflicts")
BASIS = "counted on the virtual GPU"
CONTEXT = 2  # lines shown before and after one that has counts


def annotated(one: Measurement, text: str) -> list[Block]:
    """Where to look first and the listing of a submission whose source is `text`; nothing when the record has no counts
    by line. A line comes first by what it costs on the fastest GPU that the model knows.
    """
    name = PurePath(one.submission).name
    listed = listing(
        (launch for launch in one.record.get("launches", ()) if "lines" in launch),
        lambda file: PurePath(file).name == name,
    )
    if not listed.lines:
        return []
    shape = one.shape
    sizes = " × ".join(str(shape[key]) for key in ("batch", "heads", "seq_q", "head_dim"))
    title = f"{one.submission} at B × H × N × d = {sizes}"
    fastest = min(one.modelled.values(), key=lambda time: time["seconds"], default=None)
    shares = fastest["shares"] if fastest else None
    found = hints(listed, one.meter("distinct_bytes") or 0.0, shares)
    code = text.expandtabs(4).splitlines()
    rows = tuple(
        (str(hint.line), f"`{_code(code, hint.line).replace('`', '')}`", hint.text)
        for hint in found
    )
    return [
        Table("Lines to look at first", ("line>", "source", "why"), rows, BASIS),
        Listing(title, BASIS, HEAD, _lines(code, listed.lines, listed.total)),
    ]


def _code(code: list[str], number: int) -> str:
    return code[number - 1].strip() if number <= len(code) else ""


def _lines(code: list[str], counts: dict[int, Counts], total: Counts) -> tuple[Line, ...]:
    """The lines that have counts, and those beside them."""
    hottest = max(_cost(count) for count in counts.values())
    lines = []
    for number, text in enumerate(code, 1):
        count = counts.get(number)
        if count is not None:
            lines.append(Line(number, text, _cells(count, total), _cost(count) / hottest))
        elif any(other in counts for other in range(number - CONTEXT, number + CONTEXT + 1)):
            lines.append(Line(number, text, ("",) * len(HEAD), 0.0))
    return tuple(lines)


def _cost(count: Counts) -> int:
    """What the heat of a line stands for: issue slots, wavefronts of shared memory, and sectors, which take turns."""
    return count.instructions + count.wavefronts + count.sectors


def _cells(count: Counts, total: Counts) -> tuple[str, ...]:
    per_request = count.sectors_per_request
    return (
        f"{100 * count.instructions / total.instructions:.1f} %",
        in_bytes(SECTOR * count.sectors) if count.requests else "",
        f"{per_request:.3g}" if per_request is not None else "",
        f"{count.conflicts:,}" if count.conflicts else "",
    )
