"""Counts of the lines of a submission, and which of them are worth a look."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECTOR = 32
WORTH_A_LOOK = 0.02  # of the modelled time that the line's excess takes, at least
MOST_HINTS = 5
FEWEST_HINTS = 3  # where there is less to complain about, the heaviest lines are named

# What a line of the launch records counts -> the field here that sums it up.
SUMMED = {
    "warp_instructions": "instructions",
    "global_load_bytes": "load_bytes",
    "async_copy_bytes": "load_bytes",
    "global_store_bytes": "store_bytes",
    "global_atomic_bytes": "store_bytes",
    "global_load_requests": "requests",
    "global_store_requests": "requests",
    "global_atomic_requests": "requests",
    "global_load_sectors": "sectors",
    "global_store_sectors": "sectors",
    "global_atomic_sectors": "sectors",
    "local_load_sectors": "local_sectors",
    "local_store_sectors": "local_sectors",
    "shared_load_wavefronts": "wavefronts",
    "shared_store_wavefronts": "wavefronts",
    "async_copy_shared_wavefronts": "wavefronts",
    "shared_load_conflicts": "conflicts",
    "shared_store_conflicts": "conflicts",
    "async_copy_shared_conflicts": "conflicts",
}
CLASS_NAMES = {
    "fma32": "multiply-adds",
    "float32": "float32 arithmetic",
    "warp": "shuffles",
    "integer": "integer arithmetic",
    "special": "special functions",
    "predicate": "comparisons",
    "control": "branches",
    "load_shared": "loads from shared memory",
    "store_shared": "stores to shared memory",
    "load_global": "loads from global memory",
    "store_global": "stores to global memory",
}


@dataclass
class Counts:
    """What one line did, summed over warps and launches. Bytes are distinct bytes of each request."""

    instructions: int = 0
    load_bytes: int = 0
    store_bytes: int = 0
    requests: int = 0
    sectors: int = 0
    local_sectors: int = 0
    wavefronts: int = 0
    conflicts: int = 0
    classes: dict[str, int] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any]) -> None:
        """Adds a line of a launch record."""
        for key, name in SUMMED.items():
            setattr(self, name, getattr(self, name) + line.get(key, 0))
        for name, count in line.get("warp_instructions_by_class", {}).items():
            self.classes[name] = self.classes.get(name, 0) + count

    @property
    def bytes(self) -> int:
        """Of global memory, loaded and stored."""
        return self.load_bytes + self.store_bytes

    @property
    def needed_sectors(self) -> float:
        """As many as would do if the lanes of each request accessed neighbouring addresses."""
        return max(self.bytes / SECTOR, self.requests)

    @property
    def sectors_per_request(self) -> float | None:
        """None for a line without requests."""
        return self.sectors / self.requests if self.requests else None


@dataclass(frozen=True)
class Listing:
    """Counts by line number of the submission's file, those of other files (headers) together, and the sum of all."""

    lines: dict[int, Counts]
    elsewhere: Counts
    total: Counts


@dataclass(frozen=True)
class Hint:
    """Why a line is worth a look. `share` is the part of the modelled time that it may cost, or of the traffic where no
    time is modelled, and `topic` the name of a section in lab.toml.
    """

    line: int
    share: float
    text: str
    topic: str


def listing(launches: Iterable[Mapping[str, Any]], is_source: Callable[[str], bool]) -> Listing:
    """Sums up the lines of launch records. `is_source` tells of a path whether it is the submission's file."""
    result = Listing({}, Counts(), Counts())
    for launch in launches:
        for line in launch["lines"]:
            known = line["line"] > 0 and is_source(line["file"])
            place = result.lines.setdefault(line["line"], Counts()) if known else result.elsewhere
            place.add(line)
            result.total.add(line)
    return result


def hints(listed: Listing, distinct_bytes: float, shares: Mapping[str, float] | None) -> list[Hint]:
    """The lines to look at first. `distinct_bytes` is what all launches touch, `shares` what each resource of the GPU
    takes of the modelled time: what is wasted of a resource that nobody waits for costs little.
    """
    memory = max(shares.get(key, 0.0) for key in ("l1", "l2", "dram")) if shares else 1.0
    shared = shares.get("shared", 0.0) if shares else 1.0
    found = []
    for number, line in listed.lines.items():
        found += _coalescing(number, line, listed.total, memory)
        found += _conflicts(number, line, listed.total, shared)
        found += _local(number, line, listed.total, memory)
        found += _repeated(number, line, listed.total, memory, distinct_bytes)
    found.sort(key=lambda hint: hint.share)
    worst = {hint.line: hint for hint in found if hint.share >= WORTH_A_LOOK}  # one for each line
    told = sorted(worst.values(), key=lambda hint: -hint.share)[:MOST_HINTS]
    return told + _heaviest(listed, {hint.line for hint in told}, FEWEST_HINTS - len(told))


def _coalescing(number: int, line: Counts, total: Counts, weight: float) -> list[Hint]:
    if not line.requests:
        return []
    needed = line.needed_sectors
    per_request = line.sectors / line.requests
    if line.sectors < 2 * needed or per_request < 4:
        return []
    text = (
        f"not coalesced: a request of 32 lanes touches {per_request:.1f} sectors where"
        f" {needed / line.requests:.1f} would do; let neighbouring threads (threadIdx.x) access neighbouring addresses"
    )
    return [Hint(number, weight * (line.sectors - needed) / total.sectors, text, "traffic")]


def _conflicts(number: int, line: Counts, total: Counts, weight: float) -> list[Hint]:
    if not line.conflicts:
        return []
    text = (
        f"bank conflicts: {line.conflicts / line.wavefronts:.0%} of this line's wavefronts are repeats; pad the rows of"
        " the tile, so that the lanes of a warp fall into different banks"
    )
    return [Hint(number, weight * line.conflicts / total.wavefronts, text, "conflicts")]


def _local(number: int, line: Counts, total: Counts, weight: float) -> list[Hint]:
    if not line.local_sectors:
        return []
    text = (
        "an array of each thread is in local memory, which is device memory: unroll the loops that index it, so that"
        " the indices are known and it fits in registers"
    )
    share = line.local_sectors / (total.sectors + total.local_sectors)
    return [Hint(number, weight * share, text, "memory")]


def _repeated(
    number: int, line: Counts, total: Counts, weight: float, distinct_bytes: float
) -> list[Hint]:
    if line.load_bytes <= 2 * distinct_bytes:
        return []
    text = (
        f"loads {line.load_bytes / distinct_bytes:.1f} times the bytes that there are to read and write: keep what is"
        " used again in shared memory or registers, or make the tile larger that stays there meanwhile"
    )
    repeated = line.needed_sectors * (1 - distinct_bytes / line.load_bytes)
    return [Hint(number, weight * repeated / total.sectors, text, "traffic")]


def _heaviest(listed: Listing, taken: set[int], most: int) -> list[Hint]:
    rest = [(number, line) for number, line in listed.lines.items() if number not in taken]
    rest.sort(key=lambda entry: -entry[1].instructions)
    found = []
    for number, line in rest[: max(most, 0)]:
        mostly = [
            f"{CLASS_NAMES.get(name, name.replace('_', ' '))} {count / line.instructions:.0%}"
            for name, count in sorted(line.classes.items(), key=lambda entry: -entry[1])[:2]
        ]
        share = line.instructions / listed.total.instructions
        text = f"{share:.0%} of all instructions: {', '.join(mostly)}"
        found.append(Hint(number, 0.0, text, ""))
    return found
