"""1x1 conv_2d over the weights that are not 0: eight pixels at a time, a product of each with each such weight.

The pixels are transposed to a panel of eight int16 for each input channel. An output channel is a list of bytes, how
many channels further the next weight is and the weight; 0 ends it. A weight takes 14.5 instructions for 8 products.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import conv_4x2
from tinyedge.kernels.armv7em.conv_4x2_layout import input_bias
from tinyedge.kernels.common import storage
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.overlap import NEVER, least_offset
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, load_constant, requantize
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

PIXELS = 8
TAPS_AT_ONCE = 4
MOST_CHANNELS = 4095 // (PIXELS - 1)
"""so that a load or store reaches all pixels"""
FARTHEST = 255
FIXED_WORDS = 3
"""of an output channel: bias and two factors"""
LAYER_CODE_BYTES = 44
_CALL = Ticks(11, 16)
_SUMS = tuple(f"r{4 + pixel}" for pixel in range(PIXELS))
PROTOTYPE = "void NAME(const int8_t *input, const uint32_t *stream, int8_t *output, int16_t *panel)"
COMMENT = """\
All channels of eight pixels, by the weights that are not 0.

stream  for each output channel its bias and two factors; then for each bytes in pairs (input channels further, weight)
        and a 0
r4-r11 sums, r0 panel, r1 lists, r2, r3 pixels, r12 weight, lr biases; s0 panel, s1 outputs, s2 their end"""


class Form(NamedTuple):
    """What the code depends on: channels, the requantization's fraction (None: double), and the clamp."""

    inputs: int
    outputs: int
    fraction: int | None
    rectified: bool
    low: int
    high: int
    zero_point: int
    """0 unless the requantization is double"""


@cache
def _assembly(form: Form) -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}", "vmov s1, r2", f"add r2, r2, #{form.outputs}", "vmov s2, r2")
    asm(f"sub r2, r3, #{2 * PIXELS}", "vmov s0, r2", f"movw r12, #{form.inputs // TAPS_AT_ONCE}")
    _gather(asm, form.inputs)
    asm.block("start", "lr biases and factors, r1 lists")
    asm("mov lr, r1", f"movw r2, #{4 * FIXED_WORDS * form.outputs}", "add r1, r1, r2")
    asm.block("channel", "one output channel")
    asm("2: ldr r4, [lr], #4", "vmov r0, s0", *(f"mov {each}, r4" for each in _SUMS[1:]))
    asm.block("two weights")
    asm("3:")
    for _ in range(2):
        asm("ldrb r2, [r1], #1", "cbz r2, 4f", "add r0, r0, r2, lsl #4", "ldrsb r12, [r1], #1")
        for quad in (0, 4):
            asm(f"ldrd r2, r3, [r0, #{2 * quad}]")
            halves = zip(_SUMS[quad:], ("r2", "r2", "r3", "r3"), "btbt", strict=False)
            asm(*(f"smlab{half} {total}, r12, {word}, {total}" for total, word, half in halves))
    asm("b 3b")
    asm.block("outputs", "requantize, store")
    asm("4: ldrd r2, r3, [lr], #8")
    if form.fraction is None:
        load_constant(asm, "r12", form.zero_point)
        requantize(asm, _SUMS, "r2", "r3", "r12", rectified=form.rectified)
    else:
        asm(*(f"lsl {each}, {each}, #8" for each in _SUMS))
        asm(*(f"smmla {each}, {each}, r2, r3" for each in _SUMS))
        asm(*(f"ssat {each}, #8, {each}, asr #{form.fraction}" for each in _SUMS))
    clamp(asm, _SUMS, form.low, form.high)
    asm("vmov r2, s1", "vmov r3, s2", f"strb {_SUMS[0]}, [r2], #1")
    asm(*(f"strb {each}, [r2, #{at * form.outputs - 1}]" for at, each in enumerate(_SUMS) if at))
    asm("vmov s1, r2", "cmp r2, r3", "bne 2b")
    asm.block("end")
    asm("pop {r4-r11, pc}")
    return asm


def _gather(asm: Assembly, inputs: int) -> None:
    """r0 input, r3 panel, r12 turns."""
    asm.block("gather", "four channels of eight pixels to the panel")
    asm("1:")
    for pixel in range(0, PIXELS, 2):
        at = pixel * inputs
        asm(f"ldr r4, [r0, #{at}]", f"ldr r5, [r0, #{at + inputs}]", "sxtb16 r6, r4", "sxtb16 r7, r5")
        asm("sxtb16 r8, r4, ror #8", "sxtb16 r9, r5, ror #8", "pkhbt r4, r6, r7, lsl #16", "pkhtb r5, r7, r6, asr #16")
        asm("pkhbt r10, r8, r9, lsl #16", "pkhtb r11, r9, r8, asr #16")
        asm(*(f"str {word}, [r3, #{16 * tap + 2 * pixel}]" for tap, word in enumerate(("r4", "r10", "r5", "r11"))))
    asm("add r0, r0, #4", f"add r3, r3, #{2 * PIXELS * TAPS_AT_ONCE}", "subs r12, r12, #1", "bne 1b")


def _function(form: Form) -> AsmFunction:
    return _assembly(form).shared("te_conv_nonzeros", PROTOTYPE, COMMENT)


def _form(params: Conv2D) -> Form:
    chosen = conv_4x2.find_requantization(params)
    zero_point = params.output_zero_point if chosen.fraction is None else 0
    low, high = params.activation_min, params.activation_max
    return Form(params.input_channels, params.output_channels, chosen.fraction, chosen.rectified, low, high, zero_point)


def list_nonzeros(row: npt.NDArray[np.int8]) -> bytes:
    """The list of an output channel. A weight of 0 is in it where the next is too far away.

    >>> list_nonzeros(np.array([0, 5, 0, -1], np.int8)).hex()
    '020502ff00'
    """
    found, last = bytearray(), -1
    for at in np.flatnonzero(row).tolist():
        while at - last > FARTHEST:
            found += bytes((FARTHEST, 0))
            last += FARTHEST
        found += bytes((at - last, int(row[at]) & 0xFF))
        last = at
    return bytes(found) + b"\0"


@by_numbers
def pack_lists(params: Conv2D) -> tuple[bytes, ...]:
    """The list of each output channel."""
    return tuple(list_nonzeros(row) for row in params.weights.reshape(params.output_channels, -1))


class Conv2DNonzeros(Kernel):
    """1x1 int8 convolutions of single pixels, of which many weights are 0."""

    name = "armv7em/conv_2d_nonzeros"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        w, pixels = p.window, p.window.output_h * p.window.output_w
        if (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w) != (1, 1, 1, 1):
            return f"windows are {w.kernel_h}x{w.kernel_w} with strides of {w.stride_h}x{w.stride_w}, not 1x1"
        if pixels < PIXELS or (w.output_h, w.output_w) != (w.input_h, w.input_w):
            return f"{pixels} pixels are fewer than the {PIXELS} it computes at a time, or there is a border"
        if p.input_channels % TAPS_AT_ONCE or max(p.input_channels, p.output_channels) > MOST_CHANNELS:
            return (
                f"{p.input_channels} input channels are no multiple of {TAPS_AT_ONCE}, or channels are more than "
                f"{MOST_CHANNELS}"
            )
        at_least = 2 * int(np.count_nonzero(p.weights))
        return (
            storage.zeros_reason(p.weights, at_least, "lists of the others")
            or conv_4x2.shape_reason(layer, core)
            or storage.zeros_reason(p.weights, self._storage(p).stored_bytes, "lists of the others")
            or conv_4x2.requantization_reason(p)
        )

    def _storage(self, params: Conv2D) -> Storage:
        return Storage("nonzeros", sum(map(len, pack_lists(params))), params.weights.size)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        form = _form(p)
        asm = _assembly(form)
        channel = asm.ticks("channel") + asm.ticks("outputs") + Ticks(2, 5)  # the 0 that ends a list
        listed = (sum(map(len, pack_lists(p))) - p.output_channels) // 2
        block = asm.ticks("start") + p.input_channels // TAPS_AT_ONCE * asm.ticks("gather") + asm.ticks("end") + _CALL
        two, blocks = asm.ticks("two weights"), -(-p.window.output_h * p.window.output_w // PIXELS)
        block += p.output_channels * channel + Ticks(two.instructions * listed // 2, two.cycles * listed // 2)
        storage_ = self._storage(p)
        constants = storage_.stored_bytes + 4 * FIXED_WORDS * p.output_channels + 3
        shared = ((_function(form).name, asm.code_bytes),)
        ticks = blocks * block
        return Cost(ticks.cycles, LAYER_CODE_BYTES, constants, shared, storage_, instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return 2 * PIXELS * int(layer.params.input_channels)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Eight pixels are in the panel before their outputs are written; the last eight may overlap those before."""
        p: Conv2D = layer.params
        pixels = p.window.output_h * p.window.output_w
        starts = np.minimum(np.arange(0, pixels, PIXELS), pixels - PIXELS)
        unread = np.append(starts[1:] * p.input_channels, NEVER)
        return least_offset((starts + PIXELS) * p.output_channels, unread)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        function, name = _function(_form(p)), f"{operands.prefix}_weights"
        factors = conv_4x2.find_requantization(p).factors
        fixed = np.concatenate([input_bias(p).astype(np.int64)[:, None], factors], axis=1) & 0xFFFFFFFF
        lists = b"".join(pack_lists(p))
        stream = np.frombuffer(fixed.astype("<u4").tobytes() + lists + bytes(-len(lists) % 4), np.uint32)
        pixels = p.window.output_h * p.window.output_w
        place = f"at < {pixels - PIXELS} ? at : {pixels - PIXELS}"
        call = (
            f"for (int32_t at = 0; at < {pixels}; at += {PIXELS}) {{ const int32_t from = {place}; "
            f"{function.name}({operands.inputs[0]} + from * {p.input_channels}, {name}, "
            f"{operands.outputs[0]} + from * {p.output_channels}, (int16_t *)(void *){operands.scratch}); }}"
        )
        comment = f"weights {p.output_channels}x{p.input_channels} that are not 0, with biases and factors"
        constant = Constant(name, "uint32_t", stream, 4, comment)
        return Code(call=(call,), constants=(constant,), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (Conv2DNonzeros(),)
