"""Numbers with units, as students write them: "12 MiB", "8.6 GFLOP", "50 %", "3.5"."""

import re

# Units of one kind can be turned into each other; the number is the size in the kind's smallest unit.
KINDS = (
    {"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
    | {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40},
    {"FLOP": 1.0, "MFLOP": 1e6, "GFLOP": 1e9, "TFLOP": 1e12},
    {"%": 1.0},
    {"": 1.0},
)
GROUPS = r"\d{1,3}(?:[ ,_']\d{3})+|\d+"  # thousands may be set apart
NUMBER = re.compile(
    rf"\s*([-+]?(?:(?:{GROUPS})(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%]*)\s*"
)


class UnitError(ValueError):
    """What is wrong with an answer, as a phrase."""


def kind_of(unit: str) -> dict[str, float]:
    """The units that `unit` can be turned into. Raises UnitError for an unknown one."""
    for kind in KINDS:
        if unit in kind:
            return kind
    raise UnitError(f"the unit '{unit}' is not known")


def read(text: str | float, unit: str) -> float:
    """The number that `text` means in `unit`; a bare number is taken to be in it already."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    match = NUMBER.fullmatch(str(text))
    if match is None:
        example = f"12 {unit}".strip()
        raise UnitError(f'not a number with its unit, such as "{example}"')
    value = float(re.sub(r"[,_ ']", "", match[1]))
    given = match[2] or unit
    kind = kind_of(unit)
    found = next((known for known in kind if known.lower() == given.lower()), None)
    if found is None:
        raise UnitError(
            f"the unit '{given}' does not fit; the question asks for {unit or 'a bare number'}"
        )
    return value * kind[found] / kind[unit]
