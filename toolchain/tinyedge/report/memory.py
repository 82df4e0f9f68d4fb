"""The arena over time: what is alive at each step, and where the peak is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Buffer, Plan


@dataclass(frozen=True)
class StepMemory:
    """One step. Buffers may overlap where a kernel allows it, so `used_bytes` can be less than their sum."""

    used_bytes: int
    top_bytes: int
    """end of the highest buffer"""


def step_count(plan: Plan) -> int:
    """Steps of the plan; at least one, as inputs and outputs live even in a model without layers."""
    return max(len(plan.layers), 1)


def alive(plan: Plan, step: int) -> tuple[Buffer, ...]:
    """The buffers alive at `step`."""
    return tuple(buffer for buffer in plan.buffers if buffer.first <= step <= buffer.last)


def memory_over_time(plan: Plan) -> tuple[StepMemory, ...]:
    """The use of the arena at every step."""
    return tuple(_use(alive(plan, step)) for step in range(step_count(plan)))


def peak_step(plan: Plan) -> int:
    """The first step at which the most bytes are in use."""
    used = [step.used_bytes for step in memory_over_time(plan)]
    return used.index(max(used))


def step_title(plan: Plan, step: int) -> str:
    """`step 3, operator 5 (conv_2d)`."""
    if not plan.layers:
        return f"step {step}"
    layer = plan.layers[step].layer
    return f"step {step}, operator {layer.index} ({layer.name})"


def _use(buffers: Sequence[Buffer]) -> StepMemory:
    used = top = 0
    for start, end in sorted((buffer.offset, buffer.offset + buffer.bytes) for buffer in buffers):
        used += max(end - max(start, top), 0)
        top = max(top, end)
    return StepMemory(used, top)
