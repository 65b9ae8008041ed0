"""Random expressions of every arithmetic type, made of operations whose results are defined to the last bit."""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")

SIGNED = ("s8", "s16", "s32", "s64")
UNSIGNED = ("u8", "u16", "u32", "u64")
INTEGERS = (*SIGNED, *UNSIGNED)
FLOATS = ("f32", "f64", "f16", "bf16")
TYPES = (*INTEGERS, *FLOATS, "u32", "s32", "f32")  # the usual ones more often
ROUNDINGS = ("rn", "rz", "ru", "rd")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
SHORT_NAMES = {"f16": "half", "bf16": "bfloat16"}
LETTERS = {"f32": "f", "f64": "d"}  # of the intrinsics: __fadd_rn, __dadd_rn
INTRINSIC_TYPES = {
    "s32": "int", "u32": "uint", "s64": "ll", "u64": "ull", "s16": "short", "u16": "ushort",
}  # fmt: skip


class Draws:
    """SplitMix64: the same numbers in every version of Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed * 0x2545F4914F6CDD1D % 2**64

    def below(self, end: int) -> int:
        """A number of 0 ... end - 1."""
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return (z ^ (z >> 31)) % end

    def of(self, choices: Sequence[Choice]) -> Choice:
        """One of the choices."""
        return choices[self.below(len(choices))]


class Expressions:
    """Expressions over named variables and loop counters (of type u32)."""

    def __init__(self, draws: Draws, variables: dict[str, str]) -> None:
        self.draws = draws
        self.variables = variables
        self.counters: list[str] = []

    def of_type(self, type_: str, depth: int) -> str:
        """An expression of the type with at most `depth` operations on each way to a leaf."""
        if depth == 0 or self.draws.below(6) == 0:
            return self.leaf(type_)
        choice = self.draws.below(10)
        if choice == 0:
            then, otherwise = self.of_type(type_, depth - 1), self.of_type(type_, depth - 1)
            return f"({self.condition(depth - 1)} ? {then} : {otherwise})"
        if choice == 1:
            return self.conversion(type_, depth)
        if type_ in INTEGERS:
            return self.integer(type_, depth)
        return self.floating(type_, depth) if type_ in LETTERS else self.half(type_, depth)

    def leaf(self, type_: str) -> str:
        """A variable, a counter or a constant."""
        same = [name for name, its in self.variables.items() if its == type_]
        choice = self.draws.below(8)
        if same and choice < 5:
            return self.draws.of(same)
        if self.counters and choice == 5:
            return f"convert<{type_}>({self.draws.of(self.counters)})"
        if choice < 7:
            return f"convert<{type_}>({self.draws.of(list(self.variables))})"
        if type_ in INTEGERS:
            small = self.draws.of((0, 1, 2, 3, 5, 7, 10, 31, 100, 127, self.draws.below(2**31)))
            return f"{type_}({small})"
        number = (self.draws.below(65) - 32) / self.draws.of((1, 4, 16))
        return f"convert<{type_}>({number}f)"

    def condition(self, depth: int = 1) -> str:
        """A comparison, or two of them."""
        type_ = self.draws.of(TYPES)
        a, b = self.of_type(type_, min(depth, 1)), self.of_type(type_, 0)
        text = f"({a} {self.draws.of(COMPARISONS)} {b})"
        if self.draws.below(5) == 0:
            text = f"({text} {self.draws.of(('&&', '||'))} {self.condition(0)})"
        return f"!{text}" if self.draws.below(6) == 0 else text

    def conversion(self, type_: str, depth: int) -> str:
        """From another type: a conversion with a rounding of its own, the bits, or an ordinary one."""
        mode = self.draws.of(ROUNDINGS)
        choice = self.draws.below(3)
        if choice == 0 and type_ in ("s32", "u32", "s64", "u64"):
            source = self.draws.of(("f32", "f64", "f16"))
            name = {"f32": "float", "f64": "double", "f16": "half"}[source]
            value = self.of_type(source, depth - 1)
            return f"{type_}(__{name}2{INTRINSIC_TYPES[type_]}_{mode}({value}))"
        if choice == 0 and type_ == "f32":
            source = self.draws.of(("s32", "u32", "s64", "u64", "f64"))
            name = "double" if source == "f64" else INTRINSIC_TYPES[source]
            return f"__{name}2float_{mode}({self.of_type(source, depth - 1)})"
        if choice == 0 and type_ == "f64":
            source = self.draws.of(("s64", "u64"))
            name = INTRINSIC_TYPES[source]
            return f"__{name}2double_{mode}({self.of_type(source, depth - 1)})"
        if choice == 0 and type_ in SHORT_NAMES:
            return f"__float2{SHORT_NAMES[type_]}_{mode}({self.of_type('f32', depth - 1)})"
        source = self.draws.of(TYPES)
        value = self.of_type(source, depth - 1)
        if choice == 1 and type_ in INTEGERS:
            return f"{type_}(bits({value}))"
        return f"convert<{type_}>({value})"

    def integer(self, type_: str, depth: int) -> str:
        """An operation on integers."""
        a, b = self.of_type(type_, depth - 1), self.of_type(type_, depth - 1)
        choice = self.draws.below(10)
        if choice < 4:
            function = self.draws.of(("add", "sub", "mul", "mul", "divide", "modulo"))
            return f"{function}<{type_}>({a}, {b})"
        if choice < 6:
            return f"{type_}({a} {self.draws.of(('&', '|', '^'))} {b})"
        if choice == 6:
            return f"{type_}(~{a})"
        if choice == 7:
            return f"{self.draws.of(('shl', 'shr'))}<{type_}>({a}, {self.of_type('u32', 0)})"
        if choice == 8:
            return f"{self.draws.of(('least', 'greatest'))}<{type_}>({a}, {b})"
        return self.intrinsic(type_, a, b)

    def intrinsic(self, type_: str, a: str, b: str) -> str:
        """An operation that has an instruction but no operator."""
        if type_ not in ("s32", "u32", "s64", "u64"):
            return f"{type_}(__popc(u32({a})) + __clz(s32({b})))"
        c = self.of_type("u32", 0)
        wide = [f"__popcll({a})", f"__clzll({a})", f"__ffsll(s64({a}))", f"__brevll({a})"]
        if type_ == "s64":
            return f"{type_}({self.draws.of([*wide, f'__mul64hi({a}, {b})'])})"
        if type_ == "u64":
            return f"{type_}({self.draws.of([*wide, f'__umul64hi({a}, {b})'])})"
        narrow = [
            f"__popc({a})", f"__clz({a})", f"__ffs({a})", f"__brev({a})",
            f"__byte_perm({a}, {b}, {c})", f"__funnelshift_l({a}, {b}, {c})",
            f"__funnelshift_r({a}, {b}, {c})", f"__funnelshift_lc({a}, {b}, {c})",
            f"__funnelshift_rc({a}, {b}, {c})",
        ]  # fmt: skip
        if type_ == "s32":
            narrow += [f"__mulhi({a}, {b})", f"__mul24({a}, {b})", f"__sad({a}, {b}, {c})",
                       f"__hadd({a}, {b})", f"__rhadd({a}, {b})", f"__dp4a({a}, {b}, s32({c}))"]  # fmt: skip
        else:
            narrow += [f"__umulhi({a}, {b})", f"__umul24({a}, {b})", f"__usad({a}, {b}, {c})",
                       f"__uhadd({a}, {b})", f"__urhadd({a}, {b})", f"__dp4a({a}, {b}, {c})"]  # fmt: skip
        return f"{type_}({self.draws.of(narrow)})"

    def floating(self, type_: str, depth: int) -> str:
        """An operation on float or double."""
        a, b = self.of_type(type_, depth - 1), self.of_type(type_, depth - 1)
        letter, mode, suffix = (
            LETTERS[type_],
            self.draws.of(ROUNDINGS),
            "f" if type_ == "f32" else "",
        )
        choice = self.draws.below(12)
        if choice < 3:
            return f"({a} {self.draws.of('+-*')} {b})"
        if choice < 6:
            return f"__{letter}{self.draws.of(('add', 'sub', 'mul'))}_{mode}({a}, {b})"
        if choice == 6:
            name = "fmaf" if type_ == "f32" else "fma"
            return f"__{name}_{mode}({a}, {b}, {self.of_type(type_, 0)})"
        if choice == 7:
            return f"__{letter}div_{mode}({a}, {b})" if self.draws.below(2) else f"({a} / {b})"
        if choice == 8:
            return f"__{letter}{self.draws.of(('sqrt', 'rcp'))}_{mode}({a})"
        if choice == 9:
            return f"{self.draws.of(('floor', 'ceil', 'trunc', 'rint', 'fabs'))}{suffix}({a})"
        if choice == 10:
            return f"{self.draws.of(('fmin', 'fmax'))}{suffix}({a}, {b})"
        return f"(-{a})"

    def half(self, type_: str, depth: int) -> str:
        """An operation on half or bfloat16."""
        a, b = self.of_type(type_, depth - 1), self.of_type(type_, depth - 1)
        choice = self.draws.below(6)
        if choice < 3:
            return f"{self.draws.of(('__hadd_rn', '__hsub_rn', '__hmul_rn'))}({a}, {b})"
        if choice == 3:
            return f"__hfma({a}, {b}, {self.of_type(type_, 0)})"
        if choice == 4:
            return f"{self.draws.of(('__hmin', '__hmax'))}({a}, {b})"
        return f"{self.draws.of(('__hneg', '__habs'))}({a})"
