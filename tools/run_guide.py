#!/usr/bin/env python3
"""Runs the commands of a guide, in their order, and compares what they print with what the guide shows.

    python3 tools/run_guide.py handouts/instructors/guide.md FOLDER [--write]

Commands are the lines with `$ ` of its `console` blocks; they run in FOLDER, a built clone. What is shown below each is
its output, where a line `...` stands for any lines. With --write the guide gets the present output where it differs.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# How many lines of progress there are depends on the machine.
PROGRESS = re.compile(r"^graded \d+ of \d+, .*\n", re.MULTILINE)
BLANKS = re.compile(" +$", re.MULTILINE)  # behind the last column of a table
ANY = "..."


@dataclass(frozen=True)
class Step:
    """One command of a guide and what it shows as its output."""

    command: str
    shown: str


def steps(block: str) -> list[Step]:
    """The commands of one console block."""
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        elif not found:
            raise ValueError(f"output before any command: {line!r}")
        else:
            found[-1] = Step(found[-1].command, f"{found[-1].shown}{line}\n")
    return found


def run(command: str, folder: Path) -> str:
    """What a command prints, without progress and blanks at the ends of lines; ValueError when it fails."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ValueError(f"$ {command}\n{done.stdout}exit code {done.returncode}")
    return BLANKS.sub("", PROGRESS.sub("", done.stdout))


def matches(shown: str, printed: str) -> bool:
    """Whether `printed` is what is shown."""
    parts = [re.escape(part) for part in f"\n{shown}".split(f"\n{ANY}\n")]
    return re.fullmatch(r"\n(?:.*\n)*".join(parts), f"\n{printed}") is not None


def follow(text: str, folder: Path) -> tuple[str, list[str]]:
    """Runs every command of a guide; returns the guide with its output as it is now, and the commands that differ."""
    differ: list[str] = []

    def fresh(block: re.Match[str]) -> str:
        lines = []
        for step in steps(block[1]):
            printed = run(step.command, folder)
            same = matches(step.shown, printed)
            if not same:
                differ.append(step.command)
            lines.append(f"$ {step.command}\n{step.shown if same else printed}")
        return f"```console\n{''.join(lines)}```"

    return BLOCK.sub(fresh, text), differ


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the commands of a guide.")
    parser.add_argument("guide", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="put the present output into it")
    options = parser.parse_args()
    fresh, differ = follow(options.guide.read_text(encoding="utf-8"), options.folder)
    if options.write:
        options.guide.write_text(fresh, encoding="utf-8")
    for command in differ:
        print(f"{'updated' if options.write else 'prints something else'}: {command}")
    sys.exit(bool(differ) and not options.write)


if __name__ == "__main__":
    main()
