"""What one student gets: numbers and the order of options, from the course's seed, the student and the question."""

import hashlib
import random
from dataclasses import dataclass
from string import ascii_lowercase

from flashlab.quiz.bank import Option, Question


@dataclass(frozen=True)
class Drawn:
    """A question with a student's numbers; options carry the letters a, b, c, ... in `options`' order."""

    question: Question
    numbers: dict[str, float]
    options: tuple[Option, ...]

    def text(self, language: str) -> str:
        """The question with its numbers put in."""
        text = self.question.text[language]
        for name, value in self.numbers.items():
            text = text.replace("{" + name + "}", f"{value:g}")
        return text

    def letter(self, option_id: str) -> str:
        """The letter of an option."""
        return ascii_lowercase[[option.id for option in self.options].index(option_id)]

    def option(self, letter: str) -> str | None:
        """The id of the option with this letter, None when there is none."""
        place = ascii_lowercase.find(letter.strip().lower()) if len(letter.strip()) == 1 else -1
        return self.options[place].id if 0 <= place < len(self.options) else None


def draw(question: Question, student: str, seed: int) -> Drawn:
    """The same numbers for the same student, question and seed on every machine."""
    digest = hashlib.sha256(f"{seed}\n{student}\n{question.id}".encode()).digest()
    source = random.Random(int.from_bytes(digest))
    numbers = {name: source.choice(values) for name, values in question.draw.items()}
    options = list(question.options)
    source.shuffle(options)
    return Drawn(question, numbers, tuple(options))
