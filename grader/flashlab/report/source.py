"""The annotated source: what each line of a submission costs, from the per-line counts of the virtual GPU."""

from collections.abc import Iterable
from pathlib import PurePath

from flashlab.profile_lines import SECTOR, Counts, hints, listing
from flashlab.report.blocks import Block, Line, Listing, Table
from flashlab.report.figure import in_bytes
from flashlab.report.measurements import Measurement
from flashlab.report.theory import theory_of

HEAD = ("instructions", "global memory", "sectors per request", "bank conflicts")
BASIS = "counted on the virtual GPU"
CONTEXT = 2  # lines shown before and after one that has counts


def annotated(measurements: Iterable[Measurement], text: str) -> list[Block]:
    """Where to look first and the listing of a submission whose source is `text`, at the largest shape that each of its
    functions was measured at; nothing when no record has counts by line. A line comes first by what it costs on the
    fastest GPU that the model knows.
    """
    largest: dict[str, Measurement] = {}
    for one in sorted(measurements, key=lambda one: (one.n, one.heads)):
        if any("lines" in launch for launch in one.record.get("launches", ())):
            largest[one.record["entry"]] = one
    if not largest:
        return []
    chosen = list(largest.values())
    name = PurePath(chosen[0].submission).name
    listed = listing(
        (launch for one in chosen for launch in one.record["launches"]),
        lambda file: PurePath(file).name == name,
    )
    if not listed.lines:
        return []
    times = [time for one in chosen for time in one.modelled.values()]
    fastest = min(times, key=lambda time: time["seconds"], default=None)
    distinct = sum(one.meter("distinct_bytes") or 0.0 for one in chosen)
    found = hints(listed, distinct, fastest["shares"] if fastest else None)
    code = text.expandtabs(4).splitlines()
    rows = tuple(
        (str(hint.line), f"`{_code(code, hint.line).replace('`', '')}`", hint.text)
        for hint in found
    )
    title = f"{chosen[0].submission} at {'; '.join(map(_sizes, chosen))}"
    return [
        Table("Lines to look at first", ("line>", "source", "why"), rows, BASIS),
        Listing(title, BASIS, HEAD, _lines(code, listed.lines, listed.total)),
    ]


def _sizes(one: Measurement) -> str:
    if theory_of(one.lab) is None:
        return f"{one.record['entry']} of {one.shape['seq_q']} rows"
    keys = ("batch", "heads", "seq_q", "head_dim")
    return f"B × H × N × d = {' × '.join(str(one.shape[key]) for key in keys)}"


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
