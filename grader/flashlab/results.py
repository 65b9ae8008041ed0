"""The result file: made from the judge's document, checked against the published schema, never overwritten.

A store keeps <root>/<lab>/<date>-<hash>.json for every run, and latest.json, a copy of the newest run of all cases.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flashlab.errors import UsageError

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).parent / "schema/result.schema.json"

UNFINISHED = ".flashlab-"  # how the names of files begin while they are written
WRITING_SECONDS = 600  # nobody takes so long to write one

Result = dict[str, Any]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse(text: str, what: str) -> dict[str, Any]:
    """A JSON object from `text`; NaN and Infinity are refused. `what` names the text in the error."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise UsageError(f"{what} is damaged: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{what} is damaged: not a JSON object")
    return document


def dump(result: Result) -> str:
    """The canonical text: sorted keys, strict JSON, so equal results are equal bytes."""
    return json.dumps(result, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def check(result: Result, what: str) -> Result:
    """`result` itself when it follows the schema, else an error that says where it does not."""
    problem = next(_validator().iter_errors(result), None)
    if problem is not None:
        raise UsageError(
            f"{what} does not follow the schema at {problem.json_path}: {problem.message}"
        )
    return result


@cache
def _validator() -> Any:  # noqa: ANN401 (jsonschema takes a tenth of a second to import: only when needed)
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def write_atomically(path: Path, text: str) -> None:
    """Writes a file so that it holds the old text or the whole new one, also when the disk fills up."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """The same for a file that is no text."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def check_writable(folder: Path) -> None:
    """Fails with one line before any work is done when results could not be kept in `folder`. Removes files in it that
    a killed command did not finish.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"{UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):  # finished meanwhile
                if time.time() - path.stat().st_mtime > WRITING_SECONDS:
                    path.unlink()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from None


@dataclass(frozen=True)
class Store:
    """The results of one kind under one folder."""

    root: Path

    def save(self, result: Result) -> Path:
        """Keeps `result`; it becomes the lab's latest unless cases were left out or the grader failed on some."""
        text = dump(check(result, "the new result"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        date = result["provenance"]["date"].replace("-", "").replace(":", "")
        folder = self.root / result["lab"]
        path = folder / f"{date}-{digest}.json"
        write_atomically(path, text)
        failed = any(case["status"] == "error" for case in result["cases"])
        if result["provenance"]["case_filter"] is None and not failed:
            write_atomically(folder / "latest.json", text)
        return path

    def latest(self, lab: str) -> Result | None:
        """The newest complete result of a lab, or None."""
        path = self.root / lab / "latest.json"
        return load(path) if path.exists() else None

    def all_latest(self) -> list[Result]:
        """The newest complete result of every lab that has one, in order of the labs' names."""
        return [load(path) for path in sorted(self.root.glob("lab*/latest.json"))]


def load(path: Path) -> Result:
    """A result file, checked against the schema."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    return check(parse(text, str(path)), str(path))
