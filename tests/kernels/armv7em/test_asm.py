"""The emitter of assembler: its text, its counts, and the identities of requantization in exact integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.kernel_checks import M4
from kits.kernel_layers import Rng
from ops.lookup import lookup_layer
from tinyedge.arithmetic.quantization import requantize
from tinyedge.boards import Core
from tinyedge.kernels.contract import Code, Cost, Kernel, Offsets, Operands, word_offsets
from tinyedge.kernels.thumb.assembly import (
    Assembly,
    Ticks,
    clamp,
    count_ticks,
    doubled_multiplier,
    load_constant,
    negated_divisor,
)
from tinyedge.ops.contract import Layer
from tinyedge.timing.cortex_m4 import CortexM4


def loop() -> Assembly:
    asm = Assembly({"sum": "r4", "x": "r2"})
    asm.block("begin")
    asm("push {r4-r6, lr}")
    asm.block("loop", "a product")
    asm("1: ldr %x, [r0], #4", "ldr r3, [r1], #4", "smlad %sum, %x, r3, %sum", "subs r5, r5, #1", "bne 1b")
    return asm


def test_text_names_registers_and_keeps_comments() -> None:
    function = loop().function("te_dot", "void te_dot(void)", "Two lines\nof comment.\n")
    assert function.comment == "Two lines\nof comment."
    assert function.lines == (
        "        push {r4-r6, lr}",
        "        /* a product */",
        "1:      ldr r2, [r0], #4",
        "        ldr r3, [r1], #4",
        "        smlad r4, r2, r3, r4",
        "        subs r5, r5, #1",
        "        bne 1b",
    )


def test_unknown_registers_are_an_error() -> None:
    with pytest.raises(KeyError):
        loop()("mov %other, r0")


ROW = Offsets("te_row", {"input": 0, "count": 160}, header="te_row.h")


def test_members_are_named_and_count_as_numbers() -> None:
    named, plain = Assembly({}, ROW), Assembly({})
    named(f"ldr r1, [r0, #{ROW['input']}]", f"ldr r2, [r0, #{ROW['count']}]", f"ldr r3, [r0, #({ROW['input']} + 8)]")
    plain("ldr r1, [r0, #0]", "ldr r2, [r0, #160]", "ldr r3, [r0, #8]")
    function = named.function("te_f", "void te_f(void)", "Loads.")
    assert [line.strip() for line in function.lines] == [
        "ldr r1, [r0, #TE_ROW_INPUT]",
        "ldr r2, [r0, #TE_ROW_COUNT]",
        "ldr r3, [r0, #(TE_ROW_INPUT + 8)]",
    ]
    assert function.offsets == (ROW,)
    assert named.code_bytes == plain.code_bytes == 2 + 4 + 2
    assert named.ticks("start") == plain.ticks("start")


def test_a_member_that_moves_gives_another_name() -> None:
    """Models of two versions in one product must not take each other's functions."""
    names = []
    for offset in (4, 8, 8):
        row = Offsets("te_row", {"count": offset})
        asm = Assembly({}, row)
        asm(f"ldr r1, [r0, #{row['count']}]")
        names.append(asm.shared("te_f", "void NAME(void)", "").name)
    assert names[0] != names[1] == names[2]


def test_members_of_no_struct_are_an_error() -> None:
    with pytest.raises(AssertionError, match="`te_row` has no `output`"):
        ROW["output"]
    with pytest.raises(KeyError):
        Assembly({})(f"ldr r1, [r0, #{ROW['input']}]")
    with pytest.raises(AssertionError, match="count"):
        word_offsets("te_words", {"input": "", "count": ""}).words(input=1)


def test_shared_functions_have_the_name_of_their_content() -> None:
    one, same, other = loop(), loop(), loop()
    other("nop")
    names = [asm.shared("te_dot", "void NAME(void)", "dot").name for asm in (one, same, other)]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("te_dot_")


def test_ticks_of_blocks() -> None:
    asm = loop()
    assert asm.ticks("begin") == Ticks(1, 5)
    assert asm.ticks("loop") == Ticks(5, 2 + 1 + 1 + 1 + 3)
    assert asm.has("loop")
    assert not asm.has("end")


@pytest.mark.parametrize(
    ("line", "cycles"),
    [
        ("ldrd r0, r1, [r2], #8", 3),
        ("ldm r0!, {r1, r3-r6}", 6),
        ("strb r0, [r1], #1", 1),
        ("pop {r4, pc}", 5),
        ("b 10b", 3),
        ("beq 10f", 1),
        ("bic r0, r0, r1, lsr #8", 1),
        ("movt r0, #1", 1),
        ("vmov r0, s0", 1),
    ],
)
def test_cycles_of(line: str, cycles: int) -> None:
    assert count_ticks([line], CortexM4()) == Ticks(1, cycles)


def test_requantization_in_exact_integers() -> None:
    """What SMMLAR, ADD and SMMLSR compute, against the reference, ties and ends of all ranges among the values."""
    rng = np.random.default_rng(3)
    for exponent in range(1, 32):
        for multiplier in (1 << 30, (1 << 31) - 1, int(rng.integers(1 << 30, 1 << 31)), 513 << 21):
            wide = rng.integers(-(1 << 31), 1 << 31, 2000)
            near = rng.integers(-(1 << min(30, exponent + 9)), 1 << min(30, exponent + 9), 2000)
            ties = np.clip(np.arange(-500, 500, dtype=np.int64) << (exponent - 1), -(1 << 31), (1 << 31) - 1)
            sums = np.concatenate([wide, near, ties])
            zero_point = int(rng.integers(-128, 128))
            high = ((sums << 32) + sums * doubled_multiplier(multiplier) + (1 << 31)) >> 32
            for rectified in (False, True):
                q = high if rectified else high + (high >> 31)
                result = ((zero_point << 32) - q * negated_divisor(exponent) + (1 << 31)) >> 32
                low = zero_point if rectified else -128
                expected = requantize(sums, multiplier, -exponent, zero_point, low, 127)
                assert np.array_equal(np.clip(result, low, 127), expected)


class Clamp(Kernel):
    """A kernel for the test: adds a 32-bit constant that cancels out, and clamps bytes."""

    name = "test/clamp"
    operators = ("relu",)

    def __init__(self, constant: int, low: int, high: int) -> None:
        self.constant, self.low, self.high = constant, low, high

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(0, 0, 0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        asm = Assembly({"value": "r3"})
        asm("push {r4, lr}", "1: ldrsb %value, [r0], #1")
        load_constant(asm, "r4", self.constant)
        asm("add %value, %value, r4")
        load_constant(asm, "r4", -self.constant)
        asm("add %value, %value, r4")
        clamp(asm, ["%value"], self.low, self.high)
        asm("strb %value, [r1], #1", "subs r2, r2, #1", "bne 1b", "pop {r4, pc}")
        function = asm.shared("te_test", "void NAME(const int8_t *from, int8_t *to, int32_t count)", "Test.")
        call = f"{function.name}({operands.inputs[0]}, {operands.outputs[0]}, {layer.params.elements});"
        return Code(call=(call,), assembler=(function,))


def clamping_layer(rng: Rng, low: int, high: int) -> Layer:
    layer = lookup_layer(rng, elements=256)
    layer.params.table[:] = np.clip(np.arange(-128, 128), low, high)
    return layer


@pytest.mark.parametrize(("low", "high"), [(-128, 127), (-5, 127), (-128, 6), (-100, -99), (0, 0)])
def test_emitted_constants_and_clamps(low: int, high: int, compiler: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    constants = (0, 1, -1, -256, -257, 65535, 65536, 0x12345678, -(1 << 31))
    cases = [make_case(clamping_layer(rng, low, high), Clamp(constant, low, high), M4) for constant in constants]
    check_exact(cases, CoreRunner(tmp_path, M4, compiler), rng)
