"""Questions and their answers, read from TOML and checked: a mistake in them is one line with file and question."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from flashlab.errors import UsageError

LANGUAGES = ("en", "zh")
Text = dict[str, str]
"""A text in every language."""


class Kind(StrEnum):
    """How a question is answered."""

    NUMBER = "number"
    CHOICE = "choice"
    FORMULA = "formula"
    ORDER = "order"
    BUG = "bug"


@dataclass(frozen=True)
class Option:
    """One of several: of a choice, a step to be put in order, or the effect of a bug."""

    id: str
    text: Text


@dataclass(frozen=True)
class Question:
    """A question; `draw` says from which values a student's numbers are drawn."""

    id: str
    kind: Kind
    chapter: str  # the name of its file, which is the chapter's
    section: str
    points: float
    text: Text
    draw: dict[str, list[float]]
    unit: str = ""
    several: bool = False
    variables: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer and the misconception behind it; `value` is a formula, or ids."""

    value: str | list[str]
    text: Text


@dataclass(frozen=True)
class Answer:
    """The right answer: a formula of the drawn numbers, ids, or for a bug its lines and effect."""

    value: str | list[str]
    text: Text
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 0.01  # relative
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Bank:
    """All questions in the order of the chapters; `answers` is empty where the instructors' side is missing."""

    questions: tuple[Question, ...]
    answers: dict[str, Answer]


def load_bank(questions: Path, answers: Path) -> Bank:
    """Reads *.toml in both folders; the second may be missing. Raises UsageError."""
    files = sorted(questions.glob("*.toml"))
    if not files:
        raise UsageError(f"{questions} has no questions")
    found: list[Question] = []
    keys: dict[str, Answer] = {}
    for file in files:
        for entry in _read(file).get("question", []):
            found.append(_question(file, entry))
        key_file = answers / file.name
        if key_file.exists():
            keys |= {name: _answer(key_file, name, raw) for name, raw in _read(key_file).items()}
    names = [question.id for question in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"{questions}: the question {min(twice)} is there twice")
    if keys and set(keys) != set(names):
        raise UsageError(f"{answers}: questions and answers differ: {min(set(keys) ^ set(names))}")
    return Bank(tuple(found), keys)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: {error}") from None


def _text(where: str, entry: dict[str, Any]) -> Text:
    missing = [language for language in LANGUAGES if not entry.get(language)]
    if missing:
        raise UsageError(f"{where}: no text in '{missing[0]}'")
    return {language: entry[language] for language in LANGUAGES}


def _question(file: Path, entry: dict[str, Any]) -> Question:
    where = f"{file}: {entry.get('id', 'a question without id')}"
    known = {"id", "kind", "section", "points", "draw", "unit", "several", "variables", "options"}
    known |= {"items", "code", *LANGUAGES}
    unknown = set(entry) - known
    if unknown:
        raise UsageError(f"{where}: unknown key '{min(unknown)}'")
    try:
        kind = Kind(entry["kind"])
        choices = entry.get("items" if kind is Kind.ORDER else "options", [])
        question = Question(
            entry["id"],
            kind,
            file.stem,
            entry["section"],
            float(entry["points"]),
            _text(where, entry),
            entry.get("draw", {}),
            entry.get("unit", ""),
            entry.get("several", False),
            tuple(entry.get("variables", ())),
            tuple(Option(one["id"], _text(where, one)) for one in choices),
            entry.get("code", ""),
        )
    except (KeyError, ValueError) as error:
        raise UsageError(f"{where}: {error}") from None
    if (kind in (Kind.CHOICE, Kind.ORDER, Kind.BUG)) != bool(question.options):
        raise UsageError(f"{where}: a question of kind {kind} and its options do not fit")
    if (kind is Kind.FORMULA) != bool(question.variables):
        raise UsageError(f"{where}: a formula needs variables, nothing else does")
    return question


def _answer(file: Path, name: str, entry: dict[str, Any]) -> Answer:
    where = f"{file}: {name}"
    try:
        mistakes = tuple(
            Mistake(one["value"], _text(where, one)) for one in entry.get("mistakes", [])
        )
        value = [entry["effect"]] if "effect" in entry else entry["value"]
    except KeyError as error:
        raise UsageError(f"{where}: {error} is missing") from None
    return Answer(
        value,
        _text(where, entry),
        mistakes,
        entry.get("tolerance", 0.01),
        tuple(entry.get("lines", ())),
    )
