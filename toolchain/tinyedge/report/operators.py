"""What tinyedge runs: operators, the rules they must keep, and the kernels that serve them; docs/operators.md too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyedge.errors import UsageError
from tinyedge.kernels import CONTROL_FLOW, KERNELS
from tinyedge.ops import OPERATORS
from tinyedge.ops.checks import rule_of
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL
from tinyedge.report.table import render_table
from tinyedge.tables import near_name

_INTRODUCTION = """\
# Operators

What a model may hold. An operator that breaks a rule is refused with that rule, before anything is compiled; what
tinyedge runs gives the same bytes as TensorFlow Lite Micro. Names are TensorFlow Lite's in lower case; `island` and
those that end in `_f32` are what becomes of operators in float32 in a model that is quantized otherwise, `slide` of a
variable that keeps the last rows of what it is joined with.

This page is made from the code by `tinyedge ops --markdown`; a test compares the two.
"""


@dataclass(frozen=True)
class OperatorInfo:
    """One operator: the rules it must keep, in the order they are checked, and kernels that can run it."""

    name: str
    rules: tuple[str, ...]
    kernels: tuple[str, ...]
    """`<folder of the core>/<kernel>`; which of them fits a layer is decided layer by layer, by cost"""


def list_operators(name: str | None = None) -> tuple[OperatorInfo, ...]:
    """All operators by name, or the one of that name.

    Raises: UsageError when there is none, with the nearest
    """
    if name is not None and name not in OPERATORS:
        near = near_name(name.lower(), OPERATORS)
        raise UsageError(
            f"tinyedge runs no operator `{name}`",
            hint=f"the nearest is `{near}`" if near else "`tinyedge ops` lists them",
        )
    return tuple(
        OperatorInfo(
            spec.name,
            tuple(rule_of(constraint) for constraint in spec.constraints),
            _kernels(spec.name),
        )
        for spec in OPERATORS.values()
        if name in (None, spec.name)
    )


def _kernels(operator: str) -> tuple[str, ...]:
    if operator in CONTROL_FLOW:
        return (CONTROL_FLOW[operator],)
    return tuple(kernel.name for kernel in KERNELS if operator in kernel.operators)


def render_operators(operators: Sequence[OperatorInfo]) -> str:
    """All operators as a table; one operator with its rules."""
    if len(operators) == 1:
        (only,) = operators
        rules = "\n".join(f"- {rule}" for rule in only.rules)
        return f"{only.name}\n\n{rules}\n\nkernels: {', '.join(only.kernels)}\n"
    rows = [(op.name, len(op.rules), ", ".join(op.kernels)) for op in operators]
    return render_table(("operator", "rules", "kernels"), rows) + "\n"


def operators_document(operators: Sequence[OperatorInfo]) -> dict[str, Any]:
    """`tinyedge.ops/1`: operators with their rules and kernels."""
    return {
        "schema": "tinyedge.ops/1",
        "operators": [{"name": op.name, "rules": list(op.rules), "kernels": list(op.kernels)} for op in operators],
    }


def render_operators_page(operators: Sequence[OperatorInfo]) -> str:
    """docs/operators.md: a table of all operators, then the rules, those of a family once."""
    families: dict[tuple[str, ...], list[str]] = {}
    for op in operators:
        families.setdefault(op.rules, []).append(op.name)
    titles = {name: ", ".join(names) for names in families.values() for name in names}
    rows = [
        f"| [{op.name}](#{_anchor(titles[op.name])}) | {', '.join(f'`{kernel}`' for kernel in op.kernels)} |"
        for op in operators
    ]
    parts = [f"{_INTRODUCTION}\n{len(operators)} operators:\n", "| operator | kernels |\n| --- | --- |", *rows]
    for rules, names in families.items():
        parts.append(f"\n## {', '.join(names)}\n")
        parts += [f"- {rule}" for rule in rules]
    for title, refused in (("in float32 only", FLOAT_ONLY), ("not at all", NO_KERNEL)):
        parts.append(f"\n## What TensorFlow Lite Micro runs {title}\n\n| operator | instead |\n| --- | --- |")
        parts += [f"| {name} | {instead or '-'} |" for name, instead in refused.items()]
    return "\n".join(parts) + "\n"


def _anchor(title: str) -> str:
    """The anchor that Markdown renderers give a heading."""
    return title.replace(",", "").replace(" ", "-")
