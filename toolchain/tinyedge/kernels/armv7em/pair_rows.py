"""Operands that broadcast, seen as rows: along a row the first operand and the output move on, the second does or not.

The element-wise operators of two int8 operands on this core share it: a function goes through the rows of the two
innermost axes, loops in C through axes in front of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinyedge.graph.ir import Array
from tinyedge.kernels.common.axes import Shape, merge_broadcast, strides
from tinyedge.kernels.common.loops import Axis, looped, nested
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Operands, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks

T = TypeVar("T")

FOUR = 4
PROTOTYPE = "void NAME(const int32_t *layer, const int8_t *x, const int8_t *y, int8_t *output)"
CALL_BYTES, LOOP_BYTES = 20, 40
CALL_TICKS, LOOP_TICKS = Ticks(8, 12), Ticks(8, 12)
WALK = {
    "count": "elements of a row",
    "rows": "",
    "x_step": "bytes behind a row of x, to its next",
    "y_step": "bytes behind a row of y, to its next",
}
"""the last words of a layer"""


@dataclass(frozen=True)
class PairRows:
    """The rows of an output, and where the operands of each lie.

    swapped  the operands changed places, since the first stands still along a row
    single   the second operand is one value for a row
    x_step   bytes from the end of a row of the first operand to its next, y_step of the second
    outer    axes that are looped over in C, with the elements both operands and the output move on
    """

    count: int
    rows: int
    swapped: bool
    single: bool
    x_step: int
    y_step: int
    outer: tuple[Axis, ...]

    @property
    def calls(self) -> int:
        return int(np.prod([size for size, _ in self.outer], dtype=np.int64))

    @property
    def walk(self) -> Mapping[str, int]:
        """The words of `WALK`."""
        return {"count": self.count, "rows": self.rows, "x_step": self.x_step, "y_step": self.y_step}

    def ordered(self, first: T, second: T) -> tuple[T, T]:
        """What belongs to the operands of the file, in the order in which the function takes them."""
        return (second, first) if self.swapped else (first, second)


def pair_rows(shapes: Sequence[Shape], output: Shape) -> PairRows:
    """The rows of two operands.

    >>> pair_rows([(1, 5, 5, 8), (8,)], (1, 5, 5, 8))
    PairRows(count=8, rows=25, swapped=False, single=False, x_step=0, y_step=-8, outer=())
    >>> pair_rows([(5, 1), (5, 8)], (5, 8))
    PairRows(count=8, rows=5, swapped=True, single=True, x_step=0, y_step=1, outer=())
    """
    sizes, steps = merge_broadcast(shapes, output)
    if not sizes:
        sizes, steps = (1,), ((1,), (1,))
    swapped = steps[0][-1] == 0
    first, second = (steps[1], steps[0]) if swapped else (steps[0], steps[1])
    count, single = sizes[-1], second[-1] == 0
    rows, x_step, y_step = 1, 0, 0
    if len(sizes) > 1:
        rows, x_step, y_step = sizes[-2], first[-2] - count, second[-2] - (0 if single else count)
    targets = strides(sizes)
    outer = tuple((sizes[at], (first[at], second[at], targets[at])) for at in range(len(sizes) - 2))
    return PairRows(count, rows, swapped, single, x_step, y_step, outer)


@dataclass(frozen=True)
class RowBody:
    """What a function over rows does. r1 points to x, r2 to y, r3 to the output; each part moves on what it went
    through. r0 may be changed anywhere, the other registers are the body's.

    words  of its layer in front of those of `WALK`, with their meanings
    start  what comes first; r0 points to the layer
    row    what begins a row: where y is one value for a row, it is read here
    """

    words: Mapping[str, str]
    start: Callable[[Assembly], None]
    row: Callable[[Assembly], None]
    four: Callable[[Assembly], None]
    one: Callable[[Assembly], None]


def write_rows(stem: str, body: RowBody) -> Assembly:
    """The function: fours of a row, two a turn, then ones.

    On the stack, from `sp` on: the ends of both, bytes of fours, bytes of a row, rows left, both steps.
    """
    layer = word_offsets(stem, {**body.words, **WALK})
    asm = Assembly({}, layer)
    asm("push {r4-r11, lr}", f"add r12, r0, #{layer['count']}", "ldm r12, {r4-r7}")
    asm("push {r4-r7}", "bic r4, r4, #3", "sub sp, sp, #12", "str r4, [sp, #8]")
    body.start(asm)
    asm.block("row", "a row")
    asm("1:")
    body.row(asm)
    asm("ldrd r0, r12, [sp, #8]", "add r12, r3, r12", "str r12, [sp, #4]", "add r12, r3, r0", "str r12, [sp]")
    asm("cmp r0, #0", "beq 4f", "tst r0, #4", "bne 3f")
    asm.block("first", "four elements")
    asm("2:")
    body.four(asm)
    asm.block("second", "four more; an odd number of fours begins here")
    asm("3:")
    body.four(asm)
    asm("ldr r0, [sp]", "cmp r3, r0", "bne 2b")
    asm.block("fours done")
    asm("4: ldr r0, [sp, #4]", "cmp r3, r0", "beq 6f")
    asm.block("one", "the rest one by one")
    asm("5:")
    body.one(asm)
    asm("ldr r0, [sp, #4]", "cmp r3, r0", "bne 5b")
    asm.block("next")
    asm("6: ldrd r0, r12, [sp, #20]", "add r1, r1, r0", "add r2, r2, r12")
    asm("ldr r12, [sp, #16]", "subs r12, r12, #1", "str r12, [sp, #16]", "bne 1b")
    asm.block("end")
    asm("add sp, sp, #28", "pop {r4-r11, pc}")
    return asm


def rows_cost(rows: PairRows, asm: Assembly, function: AsmFunction, constant_bytes: int) -> Cost:
    """Of all calls."""
    fours, ones = divmod(rows.count, FOUR)
    row = asm.ticks("row") + asm.ticks("fours done") + asm.ticks("next")
    row += fours // 2 * asm.ticks("first") + (fours + 1) // 2 * asm.ticks("second") + ones * asm.ticks("one")
    call = asm.ticks("start") + rows.rows * row + asm.ticks("end") + CALL_TICKS
    ticks = rows.calls * call + sum((size for size, _ in rows.outer), 0) * LOOP_TICKS
    code = CALL_BYTES + LOOP_BYTES * len(rows.outer)
    return Cost(
        ticks.cycles,
        code,
        constant_bytes + 4 * len(function.offsets[0].members),
        ((function.name, asm.code_bytes),),
        instructions=ticks.instructions,
    )


def rows_code(
    rows: PairRows,
    function: AsmFunction,
    words: Mapping[str, int],
    pointers: Sequence[str],
    constants: Sequence[Constant],
    operands: Operands,
    behind: npt.ArrayLike = (),
) -> Code:
    """The call, in loops where there are further axes.

    words      of the layer in front of those of the walk
    pointers   to x and y, as the function takes them
    constants  what they point to, where that is constant
    behind     words behind those of the layer
    """
    values = np.append(function.offsets[0].words(**words, **rows.walk), np.asarray(behind, np.int64)).astype(np.int64)
    layer = Constant(
        f"{operands.prefix}_layer",
        "int32_t",
        (values & 0xFFFFFFFF).astype(np.uint32).view(np.int32),
        4,
        ", ".join(function.offsets[0].members),
    )
    heads, (x, y, output) = looped(rows.outer, [*pointers, operands.outputs[0]])
    call = f"{function.name}({layer.name}, {x}, {y}, {output});"
    return Code(call=nested(heads, [call]), constants=(layer, *constants), assembler=(function,))


def constant_operand(operands: Operands, data: Array) -> Constant:
    """An operand that is a constant."""
    flat = np.ascontiguousarray(data).reshape(-1)
    return Constant(f"{operands.prefix}_constant", "int8_t", flat, 4, "constant operand")
