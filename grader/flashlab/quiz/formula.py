"""Arithmetic as text, evaluated without Python's own eval: numbers, variables, + - * / ** and a few functions.

Students write such formulas, so nothing but arithmetic may happen, and nothing may take long: numbers are floats, which
overflow instead of growing, and the text is short.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping

MOST_CHARACTERS = 400
BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "ln": math.log,
    "sqrt": math.sqrt,
    "max": max,
    "min": min,
    "ceil": lambda x: float(math.ceil(x)),
    "floor": lambda x: float(math.floor(x)),
    "gcd": lambda a, b: float(math.gcd(int(a), int(b))),
}

Value = float | str


class FormulaError(ValueError):
    """What is wrong with a formula, as a phrase for the person who wrote it."""


def evaluate(text: str, variables: Mapping[str, float]) -> Value:
    """The value of `text`; `^` means power, as in mathematics. `a if b < c else d` may choose between texts.

    Raises FormulaError for anything that is not arithmetic with `variables`, and where the value is not finite.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"longer than {MOST_CHARACTERS} characters")
    try:
        tree = ast.parse(text.replace("^", "**").strip(), mode="eval")
        value = _Evaluator(variables).of(tree.body)
    except FormulaError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError("not a formula") from None
    except (ArithmeticError, TypeError):
        raise FormulaError("it has no finite value") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise FormulaError("it has no finite value")
    return value


class _Evaluator:
    def __init__(self, variables: Mapping[str, float]) -> None:
        self._variables = variables

    def number(self, node: ast.expr) -> float:
        value = self.of(node)
        if isinstance(value, str):
            raise FormulaError("a text where a number belongs")
        return value

    def of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool()):
                raise FormulaError("not a formula")
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name):
                if name not in self._variables:
                    known = ", ".join(sorted(self._variables)) or "none"
                    raise FormulaError(f"'{name}' is not one of the variables: {known}")
                return float(self._variables[name])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                result = BINARY[type(op)](self.number(left), self.number(right))
                if isinstance(result, complex):
                    raise FormulaError("it has no finite value")
                return result
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                return float(FUNCTIONS[name](*(self.number(one) for one in arguments)))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.of(body if self._holds(test) else orelse)
            case _:
                raise FormulaError("only + - * / ^ ( ) and " + ", ".join(FUNCTIONS) + " are known")

    def _holds(self, node: ast.expr) -> bool:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
                return COMPARISONS[type(op)](self.number(left), self.number(right))
            case _:
                raise FormulaError("not a formula")
