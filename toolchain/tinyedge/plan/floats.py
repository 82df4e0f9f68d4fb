"""What is to be said of layers that compute in float32 in a model that is quantized otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from tinyedge.artifacts import Plan
from tinyedge.graph.ir import DType
from tinyedge.ops.checks.float_only import FLOAT_ONLY
from tinyedge.ops.contract import Layer
from tinyedge.ops.elementwise_f32 import SUFFIX

_MOST_NAMED = 6
"""layers that a note lists"""
_INSTEAD = "in integers they take a fraction of that: convert with a representative data set that reaches them"


def float_notes(plan: Plan) -> tuple[str, ...]:
    """Which layers compute in float32, their share of the predicted cycles, and what to write instead."""
    floats = [planned for planned in plan.layers if _computes_float32(plan, planned.layer)]
    if not floats:
        return ()
    cycles, total = (sum(planned.cost.cycles for planned in group) for group in (floats, plan.layers))
    named = [f"{planned.layer.index} {planned.layer.name}" for planned in floats]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED - 1 :] = [f"{len(named) - _MOST_NAMED + 1:,} more"]
    one = len(floats) == 1
    who = f"{'operator' if one else 'operators'} {', '.join(named)} {'computes' if one else 'compute'} in float32"
    instead = _instead(planned.layer.name for planned in floats)
    return (f"{who}: {100 * cycles / max(total, 1):.0f} % of the predicted cycles; {instead}",)


def _instead(names: Iterable[str]) -> str:
    """What to write instead; operators that have no integer form have words of their own."""
    plain = dict.fromkeys(name.removesuffix(SUFFIX) for name in names)
    further = [f"for {name}: {FLOAT_ONLY[name]}" for name in plain if FLOAT_ONLY.get(name)]
    return "; ".join([_INSTEAD, *further])


def _computes_float32(plan: Plan, layer: Layer) -> bool:
    """Whether a layer reads or writes float32 inside the model; borders to inputs and outputs of the model do not."""
    graph = plan.graph
    if layer.name == "quantize" and layer.inputs[0].index in graph.inputs:
        return False
    if layer.name == "dequantize" and layer.outputs[0].index in graph.outputs:
        return False
    return any(tensor.dtype is DType.FLOAT32 for tensor in (*layer.inputs, *layer.outputs))
