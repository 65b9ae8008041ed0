"""The table of guards names every cheat, and only programs and tests that exist."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TESTS = FOLDER.parent
ROWS = re.findall(
    r"^\| (?!guard|---)(.+) \| (.+) \| (.+) \| (.*)\|$",
    (FOLDER / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
PROGRAMS = {path.stem for path in FOLDER.glob("*/*.cu")}


def names(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_every_cheat_attacks_a_guard() -> None:
    attackers = set().union(*(names(attacked_by) for _, _, attacked_by, _ in ROWS))
    cheats = {name for name in PROGRAMS if not name.startswith("honest_")}
    assert attackers == cheats


def test_every_guard_has_a_test() -> None:
    sources = [*TESTS.rglob("test_*.py"), *TESTS.rglob("*_test.cpp")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    known = set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    known |= set(re.findall(r"^TEST(?:_F)?\(\w+, (\w+)\)", text, re.MULTILINE))
    assert len(ROWS) > 30
    for guard, _, attacked_by, tests in ROWS:
        assert names(attacked_by) & PROGRAMS or names(tests), guard
        assert names(tests) <= known, guard
