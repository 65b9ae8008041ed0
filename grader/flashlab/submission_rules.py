"""What a submission may include, call, define and run when it is loaded: submission_rules.toml, held against what the
compiler read and what the linker made. Nothing here loads the library; readelf looks at it inside the sandbox.
"""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flashlab.errors import SubmissionError

RULES_FILE = Path(__file__).parent / "submission_rules.toml"
RULES = (RULES_FILE, Path(__file__))  # what a library that was accepted depends on
READELF = ("readelf", "--wide", "--program-headers", "--sections", "--dynamic", "--relocs", "--symbols")  # fmt: skip
READELF_SECONDS = 20
# nvcc registers kernels in one constructor, and crtbeginS.o brings frame_dummy and __do_global_dtors_aux.
CONSTRUCTORS, DESTRUCTORS = 2, 1
# The code in .init and .fini comes from crti.o and crtn.o alone.
START_CODE_BYTES = 32
FROM_THE_C_LIBRARY = (
    "atexit",
    "at_quick_exit",
)  # linked into every shared library from libc_nonshared.a

# How g++ marks what does not come from itself. nvcc puts the kernels' code there, as data, at the end of the file, so
# behind all that the submission could add; g++ may go on with data of its own before it ends the mark. And what g++
# never writes: a call of the system, or a file as data, which could come in by way of a name.
FOREIGN = re.compile(r"^#APP\n(.*?)(?=^#NO_APP$|\Z)", re.MULTILINE | re.DOTALL)
KERNELS = re.compile(
    r'\s*\.section \.nv_fatbin, "a"\n\.align 8\nfatbinData:\n(\.quad [0-9a-fx, ]+\n)+\.text\n(?!.*^# \d+ ").*',
    re.MULTILINE | re.DOTALL,
)
INJECTED = re.compile(r"^\s*(syscall|sysenter|int\s+\$|\.incbin)", re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
MISSING_HEADER = re.compile(r"fatal error: (\S+): No such file or directory")
UNDEFINED = re.compile(r"undefined reference to [`'](\w+)(?:\([^']*\))?'")


@dataclass(frozen=True)
class Symbol:
    """One row of a symbol table."""

    name: str
    kind: str
    binding: str
    section: str

    @property
    def defined(self) -> bool:
        """Whether the library itself has it."""
        return self.section != "UND"


@dataclass(frozen=True)
class Library:
    """What readelf says of a shared library."""

    exchanged: tuple[Symbol, ...]  # .dynsym
    symbols: tuple[Symbol, ...]  # .symtab
    sections: dict[str, int]  # bytes of each
    relocations: frozenset[str]
    text: str


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))


@cache
def _pattern(*keys: str) -> re.Pattern[str]:
    table = _rules()
    for key in keys:
        table = table[key]
    return re.compile("|".join(f"(?:{pattern})" for pattern in table))


def plain_name(name: str) -> str:
    """`open` for `__open_2`, `printf` for `__printf_chk`: the checked variants of the C library (_FORTIFY_SOURCE),
    which the g++ of some distributions calls by itself."""
    return re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", name)


def why_refused(name: str) -> str | None:
    """What the rules say against calling `name`; None when they do not know it."""
    plain = plain_name(name)
    found = (rule["why"] for rule in _rules()["refused"] if re.fullmatch(rule["names"], plain))
    return next(found, None)


def refusal(name: str) -> str:
    """The line for a submission that calls `name`."""
    why = why_refused(name) or "it is not among the functions that a submission may call"
    return f"uses `{name}`: {why}"


def explain_missing_header(log: str) -> str | None:
    """A plain line for the first header that the compiler did not find, if the rules know it."""
    names = (match[1] for match in MISSING_HEADER.finditer(log))
    found = ((name, why_refused(re.split(r"[./]", name)[0])) for name in names)
    return next((f"includes `{name}`: {why}" for name, why in found if why), None)


def explain_link_errors(log: str) -> str | None:
    """A plain line for the first function that the linker did not find, if the rules know it."""
    names = (match[1] for match in UNDEFINED.finditer(log))
    return next((refusal(name) for name in names if why_refused(name)), None)


# --- what the author wrote ------------------------------------------------------------------------------------------


def find_flags(source: bytes) -> list[dict[str, Any]]:
    """What a person should look at, with its line: `{"line": 12, "why": "..."}`. No points depend on it."""
    text = source.decode("utf-8", errors="replace")
    code = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    flags = [
        {"line": text.count("\n", 0, match.start()) + 1, "why": rule["why"]}
        for rule in _rules()["flag"]
        if (match := re.search(rule["text"], text if rule.get("in_comments") else code, re.M))
    ]
    return sorted(flags, key=lambda flag: flag["line"])


# --- what the compiler read -------------------------------------------------------------------------------------------


def check_includes(
    dependencies: Path, own_names: tuple[str, ...], headers: Path, toolkit: Path
) -> None:
    """Refuses files beyond the course's headers, the allowed ones of the toolkit, and the compiler's and C library's.
    `dependencies` is what -MD wrote: every file that the compiler opened, whatever a macro called it. `own_names` are
    those under which the submission itself is among them.
    """
    if not dependencies.exists():
        return
    text = dependencies.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    words = re.split(r"(?<!\\)\s+", text.partition(" : ")[2] or text.partition(": ")[2])
    for word in filter(None, words):
        name = word.replace("\\ ", " ")
        path = Path(name).resolve()
        if name not in own_names and not _may_be_included(
            path, headers.resolve(), toolkit.resolve()
        ):
            known = re.split(r"[./]", _in_toolkit(path) or path.name)[0]
            why = why_refused(known) or (
                "only the course's headers, and those of the CUDA runtime, C and C++ may be included"
            )
            raise SubmissionError(f"includes `{_in_toolkit(path) or name}`: {why}")


def _may_be_included(path: Path, headers: Path, toolkit: Path) -> bool:
    if path.is_relative_to(headers):
        return True
    if path.is_relative_to(toolkit):
        return _pattern("includes", "toolkit").fullmatch(_in_toolkit(path)) is not None
    system = (Path("/usr/include"), Path("/usr/lib/gcc"), Path("/usr/lib/gcc-cross"))
    return any(path.is_relative_to(folder) for folder in system)


def _in_toolkit(path: Path) -> str:
    """How a program names a header of the toolkit: from the include folder on, or from the one that holds cccl's."""
    return re.sub(r"^.*?/include/(cccl/)?", "", str(path)) if "/include/" in str(path) else ""


def check_assembly(assembly: Path) -> None:
    """Refuses assembly of the submission in what g++ made for the CPU; that in device code is not there."""
    text = assembly.read_text(encoding="utf-8", errors="replace")
    blocks = FOREIGN.findall(text)
    if INJECTED.search(text) or len(blocks) > 1 or not all(map(KERNELS.fullmatch, blocks)):
        raise SubmissionError(
            "has assembly in host code: use it in __device__ and __global__ functions only"
        )


# --- what the linker made ---------------------------------------------------------------------------------------------


def check_library(library: Path, launcher: list[str], headers: Path) -> None:
    """Refuses a library that exports, imports or runs something it may not. `launcher` puts readelf in the sandbox."""
    try:
        done = subprocess.run(
            [*launcher, *READELF, str(library)],
            capture_output=True, timeout=READELF_SECONDS, check=False, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SubmissionError("the build left a library that cannot be read") from None
    text = done.stdout.decode("utf-8", errors="replace")
    if done.returncode != 0 or ".dynsym" not in text:
        raise SubmissionError("the build left something else than a library")
    read = read_library(text)
    problem = next(find_problems(read, _entries(headers)), None)
    if problem is not None:
        raise SubmissionError(problem)


@cache
def _entries(headers: Path) -> frozenset[str]:
    """The entry points that the course's headers declare."""
    texts = (path.read_text(encoding="utf-8") for path in headers.rglob("*.h"))
    return frozenset(
        name for text in texts for name in re.findall(r"^FLASHLAB_ENTRY\s+\w+\s+(\w+)", text, re.M)
    )


def read_library(text: str) -> Library:
    """The symbols, section sizes and relocation types in what `readelf --wide` printed of a library."""
    tables: dict[str, list[Symbol]] = {".dynsym": [], ".symtab": []}
    sections: dict[str, int] = {}
    relocations = set()
    table: list[Symbol] = []
    for line in text.splitlines():
        if match := re.match(r"Symbol table '(\.\w+)'", line):
            table = tables.setdefault(match[1], [])
        elif match := re.match(
            r"\s*\[\s*\d+\] (\S+)\s+\S+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+)", line
        ):
            sections[match[1]] = sections.get(match[1], 0) + int(match[2], 16)
        elif match := re.match(r"\s*\d+: [0-9a-f]+\s+\w+ (\S+)\s+(\S+)\s+\S+\s+(\w+) (\S+)", line):
            name = match[4].partition("@")[0]
            table.append(Symbol(name, match[1], match[2], match[3]))
        elif match := re.match(r"[0-9a-f]{12,}\s+[0-9a-f]{12,} (R_\w+)", line):
            relocations.add(match[1])
    exchanged, symbols = (tuple(tables[name]) for name in (".dynsym", ".symtab"))
    return Library(exchanged, symbols, sections, frozenset(relocations), text)


def find_problems(library: Library, entries: frozenset[str]) -> Iterator[str]:
    """Each as one line, the most telling first."""
    allowed = _pattern("imports", "allowed")
    imports = [s.name for s in library.exchanged if s.name and not s.defined]
    yield from (refusal(name) for name in imports if why_refused(name))
    yield from (refusal(name) for name in imports if not allowed.fullmatch(plain_name(name)))
    for symbol in library.symbols:
        foreign = allowed.fullmatch(symbol.name) or why_refused(symbol.name)
        is_code = symbol.kind in ("FUNC", "OBJECT") and symbol.defined
        mangled = symbol.name.startswith("_Z")
        if is_code and foreign and not mangled and symbol.name not in FROM_THE_C_LIBRARY:
            yield f"defines `{symbol.name}`, which is the system's: give it another name"
    if any(symbol.kind == "IFUNC" for symbol in library.symbols + library.exchanged) or any(
        "IRELATIV" in name for name in library.relocations
    ):
        yield "has a function that is chosen while it is loaded (ifunc): define it plainly"
    for symbol in library.exchanged:
        shared = symbol.binding in ("WEAK", "UNIQUE") and symbol.name.startswith("_Z")
        if symbol.defined and symbol.name and symbol.name not in entries and not shared:
            yield f"exports `{symbol.name}`: only the lab's entry points may be visible"
    pointer = 8
    if library.sections.get(".init_array", 0) > CONSTRUCTORS * pointer or _larger(library, ".init"):
        yield (
            "has code that runs while it is loaded (a constructor, a global object, or <iostream>):"
            " move it into a function, and print with printf"
        )
    if library.sections.get(".fini_array", 0) > DESTRUCTORS * pointer or _larger(library, ".fini"):
        yield "has code that runs when the program ends (a destructor): remove it"
    if re.search(r"^\s*GNU_STACK\s.*\bRWE\b|^\s*LOAD\s.*\bRWE\b|\(TEXTREL\)", library.text, re.M):
        yield "has memory that is both writable and executable: remove what asks for it"


def _larger(library: Library, section: str) -> bool:
    return library.sections.get(section, 0) > START_CODE_BYTES
