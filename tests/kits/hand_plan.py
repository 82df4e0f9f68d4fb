"""A plan made by hand, with kernels of its own: two layers, a constant, scratch, and a variable that adds up.

    t1 = input + BIAS            (operator 0, with scratch)
    state = state + t1; out = state   (operator 1; all int8, wrapping round)

It shows everything generated code can hold, and does not change when planner or kernels do.
"""

from __future__ import annotations

import hashlib
import zlib
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Buffer, Plan, PlannedLayer, QuantizedModel
from tinyedge.boards import Core
from tinyedge.graph.ir import DType, Graph, Operator, Quantization, Tensor
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly
from tinyedge.ops.contract import Layer

SIZE = 300
"""elements of every tensor: more than one chunk of the protocol"""
START = -3
"""zero point, and so the start value, of the variable"""
BIAS = (np.arange(SIZE) * 7 % 256 - 128).astype(np.int8)


class AddBias(Kernel):
    name = "test/add_bias"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(8, 64, SIZE)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return SIZE

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p = operands.prefix
        return Code(
            call=(f"{p}_add({operands.inputs[0]}, {operands.scratch}, {operands.outputs[0]});",),
            constants=(Constant(f"{p}_bias", "int8_t", BIAS, 4, "what is added"),),
            functions=(
                f"static void {p}_add(const int8_t *in, uint8_t *scratch, int8_t *out) {{\n"
                f"  for (int i = 0; i < {SIZE}; ++i) {{\n"
                f"    scratch[i] = (uint8_t)(in[i] + {p}_bias[i]);\n"
                f"  }}\n"
                f"  memcpy(out, scratch, {SIZE});\n"
                f"}}\n"
            ),
            includes=("string.h",),
        )


LAYER = word_offsets("te_add_up_layer", {"step": "", "count": "of elements"})


def add_up() -> Assembly:
    """Adds values to the state, and copies it."""
    asm = Assembly({"value": "r4", "sum": "r5", "left": "r12"}, LAYER)
    asm("push {r4, r5, lr}", f"ldr %left, [r0, #{LAYER['count']}]", f"ldr lr, [r0, #{LAYER['step']}]")
    asm.block("one", "an element")
    asm("1: ldrsb %value, [r1], #1", "ldrsb %sum, [r2]", "add %sum, %sum, %value", "strb %sum, [r2], #1")
    asm("strb %sum, [r3], #1", "subs %left, %left, lr", "bne 1b", "pop {r4, r5, pc}")
    return asm


class AddUp(Kernel):
    """In assembler on cores with the DSP extension, else in C."""

    name = "test/add_up"
    operators: ClassVar[tuple[str, ...]] = ("svdf",)
    alignment = 8

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(8, 64, 0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        value, state = operands.inputs
        if core.has_dsp:
            prototype = "void NAME(const uint32_t *layer, const int8_t *value, int8_t *state, int8_t *out)"
            function = add_up().shared("te_add_up", prototype, "state += value, out = state.\n\nr4 value, r5 sum")
            words = np.array(LAYER.words(step=1, count=SIZE), np.uint32)
            layer_words = Constant(f"{operands.prefix}_layer", "uint32_t", words)
            return Code(
                call=(f"{function.name}({layer_words.name}, {value}, {state}, {operands.outputs[0]});",),
                constants=(layer_words,),
                assembler=(function,),
            )
        return Code(
            call=(
                f"const int8_t *value = {value};",
                f"int8_t *sum = {state};",
                f"int8_t *out = {operands.outputs[0]};",
                f"for (int i = 0; i < {SIZE}; ++i) {{",
                "  sum[i] = (int8_t)(uint8_t)(sum[i] + value[i]);",
                "  out[i] = sum[i];",
                "}",
            )
        )


def hand_plan() -> Plan:
    quantization = Quantization((0.5,), (START,))

    def tensor(index: int, name: str, *, is_variable: bool = False) -> Tensor:
        return Tensor(index, name, (1, SIZE), DType.INT8, quantization, is_variable=is_variable)

    source, middle, out = tensor(0, "input"), tensor(1, "sum*/"), tensor(3, "out")
    state = tensor(2, "state", is_variable=True)
    operators = (Operator(0, "add", (0,), (1,)), Operator(1, "svdf", (1, 2), (3,)))
    graph = Graph("hand", {t.index: t for t in (source, middle, state, out)}, operators, (0,), (3,))
    scratch = Buffer("scratch of operator 0", None, 304, SIZE, 0, 0)
    layers = (
        _planned(Layer(operators[0], SimpleNamespace(), (source,), (middle,), SIZE), AddBias(), scratch),
        _planned(Layer(operators[1], SimpleNamespace(), (middle, state), (out,), 0), AddUp(), None),
    )
    buffers = (
        Buffer("input", 0, 0, SIZE, 0, 0),
        scratch,
        Buffer("sum*/", 1, 608, SIZE, 0, 1),
        Buffer("out", 3, 0, SIZE, 1, 1),
    )
    kept = (Buffer("state", 2, 0, SIZE, 0, 1),)
    return Plan(graph, layers, buffers, 912, 912, "balanced", kept, 304)


def _planned(layer: Layer, kernel: Kernel, scratch: Buffer | None) -> PlannedLayer:
    return PlannedLayer(layer, kernel, Cost(0, 0, 0), (), scratch)


def hand_model() -> QuantizedModel:
    data = b"a model made by hand"
    return QuantizedModel("hand", data, hashlib.sha256(data).hexdigest())


def selftest_input() -> npt.NDArray[np.int8]:
    """The input that te_model.h describes."""
    x, values = 1, []
    for _ in range(SIZE):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(x >> 24)
    return np.array(values, np.uint8).view(np.int8)


def reference(state: npt.NDArray[Any], value: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """(t1, new state, which is the output) of one inference."""
    middle = (value.astype(np.int64) + BIAS).astype(np.int8)
    return middle, (state.astype(np.int64) + middle).astype(np.int8)


def start_state() -> npt.NDArray[np.int8]:
    return np.full(SIZE, START, np.int8)


def selftest_crc() -> int:
    return zlib.crc32(reference(start_state(), selftest_input())[1].tobytes())
