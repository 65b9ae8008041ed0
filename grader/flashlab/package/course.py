"""The class that a package brings to a platform: one lab, the seed, and limits that fit the platform's machine."""

import json
import secrets
import tomllib
from dataclasses import dataclass

from flashlab.classroom.course import Course
from flashlab.errors import UsageError
from flashlab.labs import Lab
from flashlab.package.archive import Member
from flashlab.package.lab_config import with_numbers

MIB = 1 << 20
# Beside the submission's process: this command, the judge and the shared memory between them. The compiler, which takes
# more, is gone when the submission runs.
GRADER_MIB = 320
LEAST_MIB = 512
# Of a whole CPU a case has so many times the seconds that it is given: what is shared may stand still for a while.
PATIENCE = 1.5


@dataclass(frozen=True)
class Machine:
    """What a platform's container may use; `minutes` is how long one grading may take."""

    cpus: float
    memory_mib: int
    minutes: float


def course_members(course: Course | None, lab: Lab, machine: Machine) -> list[Member]:
    """The folder of the class: class.toml and the whole lab.toml, hidden cases included. Without `course` the seed is
    drawn now, so that all submissions get the same inputs.
    """
    if machine.memory_mib < LEAST_MIB:
        raise UsageError(
            f"--memory {machine.memory_mib} is too little: grading needs {LEAST_MIB} MiB"
        )
    seed, hidden, config = secrets.randbelow(1 << 31), (), lab.config
    if course is not None:
        item = course.lab(lab.short)
        seed, hidden, config = course.seed, item.hidden, item.lab.config
    text = f'title = "FlashLab"\nseed = {seed}\n\n'
    text += f"[labs.{lab.short}]\nhidden = {json.dumps(hidden)}\n"
    settings = config.read_text(encoding="utf-8")
    adapted = with_numbers(settings, _limits(settings, machine), str(config))
    return [
        Member("class.toml", text.encode()),
        Member(f"labs/{lab.name}/lab.toml", adapted.encode()),
    ]


def _limits(settings: str, machine: Machine) -> dict[tuple[str, str], int]:
    """Longer time-outs where there is less than a CPU, and no more memory than there is."""
    tables = tomllib.loads(settings)
    factor = max(1.0, PATIENCE / machine.cpus)
    numbers = {
        (table, key): round(tables[table][key] * factor)
        for table, key in (
            ("limits", "case_seconds"),
            ("limits", "launch_seconds"),
            ("speed", "case_seconds"),
        )
        if key in tables.get(table, {})
    }
    memory = (machine.memory_mib - GRADER_MIB) * MIB
    for key, most in (("memory_bytes", memory), ("device_memory_bytes", memory // 2)):
        numbers["limits", key] = min(most, tables["limits"][key])
    return numbers
