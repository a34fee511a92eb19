"""The formula of a ScaledObject's `scalingModifiers`: arithmetic over its triggers' values.

KEDA evaluates it with expr-lang; here is the part whose syntax and meaning Python shares.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from penstock.contracts.errors import SettingsError

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "max": lambda *values: max(values),
    "min": lambda *values: min(values),
}
_ARITIES = {"ceil": 1, "floor": 1}

_Evaluator = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True)
class Formula:
    """A checked formula: numbers, names, `+ - * /`, parentheses, `ceil floor max min`."""

    text: str
    names: frozenset[str]
    """The triggers it needs the values of."""

    _evaluate: _Evaluator

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a formula.

        Raises:
            SettingsError: it uses more than the common part of expr-lang and Python.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise SettingsError(f"formula {text!r}: {error.msg}") from error
        names: set[str] = set()
        evaluate = _Compiler(text, names).compiled(tree.body)
        return cls(text, frozenset(names), evaluate)

    def value(self, metrics: Mapping[str, float]) -> float:
        """Return the formula's value, given each trigger's.

        Raises:
            SettingsError: it divides by zero.
        """
        try:
            return float(self._evaluate(metrics))
        except ZeroDivisionError as error:
            raise SettingsError(f"formula {self.text!r} divides by zero") from error


@dataclass(frozen=True)
class _Compiler:
    text: str
    names: set[str]

    def compiled(self, node: ast.expr) -> _Evaluator:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return lambda _: number
            case ast.Name(id=name):
                self.names.add(name)
                return lambda metrics: metrics[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                negated = self.compiled(operand)
                return lambda metrics: -negated(metrics)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                combine = _OPERATORS[type(op)]
                a, b = self.compiled(left), self.compiled(right)
                return lambda metrics: combine(a(metrics), b(metrics))
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as args, keywords=[]):
                return self.call(name, args)
            case _:
                raise self.unsupported(node)

    def call(self, name: str, args: list[ast.expr]) -> _Evaluator:
        if name not in _FUNCTIONS or len(args) != _ARITIES.get(name, len(args)):
            raise SettingsError(f"formula {self.text!r}: no function {name} of {len(args)} values")
        function, values = _FUNCTIONS[name], [self.compiled(arg) for arg in args]
        return lambda metrics: function(*(value(metrics) for value in values))

    def unsupported(self, node: ast.expr) -> SettingsError:
        return SettingsError(f"formula {self.text!r}: {ast.unparse(node)!r} is not supported")
