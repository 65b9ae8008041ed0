"""Builds the programs of the corpora and of the cheats, which include headers beside them."""

import hashlib
import os
import subprocess
from pathlib import Path

from flashlab.build import FLAGS
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

LAYOUT = Layout.of_this_package()


def build(source: Path) -> Path:
    """The shared library of `source`, from build/cache/corpus when nothing it depends on has changed."""
    compiler = find_compiler(LAYOUT)
    words = [str(compiler.nvcc), *FLAGS, f"-I{LAYOUT.headers}"]
    digest = hashlib.sha256("\0".join([compiler.version, *words]).encode())
    for path in (
        source,
        *sorted(source.parent.glob("*.cuh")),
        *sorted(LAYOUT.headers.rglob("*.h")),
    ):
        digest.update(path.read_bytes())
    library = LAYOUT.cache / "corpus" / f"{source.stem}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*words, "-o", str(fresh), str(source)], check=True)
        fresh.rename(library)
    return library
