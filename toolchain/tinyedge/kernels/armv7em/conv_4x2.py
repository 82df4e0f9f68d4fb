"""conv_2d, four output channels by two pixels at a time, int8 weights two channels to a word: in three sizes.

conv_2d_4x2           loops over taps, eight steps a turn; linear requantization where that is exact
conv_2d_4x2_compact   two steps a turn, always double requantization: one function serves all layers of a model
conv_2d_4x2_unrolled  all taps in a line: a function for each number of taps
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em.conv_4x2_layout import (
    CHANNELS,
    Layout,
    find_layout,
    groups_of_channels,
    input_bias,
    layout_in_place,
    mixes_exactly,
    pack_weights,
)
from tinyedge.kernels.armv7em.conv_4x2_row import RowForm, emit_row
from tinyedge.kernels.armv7em.conv_4x2_unpack import UNPACKS, WeightForm
from tinyedge.kernels.armv7em.conv_requantize import SUM_LIMIT, Requantization, double_form, double_reason, linear_form
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.sums import Sums, find_sums
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.kernels.thumb.assembly import Ticks, issues_pairs
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_4x2"
DRIVER_BYTES = 410
PARAMS_BYTES = 56
LAYER_CODE_BYTES = 20
MOST_UNROLLED_STEPS = 64
"""3 KB of code"""

# The driver, compiled at -O2.
_DRIVER_CALL = Ticks(80, 120)
_DRIVER_ROW = Ticks(45, 65)
_DRIVER_SEGMENT = Ticks(8, 12)
_RING_ROW = Ticks(40, 60)
_RING_BYTES_A_TICK = 2


@by_numbers
def layer_sums(params: Conv2D) -> Sums:
    """What the sums of a layer can be."""
    return find_sums(params.weights, input_bias(params))


@by_numbers
def _linear(params: Conv2D) -> Requantization | None:
    return linear_form(params, layer_sums(params))


def find_requantization(params: Conv2D) -> Requantization:
    """The linear form where it is exact, else the double form; only where `requantization_reason` is empty."""
    return _linear(params) or double_form(params)


def requantization_reason(params: Conv2D) -> str:
    """Why neither form of requantization serves a layer; empty when one does."""
    largest = layer_sums(params).largest
    if largest >= SUM_LIMIT:
        return f"sums reach {largest:,}, they are kept apart up to {SUM_LIMIT - 1:,}"
    return "" if _linear(params) is not None else double_reason(params)


def core_reason(core: Core) -> str:
    """Why functions like these cannot run on a core; empty when they can."""
    if core.has_dsp and core.fpu:
        return ""
    return "the core lacks the DSP extension, or floating point registers to keep pointers in"


def shape_reason(layer: Layer, core: Core) -> str:
    """Why this way cannot run the layer on the core, whatever its numbers; empty when it can."""
    p: Conv2D = layer.params
    if p.groups != 1:
        return f"the convolution has {p.groups} groups"
    if p.output_channels < CHANNELS:
        return f"{p.output_channels} output channels are fewer than the {CHANNELS} it computes at a time"
    layout, w = find_layout(p), p.window
    return (
        core_reason(core)
        or checks.int8_tensors(layer)
        or checks.one_image(layer, w.input_h * w.input_w * p.input_channels)
        or checks.window_sizes(w)
        or checks.sizes(
            (
                p.output_channels,
                w.input_w * p.input_channels,
                w.stride_w * p.input_channels,
                w.dilation_w * p.input_channels,
                layout.width,
                layout.ring_pitch,
                layout.segment_words,
            )
        )
        or _byte_sizes(w.stride_h, w.dilation_h, w.pad_top, layout.ring_rows)
    )


def _byte_sizes(*values: int) -> str:
    largest = max(values)
    return f"{largest} rows are more than the 255 it counts to" if largest > 255 else ""


class Conv2D4x2(Kernel):
    """int8 convolutions without groups, of four or more output channels."""

    name = "armv7em/conv_2d_4x2"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        return shape_reason(layer, core) or requantization_reason(p) or self._weights_reason(p)

    weights: ClassVar[WeightForm] = "int8"
    """how they lie in the stream"""

    def _requantization(self, params: Conv2D) -> Requantization:
        return find_requantization(params)

    def _weights_reason(self, params: Conv2D) -> str:
        """Why the stream cannot hold the weights; empty when it can."""
        return "" if mixes_exactly(params) else "a weight of -128 shares a word with a negative one"

    def _pack(self, params: Conv2D, layout: Layout) -> npt.NDArray[np.uint32]:
        return pack_weights(params, layout, self._requantization(params))

    def _storage(self, params: Conv2D) -> Storage | None:
        """How the weights lie in flash, where that is not as they are."""
        return None

    def _form(self, params: Conv2D) -> RowForm:
        return self._row_form(params, unroll=8)

    def _form_on(self, core: Core, params: Conv2D) -> RowForm:
        paired = issues_pairs(core) and True in UNPACKS[self.weights].counts
        return dataclasses.replace(self._form(params), paired=paired)

    def _row_form(self, params: Conv2D, *, unroll: int = 0, steps: int = 0) -> RowForm:
        chosen = self._requantization(params)
        low, high = params.activation_min, params.activation_max
        return RowForm(unroll, steps, chosen.fraction, chosen.rectified, low, high, weights=self.weights)

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        layout = find_layout(params)
        function, _, code_bytes = emit_row(self._form_on(core, params))
        groups = len(groups_of_channels(params.output_channels))
        constants = 4 * groups * UNPACKS[self.weights].group_words(layout.steps) + PARAMS_BYTES
        shared = ((STEM, DRIVER_BYTES), (function.name, code_bytes))
        ticks = layer_ticks(params, self._form(params))
        return Cost(
            ticks.cycles, LAYER_CODE_BYTES, constants, shared, self._storage(params), instructions=ticks.instructions
        )

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return find_layout(layer.params).scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return layout_in_place(layer.params, find_layout(layer.params))

    def reads_behind(self, layer: Layer, core: Core) -> int:
        return find_layout(layer.params).reads_behind

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        params: Conv2D = layer.params
        layout, prefix = find_layout(params), operands.prefix
        function, _, _ = emit_row(self._form_on(core, params))
        stream = self._pack(params, layout)
        shape = "x".join(str(size) for size in params.weights.shape)
        mixed = {"int8": "two channels a word", "int4": "four channels a word", "int2": "four channels a byte"}
        members = params_members(params, layout, function.name, f"(const uint8_t *){prefix}_weights", self.weights)
        comment = f"weights {shape}, four channels at a time: biases, {mixed[self.weights]}, two factors each"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(Constant(f"{prefix}_weights", "uint32_t", stream, 4, comment),),
            functions=params_struct("te_conv_4x2_params", f"{prefix}_params", members),
            runtime=(STEM,),
            assembler=(function,),
        )


class Conv2D4x2Compact(Conv2D4x2):
    """The same with one small function for all layers that clamp alike."""

    name = "armv7em/conv_2d_4x2_compact"

    def fits(self, layer: Layer, core: Core) -> str:
        return super().fits(layer, core) or double_reason(layer.params)

    def _requantization(self, params: Conv2D) -> Requantization:
        return double_form(params)

    def _form(self, params: Conv2D) -> RowForm:
        return RowForm(2, 0, None, False, params.activation_min, params.activation_max, weights=self.weights)


class Conv2D4x2Unrolled(Conv2D4x2):
    """The same with all taps in a line; layers with equally many of them share a function."""

    name = "armv7em/conv_2d_4x2_unrolled"

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := super().fits(layer, core):
            return reason
        steps = find_layout(layer.params).steps
        too_many = f"{2 * steps} taps are more than the {2 * MOST_UNROLLED_STEPS} it unrolls"
        return too_many if steps > MOST_UNROLLED_STEPS else ""

    def _form(self, params: Conv2D) -> RowForm:
        return self._row_form(params, steps=find_layout(params).steps)


def layer_ticks(params: Conv2D, form: RowForm, groups: int | None = None) -> Ticks:
    """What one run of a layer takes, from the blocks of its function and how often each is executed.

    groups  of four channels, if not all
    """
    layout = find_layout(params)
    _, ticks, _ = emit_row(form)
    groups = groups or len(groups_of_channels(params.output_channels))
    turns = -(-layout.steps // form.unroll) if form.unroll else 0
    group = ticks.group + layout.steps // UNPACKS[form.weights].steps * ticks.steps + turns * ticks.turn
    segment = ticks.segment + layout.segment_words % 2 * ticks.odd_word + layout.segment_words // 2 * ticks.two_words
    pair = ticks.pair + layout.segments * segment + groups * group
    calls = (layout.width > 1) + layout.width % 2
    row = _DRIVER_ROW + layout.segments * _DRIVER_SEGMENT + calls * ticks.call + -(-layout.width // 2) * pair
    total = _DRIVER_CALL + layout.rows * row
    if layout.ring_rows:
        copied = params.window.input_w * params.input_channels // _RING_BYTES_A_TICK
        total += min(params.window.input_h, layout.rows * layout.ring_rows) * (_RING_ROW + Ticks(copied, copied))
    return total


def params_members(params: Conv2D, layout: Layout, function: str, weights: str, form: WeightForm) -> dict[str, Value]:
    """The members of te_conv_4x2_params for a stream of some form, which `weights` points to."""
    w, channels = params.window, params.input_channels
    group_bytes = 4 * UNPACKS[form].group_words(layout.steps)
    return {
        "run": function,
        "weights": weights,
        "weights_bytes": group_bytes * len(groups_of_channels(params.output_channels)),
        "group_bytes": group_bytes,
        "rows": layout.rows,
        "width": layout.width,
        "output_channels": params.output_channels,
        "input_rows": w.input_h,
        "row_bytes": w.input_w * channels,
        "step": w.stride_w * channels,
        "kernel_rows": w.kernel_h,
        "segments_per_row": layout.segments_per_row,
        "segment_words": layout.segment_words,
        "tap_bytes": w.dilation_w * channels,
        "stride_h": w.stride_h,
        "dilation_h": w.dilation_h,
        "pad_top": w.pad_top,
        "ring_rows": layout.ring_rows,
        "ring_pitch": layout.ring_pitch,
        "ring_left": w.pad_left * channels,
        "input_zero_point": params.input_zero_point,
        "output_zero_point": params.output_zero_point,
    }


KERNELS: tuple[Kernel, ...] = (Conv2D4x2(), Conv2D4x2Compact(), Conv2D4x2Unrolled())
