"""Loops in C around the call of a kernel, for what its function does not go through itself."""

from __future__ import annotations

from collections.abc import Sequence

Axis = tuple[int, tuple[int, ...]]
"""how often the call is repeated, and the elements each pointer moves on every time"""


def looped(axes: Sequence[Axis], pointers: Sequence[str]) -> tuple[list[str], list[str]]:
    """The heads of nested loops, and the pointers inside of them.

    >>> looped([(3, (8, 0))], ["from", "to"])
    (['for (int32_t i0 = 0; i0 < 3; ++i0) {'], ['(from + i0 * 8)', 'to'])
    """
    heads = [f"for (int32_t i{at} = 0; i{at} < {count}; ++i{at}) {{" for at, (count, _) in enumerate(axes)]
    inside = []
    for number, pointer in enumerate(pointers):
        moves = [f" + i{at} * {steps[number]}" for at, (_, steps) in enumerate(axes) if steps[number]]
        inside.append(f"({pointer}{''.join(moves)})" if moves else pointer)
    return heads, inside


def nested(heads: Sequence[str], body: Sequence[str]) -> tuple[str, ...]:
    """Statements within loops.

    >>> nested(["for (;;) {"], ["f();"])
    ('for (;;) {', '  f();', '}')
    """
    lines = list(body)
    for head in reversed(heads):
        lines = [head, *(f"  {line}" for line in lines), "}"]
    return tuple(lines)
