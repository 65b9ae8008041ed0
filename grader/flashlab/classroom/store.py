"""What a class keeps: one SQLite file. Everything in it survives a kill at any moment; a result is written once, whole.

The tables:

- source: the bytes of every submission that can be built
- submission: what counts as each student's submission of each lab, and when it came
- result: one row per key: what was graded, by what, and the text of the result file
- failure: submissions whose last run failed for a reason that is not their own, with the reason
- grade: which result is each student's grade for a lab
"""

import contextlib
import datetime
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flashlab.classroom.intake import Handed
from flashlab.errors import UsageError
from flashlab.results import Result, check_writable, dump, parse

VERSION = 1
SCHEMA = """
CREATE TABLE source (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE submission (
  student TEXT, lab TEXT, sha256 TEXT NOT NULL, refusal TEXT, submitted_at TEXT NOT NULL, time_source TEXT NOT NULL,
  found_in TEXT NOT NULL, PRIMARY KEY (student, lab));
CREATE TABLE result (
  key TEXT PRIMARY KEY, lab TEXT NOT NULL, sha256 TEXT NOT NULL, grader TEXT NOT NULL, configuration TEXT NOT NULL,
  toolchain TEXT NOT NULL, device TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE failure (lab TEXT, sha256 TEXT, message TEXT NOT NULL, PRIMARY KEY (lab, sha256));
CREATE TABLE grade (student TEXT, lab TEXT, key TEXT NOT NULL REFERENCES result (key), PRIMARY KEY (student, lab));
"""


@dataclass(frozen=True)
class Setting:
    """All that a result depends on besides the submission, as hashes and names that can be compared."""

    grader: str
    configuration: str
    toolchain: str
    device: str

    def differences(self, other: "Setting") -> list[str]:
        """What of the two is not the same."""
        return [name for name, value in vars(self).items() if value != getattr(other, name)]


@dataclass(frozen=True)
class Kept:
    """A submission as it is kept."""

    student: str
    lab: str
    sha256: str
    refusal: str | None
    submitted_at: datetime.datetime
    time_source: str
    found_in: str


class ClassStore:
    """The database of one class. Only one process works in it at a time; see `course_lock`."""

    def __init__(self, path: Path) -> None:
        """Opens the database, or makes it."""
        check_writable(path.parent)
        self._path = path
        with self._told():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version != VERSION:
                raise UsageError(
                    f"{path} is of another FlashLab (version {version}, not {VERSION})"
                )

    def close(self) -> None:
        """Ends the work; the write-ahead log becomes part of the file."""
        with self._told():
            self._db.close()

    def keep_submissions(self, handed: Iterable[Handed]) -> None:
        """Makes these the submissions that count. The same bytes keep their earlier time when both times are those of
        files, which change when files are copied.
        """
        with self._transaction() as db:
            for item in handed:
                if item.source is not None:
                    db.execute(
                        "INSERT OR IGNORE INTO source VALUES (?, ?)", (item.sha256, item.source)
                    )
                row = {**vars(item), "submitted_at": item.submitted_at.isoformat()}
                db.execute(
                    "INSERT INTO submission VALUES (:student, :lab, :sha256, :refusal, :submitted_at, :time_source,"
                    " :found_in) ON CONFLICT DO UPDATE SET sha256 = :sha256, refusal = :refusal, found_in = :found_in,"
                    " submitted_at = CASE WHEN sha256 = :sha256 AND time_source = 'file' AND :time_source = 'file'"
                    " THEN min(submitted_at, :submitted_at) ELSE :submitted_at END, time_source = :time_source",
                    row,
                )

    def submissions(self) -> list[Kept]:
        """Every submission that counts, by student and lab."""
        rows = self._rows(
            "SELECT student, lab, sha256, refusal, submitted_at, time_source, found_in FROM submission ORDER BY 1, 2"
        )
        moment = datetime.datetime.fromisoformat
        return [Kept(*row[:4], moment(row[4]), *row[5:]) for row in rows]

    def source(self, sha256: str) -> bytes:
        """The bytes of a submission that can be built."""
        return bytes(self._rows("SELECT data FROM source WHERE sha256 = ?", sha256)[0][0])

    def keep_result(
        self, key: str, lab: str, sha256: str, setting: Setting, result: Result
    ) -> None:
        """Keeps a new result; nothing else changes, and an earlier failure of this submission is over."""
        with self._transaction() as db:
            row = (key, lab, sha256, *vars(setting).values(), dump(result))
            db.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("DELETE FROM failure WHERE lab = ? AND sha256 = ?", (lab, sha256))

    def keep_failure(self, lab: str, sha256: str, message: str) -> None:
        """Keeps why a run gave no result."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", (lab, sha256, message))

    def has_result(self, key: str) -> bool:
        """Whether this key has been graded."""
        return bool(self._rows("SELECT 1 FROM result WHERE key = ?", key))

    def result(self, key: str) -> Result:
        """The result of a key that has one."""
        (document,) = self._rows("SELECT document FROM result WHERE key = ?", key)[0]
        return parse(document, f"{self._path}, result {key}")

    def setting(self, key: str) -> Setting:
        """What a key's result was graded with."""
        columns = "grader, configuration, toolchain, device"
        return Setting(*self._rows(f"SELECT {columns} FROM result WHERE key = ?", key)[0])

    def failures(self) -> dict[tuple[str, str], str]:
        """Why submissions, by lab and hash, have no result."""
        rows = self._rows("SELECT lab, sha256, message FROM failure")
        return {(lab, sha256): message for lab, sha256, message in rows}

    def set_grades(self, grades: Iterable[tuple[str, str, str]]) -> None:
        """Makes results grades: (student, lab, key) each."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO grade VALUES (?, ?, ?)", grades)

    def grades(self) -> dict[tuple[str, str], str]:
        """The keys of the results that are grades now, by student and lab."""
        return {
            (row[0], row[1]): row[2] for row in self._rows("SELECT student, lab, key FROM grade")
        }

    def graded_hash(self, key: str) -> str:
        """The hash of the submission that a key's result is about."""
        return str(self._rows("SELECT sha256 FROM result WHERE key = ?", key)[0][0])

    def all_results(self) -> list[tuple[str, str, str]]:
        """(lab, hash of the submission, key) of every result, superseded ones too."""
        return self._rows("SELECT lab, sha256, key FROM result ORDER BY 1, 2, 3")

    def _rows(self, query: str, *values: str) -> list[tuple]:
        with self._told():
            return self._db.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            cure = "free some space or repair the folder, then run the same command again; what was graded is kept"
            raise UsageError(f"cannot use {self._path}: {error}; {cure}") from None
