"""Everything that only moves elements, through te_move; single runs of bytes are plain copies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic import movement
from tinyedge.arithmetic.movement import Copy, Movement
from tinyedge.boards import Core
from tinyedge.graph.ir import Array
from tinyedge.kernels.common.overlap import NEVER, Int64Array, least_offset, lowest_from
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops import OPERATORS
from tinyedge.ops.contract import Layer

STEM = "te_move"
COPY_STEM = "te_copy"
CODE_BYTES = 224
CALL_CODE_BYTES = 24
CYCLES_PER_BYTE = 1.5
CYCLES_PER_SINGLE = 8
CYCLES_PER_RUN = 45
CYCLES_PER_ROW = 40
CYCLES_PER_CALL = 30
MOST_AXES = 6
_INT32_MAX = (1 << 31) - 1


@dataclass(frozen=True)
class Runs:
    """A copy in bytes: runs of `run` bytes, one for every combination of indices of the axes, none for a single run."""

    run: int
    source_start: int
    target_start: int
    axes: tuple[tuple[int, int, int], ...]
    """(indices, bytes from one to the next in the source, in the target), the innermost last"""

    @property
    def count(self) -> int:
        return math.prod(size for size, _, _ in self.axes)

    def places(self) -> tuple[Int64Array, Int64Array]:
        """First bytes of all runs in the order of the copy: (in the source, in the target)."""
        source, target = np.array([self.source_start]), np.array([self.target_start])
        for size, read, written in self.axes:
            indices = np.arange(size)
            source = (source[:, None] + indices * read).reshape(-1)
            target = (target[:, None] + indices * written).reshape(-1)
        return source.astype(np.int64), target.astype(np.int64)


def runs_of(copy: Copy, element_bytes: int) -> Runs:
    """The innermost axis becomes part of the runs where both sides go through it element by element.

    >>> runs_of(Copy(0, 0, 5, 0, (2, 3), (8, 1), (3, 1)), 2)
    Runs(run=6, source_start=10, target_start=0, axes=((2, 16, 6),))
    """
    axes = list(zip(copy.sizes, copy.source_steps, copy.target_steps, strict=True))
    run = element_bytes
    if axes[-1][1:] == (1, 1):
        run *= axes.pop()[0]
    in_bytes = tuple((size, read * element_bytes, written * element_bytes) for size, read, written in axes)
    return Runs(run, copy.source_start * element_bytes, copy.target_start * element_bytes, in_bytes)


class PortableMovement(Kernel):
    """Nested copies of elements of any type."""

    name = "portable/movement"
    operators: ClassVar[tuple[str, ...]] = (
        *(name for name, spec in OPERATORS.items() if spec.reference is movement.reference),
        "slice",
    )

    def fits(self, layer: Layer, core: Core) -> str:
        if not isinstance(layer.params, Movement):
            return "where it begins is computed"
        p: Movement = layer.params
        axes = max((len(runs_of(copy, p.element_bytes).axes) for copy in p.copies), default=0)
        if axes > MOST_AXES:
            return f"it moves along {axes} axes, the kernel along {MOST_AXES}"
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Movement = layer.params
        cycles, axes, nested = 0.0, 0, False
        for copy in p.copies:
            runs = runs_of(copy, p.element_bytes)
            per_run = CYCLES_PER_SINGLE if runs.run == 1 else CYCLES_PER_RUN + CYCLES_PER_BYTE * runs.run
            rows = runs.count // runs.axes[-1][0] if runs.axes else 1
            cycles += CYCLES_PER_CALL + per_run * runs.count + CYCLES_PER_ROW * rows
            axes += len(runs.axes)
            nested |= bool(runs.axes)
        if p.fill is not None:
            cycles += CYCLES_PER_BYTE * sum(p.output_elements) * p.element_bytes
        constants = 12 * axes + sum(array.nbytes for array in p.constants)
        calls = len(p.copies) + (p.fill is not None) * len(p.output_elements)
        return Cost(int(cycles) + 1, CALL_CODE_BYTES * calls, constants, ((STEM, CODE_BYTES),) if nested else ())

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Runs are read whole before they are written, one after the other; single bytes likewise."""
        p: Movement = layer.params
        if len(layer.outputs) != 1:
            return None
        reads = [np.zeros(0, np.int64)]
        ends = [np.zeros(0, np.int64)]
        if p.fill is not None:
            reads.append(np.array([NEVER]))
            ends.append(np.array([layer.outputs[0].bytes]))
        for copy in p.copies:
            runs = runs_of(copy, p.element_bytes)
            source, target = runs.places()
            reads.append(source if copy.source == input_index else np.full(len(source), NEVER))
            ends.append(target + runs.run)
        return least_offset(np.concatenate(ends), lowest_from(np.concatenate(reads))[1:])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Movement = layer.params
        prefix = operands.prefix
        names = [f"{prefix}_constant{number}" for number in range(len(p.constants))]
        constants = [
            Constant(name, _ctype(values), np.ascontiguousarray(_plain(values)), 4, "what is moved")
            for name, values in zip(names, p.constants, strict=True)
        ]
        sources = (*operands.inputs, *names)
        calls = []
        if p.fill is not None:
            for output, tensor in zip(operands.outputs, layer.outputs, strict=True):
                calls.append(f"memset({output}, {p.fill}, {tensor.bytes});")
        axes: list[int] = []
        stems = set()
        for copy in p.copies:
            runs = runs_of(copy, p.element_bytes)
            source = _address("const uint8_t *", sources[copy.source], runs.source_start)
            target = _address("uint8_t *", operands.outputs[copy.target], runs.target_start)
            if not runs.axes:
                stems.add(COPY_STEM)
                calls.append(f"te_copy({target}, {source}, {runs.run});")
                continue
            stems.add(STEM)
            table = f"{prefix}_axes" + (f" + {len(axes)}" if axes else "")
            calls.append(f"te_move({table}, {len(runs.axes)}, {runs.run}, {source}, {target});")
            axes += [number for axis in runs.axes for number in axis]
        if axes:
            comment = "per axis: indices, bytes from one to the next in the input, in the output"
            constants.insert(0, Constant(f"{prefix}_axes", "int32_t", np.array(axes, np.int32), 4, comment))
        return Code(
            call=tuple(calls),
            constants=tuple(constants),
            runtime=tuple(sorted(stems)),
            includes=("string.h",) if p.fill is not None else (),
        )


def _ctype(values: Array) -> str:
    return f"{_plain(values).dtype.name}_t"


def _plain(values: Array) -> Array:
    """Truth values as bytes, which is what they are in memory."""
    return values.astype(np.int8) if values.dtype == np.bool_ else values


def _address(pointer: str, expression: str, offset: int) -> str:
    """A pointer expression `offset` bytes on; the functions take any pointer, so a plain one needs no cast."""
    return f"({pointer})({expression}) + {offset}" if offset else expression


KERNELS: tuple[Kernel, ...] = (PortableMovement(),)
