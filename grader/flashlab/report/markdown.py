"""A report as Markdown to be edited, with figures as SVG files and their data as CSV files in a folder beside it."""

import re
from dataclasses import dataclass

from flashlab.report.blocks import (
    Block,
    CaseOutcome,
    Facts,
    Figures,
    Heading,
    Listing,
    Question,
    Report,
    Score,
    Table,
    Text,
)
from flashlab.report.figure import Figure
from flashlab.report.html import CODE, FOLDER, anchor
from flashlab.report.plots import draw_file

ESCAPED = re.compile(r"([\\*_\[\]<>|~^#&])")


@dataclass(frozen=True)
class Written:
    """The text, and the files beside it by name."""

    text: str
    files: dict[str, str]


def to_markdown(report: Report, folder: str) -> Written:
    """The report; `folder` is the name of the folder that its files go to, as the text refers to them."""
    files: dict[str, str] = {}
    parts = [_block(block, folder, files) for block in report.blocks]
    return Written("\n\n".join(parts) + "\n", files)


def prose(text: str) -> str:
    """A text with `code` in it, its other characters taken literally."""
    parts = CODE.split(text)
    return "".join(
        f"`{part}`" if index % 2 else ESCAPED.sub(r"\\\1", part) for index, part in enumerate(parts)
    )


def fenced(text: str, language: str = "") -> str:
    """A code block that `text` cannot end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _block(block: Block, folder: str, files: dict[str, str]) -> str:
    match block:
        case Heading(level, text, _):
            return f"{'#' * level} {prose(text)}"
        case Text(text, note):
            return f"> {prose(text)}" if note else prose(text)
        case Facts(pairs):
            return "\n".join(f"- {prose(name)}: {prose(value)}" for name, value in pairs)
        case Score(points, of):
            return f"**{points:g} of {of:g} points**"
        case Table():
            return _table(block)
        case Figures(figures):
            return "\n\n".join(_figure(figure, folder, files) for figure in figures)
        case CaseOutcome():
            return _outcome(block)
        case Listing():
            return _listing(block)
        case Question():
            return _question(block)


def _basis(basis: str) -> str:
    return f" *({prose(basis)})*" if basis else ""


def _table(block: Table) -> str:
    # A line break would end the row, and a bar the cell, also inside of code.
    def row(cells: tuple[str, ...]) -> str:
        written = (prose(" ".join(cell.split())).replace(r"\|", "|") for cell in cells)
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in written) + " |"

    heads = tuple(head for head, _ in block.columns)
    rule = "| " + " | ".join("---:" if number else "---" for _, number in block.columns) + " |"
    lines = [row(heads), rule, *(row(cells) for cells in block.rows)]
    return f"**{prose(block.title)}**{_basis(block.basis)}\n\n" + "\n".join(lines)


def _figure(figure: Figure, folder: str, files: dict[str, str]) -> str:
    name = anchor(figure.name)
    files[f"{name}.svg"] = draw_file(figure, _light_colours())
    files[f"{name}.csv"] = figure.csv
    return (
        f"**{prose(figure.title)}**{_basis(figure.basis)}\n\n![{prose(figure.alternative)}]({folder}/{name}.svg)\n\n"
        f"{prose(figure.caption)} [Data as CSV]({folder}/{name}.csv)"
    )


def _light_colours() -> dict[str, str]:
    """The colours of the style's light scheme, which comes first."""
    style = (FOLDER / "style.css").read_text(encoding="utf-8").partition("}")[0]
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", style))


def _outcome(block: CaseOutcome) -> str:
    parts = [f"**{block.status}** `{block.name}`", fenced(block.message)]
    if block.output:
        parts += ["It printed:", fenced(block.output)]
    if block.read:
        parts.append(f"Read: {block.read}")
    if block.rerun:
        parts.append(f"Again: `{block.rerun}`")
    return "\n\n".join(parts)


def _listing(block: Listing) -> str:
    widths = [
        max(len(head), *(len(line.cells[column]) for line in block.lines))
        for column, head in enumerate(block.head)
    ]

    def row(number: str, cells: tuple[str, ...], code: str) -> str:
        columns = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        return "  ".join([number.rjust(4), *columns, code]).rstrip()

    lines = [row("line", block.head, "source")]
    lines += [row(str(line.number), line.cells, line.code) for line in block.lines]
    return f"`{block.title}`{_basis(block.basis)}\n\n" + fenced("\n".join(lines), "text")


def _question(block: Question) -> str:
    parts = [f"#### {prose(block.title)}", prose(block.question)]
    if block.hint:
        parts.append(f"Hint: {prose(block.hint)}")
    if block.facts:
        parts.append("\n".join(["Measured:", "", *(f"- {prose(fact)}" for fact in block.facts)]))
    return "\n\n".join([*parts, "Your answer:"])
