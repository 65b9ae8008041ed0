"""Who takes part in the leaderboard, and under which name: leaderboard.csv in the folder of a class.

Its columns are `id` and `pseudonym`, and where wanted `reviewed`: the first digits of the SHA-256 of submissions that a
person has looked at and found in order, with blanks between. Who is not in it, or has no pseudonym, does not appear.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from flashlab.classroom.roster import COLUMNS, Roster, Student
from flashlab.errors import UsageError

LONGEST = 24
# Letters, digits, punctuation and symbols. All else draws nothing, turns text round or breaks a line.
KINDS = ("L", "N", "P", "S")
MARKS = 2  # accents on one letter; more grow into the lines above and below
DIGITS_OF_HASH = 8
HASHES = re.compile(rf"[0-9a-f]{{{DIGITS_OF_HASH},64}}")


@dataclass(frozen=True)
class Entrant:
    """A student who takes part."""

    student: str
    pseudonym: str
    reviewed: tuple[str, ...] = ()

    def was_reviewed(self, sha256: str) -> bool:
        """Whether a person looked at this submission."""
        return any(sha256.startswith(digits) for digits in self.reviewed)


def read_entrants(path: Path, roster: Roster) -> tuple[Entrant, ...]:
    """Those who take part; an error names the line whose pseudonym will not do."""
    if not path.exists():
        raise UsageError(
            f"{path} is missing: write into it who wants to appear, under the line id,pseudonym"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    if not {"id", "pseudonym"} <= set(reader.fieldnames or ()):
        raise UsageError(f"{path}: the first line has to name the columns id and pseudonym")
    students = {student.id: student for student in roster.students}
    found: dict[str, Entrant] = {}
    taken: dict[str, str] = {}
    for line, row in rows:
        cells = {key: (row.get(key) or "").strip() for key in ("id", "pseudonym", "reviewed")}
        if not cells["pseudonym"]:
            continue
        where = f"{path}:{line}"
        student = students.get(cells["id"])
        if student is None:
            raise UsageError(f"{where}: {cells['id']!r} is no id of roster.csv")
        if student.id in found:
            raise UsageError(f"{where}: {student.id} is there twice; one pseudonym each")
        name = unicodedata.normalize("NFC", cells["pseudonym"])
        problem = _problem(name, student, roster)
        if problem is None and (other := taken.setdefault(_seen(name), student.id)) != student.id:
            problem = f"looks like the pseudonym of {other}"
        if problem is not None:
            raise UsageError(f"{where}: {name!r} {problem}; ask {student.id} for another pseudonym")
        reviewed = tuple(cells["reviewed"].lower().split())
        if not all(HASHES.fullmatch(digits) for digits in reviewed):
            least = f"{DIGITS_OF_HASH} or more digits of a submission's SHA-256 each"
            raise UsageError(f"{where}: {cells['reviewed']!r} is not what was reviewed: {least}")
        found[student.id] = Entrant(student.id, name, reviewed)
    return tuple(found.values())


def _problem(name: str, student: Student, roster: Roster) -> str | None:
    """Why a pseudonym will not do: it cannot be shown, or says who somebody is."""
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    marks = 0
    for letter in name:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Mc") else 0
        if marks > MARKS or not (letter == " " or marks or kind.startswith(KINDS)):
            return "has a character that does not show as one"
    if not _squashed(name):
        return "has no letter and no digit"
    if re.search(r"\S@\S", unicodedata.normalize("NFKC", name)):
        return "looks like an e-mail address"
    own = {_squashed(word) for word in re.split(r"[\s,-]+", student.name) if len(word) > 2}
    words = {_squashed(word) for word in re.split(r"[\W_]+", name)}
    if own & words:
        return "has the student's own name in it"
    whole = _squashed(name)
    if any(word in whole for one in roster.students for word in _identities(one)):
        return "has the name, id or address of somebody in roster.csv in it"
    return None


def _identities(student: Student) -> set[str]:
    """What a student is known by: all columns but the section, and the name in every order."""
    names = student.name.replace(",", " ").split()
    turned = (
        {"".join(names[i:] + names[:i]) for i in range(len(names))} if len(names) > 1 else set()
    )
    columns = (getattr(student, key) for key in COLUMNS if key not in ("name", "section"))
    texts = {_squashed(text) for text in (*turned, *columns, student.email.partition("@")[0])}
    # What is shorter is in too many words by chance.
    return {text for text in texts if len(text) > 2}


def _squashed(text: str) -> str:
    """Letters and digits only, without accents and ways of writing."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _seen(text: str) -> str:
    """Equal for names that a reader takes for one."""
    return unicodedata.normalize("NFKC", "".join(text.split())).casefold()
