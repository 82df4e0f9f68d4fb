"""conv_2d with Helium: two pixels by four output channels at a time, in two ways through the input and two sizes.

conv_2d_rows      windows are read row by row, in place or from the last rows of input kept with their border
conv_2d_columns   the windows of a row of pixels are gathered first: for kernels whose rows are short
..._looped        a loop over the rows of the kernel instead of all products in a line
"""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core, Isa
from tinyedge.kernels.armv81m.layout import (
    Layout,
    chunks_of,
    columns_layout,
    layout_in_place,
    pack_conv,
    rows_layout,
    rows_reason,
    tile_form,
)
from tinyedge.kernels.armv81m.tile import LANES, TileForm, emit_tile
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_mve"
DRIVER_BYTES = 480
PARAMS_BYTES = 48
LAYER_CODE_BYTES = 20
MOST_CHUNKS = 64
"""that are multiplied in a line: 2.6 KB of code"""

# Instructions of the driver, compiled at -O2.
_DRIVER_CALL = 60
_DRIVER_ROW = 30
_DRIVER_PIXEL = 8
_DRIVER_RUN = 7
_COPY_CALL = 14
_COPY_64_BYTES = 4


def helium_reason(layer: Layer, core: Core) -> str:
    """Why Helium kernels on int8 cannot run the layer on the core; empty when they can."""
    if core.isa is not Isa.ARMV81M:
        return f"`{core.name}` has no Helium instructions"
    return checks.int8_tensors(layer)


class Conv2DRows(Kernel):
    """int8 convolutions without groups whose windows are rows of words."""

    name = "armv81m/conv_2d_rows"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)
    looped: ClassVar[bool] = False

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        if p.groups != 1:
            return f"the convolution has {p.groups} groups"
        reason = (
            helium_reason(layer, core)
            or checks.one_image(layer, p.window.input_h * p.window.input_w * p.input_channels)
            or self._way_reason(p)
        )
        return reason or self._size_reason(p)

    def _way_reason(self, p: Conv2D) -> str:
        return rows_reason(p)

    def _layout(self, p: Conv2D) -> Layout:
        return rows_layout(p)

    def _form(self, p: Conv2D) -> TileForm:
        return tile_form(p, self._layout(p), looped=self.looped)

    def _size_reason(self, p: Conv2D) -> str:
        w, layout, form = p.window, self._layout(p), self._form(p)
        if reason := checks.window_sizes(w) or checks.sizes(
            (
                p.output_channels,
                layout.width,
                layout.pitch,
                layout.column_bytes,
                w.stride_w * p.input_channels,
                w.dilation_w * p.input_channels,
                w.input_w * p.input_channels,
                w.pad_left * p.input_channels,
            )
        ):
            return reason
        if self.looped and form.runs == 1 and not form.in_turns:
            return "there is nothing to loop over"
        in_line = form.chunks if self.looped and not form.in_turns else 0 if self.looped else form.runs * form.chunks
        return f"{in_line} vectors are more than the {MOST_CHUNKS} it has in a line" if in_line > MOST_CHUNKS else ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        layout, form = self._layout(p), self._form(p)
        tile = emit_tile(form)
        stream = form.groups * form.tile_channels * (form.runs * form.chunks * LANES + 4 * form.requantization.vectors)
        shared = ((STEM, DRIVER_BYTES), (tile.function.name, tile.code_bytes))
        count = conv_instructions(p, layout, form)
        return Cost(count, LAYER_CODE_BYTES, stream + PARAMS_BYTES, shared, instructions=count)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self._layout(layer.params).scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        p: Conv2D = layer.params
        return layout_in_place(p, self._layout(p), self._form(p))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        layout, form, prefix = self._layout(p), self._form(p), operands.prefix
        function = emit_tile(form).function
        shape = "x".join(str(size) for size in p.weights.shape)
        comment = f"weights {shape}, {form.tile_channels} channels at a time: products, biases, multipliers, shifts"
        scratch = operands.scratch or "NULL"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {scratch});",),
            constants=(Constant(f"{prefix}_weights", "int8_t", pack_conv(p, layout, form), 4, comment),),
            functions=_params_text(p, layout, form, prefix, function.name),
            runtime=(STEM,),
            includes=("stddef.h",),
            assembler=(function,),
        )


class Conv2DRowsLooped(Conv2DRows):
    """The same in less code."""

    name = "armv81m/conv_2d_rows_looped"
    looped = True


class Conv2DColumns(Conv2DRows):
    """Any int8 convolution without groups."""

    name = "armv81m/conv_2d_columns"

    def _way_reason(self, p: Conv2D) -> str:
        return ""

    def _layout(self, p: Conv2D) -> Layout:
        return columns_layout(p)


class Conv2DColumnsLooped(Conv2DColumns):
    """The same in less code."""

    name = "armv81m/conv_2d_columns_looped"
    looped = True


def conv_instructions(p: Conv2D, layout: Layout, form: TileForm) -> int:
    """What one run of a layer takes, from the blocks of its function and how often each is executed."""
    w, tile = p.window, emit_tile(form)
    whole = layout.width // form.pixels
    row = _DRIVER_ROW + tile.instructions(form.groups, whole)
    if layout.width % form.pixels:
        row += tile.instructions(form.groups, 1)
    if layout.window_rows:
        kept = max(layout.window_rows - w.stride_h, 0)
        row += 2 * _COPY_CALL + _COPY_64_BYTES * (kept * layout.pitch) // 64
        by_words = (w.input_w * p.input_channels) % 4 == 0 == w.pad_left * p.input_channels % 4
        copied = (layout.window_rows - kept) * w.input_w * p.input_channels
        row += (layout.window_rows - kept) * _COPY_CALL + (_COPY_64_BYTES if by_words else 16) * copied // 64
    if layout.column_bytes:
        runs = w.kernel_h * layout.runs
        row += layout.width * (_DRIVER_PIXEL + runs * _DRIVER_RUN * chunks_of(layout.run_bytes))
    return _DRIVER_CALL + layout.rows * row


def _params_text(p: Conv2D, layout: Layout, form: TileForm, prefix: str, function: str) -> str:
    w, channels = p.window, p.input_channels
    return params_struct(
        "te_conv_mve_params",
        f"{prefix}_params",
        {
            "run": function,
            "weights": f"{prefix}_weights",
            "rows": layout.rows,
            "width": layout.width,
            "tile_pixels": form.pixels,
            "step": form.step,
            "output_channels": p.output_channels,
            "input_rows": w.input_h,
            "row_bytes": w.input_w * channels,
            "stride_h": w.stride_h,
            "pad_top": w.pad_top,
            "window_rows": layout.window_rows,
            "pitch": layout.pitch,
            "left_bytes": w.pad_left * channels,
            "window_bytes": layout.window_bytes,
            "column_bytes": layout.column_bytes,
            "kernel_rows": w.kernel_h,
            "kernel_row_bytes": w.dilation_h * layout.pitch,
            "runs": layout.runs,
            "run_bytes": layout.run_bytes,
            "run_step": w.dilation_w * channels,
            "pixel_step": w.stride_w * channels,
            "input_zero_point": p.input_zero_point,
        },
    )


KERNELS: tuple[Kernel, ...] = (Conv2DRows(), Conv2DRowsLooped(), Conv2DColumns(), Conv2DColumnsLooped())
