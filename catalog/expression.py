"""Arithmetic on indicators, as the catalogue writes weights: `population * (1 - share / 100)`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TypeVar

Operand = TypeVar("Operand")

_OPERATORS: dict[type[ast.operator], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def names_in(expression: str) -> set[str]:
    """The indicators an expression needs; raises ValueError where it is not plain arithmetic."""
    return {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)}


def evaluate(expression: str, operands: Mapping[str, Operand]) -> Operand:
    """The expression's value with `operands` (numbers, or Polars expressions) for its names."""
    return _evaluate(_parse(expression), operands)  # type: ignore[return-value]


def _parse(expression: str) -> ast.expr:
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"'{expression}' is not an arithmetic expression") from error
    for part in ast.walk(node):
        plain = isinstance(part, ast.BinOp | ast.Name | ast.Load | ast.operator)
        number = isinstance(part, ast.Constant) and type(part.value) in (int, float)
        if not (plain or number) or (isinstance(part, ast.operator) and type(part) not in _OPERATORS):
            raise ValueError(f"'{expression}' may only hold indicators, numbers, + - * / and brackets")
    return node


def _evaluate(node: ast.expr, operands: Mapping[str, Operand]) -> object:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left, operands), _evaluate(node.right, operands))
    return operands[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)
