"""What the terminal shows: tables and messages, all made from results."""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flashlab.handouts import link
from flashlab.layout import Layout
from flashlab.results import Result

ROOT = Layout.of_this_package().root
STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow", "error": "bold magenta"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LINE_LIMIT = 72
LINES_SHOWN = 10
NAMES_SHOWN = 4


def clean(text: str) -> str:
    """`text` without control characters: a submission must not be able to repaint the terminal."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def points(value: float) -> str:
    """Points as people write them: 5, 2.5."""
    return f"{value:g}"


def shortened(text: str) -> str:
    """The first lines of what a submission printed; the result file holds all that was kept of it."""
    lines = text.splitlines()
    more = len(lines) - LINES_SHOWN
    return "\n".join(lines[:LINES_SHOWN]) + (f"\n... and {more} more lines" if more > 0 else "")


def speed_line(speed: dict[str, Any]) -> str:
    """A speed case in a line; it says whether its time was modelled or measured."""
    line = f"{speed['how']} for {speed['gpu']}: {1e6 * speed['seconds']:.4g} us, {speed['ratio']:.2f} times the staff's"
    if "limiter" in speed:
        line += f"; {speed['limiter']}"
    return line


def case_table(result: Result) -> RenderableType:
    """One line per case: name, status, points and the beginning of the message."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("case", no_wrap=True)
    table.add_column("status")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("message", overflow="fold")
    for case in result["cases"]:
        said = speed_line(case["speed"]) if case.get("speed") else case["message"]
        first = clean(said).partition("\n")[0]
        table.add_row(
            Text(clean(case["name"])),
            Text(case["status"], style=STYLES[case["status"]]),
            f"{points(case['points'])}/{points(case['max_points'])}",
            Text(first if len(first) <= LINE_LIMIT else first[: LINE_LIMIT - 3] + "..."),
        )
    return table


def failures(result: Result) -> RenderableType:
    """The full message of every case that did not pass; cases with the same message are shown once, together."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for case in result["cases"]:
        if case["status"] != "passed":
            groups.setdefault((case["status"], case["message"]), []).append(case)
    return Group(*(_failure(status, message, cases) for (status, message), cases in groups.items()))


def _failure(status: str, message: str, cases: list[dict[str, Any]]) -> RenderableType:
    names = clean(", ".join(case["name"] for case in cases[:NAMES_SHOWN]))
    if len(cases) > NAMES_SHOWN:
        names += f" and {len(cases) - NAMES_SHOWN} more"
    lines = [Text.assemble((status, STYLES[status]), " ", (names, "bold"))]
    body = clean(message)
    handout = clean(cases[0].get("handout", ""))
    places = [handout if handout not in body else "", link(handout, ROOT)]
    if any(places):
        body += "\nread: " + ": ".join(filter(None, places))
    lines.append(Padding(Text(body), (0, 0, 0, 2), expand=False))
    output = clean(cases[0].get("output", "")).strip()
    if output:
        lines.append(Padding(Text("it printed:\n" + shortened(output)), (0, 0, 0, 2), expand=False))
    if status != "skipped":
        lines.append(
            Padding(Text(f"again: {cases[0]['rerun']}", style="dim"), (0, 0, 0, 2), expand=False)
        )
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


def total_line(result: Result) -> Text:
    """The score, what it counts, and the device that it was measured on."""
    counts = dict.fromkeys(STYLES, 0)
    for case in result["cases"]:
        counts[case["status"]] += 1
    parts = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
    share = 100 * result["score"] / result["max_score"] if result["max_score"] else 0
    score = f"{points(result['score'])} of {points(result['max_score'])} points"
    return Text.assemble((score, "bold"), f" ({share:.0f} %): {parts or 'no cases'}")


def device_line(result: Result) -> str:
    """The device and the sandbox, for the foot of a table."""
    device = result["device"]
    sandbox = result["provenance"]["sandbox"]
    weak = not sandbox.startswith("bubblewrap")
    warning = " (weak: see ./flashlab doctor before grading code of others)" if weak else ""
    return f"device: {device['kind']}, {device['name']}; sandbox: {sandbox}{warning}"


def score_table(results: Iterable[Result]) -> RenderableType:
    """One line per graded lab."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("lab", "title", "passed", "points", "device"):
        table.add_column(heading, justify="right" if heading in ("passed", "points") else "left")
    for result in results:
        passed = sum(case["status"] == "passed" for case in result["cases"])
        table.add_row(
            result["lab"],
            result["title"],
            f"{passed}/{len(result['cases'])}",
            f"{points(result['score'])}/{points(result['max_score'])}",
            result["device"]["kind"],
        )
    return table


def show_result(console: Console, result: Result) -> None:
    """The whole answer to one `grade`."""
    console.print(case_table(result))
    console.print(failures(result))
    console.print()
    console.print(total_line(result))
    console.print(device_line(result), highlight=False, markup=False)
