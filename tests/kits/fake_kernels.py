"""Kernels that run anything, with costs, scratch and in-place offsets as a test wants them; they emit nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyedge.boards import Core, Isa
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops import OPERATORS
from tinyedge.ops.contract import Layer

CORE = Core("cortex-m4f", Isa.ARMV7EM, "fpv4-sp-d16")


class FakeKernel(Kernel):
    """Every figure is a constant or a function of the layer; `reason` refuses what it gives a text for."""

    def __init__(
        self,
        name: str = "test/any",
        *,
        operators: tuple[str, ...] = tuple(OPERATORS),
        reason: Callable[[Layer], str] = lambda layer: "",
        cost: Callable[[Layer], Cost] = lambda layer: Cost(layer.macs + 10, 100, 0),
        scratch: Callable[[Layer], int] = lambda layer: 0,
        in_place: Callable[[Layer], int | None] = lambda layer: None,
        alignment: int = 4,
        behind: int = 0,
    ) -> None:
        own: Any = self
        own.name, own.operators, own.alignment, self.behind = name, operators, alignment, behind
        self.answers = reason, cost, scratch, in_place

    def fits(self, layer: Layer, core: Core) -> str:
        return self.answers[0](layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        return self.answers[1](layer)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self.answers[2](layer)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return self.answers[3](layer)

    def reads_behind(self, layer: Layer, core: Core) -> int:
        return self.behind

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        raise AssertionError("plans emit nothing")
