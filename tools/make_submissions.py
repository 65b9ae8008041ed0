#!/usr/bin/env python3
"""Writes submissions of every kind as students hand them in: the cheats of tests/cheats as single files, stubs,
solutions and files that are broken in some way. Tests of the packages grade them.

  tools/make_submissions.py FOLDER      FOLDER/LAB/NAME/ holds what one student handed in
"""

import argparse
import io
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHEATS = ROOT / "tests/cheats"
INCLUDE = re.compile(r'^#include "([^"]+)"\n', re.MULTILINE)

Files = dict[str, bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for lab, name, files in (*cheats(), *fair(), *broken()):
        place = folder / lab / name
        place.mkdir(parents=True)
        for file, data in files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(data)


def source_of(lab: str) -> Path:
    """The staff's file of a lab, whose name is the stub's."""
    (folder,) = (ROOT / "solutions").glob(f"{lab}_*")
    (path,) = folder.glob("*.cu")
    return path


def flat(path: Path) -> str:
    """A file with all that it includes by quotes in their place, once."""
    seen = set()

    def inline(file: Path) -> str:
        if file in seen:
            return ""
        seen.add(file)
        text = file.read_text(encoding="utf-8").replace("#pragma once\n", "")
        return INCLUDE.sub(lambda match: inside(file, match), text)

    def inside(file: Path, match: re.Match[str]) -> str:
        target = (file.parent / match[1]).resolve()
        return inline(target) if target.is_relative_to(ROOT) and target.exists() else match[0]

    return inline(path.resolve()).replace("@ROOT@", "/autograder/source/flashlab")


def cheats() -> Iterator[tuple[str, str, Files]]:
    """Every program of the three corpora of cheats."""
    labs = {"hostile": "lab1", "timing": "lab4"}
    for corpus, key in (("hostile", "program"), ("memory", "program"), ("timing", "submission")):
        manifest = tomllib.loads((CHEATS / corpus / "manifest.toml").read_text(encoding="utf-8"))
        for entry in manifest[key]:
            lab = labs.get(corpus) or entry["lab"]
            path = CHEATS / corpus / entry["file"]
            yield lab, f"{corpus}-{path.stem}", {source_of(lab).name: flat(path).encode()}


def fair() -> Iterator[tuple[str, str, Files]]:
    """Stubs and solutions."""
    for path in sorted((ROOT / "solutions").glob("lab*_*/*.cu")):
        lab = path.parent.name.partition("_")[0]
        yield lab, "stub", {path.name: (ROOT / "labs" / path.parent.name / path.name).read_bytes()}
        yield lab, "solution", {path.name: path.read_bytes()}


def broken() -> Iterator[tuple[str, str, Files]]:
    """What people hand in by mistake, all for lab 1."""
    path = source_of("lab1")
    name, good = path.name, path.read_bytes()
    kinds: dict[str, Files] = {
        "nothing": {},
        "another_language": {"attention.py": b"print('attention')\n"},
        "another_name": {"my_attention.cu": good},
        "two_files": {"a.cu": good, "b.cu": good + b"// b\n"},
        "the_same_twice": {name: good, f"old/{name}": good},
        "in_a_folder": {f"work/labs/{name}": good},
        "in_a_zip_file": {"all.zip": zipped({f"work/{name}": good})},
        "in_a_tar_file": {"all.tar.gz": tarred({f"work/{name}": good})},
        "half_a_zip_file": {"all.zip": zipped({name: good})[:300]},
        "a_path_that_leads_out": {"all.zip": zipped({f"../../{name}": good})},
        "empty": {name: b""},
        "not_utf8": {name: good + b"// caf\xe9\n"},
        "null_bytes": {name: good[:100] + b"\0" + good[100:]},
        "random_bytes": {name: bytes(range(256)) * 20},
        "too_large": {name: good + b"//" + b"x" * (2 << 20)},
        "cut_off": {name: good[: len(good) // 2]},
        "odd_characters_in_the_name": {'q" $(id) \n.cu': b"no code\n"},
    }
    for kind, files in kinds.items():
        yield "lab1", f"broken-{kind}", files


def zipped(files: Files) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, data in files.items():
            archive.writestr(file, data)
    return buffer.getvalue()


def tarred(files: Files) -> bytes:
    """A compressed tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for file, data in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


if __name__ == "__main__":
    main()
