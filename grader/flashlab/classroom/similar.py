"""Pairs of submissions that share code, for a human to judge. copydetect finds them by winnowing (Schleimer, Wilkerson
and Aiken 2003, "Winnowing: local algorithms for document fingerprinting"), without the fingerprints of the stub.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copydetect import CodeFingerprint

# In characters of tokenised code, where a name is one letter: matches shorter than this are chance, and every match of
# NOISE + WINDOW - 1 is found.
NOISE = 25
WINDOW = 5


@dataclass(frozen=True)
class Code:
    """A source of one student, or of several who handed it in together."""

    student: str
    text: str


@dataclass(frozen=True)
class Pair:
    """Two sources with the share of each that the other one has too, and where: (start, end) in characters."""

    lab: str
    codes: tuple[Code, Code]
    shares: tuple[float, float]
    places: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]

    @property
    def share(self) -> float:
        """The larger of the two shares: a copy with much added stays a copy."""
        return max(self.shares)


def similar_pairs(lab: str, stub: Path, codes: Mapping[str, str], least: float) -> list[Pair]:
    """Pairs of `codes`, by student, of which at least one has the share `least` in common with the other, the most
    similar first. One that is little more than the stub has nothing of its own to compare.
    """
    from copydetect import compare_files

    # All fingerprints of the stub, and not only those that winnowing keeps: others may be kept elsewhere.
    given = list(_fingerprint(stub.read_text(encoding="utf-8"), [], window=1).hashes)
    prints = {student: _fingerprint(text, given, WINDOW) for student, text in sorted(codes.items())}
    pairs = []
    for one, other in combinations(prints, 2):
        if min(prints[one].token_coverage, prints[other].token_coverage) < NOISE:
            continue
        _, shares, places = compare_files(prints[one], prints[other])
        pair = Pair(
            lab,
            (Code(one, codes[one]), Code(other, codes[other])),
            (min(float(shares[0]), 1.0), min(float(shares[1]), 1.0)),
            (tuple(_merged(places[0])), tuple(_merged(places[1]))),
        )
        if pair.share >= least:
            pairs.append(pair)
    return sorted(
        pairs, key=lambda pair: (-pair.share, pair.codes[0].student, pair.codes[1].student)
    )


def marked(code: Code, places: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether the other source has it too."""
    at = 0
    for start, end in places:
        yield code.text[at:start], False
        yield code.text[start:end], True
        at = end
    yield code.text[at:], False


def _fingerprint(text: str, given: list[int], window: int) -> "CodeFingerprint":
    from copydetect import CodeFingerprint

    return CodeFingerprint(
        "submission.cu", NOISE, window, boilerplate=given, language="cuda", fp=io.StringIO(text)
    )


def _merged(slices: Sequence[Iterable[int]]) -> Iterator[tuple[int, int]]:
    """Slices in order, those that touch or overlap as one."""
    last: tuple[int, int] | None = None
    pairs = zip(*slices, strict=True) if len(slices) == 2 else ()
    for start, end in sorted((int(start), int(end)) for start, end in pairs):
        if last is not None and start <= last[1]:
            last = (last[0], max(last[1], end))
        else:
            if last is not None:
                yield last
            last = (start, end)
    if last is not None:
        yield last
