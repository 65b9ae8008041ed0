"""The corpora's manifests: what the judge must say about each wrong and each honest kernel."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from flashlab.labs import Lab, find
from flashlab.layout import Layout

LAYOUT = Layout.of_this_package()
SEED = 1  # inputs of the manifest's verdicts; with other inputs a case may miss a bug by chance
# A corpus kernel is there for its result: what it loses for its time says nothing, unless `fails` names it.
ABOUT_TIME = "speed"
ABOUT_THE_RESULT = ("correctness", "checks")  # groups of cases that no honest kernel fails


@dataclass(frozen=True)
class Kernel:
    """One file of the corpus; an honest kernel may fail cases too, but none about the result."""

    source: Path
    about: str
    must_fail: frozenset[str] = frozenset()
    messages: tuple[str, ...] = ()
    unnamed: frozenset[str] = frozenset()  # cases whose message need not name the cause
    unseen: frozenset[str] = frozenset()  # cases that may pass on a real GPU
    may_fail: frozenset[str] = frozenset()  # cases that it passes or fails by chance
    wrong: bool = False

    def names_cause(self, message: str) -> bool:
        """Whether `message` holds words that the manifest calls the cause."""
        return any(words in message for words in self.messages)


def load(folder: Path, cases: dict[str, str]) -> list[Kernel]:
    """The kernels of `folder`, checked against the files there and the lab's cases, given as name: group."""
    entries = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))["kernel"]
    listed = [entry["file"] for entry in entries]
    on_disk = sorted(path.name for path in folder.glob("*.cu"))
    if sorted(listed) != on_disk:
        raise ValueError(f"{folder}: manifest and files differ: {set(listed) ^ set(on_disk)}")
    return [_kernel(folder, entry, cases) for entry in entries]


def _kernel(folder: Path, entry: dict[str, Any], cases: dict[str, str]) -> Kernel:
    name = entry["file"]
    given = [key for key in ("fails", "passes", "messages", "unnamed") if key in entry]
    timed = frozenset(case for case, group in cases.items() if group == ABOUT_TIME)
    if entry["kind"] == "honest" and not given:
        return Kernel(folder / name, entry["about"], may_fail=timed)
    if entry["kind"] not in ("honest", "wrong") or ("fails" in entry) == ("passes" in entry):
        raise ValueError(f"{name}: a kernel that fails cases has one of fails and passes")
    if not entry.get("messages"):
        raise ValueError(f"{name}: a kernel that fails cases has messages")
    must_fail = _matching(name, entry.get("fails", ()), cases)
    if "passes" in entry:
        must_fail = frozenset(cases) - timed - _matching(name, entry["passes"], cases)
    if not must_fail:
        raise ValueError(f"{name}: a wrong kernel must fail some case")
    if entry["kind"] == "honest" and any(cases[case] in ABOUT_THE_RESULT for case in must_fail):
        raise ValueError(f"{name}: an honest kernel fails no case about the result")
    unnamed, unseen, may_fail = (
        _matching(name, entry.get(key, ()), cases) for key in ("unnamed", "unseen", "may_fail")
    )
    return Kernel(
        folder / name,
        entry["about"],
        must_fail,
        tuple(entry["messages"]),
        unnamed,
        unseen & must_fail,
        may_fail | (timed - must_fail),
        entry["kind"] == "wrong",
    )


def _matching(name: str, globs: Iterable[str], cases: Iterable[str]) -> frozenset[str]:
    """The cases that some glob matches; each glob must match one."""
    matched = frozenset[str]()
    for glob in globs:
        found = frozenset(case for case in cases if fnmatchcase(case, glob))
        if not found:
            raise ValueError(f"{name}: no case is called {glob}")
        matched |= found
    return matched


def corpora() -> list[tuple[Lab, dict[str, str], Kernel]]:
    """Every kernel of every lab's folder, with the lab and its cases."""
    found = []
    for folder in sorted(Path(__file__).resolve().parent.glob("lab*")):
        lab = find(LAYOUT, folder.name)
        settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
        cases = {case["name"]: case["group"] for case in settings["case"]}
        found += [(lab, cases, kernel) for kernel in load(folder, cases)]
    return found
