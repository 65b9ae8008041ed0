"""Writes the tables that compare the virtual GPU's checks with compute-sanitizer into two READMEs.

    python3 tools/sanitizer_tables.py

They are made from the programs of tests/vgpu/checks, as they run on the virtual GPU of build/, and from
handouts/data/sanitizer_h200.json, which tools/record_sanitizer.py records.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import check_suites
import readme_table
from check_suites import ROOT, Case

RECORD = ROOT / "handouts/data/sanitizer_h200.json"
BEGIN, END = (
    "<!-- tools/sanitizer_tables.py: begin -->\n",
    "<!-- tools/sanitizer_tables.py: end -->\n",
)

KINDS = {
    "bounds": "outside an allocation",
    "bounds_shared": "outside a `__shared__` array",
    "misaligned": "misaligned access",
    "freed": "use after free",
    "double_free": "double free",
    "leak": "leak",
    "host_pointer": "host pointer used in a kernel",
    "uninitialised": "uninitialised read of shared memory",
    "uninitialised_global": "uninitialised read of global memory",
    "race": "race on shared memory",
    "race_global": "race between blocks on global memory",
    "async": "`cp.async` data touched before its wait",
    "barrier": "barrier that not everybody reaches",
    "shuffle": "shuffle from an absent lane",
}
NOTHING = "**nothing**"


@dataclass(frozen=True)
class Outcome:
    """What is known about one case."""

    case: Case
    here: str  # headline of the virtual GPU's first report
    alone: str  # how it ends on a GPU: "passes", "does not end" or a CUDA error
    tools: dict[str, str]  # the gravest report of each tool of compute-sanitizer that made one

    def sanitizer(self) -> str:
        """What compute-sanitizer says, as the cell of a table."""
        return "; ".join(f"{tool}: `{line}`" for tool, line in self.tools.items()) or NOTHING


def records() -> dict[tuple[str, str], dict]:
    """The recorded cases by program and name."""
    cases = json.loads(RECORD.read_text(encoding="utf-8"))["cases"]
    return {(case["program"], case["name"]): case for case in cases}


def gravest(says: list[str]) -> str:
    """One of a tool's reports: an error if there is one, without the words before a place."""
    reports = [line for line in says if line != "does not end"]
    return min(reports, key=lambda line: not line.startswith("Error: "), default="").partition(
        " called by"
    )[0]


def outcomes(cases: list[Case]) -> list[Outcome]:
    """Each case with what is recorded about it, and as it runs here."""
    recorded = records()
    found = []
    for case in cases:
        record = recorded[case.program, case.name]
        stderr = check_suites.run(case, "all", "--threads", "1").stderr
        here = next((text.splitlines()[0] for text in check_suites.reports(stderr)), NOTHING)
        alone = record["alone"]
        alone = "passes" if len(alone) == 16 and " " not in alone else alone
        tools = {tool: gravest(said["says"]) for tool, said in record["tools"].items()}
        found.append(Outcome(case, here, alone, {t: line for t, line in tools.items() if line}))
    return found


def summary(seeded: list[Outcome], clean: list[Outcome]) -> Iterator[str]:
    """The table by kind of mistake."""
    yield "| mistake | programs | pass | found here | by compute-sanitizer | by its tools |"
    yield "| --- | --- | --- | --- | --- | --- |"
    alarms = "none: alarms about correct programs"
    kinds = {
        words: [one for one in seeded if one.case.kind == kind] for kind, words in KINDS.items()
    }
    for words, cases in (kinds | {"**all**": seeded, alarms: clean}).items():
        passing = sum(one.alone == "passes" for one in cases)
        here = sum(one.here != NOTHING for one in cases)
        tools = Counter(tool for one in cases for tool in one.tools)
        which = ", ".join(f"{tool} {count}" for tool, count in tools.items())
        found = sum(bool(one.tools) for one in cases)
        yield f"| {words} | {len(cases)} | {passing} | {here} | {found} | {which or '–'} |"


def details(seeded: list[Outcome], clean: list[Outcome]) -> Iterator[str]:
    """One row for each mistake, and one for each correct program with an alarm."""
    yield "| mistake | program | line | on a GPU | virtual GPU | compute-sanitizer |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for kind, words in KINDS.items():
        for one in (one for one in seeded if one.case.kind == kind):
            place = f"`{one.case.program}.cu:{one.case.line}`"
            cells = [words, f"`{one.case.name}`", place, one.alone, one.here, one.sanitizer()]
            yield f"| {' | '.join(cells)} |"
    yield ""
    yield "| correct program | source | virtual GPU | compute-sanitizer |"
    yield "| --- | --- | --- | --- |"
    for one in clean:
        if one.tools or one.here != NOTHING:
            cells = [f"`{one.case.name}`", f"`{one.case.program}.cu`", one.here, one.sanitizer()]
            yield f"| {' | '.join(cells)} |"


def with_table(text: str, table: Iterator[str]) -> str:
    """A README with the part between its markers replaced."""
    return readme_table.put(text, BEGIN, END, "".join(f"{line}\n" for line in table))


def pages() -> dict[Path, str]:
    """Each README with a table, and its text as it should be."""
    suites = outcomes(check_suites.seeded()), outcomes(check_suites.clean())
    tables = {
        ROOT / "grader/vgpu/README.md": summary(*suites),
        ROOT / "tests/vgpu/checks/README.md": details(*suites),
    }
    return {
        page: with_table(page.read_text(encoding="utf-8"), table) for page, table in tables.items()
    }


def main() -> None:
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
