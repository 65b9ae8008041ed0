"""What the collector and the tasks of a job array tell each other: files in a folder that all machines share, never the
database, which may lie where SQLite cannot lock.

    course/slurm/NAME/          one array, which Slurm knows by the same name
      0.json, 1.json, ...       the jobs of each task: its shard
      array.json                device, seed, attempt, and the keys in each shard; the last to be written
      0/KEY.json                what task 0 says of a job: a result, or why the grader failed
      0.log                     what task 0 printed
"""

import json
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flashlab.classroom.work import Done, Job
from flashlab.device import Device
from flashlab.errors import UsageError
from flashlab.results import check, parse, write_atomically

Shard = Sequence[Job]


@dataclass(frozen=True)
class Array:
    """The folder of one array. `attempt` counts from 0 how often its jobs were sent before."""

    folder: Path
    device: Device
    seed: int
    attempt: int
    shards: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The array's name in Slurm, where no other has it."""
        return self.folder.name

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all its jobs."""
        return frozenset(key for shard in self.shards for key in shard)

    @staticmethod
    def create(
        root: Path, device: Device, seed: int, attempt: int, shards: Sequence[Shard]
    ) -> "Array":
        """Writes the folder of a new array below `root`."""
        folder = root / f"flashlab-{secrets.token_hex(5)}"
        try:
            folder.mkdir(mode=0o700, parents=True)  # sources and the seed are in it
        except OSError as error:
            raise UsageError(f"cannot write {folder}: {error.strerror}") from None
        keys = tuple(tuple(job.key for job in shard) for shard in shards)
        array = Array(folder, device, seed, attempt, keys)
        for index, shard in enumerate(shards):
            text = json.dumps([_as_json(job) for job in shard])
            write_atomically(folder / f"{index}.json", text)
        document = {key: value for key, value in asdict(array).items() if key != "folder"}
        write_atomically(folder / "array.json", json.dumps(document))
        return array

    @staticmethod
    def read(folder: Path) -> "Array":
        """The array of a folder; an error where there is none, or none that was written to the end."""
        document = _load(folder / "array.json")
        try:
            shards = tuple(tuple(keys) for keys in document["shards"])
            device = Device(document["device"])
            return Array(folder, device, int(document["seed"]), int(document["attempt"]), shards)
        except (KeyError, TypeError, ValueError):
            raise UsageError(f"{folder} is of another FlashLab; remove it") from None

    @staticmethod
    def all_below(root: Path) -> list["Array"]:
        """The arrays of a class. A folder without array.json, which no task was started for, is removed."""
        for folder in root.glob("flashlab-*"):
            if not (folder / "array.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
        return [Array.read(path.parent) for path in sorted(root.glob("flashlab-*/array.json"))]

    def jobs(self, index: int) -> list[Job]:
        """The shard of a task."""
        path = self.folder / f"{index}.json"
        try:
            return [_as_job(entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"cannot read {path}: {error}") from None

    def keep(self, index: int, done: Done) -> None:
        """Writes what came of a job, whole or not at all."""
        said = {"result": done.result} if done.result is not None else {"failure": done.failure}
        text = json.dumps({"key": done.job.key, **said}, allow_nan=False)
        write_atomically(self._answer(index, done.job.key), text)

    def answered(self, index: int) -> set[str]:
        """The keys that a task has left a file for."""
        return {path.stem for path in (self.folder / str(index)).glob("[!.]*.json")}

    def answer(self, index: int, job: Job) -> Done | None:
        """What came of a job. A file that is torn, does not follow the schema or is of another submission, seed or
        device says nothing.
        """
        path = self._answer(index, job.key)
        try:
            document = _load(path)
            if document["key"] != job.key:
                return None
            if isinstance(document.get("failure"), str):
                return Done(job, None, document["failure"])
            result = check(document["result"], str(path))
            about = (result["lab"], result["submission"]["sha256"], result["provenance"]["seed"])
            right = about == (job.lab, job.sha256, self.seed)
            return Done(job, result) if right and result["device"]["kind"] == self.device else None
        except (UsageError, KeyError, TypeError):
            return None

    def last_words(self, index: int) -> str:
        """The last line that a task printed, or an empty text."""
        try:
            text = (self.folder / f"{index}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return (text.strip().splitlines() or [""])[-1]

    def remove(self) -> None:
        """Deletes the folder; what a task still writes into it meanwhile is of no use any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self, index: int, key: str) -> Path:
        return self.folder / str(index) / f"{key}.json"


def _load(path: Path) -> dict[str, Any]:
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _as_json(job: Job) -> dict[str, Any]:
    source = None if job.source is None else job.source.decode("latin-1")  # any bytes, one to one
    return {**asdict(job), "source": source}


def _as_job(entry: dict[str, Any]) -> Job:
    source = entry["source"]
    return Job(**{**entry, "source": None if source is None else source.encode("latin-1")})
