"""`flashlab quiz`: sheets for students, and what they get for them."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flashlab.errors import UsageError
from flashlab.exports.quiz import SCHEMA
from flashlab.grade import grader_version
from flashlab.layout import Layout
from flashlab.quiz.bank import LANGUAGES, Bank, load_bank
from flashlab.quiz.check import Checked, check_sheet
from flashlab.quiz.sheet import chapter_number, read_sheet, write_sheet
from flashlab.results import write_atomically

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Questions on the handouts, and answers checked.",
)
Seed = Annotated[int, typer.Option(min=0, help="The course's; numbers are drawn from it.")]
Language = Annotated[str, typer.Option(help=" or ".join(LANGUAGES))]


def _bank(layout: Layout) -> Bank:
    return load_bank(layout.root / "handouts/quiz", layout.solutions / "quiz")


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise UsageError(
            f"the language '{language}' is not there; there are: {', '.join(LANGUAGES)}"
        )
    return language


@app.command()
def make(
    context: typer.Context,
    student: Annotated[str, typer.Argument(help="Letters, digits, . _ - only.")],
    seed: Seed = 1,
    language: Language = "en",
    output: Annotated[
        Path | None, typer.Option(help="Default: quiz_STUDENT.toml here.", show_default=False)
    ] = None,
) -> None:
    """Write the sheet of one student: questions with numbers of their own, to be filled in."""
    if re.fullmatch(r"[\w.-]{1,64}", student) is None:
        raise UsageError(f"'{student}' is no name for a student: letters, digits, . _ - only")
    path = output or Path(f"quiz_{student}.toml")
    if path.exists():
        raise UsageError(f"{path} is there already; nothing was written")
    write_atomically(path, write_sheet(_bank(context.obj), student, seed, _known(language)))
    print(f"sheet: {path}")


@app.command()
def check(
    context: typer.Context,
    sheets: Annotated[list[Path], typer.Argument(metavar="SHEET...", help="Filled-in sheets.")],
    seed: Seed = 1,
    language: Language = "en",
    json_output: Annotated[
        Path | None, typer.Option("--json", help="Also write the results here.", show_default=False)
    ] = None,
) -> None:
    """Check sheets, with partial credit and a word on each mistake. Needs the instructors' answers."""
    bank = _bank(context.obj)
    if not bank.answers:
        raise UsageError("the answers are on the instructors' side: solutions/quiz is missing")
    language = _known(language)
    console = Console(highlight=False)
    documents = []
    for path in sheets:
        sheet = read_sheet(path, bank)
        checked = check_sheet(bank, sheet, seed)
        documents.append(_document(context.obj, path, sheet.student, seed, checked))
        _show(console, sheet.student, checked, language)
    if json_output is not None:
        text = json.dumps(documents, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomically(json_output, text)


def _document(
    layout: Layout, path: Path, student: str, seed: int, checked: list[Checked]
) -> dict[str, Any]:
    """What is kept of a sheet; `flashlab export` reads it."""
    return {
        "schema": SCHEMA,
        "student": student,
        "seed": seed,
        "path": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "grader_version": grader_version(layout),
        "score": round(sum(one.points for one in checked), 2),
        "max_score": sum(one.drawn.question.points for one in checked),
        "questions": [
            {
                "id": one.drawn.question.id,
                "chapter": one.drawn.question.chapter,
                "section": one.drawn.question.section,
                "points": one.points,
                "max_points": one.drawn.question.points,
                "given": one.given,
                "said": one.said,
            }
            for one in checked
        ],
    }


def _show(console: Console, student: str, checked: list[Checked], language: str) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, justify in (("question", "left"), ("handout", "right"), ("points", "right")):
        table.add_column(heading, justify=justify)
    table.add_column("")
    for one in checked:
        question = one.drawn.question
        table.add_row(
            question.id,
            f"{chapter_number(question)}.{question.section}",
            f"{one.points:g}/{question.points:g}",
            Text(one.said[language], overflow="fold"),
        )
    console.print(table)
    score, most = sum(one.points for one in checked), sum(c.drawn.question.points for c in checked)
    console.print(f"{student}: {score:g} of {most:g}")
