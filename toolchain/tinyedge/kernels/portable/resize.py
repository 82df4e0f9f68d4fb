"""resize_nearest_neighbor through te_resize_nearest, resize_bilinear through te_resize_bilinear_s8."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import Array
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.overlap import least_offset, lowest_from
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.resize import BilinearAxis, ResizeBilinear, ResizeNearest

NEAREST_STEM = "te_resize_nearest"
NEAREST_CODE_BYTES = 138
NEAREST_PARAMS_BYTES = 28
NEAREST_CYCLES_PER_CELL = 65
NEAREST_CYCLES_PER_BYTE = 2
BILINEAR_STEM = "te_resize_bilinear_s8"
BILINEAR_CODE_BYTES = 404
BILINEAR_PARAMS_BYTES = 40
BILINEAR_CYCLES_PER_CELL = 90
BILINEAR_CYCLES_PER_VALUE = 29
LAYER_CODE_BYTES = 16
_MOST = 1 << 20
"""cells of an axis up to which positions in 1024ths of a cell stay in int32"""


def _all_cells(batches: int, image_cells: int, cells: Array) -> Array:
    """The cells of one image, for all images."""
    return np.asarray((np.arange(batches)[:, None] * image_cells + cells.reshape(-1)).reshape(-1))


class PortableResizeNearest(Kernel):
    """Images of any type and any sizes."""

    name = "portable/resize_nearest_neighbor"
    operators: ClassVar[tuple[str, ...]] = ("resize_nearest_neighbor",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: ResizeNearest = layer.params
        return checks.sizes((p.batches, p.input_h, p.input_w, p.rows.size, p.columns.size))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: ResizeNearest = layer.params
        cells = p.batches * p.rows.size * p.columns.size
        cycles = cells * (NEAREST_CYCLES_PER_CELL + NEAREST_CYCLES_PER_BYTE * p.channels * p.element_bytes)
        constants = NEAREST_PARAMS_BYTES + 2 * (p.rows.size + p.columns.size)
        return Cost(int(cycles), LAYER_CODE_BYTES, constants, ((NEAREST_STEM, NEAREST_CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Cells are copied whole, one after the other."""
        p: ResizeNearest = layer.params
        cells = _all_cells(p.batches, p.input_h * p.input_w, p.rows[:, None] * p.input_w + p.columns[None, :])
        return p.channels * p.element_bytes * least_offset(np.arange(len(cells)) + 1, lowest_from(cells)[1:])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ResizeNearest = layer.params
        prefix = operands.prefix
        cell = p.channels * p.element_bytes
        struct = params_struct(
            "te_resize_nearest_params",
            f"{prefix}_params",
            {
                "batches": p.batches,
                "output_h": p.rows.size,
                "output_w": p.columns.size,
                "image_bytes": p.input_h * p.input_w * cell,
                "row_bytes": p.input_w * cell,
                "cell_bytes": cell,
                "rows": f"{prefix}_rows",
                "columns": f"{prefix}_columns",
            },
        )
        return Code(
            call=(f"{NEAREST_STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(
                Constant(f"{prefix}_rows", "uint16_t", p.rows.astype(np.uint16), 2, "rows of the input"),
                Constant(f"{prefix}_columns", "uint16_t", p.columns.astype(np.uint16), 2, "columns of the input"),
            ),
            functions=struct,
            runtime=(NEAREST_STEM,),
        )


class PortableResizeBilinear(Kernel):
    """int8 images of any sizes."""

    name = "portable/resize_bilinear"
    operators: ClassVar[tuple[str, ...]] = ("resize_bilinear",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: ResizeBilinear = layer.params
        largest = max(p.rows.input, p.columns.input, p.rows.output, p.columns.output)
        return f"an axis has {largest:,} cells, the kernel counts to {_MOST:,}" if largest >= _MOST else ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: ResizeBilinear = layer.params
        cells = p.batches * p.rows.output * p.columns.output
        cycles = cells * (BILINEAR_CYCLES_PER_CELL + BILINEAR_CYCLES_PER_VALUE * p.channels)
        return Cost(cycles, LAYER_CODE_BYTES, BILINEAR_PARAMS_BYTES, ((BILINEAR_STEM, BILINEAR_CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Channel by channel within a cell; so a cell's own lowest counts only where it has several channels."""
        p: ResizeBilinear = layer.params
        lowest = p.rows.places()[0][:, None] * p.columns.input + p.columns.places()[0][None, :]
        cells = _all_cells(p.batches, p.rows.input * p.columns.input, lowest)
        place = np.arange(len(cells))
        within = least_offset(place, cells) if p.channels > 1 else 0
        return p.channels * max(within, least_offset(place + 1, lowest_from(cells)[1:]))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ResizeBilinear = layer.params
        prefix = operands.prefix

        def axis(given: BilinearAxis) -> Value:
            return {"input": given.input, "output": given.output, "scale": given.scale, "offset": given.offset}

        struct = params_struct(
            "te_resize_bilinear_params",
            f"{prefix}_params",
            {"rows": axis(p.rows), "columns": axis(p.columns), "batches": p.batches, "channels": p.channels},
        )
        call = f"{BILINEAR_STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(BILINEAR_STEM,))


KERNELS: tuple[Kernel, ...] = (PortableResizeNearest(), PortableResizeBilinear())
