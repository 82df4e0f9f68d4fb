"""What of a firmware's flash hangs on the model: constants are known to the byte, code by what was built."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.artifacts import Plan, PlanUnit
from tinyedge.cost.rates import FlashRates
from tinyedge.graph.ir import Tensor
from tinyedge.kernels.contract import Cost
from tinyedge.plan.stream_kernel import StreamKernel

_DIGEST = re.compile(r"(te_.*)_[0-9a-f]{8}")
"""the name of a function in assembler, which its content decides"""
_UNKNOWN = {"units": 20.0, "layers": 18.0}


@dataclass(frozen=True)
class FlashParts:
    """Pieces of a firmware, as far as they hang on the model.

    constant_bytes  weights, biases, tables
    parts           name of a piece -> how often it is there, or the bytes that its kernel states
    stated          piece that is there once -> bytes that its kernel states
    """

    constant_bytes: int
    parts: Mapping[str, float]
    stated: Mapping[str, int]


def flash_parts(plan: Plan) -> FlashParts:
    """The pieces of a plan.

    units, layers  calls of kernels; rows of the table by which the firmware knows the layers
    strings        bytes of names and shapes in that table
    asm            bytes of functions in assembler
    layer code     bytes that layers add to the functions they share
    streams, stream layers, stream code   of groups that run by rows, and bytes they add
    <function>     in C, once
    """
    parts: dict[str, float] = defaultdict(float)
    shared: dict[str, int] = {}
    constants = _start_bytes(plan)
    for unit, cost in unit_costs(plan):
        constants += cost.constant_bytes
        shared |= dict(cost.shared_code)
        if unit.group is not None:
            parts["streams"] += 1
            parts["stream layers"] += unit.last - unit.first + 1
            parts["stream code"] += cost.code_bytes
        else:
            parts["units"] += 1
            parts["layer code"] += cost.code_bytes
            parts[f"call {unit.kernel.name}"] += 1
    stated = {}
    for name, size in shared.items():
        if (match := _DIGEST.fullmatch(name)) is not None:
            parts["asm"] += size
            parts[f"asm {match[1]}"] += 1
        else:
            parts[name] = 1
            stated[name] = size
    parts["layers"] = len(plan.layers)
    parts["strings"] = sum(len(text) + 1 for text in _strings(plan))
    return FlashParts(constants, dict(parts), stated)


def _start_bytes(plan: Plan) -> int:
    """What variables hold before the first inference, where that is stored."""
    variables = [plan.graph.tensors[buffer.tensor] for buffer in plan.state if buffer.tensor is not None]
    return sum(tensor.start.nbytes for tensor in variables if tensor.start is not None)


def unit_costs(plan: Plan) -> list[tuple[PlanUnit, Cost]]:
    """Each unit of a plan, with what its kernel states."""
    costs = []
    for unit in plan.units:
        if isinstance(unit.kernel, StreamKernel):
            costs.append((unit, unit.kernel.stream.cost))
        else:
            costs.append((unit, plan.layers[unit.first].cost))
    return costs


def code_bytes(found: FlashParts, rates: FlashRates) -> float:
    """Bytes of code and of the table of layers."""
    total = 0.0
    for name, count in found.parts.items():
        if name in rates.parts:
            total += count * rates.parts[name]
        elif name in found.stated:
            total += found.stated[name]
        elif name in ("asm", "strings", "layer code", "stream code"):
            total += count
        else:
            total += count * _UNKNOWN.get(name, 0.0)
    return total


def _strings(plan: Plan) -> set[str]:
    """What the firmware says of the model: each text is stored once."""

    def shape(tensor: Tensor) -> str:
        return "x".join(map(str, tensor.shape)) or "1"

    found = {text for planned in plan.layers for text in (planned.layer.name, shape(planned.layer.outputs[0]))}
    for tensor in (*plan.graph.input_tensors(), *plan.graph.output_tensors()):
        found |= {tensor.dtype.value, shape(tensor)}
        found.add(repr(tensor.scale) if tensor.quantization is not None else "0")
    return found
