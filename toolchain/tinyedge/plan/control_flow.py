"""Loops and branches as kernels: each has a plan of what it runs, whose arena is its scratch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinyedge.artifacts import Plan, PlanUnit
from tinyedge.boards import Core
from tinyedge.graph.ir import Array, Graph, Tensor
from tinyedge.kernels import CONTROL_FLOW
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.portable.reshape import STEM as COPY_STEM
from tinyedge.ops.contract import Layer
from tinyedge.ops.control_flow import If, While
from tinyedge.plan.regions import body_region, branch_region, condition_region

ASSUMED_ROUNDS = 16
"""of a loop that the data ends"""
CODE_BYTES = 40
CYCLES_PER_ROUND = 12
COPY_CODE_BYTES = 16
COPY_CYCLES_PER_BYTE = 1


def control_kernels(layer: Layer, plan_inner: Callable[[Graph], Plan]) -> tuple[Kernel, ...]:
    """The kernel of a loop or a branch; none for another layer."""
    if isinstance(layer.params, While):
        return (_loop(layer.params, plan_inner),)
    if isinstance(layer.params, If):
        return (_branch(layer.params, plan_inner),)
    return ()


# -- code ------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Text:
    """The code of a loop or branch while it is put together."""

    operands: Operands
    core: Core
    lines: list[str] = field(default_factory=list)
    parts: list[Code] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    headers: set[str] = field(default_factory=lambda: {"stdbool.h"})

    def run(self, plan: Plan, places: Mapping[int, str], indent: str, prefix: str) -> None:
        """The layers of a plan. `places` are the C expressions for borrowed tensors."""
        for number, planned in enumerate(plan.units):
            code = planned.kernel.emit(planned.layer, self.core, self._operands(plan, planned, places, prefix, number))
            self.parts.append(code)
            self.lines.append(f"{indent}{{ /* {planned.layer.name}: {planned.kernel.name} */")
            self.lines += [f"{indent}  {line}" for line in code.call]
            self.lines.append(f"{indent}}}")

    def _operands(self, plan: Plan, planned: PlanUnit, places: Mapping[int, str], prefix: str, number: int) -> Operands:
        layer = planned.layer
        return Operands(
            inputs=tuple(
                self.place(plan, tensor, places, const=tensor not in layer.outputs) for tensor in layer.inputs
            ),
            outputs=tuple(self.place(plan, tensor, places) for tensor in layer.outputs),
            scratch=f"({self._address(planned.scratch.offset)})" if planned.scratch else "",
            prefix=f"{self.operands.prefix}_{prefix}{number:02d}",
        )

    def place(self, plan: Plan, tensor: Tensor, places: Mapping[int, str], *, const: bool = False) -> str:
        """The C expression for a tensor of a plan."""
        if tensor.index in places:
            return places[tensor.index]
        return f"({'const ' * const}{tensor.dtype.c_name} *)({self._address(plan.buffer_of(tensor.index).offset)})"

    def _address(self, offset: int) -> str:
        return f"{self.operands.scratch} + {offset}"

    def known(self, values: Array, name: str) -> str:
        """The C expression for a constant."""
        flat = np.ascontiguousarray(values).reshape(-1)
        name = f"{self.operands.prefix}_{name}"
        ctype = "uint8_t" if flat.dtype == np.bool_ else f"{flat.dtype.name}_t"
        stored = flat.astype(np.uint8) if flat.dtype == np.bool_ else flat
        self.constants.append(Constant(name, ctype, stored, 4, "an operand"))
        return f"((const bool *){name})" if flat.dtype == np.bool_ else name

    def begin(self, target: str, source: str | Array, name: str, size: int) -> None:
        """Give what a loop changes its first value."""
        if not isinstance(source, str):
            stored = np.frombuffer(np.ascontiguousarray(source).tobytes(), np.uint8)
            if not np.any(stored != stored[0]):
                self.headers.add("string.h")
                self.lines.append(f"memset({target}, {stored[0]}, {size});")
                return
            source = self.known(source, name)
        self.lines.append(f"te_copy({target}, {source}, {size});")

    def code(self) -> Code:
        """All of it."""
        functions = [part.functions.strip("\n") for part in self.parts if part.functions]
        return Code(
            call=tuple(self.lines),
            constants=(*self.constants, *(constant for part in self.parts for constant in part.constants)),
            functions="\n\n".join(functions),
            runtime=tuple(sorted({COPY_STEM, *(stem for part in self.parts for stem in part.runtime)})),
            includes=tuple(sorted({*self.headers, *(name for part in self.parts for name in part.includes)})),
            shared=tuple({shared.name: shared for part in self.parts for shared in part.shared}.values()),
            assembler=tuple({made.name: made for part in self.parts for made in part.assembler}.values()),
        )


def _given(operands: Sequence[Array | None], computed: Iterator[str]) -> list[str | Array]:
    """The operands: C expressions, and constants."""
    return [next(computed) if value is None else value for value in operands]


# -- cost ------------------------------------------------------------------------------------------------------------


def _cycles(plan: Plan) -> int:
    return sum(planned.cost.cycles for planned in plan.layers)


def _flash(plans: Sequence[Plan], cycles: int, copies: int) -> Cost:
    """The cost of several plans together."""
    costs = [planned.cost for plan in plans for planned in plan.layers]
    return Cost(
        cycles,
        sum(cost.code_bytes for cost in costs) + CODE_BYTES + COPY_CODE_BYTES * copies,
        sum(cost.constant_bytes for cost in costs),
        tuple({name: size for cost in costs for name, size in cost.shared_code}.items()),
    )


def _alignment(plans: Sequence[Plan]) -> int:
    return max((4, *(plan.alignment for plan in plans)))


def _reads_behind(plans: Sequence[Plan]) -> int:
    return max((unit.reads_behind for plan in plans for unit in plan.units), default=0)


# -- kernels ---------------------------------------------------------------------------------------------------------


def _loop(params: While, plan_inner: Callable[[Graph], Plan]) -> Kernel:
    """Operands are copied to where the results are, and change there; what only is read stays where it is."""
    condition, body = plan_inner(condition_region(params.condition.graph)), plan_inner(body_region(params.body.graph))
    changed = len(params.body.graph.outputs)
    sizes = [tensor.bytes for tensor in params.body.graph.input_tensors()[:changed]]

    class Loop(Kernel):
        name = CONTROL_FLOW["while"]
        operators = ("while",)
        alignment = _alignment((condition, body))

        def fits(self, layer: Layer, core: Core) -> str:
            return ""

        def cost(self, layer: Layer, core: Core) -> Cost:
            rounds = ASSUMED_ROUNDS if params.rounds is None else params.rounds
            cycles = rounds * (_cycles(condition) + _cycles(body) + CYCLES_PER_ROUND) + _cycles(condition)
            return _flash((condition, body), cycles + COPY_CYCLES_PER_BYTE * sum(sizes), changed)

        def scratch_bytes(self, layer: Layer, core: Core) -> int:
            return max(condition.arena_bytes, body.arena_bytes)

        def reads_behind(self, layer: Layer, core: Core) -> int:
            return _reads_behind((condition, body))

        def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
            text = _Text(operands, core)
            given = _given(params.operands, iter(operands.inputs))
            for at, (target, source) in enumerate(zip(operands.outputs, given, strict=False)):
                text.begin(target, source, f"start{at}", sizes[at])
            placed = list(operands.outputs)
            for at, source in enumerate(given[changed:], start=changed):
                placed.append(source if isinstance(source, str) else text.known(source, f"operand{at}"))
            text.lines.append("for (;;) {")
            text.run(condition, dict(zip(params.condition.graph.inputs, placed, strict=True)), "  ", "test")
            text.lines += [f"  if (!{self._holds(text, placed)}) {{", "    break;", "  }"]
            text.run(body, dict(zip(params.body.graph.inputs, placed, strict=True)), "  ", "body")
            text.lines.append("}")
            return text.code()

        def _holds(self, text: _Text, placed: Sequence[str]) -> str:
            """The C expression for whether the condition holds."""
            (tensor,) = params.condition.graph.output_tensors()
            if tensor.data is not None:
                return "true" if tensor.data.reshape(-1)[0] else "false"
            places = dict(zip(params.condition.graph.inputs, placed, strict=True))
            return f"*{text.place(condition, tensor, places, const=True)}"

    return Loop()


def _branch(params: If, plan_inner: Callable[[Graph], Plan]) -> Kernel:
    """Branches read the operands where they are and leave the results where these are; one that never runs is none."""
    graphs = [params.then.graph, params.otherwise.graph]
    if params.known is not None:
        graphs = graphs[:1] if params.known else graphs[1:]
    regions = [branch_region(graph) for graph in graphs]
    plans = [plan_inner(region) for region, _ in regions]

    class Branch(Kernel):
        name = CONTROL_FLOW["if"]
        operators = ("if",)
        alignment = _alignment(plans)

        def fits(self, layer: Layer, core: Core) -> str:
            return ""

        def cost(self, layer: Layer, core: Core) -> Cost:
            return _flash(plans, max(map(_cycles, plans)) + CYCLES_PER_ROUND, 0)

        def scratch_bytes(self, layer: Layer, core: Core) -> int:
            return max(plan.arena_bytes for plan in plans)

        def reads_behind(self, layer: Layer, core: Core) -> int:
            return _reads_behind(plans)

        def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
            text = _Text(operands, core)
            computed = iter(operands.inputs)
            opening = f"if (*{next(computed)}) {{" if params.known is None else "{"
            placed = [
                source if isinstance(source, str) else text.known(source, f"operand{at}")
                for at, source in enumerate(_given(params.operands, computed))
            ]
            for at, (graph, plan, (_, targets)) in enumerate(zip(graphs, plans, regions, strict=True)):
                text.lines.append("} else {" if at else opening)
                places = dict(zip((*graph.inputs, *targets), (*placed, *operands.outputs), strict=True))
                text.run(plan, places, "  ", f"branch{at}_")
            text.lines.append("}")
            return text.code()

    return Branch()
