"""The sheet of one student: a TOML file with the questions as comments, to be filled in.

student = "alice"
[memory_of_q]
# Handout 1, section 1 · 1 point
# A head has N = 2048 tokens ...
# a number with its unit, such as "12 MiB"
answer = ""
"""

import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.errors import UsageError
from flashlab.quiz.bank import Bank, Kind, Question
from flashlab.quiz.draw import Drawn, draw

WIDTH = 110
Given = str | float | list[str]
"""What a student wrote: a number or formula, letters, or nothing ("")."""

HOW = {
    "en": {
        Kind.NUMBER: 'a number with its unit, such as "{example}"',
        Kind.CHOICE: 'one letter, such as "a"',
        Kind.FORMULA: "a formula of {variables}, with + - * / ^ exp log sqrt max min ceil",
        Kind.ORDER: 'all letters in order, such as ["c", "a", "b"]',
        Kind.BUG: "the number of the line, and a letter",
        "several": 'all letters that apply, such as ["a", "c"]',
        "place": "Handout {chapter}, section {section} · {points:g} points",
    },
    "zh": {
        Kind.NUMBER: '带单位的数，例如 "{example}"',
        Kind.CHOICE: '一个字母，例如 "a"',
        Kind.FORMULA: "由 {variables} 写成的公式，可用 + - * / ^ exp log sqrt max min ceil",
        Kind.ORDER: '按顺序写出全部字母，例如 ["c", "a", "b"]',
        Kind.BUG: "行号，以及一个字母",
        "several": '所有符合的字母，例如 ["a", "c"]',
        "place": "讲义 {chapter} 第 {section} 节 · {points:g} 分",
    },
}


@dataclass(frozen=True)
class Sheet:
    """A filled-in sheet; `given` has what was written for each question, `lines` the line named for each bug."""

    student: str
    given: dict[str, Given]
    lines: dict[str, int]


def chapter_number(question: Question) -> str:
    """The number of the handout that a question belongs to."""
    return question.chapter.partition("-")[0]


def write_sheet(bank: Bank, student: str, seed: int, language: str) -> str:
    """The empty sheet of a student."""
    parts = [f'student = "{student}"\n']
    parts += [_entry(draw(question, student, seed), language) for question in bank.questions]
    return "\n".join(parts)


def _entry(drawn: Drawn, language: str) -> str:
    question, how = drawn.question, HOW[language]
    place = how["place"].format(
        chapter=chapter_number(question), section=question.section, points=question.points
    )
    lines = [place, *textwrap.wrap(drawn.text(language), WIDTH)]
    if question.code:
        code = question.code.strip("\n").split("\n")
        lines += ["", *(f"{number:3}  {line}" for number, line in enumerate(code, 1)), ""]
    for option in drawn.options:
        lines += textwrap.wrap(
            f"{drawn.letter(option.id)}) {option.text[language]}", WIDTH, subsequent_indent="   "
        )
    key = "several" if question.several else question.kind
    example = f"12 {question.unit}".strip()
    lines.append(how[key].format(example=example, variables=", ".join(question.variables)))
    comments = "\n".join(f"# {line}".rstrip() for line in lines)
    empty = {Kind.ORDER: "answer = []", Kind.BUG: 'line = 0\nanswer = ""'}.get(
        question.kind, "answer = []" if question.several else 'answer = ""'
    )
    return f"[{question.id}]\n{comments}\n{empty}\n"


def read_sheet(path: Path, bank: Bank) -> Sheet:
    """Reads a sheet. Raises UsageError, one line, for what is no sheet; single odd answers are kept for the checker."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}; put texts between quotation marks"
        ) from None
    student = document.pop("student", None)
    if not isinstance(student, str) or not student:
        raise UsageError(f'{path}: the line student = "..." is missing')
    known = {question.id for question in bank.questions}
    unknown = set(document) - known
    if unknown:
        raise UsageError(f"{path}: there is no question '{min(unknown)}'")
    given: dict[str, Given] = {}
    lines: dict[str, int] = {}
    for name, entry in document.items():
        answer: Any = entry.get("answer", "") if isinstance(entry, dict) else ""
        if isinstance(answer, list):
            given[name] = [str(one) for one in answer]
        elif isinstance(answer, int | float) and not isinstance(answer, bool):
            given[name] = float(answer)
        else:
            given[name] = str(answer)
        line = entry.get("line", 0) if isinstance(entry, dict) else 0
        lines[name] = line if isinstance(line, int) else 0
    return Sheet(student, given, lines)
