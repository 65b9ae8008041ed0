"""Writes a CUDA program with one kernel for each instruction that compiled regions may hold.

    expressions.py REGION_TEXT OUTPUT

The instructions are those of the tables in grader/vgpu/program/region_text.cpp. Each kernel applies one in a loop to
pairs of bit patterns, and uses its result as bits, as a number and as a condition.
"""

import re
import sys
from pathlib import Path

FEWEST = 60  # instructions that the tables must have


def operation(mnemonic: str) -> str:
    """PTX that sets `d` from `a`, `b` and `c`, words, and `p` and `q`, predicates."""
    opcode = mnemonic.partition(".")[0]
    if mnemonic.endswith(".pred"):
        sources = "p" if opcode == "not" else "p, q"
        return f"{mnemonic} r, {sources}; selp.b32 d, a, b, r;"
    if opcode == "setp":
        return f"{mnemonic} r, a, b; selp.b32 d, 1, c, r;"
    if opcode == "selp":
        return f"{mnemonic} d, a, b, p;"
    count = {"fma": 3, "mad": 3, "mov": 1, "neg": 1, "abs": 1, "not": 1, "ex2": 1}.get(opcode, 2)
    return f"{mnemonic} d, {', '.join('abc'[:count])};"


def kernel(number: int, mnemonic: str) -> str:
    """A kernel; the value of a shared word joins in, and both results of a NaN: its bits and what is made of it."""
    return f"""
__global__ void k{number}(const unsigned* x, unsigned* out, int n) {{  // {mnemonic}
  __shared__ unsigned row[64];
  row[threadIdx.x] = x[threadIdx.x];
  row[threadIdx.x + 32] = x[threadIdx.x + 32];
  __syncwarp();
  const unsigned a = x[blockIdx.x];
  unsigned sum = threadIdx.x;
  for (int i = 0; i < n; ++i) {{
    const unsigned b = row[i], c = row[threadIdx.x + i % 32];
    unsigned d, e;
    asm volatile("{{ .reg .b32 a, b, c, d, e; .reg .pred p, q, r;"
        "mov.b32 a, %2; mov.b32 b, %3; mov.b32 c, %4; setp.lt.u32 p, a, b; setp.gt.s32 q, b, c;"
        "{operation(mnemonic)} add.f32 e, d, c; mov.b32 %0, d; mov.b32 %1, e; }}"
        : "=r"(d), "=r"(e) : "r"(threadIdx.x % 2 == 0 ? a : c), "r"(b), "r"(c));
    sum = (sum ^ d) * 16777619u;
    sum = (sum ^ e) * 16777619u;
  }}
  out[blockIdx.x * 32 + threadIdx.x] = sum;
}}
"""


def main() -> None:
    """Runs the command line."""
    table, output = map(Path, sys.argv[1:])
    mnemonics = re.findall(r'\{"([a-z0-9.]+)", "', table.read_text())
    if len(mnemonics) < FEWEST:
        sys.exit(f"{table}: {len(mnemonics)} instructions found, at least {FEWEST} expected")
    text = '#include "expressions.cuh"\n'
    text += "".join(kernel(number, mnemonic) for number, mnemonic in enumerate(mnemonics))
    calls = "".join(f'  show("{m}", k{number});\n' for number, m in enumerate(mnemonics))
    output.write_text(
        text + "int main() {\n" + calls + '  show("wide loads", wide_loads);\n' + "}\n"
    )


if __name__ == "__main__":
    main()
