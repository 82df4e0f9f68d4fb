"""What layers share in the model's C: written once, where the first of them stands."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest

from kits.hand_plan import hand_model, hand_plan
from tinyedge.boards import CORES, Core
from tinyedge.errors import InternalError
from tinyedge.generate.aot import generate_aot
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands, SharedFunction
from tinyedge.ops.contract import Layer

DEFINED = "static void te_both(void) {}"


class Sharing(Kernel):
    """Calls a function in C that other layers call too."""

    name = "test/sharing"
    operators: ClassVar[tuple[str, ...]] = ("add", "svdf")

    def __init__(self, text: str) -> None:
        self.text = text

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(0, 0, 0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        own = f"static const int {operands.prefix}_own = 1;\n"
        return Code(call=("te_both();",), functions=own, shared=(SharedFunction("te_both", self.text),))


def model_c(*texts: str) -> str:
    plan = hand_plan()
    layers = [dataclasses.replace(layer, kernel=Sharing(text)) for layer, text in zip(plan.layers, texts, strict=True)]
    made = generate_aot(
        dataclasses.replace(plan, layers=tuple(layers)), hand_model(), CORES["cortex-m4f"], selftest_crc=0
    )
    return made.files["model/hand.c"].decode()


def test_what_layers_share_stands_at_the_first_of_them() -> None:
    text = model_c(f"{DEFINED}\n", f"{DEFINED}\n")
    assert text.count(DEFINED) == 1
    marks = ("/* Step 0: ", DEFINED, "hand_l00_own", "hand_run_00_add", "/* Step 1: ", "hand_l01_own")
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_two_that_differ_under_one_name_are_an_error() -> None:
    with pytest.raises(InternalError, match="two functions that layers share have the name `te_both`"):
        model_c(DEFINED, f"{DEFINED} /* other */")
