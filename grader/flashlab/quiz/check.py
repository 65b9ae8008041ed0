"""A filled-in sheet -> points, and for each wrong answer the misconception behind it."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from flashlab.quiz.bank import Answer, Bank, Kind, Mistake, Text
from flashlab.quiz.draw import Drawn, draw
from flashlab.quiz.formula import FormulaError, evaluate
from flashlab.quiz.sheet import Given, Sheet
from flashlab.quiz.units import UnitError, read

POINTS_OF_FORMULA = 24  # where a formula is compared with the right one
FORMULA_TOLERANCE = 1e-6
BINARY_OR_DECIMAL = (1.024, 1.024**2, 1.024**3)  # what KiB, MiB and GiB are against KB, MB and GB

SAYINGS: dict[str, Text] = {
    "right": {"en": "right", "zh": "正确"},
    "empty": {"en": "not answered", "zh": "没有作答"},
    "wrong": {"en": "wrong", "zh": "错误"},
    "unreadable": {"en": "cannot be read: {why}", "zh": "无法读取:{why}"},
    "binary": {
        "en": "right but for the unit: 1 MiB is 1.0486 MB",
        "zh": "只有单位不对：1 MiB 是 1.0486 MB",
    },
    "power": {
        "en": "right but for a power of {base}: check the unit",
        "zh": "相差 {base} 的幂：检查单位",
    },
    "partly": {"en": "partly right", "zh": "部分正确"},
    "line": {"en": "the line is right, the effect is not", "zh": "行对,后果不对"},
    "effect": {"en": "the effect is right, the line is not", "zh": "后果对,行不对"},
}


@dataclass(frozen=True)
class Checked:
    """What one answer got; `said` in every language."""

    drawn: Drawn
    given: Given
    share: float  # of the points, 0 to 1
    said: Text

    @property
    def points(self) -> float:
        """Points won."""
        return round(self.share * self.drawn.question.points, 2)


def check_sheet(bank: Bank, sheet: Sheet, seed: int) -> list[Checked]:
    """Checks every question of the bank; what a sheet leaves out counts as not answered."""
    checked = []
    for question in bank.questions:
        drawn = draw(question, sheet.student, seed)
        given = sheet.given.get(question.id, "")
        line = sheet.lines.get(question.id, 0)
        share, said = _check(drawn, bank.answers[question.id], given, line)
        checked.append(Checked(drawn, given, share, said))
    return checked


Verdict = tuple[float, Text]


def _check(drawn: Drawn, answer: Answer, given: Given, line: int) -> Verdict:
    if given in ("", []) and line == 0:
        return 0.0, SAYINGS["empty"]
    return CHECKERS[drawn.question.kind](drawn, answer, given, line)


def _say(name: str, **values: str) -> Text:
    return {language: text.format(**values) for language, text in SAYINGS[name].items()}


def _join(*texts: Text) -> Text:
    return {language: ". ".join(text[language] for text in texts) for language in texts[0]}


def _number(drawn: Drawn, answer: Answer, given: Given, _: int) -> Verdict:
    unit = drawn.question.unit
    if isinstance(given, list):
        return 0.0, _say("unreadable", why="one number, not a list")
    try:
        value = read(given, unit)
    except UnitError as error:
        return 0.0, _say("unreadable", why=str(error))

    def close(wanted: float) -> bool:
        return math.isclose(value, wanted, rel_tol=answer.tolerance, abs_tol=1e-12)

    right = _number_of(answer.value, drawn)
    if close(right):
        return 1.0, SAYINGS["right"]
    for mistake in answer.mistakes:
        if close(_number_of(mistake.value, drawn)):
            return 0.0, _join(SAYINGS["wrong"], mistake.text)
    if "iB" in unit and any(close(right * f) or close(right / f) for f in BINARY_OR_DECIMAL):
        return 0.5, SAYINGS["binary"]
    for base in (1000.0, 1024.0):
        if unit and any(close(right * base**power) for power in (-3, -2, -1, 1, 2, 3)):
            return 0.5, _say("power", base=f"{base:g}")
    return 0.0, _join(SAYINGS["wrong"], answer.text)


def _number_of(formula: str | list[str], drawn: Drawn) -> float:
    value = evaluate(str(formula), drawn.numbers)
    assert not isinstance(value, str)
    return value


def _formula(drawn: Drawn, answer: Answer, given: Given, _: int) -> Verdict:
    if isinstance(given, list):
        return 0.0, _say("unreadable", why="one formula, not a list")
    try:
        if _same(str(given), str(answer.value), drawn):
            return 1.0, SAYINGS["right"]
    except FormulaError as error:
        return 0.0, _say("unreadable", why=str(error))
    for mistake in answer.mistakes:
        if _same(str(given), str(mistake.value), drawn):
            return 0.0, _join(SAYINGS["wrong"], mistake.text)
    return 0.0, _join(SAYINGS["wrong"], answer.text)


def _same(left: str, right: str, drawn: Drawn) -> bool:
    """Whether two formulas agree at random points: small whole numbers, so that nothing overflows."""
    source = random.Random(drawn.question.id)
    for _ in range(POINTS_OF_FORMULA):
        point = {name: float(source.randint(1, 12)) for name in drawn.question.variables}
        a, b = evaluate(left, point), evaluate(right, point)
        if isinstance(a, str) or isinstance(b, str):
            raise FormulaError("a text where a number belongs")
        if not math.isclose(a, b, rel_tol=FORMULA_TOLERANCE, abs_tol=1e-9):
            return False
    return True


def _letters(drawn: Drawn, given: Given) -> list[str] | None:
    """The ids behind letters, or None when one of them is no letter of the question, or is there twice."""
    letters = given if isinstance(given, list) else str(given).replace(",", " ").split()
    ids = [drawn.option(letter) for letter in letters]
    if None in ids or len(set(ids)) < len(ids):
        return None
    return [one for one in ids if one is not None]


def _right_ids(answer: Answer, drawn: Drawn) -> list[str]:
    """A formula may choose the id from the drawn numbers."""
    if isinstance(answer.value, list):
        return answer.value
    return [str(evaluate(answer.value, drawn.numbers))]


def _choice(drawn: Drawn, answer: Answer, given: Given, _: int) -> Verdict:
    chosen = _letters(drawn, given)
    if chosen is None:
        return 0.0, _say("unreadable", why="letters of the question, each once")
    right = _right_ids(answer, drawn)
    if set(chosen) == set(right):
        return 1.0, SAYINGS["right"]
    share = 0.0
    if drawn.question.several:
        hits = len(set(chosen) & set(right))
        share = max(0.0, (hits - len(set(chosen) - set(right))) / len(right))
    verdict = SAYINGS["partly"] if share > 0 else SAYINGS["wrong"]
    text = _explanation(answer.mistakes, set(chosen), lambda value: set(value)) or answer.text
    return share, _join(verdict, text)


def _explanation(
    mistakes: tuple[Mistake, ...], chosen: object, shape: Callable[[list[str]], object]
) -> Text | None:
    for mistake in mistakes:
        if isinstance(mistake.value, list) and shape(mistake.value) == chosen:
            return mistake.text
    return None


def _order(drawn: Drawn, answer: Answer, given: Given, _: int) -> Verdict:
    chosen = _letters(drawn, given)
    right = _right_ids(answer, drawn)
    if chosen is None or len(chosen) != len(right):
        return 0.0, _say("unreadable", why="every letter once")
    if chosen == right:
        return 1.0, SAYINGS["right"]
    place = {name: number for number, name in enumerate(right)}
    pairs = [(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]]
    good = sum(place[a] < place[b] for a, b in pairs) / len(pairs)
    share = max(0.0, 2 * good - 1)  # half of the pairs are right by chance
    text = _explanation(answer.mistakes, chosen, lambda value: value) or answer.text
    return share, _join(SAYINGS["partly"] if share > 0 else SAYINGS["wrong"], text)


def _bug(drawn: Drawn, answer: Answer, given: Given, line: int) -> Verdict:
    line_right = line in answer.lines
    effect_right = _letters(drawn, given) == answer.value
    if line_right and effect_right:
        return 1.0, SAYINGS["right"]
    verdict = "line" if line_right else "effect" if effect_right else "wrong"
    return 0.5 * (line_right + effect_right), _join(SAYINGS[verdict], answer.text)


CHECKERS: dict[Kind, Callable[[Drawn, Answer, Given, int], Verdict]] = {
    Kind.NUMBER: _number,
    Kind.FORMULA: _formula,
    Kind.CHOICE: _choice,
    Kind.ORDER: _order,
    Kind.BUG: _bug,
}
