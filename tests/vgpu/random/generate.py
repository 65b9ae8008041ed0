"""Small random CUDA kernels whose results have one right answer.

    python3 generate.py FIRST COUNT OUTPUT.cu

writes a program with the kernels FIRST ... FIRST + COUNT - 1. It prints a line for each: its name and a hash of what
each of two launches left behind. A kernel depends on its number alone. It uses only operations that IEEE 754, C++ and
the CUDA documentation define to the last bit (expressions.py): its hashes are the same on every device and with every
optimisation. Barriers and warp-wide operations stand where all threads come by; atomic updates commute, and nobody
reads what they return. Build with -fmad=false, or the compiler fuses products into sums.
"""

import sys
from pathlib import Path

from expressions import INTEGERS, TYPES, UNSIGNED, Draws, Expressions

VERSION = 1  # a number stands for the same kernel as long as this does not change
BLOCKS = (32, 64, 96, 128)  # threads
PARTIAL_BLOCKS = (1, 7, 33, 45, 100)  # where the last warp is not full, nothing is warp-wide
MOST_DEPTH = 3  # of nested statements


class KernelText:
    """Writes one kernel and the device functions that it calls."""

    def __init__(self, number: int) -> None:
        self.name = f"k{number:05d}"
        self.draws = Draws(number + 1_000_000 * VERSION)
        self.block = self.draws.of(PARTIAL_BLOCKS if self.draws.below(5) == 0 else BLOCKS)
        self.whole_warps = self.block % 32 == 0
        self.variables = {f"v{i}": self.draws.of(TYPES) for i in range(5 + self.draws.below(5))}
        self.expressions = Expressions(self.draws, self.variables)
        self.lines: list[str] = []
        self.counter = 0

    def fresh(self, prefix: str) -> str:
        """A name that nothing else has."""
        self.counter += 1
        return f"{prefix}{self.counter}"

    def put(self, line: str, depth: int) -> None:
        """Appends a line, indented."""
        self.lines.append("  " * (depth + 1) + line)

    def any_of(self, type_: str, depth: int = 2) -> str:
        """An expression of a type."""
        return self.expressions.of_type(type_, depth)

    # --- statements that threads may reach apart from each other ---

    def assign(self, depth: int) -> None:
        """A variable gets a new value."""
        name, type_ = self.draws.of(list(self.variables.items()))
        self.put(f"{name} = {self.any_of(type_, 3)};", depth)

    def branch(self, depth: int) -> None:
        """if, or if and else."""
        self.put(f"if ({self.expressions.condition()}) {{", depth)
        self.body(depth + 1)
        if self.draws.below(2):
            self.put("} else {", depth)
            self.body(depth + 1)
        self.put("}", depth)

    def loop(self, depth: int) -> None:
        """A loop whose length differs between threads, perhaps left early."""
        i = self.fresh("i")
        count = f"({self.any_of(self.draws.of(UNSIGNED), 1)} & {self.draws.of((3, 7))}u)"
        if self.draws.below(3) == 0:
            self.put(f"u32 {i} = u32{count};", depth)
            self.put("do {", depth)
            ending = f"}} while ({i}-- != 0);"
        else:
            self.put(f"for (u32 {i} = 0; {i} < {count}; ++{i}) {{", depth)
            ending = "}"
        for _ in range(self.draws.below(2)):
            word = "break" if "while" in ending else self.draws.of(("break", "continue"))
            self.put(f"  if ({self.expressions.condition()}) {word};", depth)
        self.expressions.counters.append(i)
        self.body(depth + 1)
        self.expressions.counters.pop()
        self.put(ending, depth)

    def switch(self, depth: int) -> None:
        """A switch with missing cases and some that fall through."""
        self.put(f"switch (u32({self.any_of(self.draws.of(INTEGERS), 1)}) & 7u) {{", depth)
        for case in range(8):
            if self.draws.below(3) == 0:
                continue
            self.put(f"  case {case}:", depth)
            self.assign(depth + 2)
            if self.draws.below(4):
                self.put("    break;", depth)
        self.put("  default:", depth)
        self.assign(depth + 2)
        self.put("}", depth)

    def local_array(self, depth: int) -> None:
        """An array that threads index differently: local memory."""
        array, i, type_ = self.fresh("a"), self.fresh("i"), self.draws.of(TYPES)
        size = self.draws.of((4, 8, 16))
        self.put(f"{type_} {array}[{size}];", depth)
        self.put(f"for (u32 {i} = 0; {i} < {size}; ++{i}) {{", depth)
        self.expressions.counters.append(i)
        self.put(f"  {array}[{i}] = {self.any_of(type_)};", depth)
        self.expressions.counters.pop()
        self.put("}", depth)
        for _ in range(1 + self.draws.below(3)):
            index = f"u32({self.any_of(self.draws.of(INTEGERS), 1)}) & {size - 1}u"
            self.put(f"{array}[{index}] = {self.any_of(type_)};", depth)
        name, to = self.draws.of(list(self.variables.items()))
        index = f"u32({self.any_of(self.draws.of(INTEGERS), 1)}) & {size - 1}u"
        self.put(f"{name} = convert<{to}>({array}[{index}]);", depth)

    def call(self, depth: int) -> None:
        """A call of a device function of the kernel's own; one argument comes back changed."""
        name, type_ = self.draws.of(list(self.variables.items()))
        a, b = self.any_of("u64", 1), self.any_of("f32", 1)
        self.put(
            f"{name} = convert<{type_}>({self.name}_f({a}, {b}, &shared_state, {self.any_of('u16', 1)}));",
            depth,
        )

    def atomic(self, depth: int) -> None:
        """An update of a cell that all threads share. Each cell knows one operation: those commute."""
        operations = ("Add", "Min", "Max", "And", "Or", "Xor", "Sub", "Inc")
        k = self.draws.below(7)
        index = f"u32({self.any_of(self.draws.of(INTEGERS), 1)}) & 7u"
        if self.draws.below(3) == 0 and k < 6:
            self.put(
                f"atomic{operations[k]}(&wide[{8 * k} + ({index})], {self.any_of('u64')});", depth
            )
        elif k in (1, 2):
            cell = f"reinterpret_cast<s32*>(&cells[{8 * k} + ({index})])"
            self.put(f"atomic{operations[k]}({cell}, {self.any_of('s32')});", depth)
        else:
            self.put(
                f"atomic{operations[k]}(&cells[{8 * k} + ({index})], {self.any_of('u32')});", depth
            )

    def vector_load(self, depth: int) -> None:
        """Several words of another thread's input at once."""
        kind, fields = self.draws.of(
            (("uint4", "xyzw"), ("ulonglong2", "xy"), ("ushort4", "xyzw"), ("int2", "xy"))
        )
        vector = self.fresh("q")
        index = f"(u32({self.any_of(self.draws.of(INTEGERS), 1)}) & 31u)"
        self.put(f"const {kind} {vector} = reinterpret_cast<const {kind}*>(in)[{index}];", depth)
        for field in fields[: 1 + self.draws.below(len(fields))]:
            name, type_ = self.draws.of(list(self.variables.items()))
            self.put(f"{name} = pick<{type_}>(mix({vector}.{field}, bits({name})));", depth)

    # --- statements that all threads of the block reach together ---

    def exchange(self, depth: int) -> None:
        """Values go through shared memory to other threads."""
        tile, type_ = self.fresh("tile"), self.draws.of(TYPES)
        name, to = self.draws.of(list(self.variables.items()))
        shift, factor = self.draws.below(self.block), self.draws.of((1, 3, 5, 7))
        self.put(
            f"__shared__ {type_ if type_ not in ('f16', 'bf16') else 'u16'} {tile}[{self.block}];",
            depth,
        )
        store = self.any_of(type_)
        if type_ in ("f16", "bf16"):
            store = f"u16(bits({store}))"
        self.put(f"{tile}[tid] = {store};", depth)
        self.put("__syncthreads();", depth)
        index = f"(tid * {factor} + {shift}) % {self.block}u"
        self.put(f"{name} = pick<{to}>(mix({shift}, bits({tile}[{index}])));", depth)
        self.put("__syncthreads();", depth)

    def tally(self, depth: int) -> None:
        """Atomic updates of shared memory between barriers."""
        tile, type_ = self.fresh("sum"), self.draws.of(("u32", "s32", "u64"))
        name, to = self.draws.of(list(self.variables.items()))
        operation = self.draws.of(
            ("Add", "Min", "Max") if type_ == "s32" else ("Add", "Min", "Max", "And", "Or", "Xor")
        )
        self.put(f"__shared__ {type_} {tile}[8];", depth)
        self.put(f"if (tid < 8) {tile}[tid] = {type_}(tid * 77u);", depth)
        if self.block < 8:
            self.put(f"if (tid == 0) for (u32 i = {self.block}; i < 8; ++i) {tile}[i] = 5;", depth)
        self.put("__syncthreads();", depth)
        self.put(f"if ({self.expressions.condition()})", depth)
        index = f"u32({self.any_of(self.draws.of(INTEGERS), 1)}) & 7u"
        self.put(f"  atomic{operation}(&{tile}[{index}], {self.any_of(type_)});", depth)
        self.put("__syncthreads();", depth)
        self.put(f"{name} = convert<{to}>({tile}[(tid + {self.draws.below(8)}) & 7u]);", depth)
        self.put("__syncthreads();", depth)

    def block_vote(self, depth: int) -> None:
        """__syncthreads_count and its like."""
        name, type_ = self.draws.of(list(self.variables.items()))
        function = self.draws.of(("count", "and", "or"))
        vote = f"__syncthreads_{function}({self.expressions.condition()})"
        self.put(f"{name} = convert<{type_}>(mix({vote}, bits({name})));", depth)

    def warp_wide(self, depth: int) -> None:
        """Shuffles, votes, matches and reductions of a whole warp."""
        name, type_ = self.draws.of(list(self.variables.items()))
        condition = f"({self.expressions.condition()})"
        kind = self.draws.of(("s32", "u32", "f32", "s64", "u64", "f64"))
        value, width = self.any_of(kind), self.draws.of((32, 32, 16, 8, 4))
        lane = self.any_of("u32", 1)
        text = self.draws.of((
            f"__shfl_sync(~0u, {value}, {lane} & 31u, {width})",
            f"__shfl_xor_sync(~0u, {value}, {self.draws.below(32)}, {width})",
            f"__shfl_up_sync(~0u, {value}, {self.draws.below(20)}, {width})",
            f"__shfl_down_sync(~0u, {value}, {self.draws.below(20)}, {width})",
            f"__ballot_sync(~0u, {condition})",
            f"__any_sync(~0u, {condition})",
            f"__all_sync(~0u, {condition})",
            f"__match_any_sync(~0u, {lane} & 3u)",
            f"__reduce_add_sync(~0u, {lane})",
            f"__reduce_max_sync(~0u, {self.any_of('s32', 1)})",
            f"__reduce_xor_sync(~0u, {lane})",
        ))  # fmt: skip
        self.put(f"{name} = pick<{type_}>(bits({text}));", depth)

    def common_loop(self, depth: int) -> None:
        """A loop that all threads make together, with barriers inside."""
        i = self.fresh("i")
        self.put(f"for (u32 {i} = 0; {i} < n; ++{i}) {{", depth)
        self.expressions.counters.append(i)
        self.together(depth + 1)
        self.body(depth + 1)
        self.expressions.counters.pop()
        self.put("}", depth)

    def together(self, depth: int) -> None:
        """One statement that all threads of the block reach together."""
        choices = [self.exchange, self.exchange, self.tally, self.block_vote]
        choices += [self.warp_wide] * 5 if self.whole_warps else []
        self.draws.of(choices)(depth)

    def body(self, depth: int) -> None:
        """A few statements that need no other thread."""
        simple = [self.assign] * 6 + [self.atomic, self.call, self.local_array, self.vector_load]
        nested = [self.branch, self.branch, self.loop, self.switch] if depth < MOST_DEPTH else []
        for _ in range(1 + self.draws.below(3)):
            self.put("{", depth)
            self.draws.of(simple + nested)(depth + 1)
            self.put("}", depth)

    def function(self) -> list[str]:
        """The device function: it takes values and an address, leaves early, and has local variables of its own."""
        inner = {"a": "u64", "b": "f32", "d": "u16", "e": "s32"}
        outer, self.expressions.variables = self.expressions.variables, inner
        result = self.draws.of(TYPES)
        lines = [
            f"__device__ __noinline__ {result} {self.name}_f(u64 a, f32 b, u64* c, u16 d) {{",
            "  s32 e = s32(*c >> 7);",
            f"  if ({self.expressions.condition()}) return {self.any_of(result)};",
            f"  for (u32 j = 0; j < (d & 3u); ++j) e = {self.any_of('s32')};",
            f"  *c = mix(*c, {self.any_of('u64')});",
            f"  return {self.any_of(result, 3)};",
            "}",
        ]
        self.expressions.variables = outer
        return lines

    def text(self) -> str:
        """The kernel."""
        head = self.function()
        head.append(
            f"__global__ void {self.name}(const u64* in, u64* out, u32* cells, u64* wide, u32 n) {{"
        )
        head += [
            "  const u32 tid = threadIdx.x, gid = blockIdx.x * blockDim.x + tid;",
            "  const u64* mine = in + gid * kWords;",
            "  u64 shared_state = mine[0];",
        ]
        for k, (name, type_) in enumerate(self.variables.items()):
            word = f"mine[{k % 8}]" if k < 8 else f"mix(mine[{k % 8}], {k})"
            head.append(f"  {type_} {name} = pick<{type_}>({word});")
        for _ in range(2 + self.draws.below(3)):
            choice = self.draws.below(5)
            if choice < 2:
                self.body(0)
            else:
                self.put("{", 0)
                (self.together if choice < 4 else self.common_loop)(1)
                self.put("}", 0)
        values = ", ".join([*self.variables, "shared_state"])
        if self.draws.below(3) == 0:  # some threads end here
            self.put(f"if ({self.expressions.condition()}) {{", 0)
            self.put(f"  out[gid] = digest({values});", 0)
            self.put("  return;", 0)
            self.put("}", 0)
        self.body(0)
        self.put(f"out[gid] = digest({values});", 0)
        return "\n".join([*head, *self.lines, "}"])


def program(first: int, count: int) -> str:
    """The text of a program with `count` kernels."""
    kernels = [KernelText(number) for number in range(first, first + count)]
    texts = [kernel.text() for kernel in kernels]
    cases = [f'    {{"{k.name}", {k.name}, {k.block}}},' for k in kernels]
    lines = [
        f"// generate.py, version {VERSION}",
        '#include "random.cuh"',
        *texts,
        "int main() {",
        "  const Case cases[] = {",
        *cases,
        "  };",
        "  return run_cases(cases);",
        "}",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command."""
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    Path(sys.argv[3]).write_text(program(int(sys.argv[1]), int(sys.argv[2])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
