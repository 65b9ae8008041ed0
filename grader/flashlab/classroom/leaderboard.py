"""The leaderboard: how fast the right kernels are of those who take part, as a page, JSON and CSV.

A board is for one lab, one device and one GPU, so that no modelled time stands beside a measured one. It ranks by the
ratio to the time of the staff's kernel; of a submission with several speed cases the slowest counts, and of several
stored runs the one in the middle. It names nobody but by a pseudonym (pseudonyms.py).
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flashlab.classroom.course import CourseLab
from flashlab.classroom.gradebook import Gradebook, State
from flashlab.classroom.pseudonyms import DIGITS_OF_HASH, Entrant
from flashlab.classroom.statistics import flags
from flashlab.classroom.store import ClassStore, Kept
from flashlab.exports.table import table
from flashlab.report.blocks import Block, Heading, Report, Table, Text
from flashlab.report.figure import in_seconds
from flashlab.report.measurements import short
from flashlab.results import Result

# Groups of cases that say how good a right kernel is. Every case of every other group has to pass.
MERITS = frozenset({"memory", "traffic", "conflicts", "speed"})
DIGITS = 2  # of ratios; those that are equal with so many share a rank
HIDDEN = "a hidden case"
COLUMNS = ("lab", "device", "gpu", "how", "cases", "rank", "pseudonym", "ratio", "low", "high")


@dataclass(frozen=True)
class Place:
    """One line of a board: ratio to the staff's time with its 95 % interval, and the time in seconds."""

    rank: int
    pseudonym: str
    ratio: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True, order=True)
class Key:
    """What submissions have to share to be compared: `how` is modelled or measured, `cases` what was timed."""

    lab: str
    device: str
    gpu: str
    how: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """The places of one key, the fastest first; `shown_cases` hides the names of hidden ones."""

    key: Key
    title: str
    shown_cases: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All boards, and for the instructors, never for the page, what waits for somebody to look at it."""

    title: str
    boards: tuple[Board, ...]
    waiting: tuple[str, ...]


@dataclass(order=True)
class _Run:
    """The slowest speed case of one stored result."""

    ratio: float
    low: float
    high: float
    seconds: float
    key: Key = field(compare=False)


def make_leaderboard(
    book: Gradebook, store: ClassStore, entrants: Sequence[Entrant]
) -> Leaderboard:
    """The boards of the grades as they are now."""
    entries = {student.id: labs for student, labs in book.rows}
    stored: dict[tuple[str, str], list[str]] = {}
    for lab, sha256, key in store.all_results():
        stored.setdefault((lab, sha256), []).append(key)
    runs: dict[Key, list[tuple[_Run, str]]] = {}
    waiting = []
    for item in book.course.labs:
        for entrant in entrants:
            entry = entries[entrant.student][item.lab.name]
            kept = entry.submission
            if entry.state is not State.GRADED or kept is None:
                continue
            for results in _by_device(store, stored[kept.lab, kept.sha256]):
                if not all(map(_is_right, results)):
                    continue
                why = dict.fromkeys(flag for result in results for flag in flags(result))
                if why and not entrant.was_reviewed(kept.sha256):
                    waiting.append(_waits(kept, why))
                    continue
                for run in _middle(run for result in results for run in _runs(result)):
                    runs.setdefault(run.key, []).append((run, entrant.pseudonym))
    boards = [_board(book.course.lab(key.lab), key, found) for key, found in runs.items()]
    boards.sort(key=lambda board: board.key)
    return Leaderboard(f"{book.course.title}: leaderboard", tuple(boards), tuple(waiting))


def _by_device(store: ClassStore, keys: Iterable[str]) -> list[list[Result]]:
    """The stored results of a submission, by device; of each those of the newest grader and compiler."""
    groups: dict[str, list[tuple[str, str, str, Result]]] = {}
    for key in keys:
        setting, result = store.setting(key), store.result(key)
        run = (result["provenance"]["date"], setting.grader, setting.toolchain, result)
        groups.setdefault(setting.device, []).append(run)
    found = []
    for group in groups.values():
        _, grader, toolchain, _ = max(group, key=lambda run: run[0])
        found.append([run[3] for run in group if run[1:3] == (grader, toolchain)])
    return found


def _is_right(result: Result) -> bool:
    """Whether every case passed that does not grade merits, and every speed case has a time."""
    cases = result["cases"]
    right = all(case["status"] == "passed" for case in cases if case.get("group") not in MERITS)
    return right and all(case.get("speed") for case in cases if case.get("group") == "speed")


def _waits(kept: Kept, why: Iterable[str]) -> str:
    digits = kept.sha256[:DIGITS_OF_HASH]
    return f"{kept.student}, {kept.lab}, to be reviewed as {digits}: {'; '.join(why)}"


def _runs(result: Result) -> list[_Run]:
    """For each GPU that times are of, the slowest case. A class that changes its lab.toml gets a board of its own."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for case in result["cases"]:
        if speed := case.get("speed"):
            groups.setdefault((speed["gpu"], speed["how"]), []).append(case)
    found = []
    for (gpu, how), cases in groups.items():
        key = Key(result["lab"], result["device"]["kind"], gpu, how, tuple(map(_timed, cases)))
        slowest = max((case["speed"] for case in cases), key=lambda speed: speed["ratio"])
        numbers = (slowest[name] for name in ("ratio", "low", "high", "seconds"))
        found.append(_Run(*numbers, key))
    return found


def _timed(case: dict[str, Any]) -> str:
    """What a speed case compares with: its name, what was timed, and a modelled time of the staff's kernel."""
    speed = case["speed"]
    what: list[object] = [case["name"], speed.get("shape") or case.get("shape")]
    if speed["how"] == "modelled":
        what.append(speed["staff_seconds"])
    return json.dumps(what, sort_keys=True)


def _middle(runs: Iterable[_Run]) -> list[_Run]:
    """The median run of each key."""
    groups: dict[Key, list[_Run]] = {}
    for run in runs:
        groups.setdefault(run.key, []).append(run)
    return [statistics.median_low(group) for group in groups.values()]


def _board(item: CourseLab, key: Key, found: list[tuple[_Run, str]]) -> Board:
    """Equal ratios, as they are shown, share a rank, and the next one counts them: 1, 2, 2, 4."""
    ratios = [round(run.ratio, DIGITS) for run, _ in found]
    places = [
        Place(
            1 + sum(other < ratio for other in ratios),
            name, ratio, round(run.low, DIGITS), round(run.high, DIGITS), run.seconds,
        )
        for (run, name), ratio in zip(found, ratios, strict=True)
    ]  # fmt: skip
    places.sort(key=lambda place: (place.rank, place.pseudonym.casefold(), place.pseudonym))
    names = [json.loads(case)[0] for case in key.cases]
    shown = tuple(HIDDEN if item.hides(name) else name for name in names)
    return Board(key, item.lab.title, shown, tuple(places))


def to_report(leaderboard: Leaderboard) -> Report:
    """The page."""
    blocks: list[Block] = [
        Heading(1, leaderboard.title, "top"),
        Text(
            "Right kernels of those who take part, each under a pseudonym. A ratio of 1 is the time of the staff's"
            " kernel, 2 twice that; equal ratios share a rank. Boards of different devices do not compare."
        ),
    ]
    lab = ""
    for number, board in enumerate(leaderboard.boards, 1):
        if board.key.lab != lab:
            lab = board.key.lab
            blocks.append(Heading(2, f"{short(lab).capitalize()}: {board.title}", short(lab)))
        blocks += [
            Heading(3, _device(board.key), f"board-{number}"),
            Text(_cases(board)),
            _table(board),
        ]
    if not leaderboard.boards:
        blocks.append(Text("Nobody who takes part has a right kernel yet.", note=True))
    return Report(leaderboard.title, tuple(blocks))


def _device(key: Key) -> str:
    where = "on the virtual GPU" if key.device == "vgpu" else "on a GPU"
    return f"{key.gpu}, {key.how} {where}"


def _cases(board: Board) -> str:
    cases = dict.fromkeys(board.shown_cases)
    names = ", ".join(name if name == HIDDEN else f"`{name}`" for name in cases)
    return f"The slowest of: {names}." if len(board.shown_cases) > 1 else f"Timed: {names}."


def _table(board: Board) -> Table:
    head = ["rank>", "pseudonym", "time / staff's>", "time>"]
    measured = board.key.how == "measured"
    if measured:
        head.insert(3, "95 % interval>")
    rows = []
    for place in board.places:
        row = [str(place.rank), place.pseudonym, _number(place.ratio), in_seconds(place.seconds)]
        if measured:
            row.insert(3, f"{_number(place.low)} to {_number(place.high)}")
        rows.append(tuple(row))
    title = f"Ranks in {short(board.key.lab)}, {_device(board.key)}"
    return Table(title, tuple(head), tuple(rows), board.key.how)


def _number(value: float) -> str:
    return f"{value:.{DIGITS}f}"


def to_json(leaderboard: Leaderboard) -> str:
    """The boards for other programs."""
    boards = [
        {
            **{name: getattr(board.key, name) for name in ("lab", "device", "gpu", "how")},
            "cases": board.shown_cases,
            "places": [vars(place) for place in board.places],
        }
        for board in leaderboard.boards
    ]
    document = {"title": leaderboard.title, "boards": boards}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(leaderboard: Leaderboard) -> str:
    """One line for each place."""
    rows = [
        [
            board.key.lab,
            board.key.device,
            board.key.gpu,
            board.key.how,
            " ".join(board.shown_cases),
            str(place.rank),
            place.pseudonym,
            *(_number(value) for value in (place.ratio, place.low, place.high)),
        ]
        for board in leaderboard.boards
        for place in board.places
    ]
    return table([COLUMNS, *rows])
