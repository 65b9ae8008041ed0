"""Damages the device code of a program in many ways, runs each and prints what it says.

    python3 images.py PLAIN COMPRESSED [COMMAND ...]

PLAIN and COMPRESSED are image.cu with its PTX stored plain and compressed; COMMAND goes before a program (`vgpu run`).
On a GPU, with no COMMAND, the output is what belongs in conformance/h200/images.txt.
"""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CONTAINER = struct.pack("<IHH", 0xBA55ED50, 1, 16)
ENTRY = 16  # the first entry: offset in the container
ENTRY_HEADER_SIZE = 4  # offsets in an entry
ENTRY_PAYLOAD_SIZE = 8
ENTRY_COMPRESSED_SIZE = 16


def replaced(old: str, new: str) -> Callable[[bytearray, int], None]:
    """Puts a text of the same length into the PTX."""
    assert len(old) == len(new)

    def change(program: bytearray, container: int) -> None:
        (size,) = struct.unpack_from("<Q", program, container + 8)
        inside = program[container : container + ENTRY + size]
        assert old.encode() in inside, old
        program[container : container + ENTRY + size] = inside.replace(old.encode(), new.encode())

    return change


def packed(offset: int, code: str, value: int) -> Callable[[bytearray, int], None]:
    """Writes a number `offset` bytes behind the start of the container."""

    def change(program: bytearray, container: int) -> None:
        struct.pack_into(code, program, container + offset, value)

    return change


def filled(byte: int, first: float, last: float = 1.0) -> Callable[[bytearray, int], None]:
    """Overwrites a part of what the first entry holds: 0 is its start, 1 its end."""

    def change(program: bytearray, container: int) -> None:
        header, size = struct.unpack_from("<IQ", program, container + ENTRY + ENTRY_HEADER_SIZE)
        start = container + ENTRY + header
        begin, end = start + int(first * size), start + int(last * size)
        program[begin:end] = bytes([byte]) * (end - begin)

    return change


IN_PTX: dict[str, Callable[[bytearray, int], None]] = {
    "as built": lambda program, container: None,
    "garbage instead of PTX": filled(0x23, 0.2, 0.7),
    "zeros instead of PTX": filled(0, 0.2, 0.7),
    "half of the PTX": filled(0, 0.5),
    "an unknown instruction": replaced("bar.sync", "baz.sync"),
    "an undeclared register": replaced("%r5,", "%q5,"),
    "no such kernel": replaced("_Z3addPii", "_Z3adxPii"),
    "too much shared memory": replaced("[10000]", "[99999]"),
}
IN_CONTAINER: dict[str, Callable[[bytearray, int], None]] = {
    "wrong magic number of the container": packed(0, "<I", 0x12345678),
    "unknown version of the container": packed(4, "<H", 77),
    "a container larger than the program": packed(8, "<Q", 1 << 20),
    "a container of nearly all addresses": packed(8, "<Q", (1 << 64) - 64),
    "an empty container": packed(8, "<Q", 0),
    "an entry larger than its container": packed(ENTRY + ENTRY_PAYLOAD_SIZE, "<Q", 1 << 20),
    "an entry that is neither PTX nor code": packed(ENTRY, "<H", 0x77),
}
IN_COMPRESSED: dict[str, Callable[[bytearray, int], None]] = {
    "compressed, as built": lambda program, container: None,
    "compressed: broken data": filled(0x5A, 0.3, 0.5),
    "compressed: fewer bytes than there are": packed(ENTRY + ENTRY_COMPRESSED_SIZE, "<I", 40),
    "compressed: more bytes than there are": packed(ENTRY + ENTRY_COMPRESSED_SIZE, "<I", 1 << 30),
}


def run(original: Path, change: Callable[[bytearray, int], None], command: list[str]) -> str:
    """What the damaged program prints, or how it ended."""
    program = bytearray(original.read_bytes())
    change(program, program.rindex(CONTAINER))
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "image"
        damaged.write_bytes(program)
        damaged.chmod(0o755)
        done = subprocess.run([*command, damaged], capture_output=True, text=True, timeout=60)
    complaints = done.stderr.count("vgpu: ")
    if complaints > 1 or "\n" in done.stderr.rstrip():
        return f"{complaints} complaints, not one line: {done.stderr}"
    return done.stdout.strip() if done.returncode == 0 else f"exit code {done.returncode}"


def main() -> int:
    """The command."""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    plain, compressed, *command = sys.argv[1:]
    os.environ["CUDA_CACHE_DISABLE"] = "1"
    for original, changes in ((plain, IN_PTX | IN_CONTAINER), (compressed, IN_COMPRESSED)):
        for name, change in changes.items():
            print(f"{name}: {run(Path(original), change, command)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
