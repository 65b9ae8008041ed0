"""The operations of the differential test: every arithmetic instruction that the virtual GPU knows, in every form.

    python3 operations.py OUTPUT.inc

writes one kernel for each, as inline PTX, and a table of them; differential.cu includes both. An operation's operands
are columns of 64-bit words (operands.hpp); the kinds name what a column holds.
"""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

# Constraint letter and C++ type of a register by its width in bits.
REGISTERS = {16: ("h", "uint16_t"), 32: ("r", "uint32_t"), 64: ("l", "uint64_t")}
KINDS = {
    "I16": 16, "I32": 32, "I64": 64, "F32": 32, "F64": 64, "Shift": 32, "Selector": 32, "Cell": 64,
}  # fmt: skip
INTEGERS = ("u16", "s16", "u32", "s32", "u64", "s64")
BYTES_AND_INTEGERS = ("u8", "s8", *INTEGERS)
ROUNDINGS = ("rn", "rz", "rm", "rp")
APPROXIMATIONS = ("approx", "full")


class Operation(NamedTuple):
    """A name, the PTX (%0 is the result, %1... are the operands), the result's bits and the operands' kinds."""

    name: str
    ptx: str
    result: int
    kinds: tuple[str, ...]


def bits(type_: str) -> int:
    """The width of a register that holds a value of a PTX type: bytes live in 16 bits."""
    return max(16, int(type_.lstrip("usbf")))


def kind(type_: str) -> str:
    """The column that feeds an operand of a PTX type."""
    return f"{'F' if type_[0] == 'f' else 'I'}{bits(type_)}"


def plain(name: str, result: str, *operands: str) -> Operation:
    """One instruction; operands are PTX types or kinds."""
    kinds = tuple(o if o in KINDS else kind(o) for o in operands)
    places = ", ".join(f"%{i}" for i in range(len(kinds) + 1))
    return Operation(name, f"{name} {places};", bits(result), kinds)


def predicate(name: str, *operands: str) -> Operation:
    """An instruction whose result is a predicate: 1 or 0."""
    kinds = tuple(kind(o) for o in operands)
    places = ", ".join(f"%{i + 1}" for i in range(len(kinds)))
    text = f"{{.reg .pred p; {name} p, {places}; selp.b32 %0, 1, 0, p;}}"
    return Operation(name, text, 32, kinds)


def integer() -> Iterator[Operation]:
    """isa/integer.cpp."""
    for t in INTEGERS:
        for name in ("add", "sub", "mul.lo", "mul.hi", "div", "rem", "min", "max"):
            yield plain(f"{name}.{t}", t, t, t)
        for name in ("mad.lo", "mad.hi", "sad"):
            yield plain(f"{name}.{t}", t, t, t, t)
        if t[0] == "s":
            yield plain(f"neg.{t}", t, t)
            yield plain(f"abs.{t}", t, t)
        if bits(t) < 64:
            wide = f"{t[0]}{2 * bits(t)}"
            yield plain(f"mul.wide.{t}", wide, t, t)
            yield plain(f"mad.wide.{t}", wide, t, t, wide)
        if bits(t) == 32:
            yield plain(f"mul24.lo.{t}", t, t, t)
            yield plain(f"mad24.lo.{t}", t, t, t, t)
    yield plain("add.sat.s32", "s32", "s32", "s32")
    yield plain("sub.sat.s32", "s32", "s32", "s32")
    for a, b in product(("u32", "s32"), repeat=2):
        for name in ("dp4a", "dp2a.lo", "dp2a.hi"):
            yield plain(f"{name}.{a}.{b}", "s32", "b32", "b32", "b32")
    for t in ("u32", "s32", "u64", "s64"):
        yield from carries(t)


def carries(t: str) -> Iterator[Operation]:
    """Chains through the carry flag; each ends with an instruction that shows the last carry."""
    three = (kind(t),) * 3
    for name in ("add", "sub"):
        text = f"{{.reg .{t} t; {name}.cc.{t} t, %1, %2; {name}c.{t} %0, %3, t;}}"
        yield Operation(f"{name}.cc {name}c.{t}", text, bits(t), three)
        text = (
            f"{{.reg .{t} t; {name}.cc.{t} t, %1, %2; {name}c.cc.{t} t, %3, t; "
            f"{name}c.{t} %0, t, 0;}}"
        )
        yield Operation(f"{name}.cc {name}c.cc {name}c.{t}", text, bits(t), three)
    for first, second in product(("lo", "hi"), repeat=2):
        text = (
            f"{{.reg .{t} t; mad.{first}.cc.{t} t, %1, %2, %3; madc.{second}.{t} %0, %1, %3, t;}}"
        )
        yield Operation(f"mad.{first}.cc madc.{second}.{t}", text, bits(t), three)
        text = (
            f"{{.reg .{t} t; mad.{first}.cc.{t} t, %1, %2, %3; "
            f"madc.{second}.cc.{t} t, %1, %3, t; addc.{t} %0, t, 0;}}"
        )
        yield Operation(f"mad.{first}.cc madc.{second}.cc addc.{t}", text, bits(t), three)


def logic() -> Iterator[Operation]:
    """isa/logic.cpp."""
    for t in ("b16", "b32", "b64"):
        for name in ("and", "or", "xor"):
            yield plain(f"{name}.{t}", t, t, t)
        for name in ("not", "cnot"):
            yield plain(f"{name}.{t}", t, t)
        yield plain(f"shl.{t}", t, t, "Shift")
    for t in (*INTEGERS, "b16", "b32", "b64"):
        yield plain(f"shr.{t}", t, t, "Shift")
    for side, mode in product("lr", ("wrap", "clamp")):
        yield plain(f"shf.{side}.{mode}.b32", "b32", "b32", "b32", "Shift")
    for t in ("b32", "b64"):
        yield plain(f"popc.{t}", "b32", t)
        yield plain(f"clz.{t}", "b32", t)
        yield plain(f"brev.{t}", t, t)
        yield plain(f"bfi.{t}", t, t, t, "Shift", "Shift")
    for t in ("u32", "s32", "u64", "s64"):
        yield plain(f"bfe.{t}", t, t, "Shift", "Shift")
        yield plain(f"bfind.{t}", "b32", t)
        yield plain(f"bfind.shiftamt.{t}", "b32", t)
    for mode in ("", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"):
        yield plain(f"prmt.b32{mode}", "b32", "b32", "b32", "Selector")
    for table in (0x01, 0x80, 0x96, 0xAC, 0xCA, 0xE8):
        text = f"lop3.b32 %0, %1, %2, %3, {table};"
        yield Operation(f"lop3.b32 {table:#04x}", text, 32, ("I32",) * 3)
    for name in ("and", "or", "xor"):
        text = (
            "{.reg .pred p, q, r; setp.lt.s32 p, %1, %2; setp.gt.u32 q, %2, %3; not.pred q, q; "
            f"{name}.pred r, p, q; selp.b32 %0, 1, 0, r;}}"
        )
        yield Operation(f"{name}.pred", text, 32, ("I32",) * 3)


def floating() -> Iterator[Operation]:
    """isa/floating.cpp."""
    flushes, saturations = ("", ".ftz"), ("", ".sat")
    for rounding, ftz, sat in product(("", ".rn", ".rz", ".rm", ".rp"), flushes, saturations):
        for name in ("add", "sub", "mul"):
            yield plain(f"{name}{rounding}{ftz}{sat}.f32", "f32", "f32", "f32")
        if rounding:
            for name in ("fma", "mad"):
                yield plain(f"{name}{rounding}{ftz}{sat}.f32", "f32", "f32", "f32", "f32")
    for rounding, ftz in product((*ROUNDINGS, "approx"), flushes):
        yield plain(f"div.{rounding}{ftz}.f32", "f32", "f32", "f32")
        yield plain(f"rcp.{rounding}{ftz}.f32", "f32", "f32")
        yield plain(f"sqrt.{rounding}{ftz}.f32", "f32", "f32")
    for ftz in flushes:
        yield plain(f"div.full{ftz}.f32", "f32", "f32", "f32")
        for name in ("rsqrt", "ex2", "lg2", "sin", "cos"):
            yield plain(f"{name}.approx{ftz}.f32", "f32", "f32")
        for name in ("neg", "abs"):
            yield plain(f"{name}{ftz}.f32", "f32", "f32")
        for name, nan in product(("min", "max"), ("", ".NaN")):
            yield plain(f"{name}{ftz}{nan}.f32", "f32", "f32", "f32")
    yield plain("tanh.approx.f32", "f32", "f32")
    for rounding in ("", ".rn", ".rz", ".rm", ".rp"):
        for name in ("add", "sub", "mul"):
            yield plain(f"{name}{rounding}.f64", "f64", "f64", "f64")
    for name in ("fma", "mad"):
        yield plain(f"{name}.rn.f64", "f64", "f64", "f64", "f64")
    yield plain("div.rn.f64", "f64", "f64", "f64")
    for name in ("rcp.rn", "sqrt.rn", "neg", "abs"):
        yield plain(f"{name}.f64", "f64", "f64")
    for name in ("rcp.approx.ftz", "rsqrt.approx.ftz", "rsqrt.approx"):
        yield plain(f"{name}.f64", "f64", "f64")
    for name in ("min", "max"):
        yield plain(f"{name}.f64", "f64", "f64", "f64")
    for t in ("f32", "f64"):
        yield plain(f"copysign.{t}", t, t, t)


def comparisons(t: str) -> tuple[str, ...]:
    """The comparison operators of a PTX type."""
    if t[0] == "b":
        return ("eq", "ne")
    order = ("eq", "ne", "lt", "le", "gt", "ge")
    if t[0] == "f":
        return (*order, "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")
    return (*order, "lo", "ls", "hi", "hs") if t[0] == "u" else order


def compare() -> Iterator[Operation]:
    """isa/compare.cpp, and the combining forms of setp that the decoder builds."""
    types = ("b16", "b32", "b64", *INTEGERS, "f32", "f64")
    for t in types:
        for comparison, ftz in product(comparisons(t), ("", ".ftz") if t == "f32" else ("",)):
            yield predicate(f"setp.{comparison}{ftz}.{t}", t, t)
            for result in ("u32", "s32", "f32"):
                yield plain(f"set.{comparison}{ftz}.{result}.{t}", result, t, t)
        text = f"{{.reg .pred p; setp.lt.s32 p, %3, 0; selp.{t} %0, %1, %2, p;}}"
        yield Operation(f"selp.{t}", text, bits(t), (kind(t), kind(t), "I32"))
        for sign in ("s32", "f32"):
            yield plain(f"slct.{t}.{sign}", t, t, t, sign)
    for t, combine in product(("s32", "f32", "f64"), ("and", "or", "xor")):
        name = f"setp.lt.{combine}.{t}"
        text = (
            "{.reg .pred p, q, r; .reg .b32 x, y; setp.gt.s32 r, %3, 0; "
            f"{name} p|q, %1, %2, !r; selp.b32 x, 1, 0, p; selp.b32 y, 2, 0, q; or.b32 %0, x, y;}}"
        )
        yield Operation(f"{name} p|q", text, 32, (kind(t), kind(t), "I32"))
    properties = ("finite", "infinite", "number", "notanumber", "normal", "subnormal")
    for name, t in product(properties, ("f32", "f64")):
        yield predicate(f"testp.{name}.{t}", t)


def holds(to: str, from_: str) -> bool:
    """Whether every value of one integer type is a value of another."""
    if from_[0] == "s":
        return to[0] == "s" and int(to[1:]) >= int(from_[1:])
    return int(to[1:]) >= int(from_[1:]) + (to[0] == "s")


def convert() -> Iterator[Operation]:
    """isa/convert.cpp."""
    for to, from_ in product(BYTES_AND_INTEGERS, repeat=2):
        yield plain(f"cvt.{to}.{from_}", to, from_)
        if not holds(to, from_):  # PTX has no saturation where nothing can overflow
            yield plain(f"cvt.sat.{to}.{from_}", to, from_)
    for to, from_, rounding in product(BYTES_AND_INTEGERS, ("f32", "f64"), ROUNDINGS):
        for mode in ("", ".sat", ".ftz")[: 3 if from_ == "f32" else 2]:
            yield plain(f"cvt.{rounding}i{mode}.{to}.{from_}", to, from_)
    for to, from_, rounding in product(("f32", "f64"), BYTES_AND_INTEGERS, ROUNDINGS):
        yield plain(f"cvt.{rounding}.{to}.{from_}", to, from_)
    for rounding in ROUNDINGS:
        for name in ("f32.f32", "ftz.f32.f32", "f64.f64"):
            yield plain(f"cvt.{rounding}i.{name}", name[-3:], name[-3:])
        for mode in ("", ".ftz", ".sat"):
            yield plain(f"cvt.{rounding}{mode}.f32.f64", "f32", "f64")
    yield plain("cvt.f64.f32", "f64", "f32")
    yield plain("cvt.ftz.f64.f32", "f64", "f32")
    for mode in (".ftz", ".sat", ".ftz.sat"):
        yield plain(f"cvt{mode}.f32.f32", "f32", "f32")
    yield plain("cvt.sat.f64.f64", "f64", "f64")


def atomic() -> Iterator[Operation]:
    """isa/atomic.cpp: one update of a cell that holds %1. The result mixes the old value with the new one."""
    types = {
        "add": ("u32", "s32", "u64", "f32", "f64"),
        **dict.fromkeys(("min", "max"), ("u32", "s32", "u64", "s64")),
        **dict.fromkeys(("inc", "dec"), ("u32",)),
        **dict.fromkeys(("and", "or", "xor", "exch", "cas"), ("b32", "b64")),
    }
    for (name, listed), space in product(types.items(), ("global", "shared")):
        for t in listed:
            width = bits(t)
            cell = "[%2]" if space == "global" else "[place]"
            operands = "%3, %4" if name == "cas" else "%3"
            shared = (
                ".shared .align 8 .b64 cells[128]; .reg .b32 place, base; "
                "mov.u32 place, %%tid.x; mov.u32 base, cells; mad.lo.u32 place, place, 8, base; "
            )
            text = (
                f"{{{shared if space == 'shared' else ''}.reg .b{width} old, now; "
                f"st.volatile.{space}.b{width} {cell}, %1; "
                f"atom.{space}.{name}.{t} old, {cell}, {operands}; "
                f"ld.volatile.{space}.b{width} now, {cell}; "
                + ("mov.b64 %0, {old, now};}" if width == 32 else "mad.lo.u64 %0, old, 3, now;}")
            )
            kinds = (kind(t), "Cell", kind(t), *((kind(t),) if name == "cas" else ()))
            yield Operation(f"atom.{space}.{name}.{t}", text, 64, kinds)


def operations() -> list[Operation]:
    """All of them, without repetition."""
    families = (integer, logic, floating, compare, convert, atomic)
    return list({o.name: o for family in families for o in family()}.values())


def approximate(name: str) -> bool:
    """Whether a GPU's result is only within a bound of the exact one."""
    return any(word in APPROXIMATIONS for word in name.split("."))


def emitted(listed: list[Operation]) -> str:
    """The kernels and their table, for differential.cu."""
    lines = ["// Written by operations.py."]
    for i, o in enumerate(listed):
        letter, type_ = REGISTERS[o.result]
        inputs = ", ".join(
            f'"{REGISTERS[KINDS[k]][0]}"(columns.get<{REGISTERS[KINDS[k]][1]}>({j}, i))'
            for j, k in enumerate(o.kinds)
        )
        lines.append(f'OPERATION({i}, "={letter}", {type_}, "{o.ptx}", {inputs})')
    lines.append("constexpr Operation kOperations[] = {")
    for i, o in enumerate(listed):
        kinds = ", ".join(f"Kind::k{k}" for k in o.kinds)
        is_approximate = str(approximate(o.name)).lower()
        lines.append(
            f'    {{"{o.name}", operation_{i}, {len(o.kinds)}, {{{kinds}}}, {is_approximate}}},'
        )
    return "\n".join([*lines, "};", ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(emitted(operations()), encoding="utf-8")
