#!/usr/bin/env python3
"""Makes up a class with its submissions, to try and to test `flashlab class` with:

    PYTHONPATH=grader .venv/bin/python tools/make_class.py FOLDER --students 100
    ./flashlab class grade FOLDER/submissions --course FOLDER/course

Every lab's submissions come in another platform's layout. They are a mix of stubs, solutions, kernels of the corpus,
cheats, files that do not build, and archives that cannot be read; a few are missing. Equal arguments make equal files.
"""

import argparse
import datetime
import gzip
import io
import os
import random
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from flashlab import labs
from flashlab.labs import Lab
from flashlab.layout import Layout

START = datetime.datetime(2026, 10, 1, 18, 0, tzinfo=datetime.UTC)  # when lab 1 is due
WEEK = datetime.timedelta(days=7)
CLASS = """\
title = "Made-up class"
seed = {seed}

[late]
grace_minutes = 10
free_days = 2
penalty_per_day = 10
max_days = 3
"""
KINDS = {
    "corpus": 40, "solution": 20, "stub": 12, "cheat": 9, "syntax": 4, "missing": 6, "garbage": 3, "escaping": 2,
    "bomb": 2, "not text": 1, "twice": 1,
}  # fmt: skip
BROKEN = ("garbage", "escaping", "bomb", "twice")


@dataclass(frozen=True)
class Person:
    """A made-up student."""

    number: int

    @property
    def id(self) -> str:
        """The id in roster.csv."""
        return f"s{self.number:03}"

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"Ada{self.number} Lovelace{self.number}"


@dataclass(frozen=True)
class Upload:
    """What one student hands in for one lab."""

    person: Person
    name: str
    data: bytes
    moment: datetime.datetime


def make_class(layout: Layout, folder: Path, students: int, seed: int, shared: bool) -> None:
    """Writes folder/course and folder/submissions. `shared`: students may hand in equal files."""
    people = [Person(number) for number in range(1, students + 1)]
    found = labs.discover(layout)
    course = folder / "course"
    course.mkdir(parents=True)
    text = CLASS.format(seed=seed)
    for week, lab in enumerate(found):
        text += f"\n[labs.{lab.short}]\ndue = {(START + week * WEEK).isoformat()}\n"
    (course / "class.toml").write_text(text)
    rows = [f"{p.id},{p.name},{p.id}@example.org,{1000 + p.number}\n" for p in people]
    (course / "roster.csv").write_text("id,name,email,canvas_id\n" + "".join(rows))
    writers = (_canvas, _moodle, _gradescope, _folders, _archives)
    dice = random.Random(seed)
    for week, lab in enumerate(found):
        uploads = []
        for person in people:
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            moment = START + week * WEEK + datetime.timedelta(minutes=dice.randint(-4000, 3000))
            mark = "" if shared else f"// {person.id}\n"
            if kind != "missing":
                name, data = _work(layout, lab, kind, dice, mark)
                uploads.append(Upload(person, name, data, moment))
        writers[week % len(writers)](folder / "submissions" / lab.short, uploads)


def _work(layout: Layout, lab: Lab, kind: str, dice: random.Random, mark: str) -> tuple[str, bytes]:
    if kind in BROKEN:
        return "work.zip", _broken(lab, kind)
    if kind == "not text":
        return lab.source, mark.encode() + b"// \xff\xfe\n"
    if kind == "cheat":
        source = dice.choice(_cheats(layout, lab))
    elif kind == "corpus":
        source = dice.choice(sorted((layout.root / "tests/corpus" / lab.short).glob("*.cu")))
    else:
        source = lab.solution(layout) if kind == "solution" else lab.stub
    text = whole_source(source).replace("@ROOT@", str(layout.root))
    return lab.source, (mark + text + ("}\n" if kind == "syntax" else "")).encode()


def _cheats(layout: Layout, lab: Lab) -> list[Path]:
    """The cheats written for this lab, with the honest programs that resemble them; where there are none, those of
    others, which attack the compiler and the loader of any lab.
    """
    found = sorted((layout.root / "tests/cheats").glob("*/*.cu"))
    entry = f"{lab.short}_"
    return [path for path in found if entry in whole_source(path)] or found


def whole_source(path: Path) -> str:
    """A source with the headers beside it put in, since a submission is one file."""
    text = path.read_text(encoding="utf-8").replace("#pragma once\n", "")
    return re.sub(
        r'#include "(\w+\.cuh)"\n', lambda found: whole_source(path.parent / found[1]), text
    )


def _broken(lab: Lab, kind: str) -> bytes:
    if kind == "garbage":
        return b"PK\x03\x04 this is no archive"
    buffer = io.BytesIO()
    files = {
        "escaping": {f"../../{lab.source}": b"// out of here\n"},
        "bomb": {lab.source: bytes(1 << 26)},
        "twice": {f"old/{lab.source}": b"// one\n", f"new/{lab.source}": b"// another\n"},
    }
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files[kind].items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _write(path: Path, upload: Upload) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(upload.data)
    os.utime(path, (upload.moment.timestamp(),) * 2)


def _canvas(folder: Path, uploads: list[Upload]) -> None:
    for upload in uploads:
        number = upload.person.number
        name = "".join(reversed(upload.person.name.lower().split()))
        _write(folder / f"{name}_{1000 + number}_{7000 + number}_{upload.name}", upload)


def _moodle(folder: Path, uploads: list[Upload]) -> None:
    for upload in uploads:
        name = f"{upload.person.name}_{9000 + upload.person.number}_assignsubmission_file_"
        _write(folder / name / upload.name, upload)


def _gradescope(folder: Path, uploads: list[Upload]) -> None:
    records = []
    for upload in uploads:
        number = f"submission_{5000 + upload.person.number}"
        _write(folder / number / upload.name, upload)
        person = f"  - :name: {upload.person.name}\n    :email: {upload.person.id}@example.org\n"
        records.append(f"{number}:\n  :submitters:\n{person}  :created_at: {upload.moment}\n")
    (folder / "submission_metadata.yml").write_text("---\n" + "".join(records))


def _folders(folder: Path, uploads: list[Upload]) -> None:
    for upload in uploads:
        _write(folder / upload.person.id / upload.name, upload)


def _archives(folder: Path, uploads: list[Upload]) -> None:
    """STUDENT.tar.gz with the lab's folder in it; what is an archive already stays one."""
    for upload in uploads:
        path = folder / f"{upload.person.id}.tar.gz"
        if upload.name.endswith(".zip"):
            _write(path.with_name(f"{upload.person.id}.zip"), upload)
            continue
        buffer = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=buffer, mode="w", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            info = tarfile.TarInfo(f"work/{upload.name}")
            info.size = len(upload.data)
            archive.addfile(info, io.BytesIO(upload.data))
        _write(path, Upload(upload.person, path.name, buffer.getvalue(), upload.moment))


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes up a class with its submissions.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shared", action="store_true", help="students may hand in equal files")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    layout = Layout.of_this_package()
    make_class(layout, options.folder, options.students, options.seed, options.shared)
    print(f"./flashlab class grade {options.folder}/submissions --course {options.folder}/course")


if __name__ == "__main__":
    main()
