"""The memory plan as a text picture: time runs to the right, addresses grow upwards."""

from __future__ import annotations

import string

from tinyedge.artifacts import Plan
from tinyedge.report.memory import alive, memory_over_time, peak_step, step_count, step_title
from tinyedge.report.table import Cell, format_bytes, format_share, render_table
from tinyedge.report.weights import weights_table

_ROWS = 16
_WIDE_STEPS = 40
"""plans up to that many steps get two characters a step"""
_NAME_LENGTH = 48
_LETTERS = string.ascii_letters + string.digits


def render_plan(plan: Plan) -> str:
    """Layers with their kernels, the arena over time, and what lies where."""
    layers: list[tuple[Cell, ...]] = [
        (
            str(step),
            str(planned.layer.index),
            planned.layer.name,
            "x".join(map(str, planned.layer.outputs[0].shape)) or "scalar",
            planned.layer.macs,
            planned.cost.cycles,
            format_bytes(memory.used_bytes),
            planned.kernel.name,
        )
        for step, (planned, memory) in enumerate(zip(plan.layers, memory_over_time(plan), strict=False))
    ]
    headers = ("step", "layer", "operator", "output", "MACs", "cycles (estimated)", "arena in use", "kernel")
    above = plan.arena_bytes - plan.lower_bound_bytes
    summary = (
        f"arena {format_bytes(plan.arena_bytes)}, lower bound {format_bytes(plan.lower_bound_bytes)} "
        f"({format_bytes(above)} or {format_share(above, plan.lower_bound_bytes)} above it); "
        f"peak at {step_title(plan, peak_step(plan))}"
        + (f"; beside it {format_bytes(plan.state_bytes)} of state" if plan.state_bytes else "")
    )
    buffers: list[tuple[Cell, ...]] = [
        (
            _letter(i),
            short_name(buffer.name),
            format_bytes(buffer.bytes),
            f"{buffer.offset:,}",
            f"{buffer.first}-{buffer.last}" if buffer.first != buffer.last else f"{buffer.first}",
        )
        for i, buffer in enumerate(plan.buffers)
    ]
    summary += "".join(
        f"\nsteps {group.first}-{group.last} run as one stream of rows, in {len(group.calls):,} calls"
        for group in plan.groups
    )
    stored = weights_table(plan.layers)
    return "\n\n".join(
        (
            f"{plan.graph.name}: {len(plan.layers)} layers, optimized for {plan.optimize}",
            render_table(headers, layers),
            *([stored] if stored else []),
            summary,
            draw_arena(plan),
            render_table(("", "buffer", "size", "offset", "steps"), buffers) + "\n",
        )
    )


def draw_arena(plan: Plan) -> str:
    """The picture alone: one column for each step, each buffer a letter, a dot where nothing lives, `^` at the peak."""
    steps = step_count(plan)
    column = 2 if steps <= _WIDE_STEPS else 1
    rows = min(_ROWS, max(plan.arena_bytes, 1))
    width = len(f"{plan.arena_bytes:,}")
    numbers = {id(buffer): i for i, buffer in enumerate(plan.buffers)}
    lines = []
    for row in reversed(range(rows)):
        start = plan.arena_bytes * row // rows
        end = plan.arena_bytes * (row + 1) // rows
        cells = []
        for step in range(steps):
            # The buffer born last is drawn where a kernel lets an output overlap a dying input.
            here = [b for b in alive(plan, step) if b.offset < end and b.offset + b.bytes > start]
            newest = max(here, key=lambda b: (b.first, numbers[id(b)]), default=None)
            cells.append((_letter(numbers[id(newest)]) if newest is not None else ".") * column)
        lines.append(f"{end:>{width},} |{''.join(cells)}|")
    peak = peak_step(plan)
    marker = " " * (peak * column) + "^" * column
    lines.append(f"{'0':>{width}} +{'-' * (steps * column)}+")
    lines.append(f"{'':>{width}}  {marker} peak: {step_title(plan, peak)}")
    return "\n".join(lines)


def short_name(name: str) -> str:
    """The first of the names that a converter put together, cut to a readable length.

    >>> short_name("model/relu;model/conv2d/BiasAdd"), short_name("a" * 100)
    ('model/relu;...', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...')
    """
    first, more, _ = name.partition(";")
    short = first + (";..." if more else "")
    return short if len(short) <= _NAME_LENGTH else short[: _NAME_LENGTH - 3] + "..."


def _letter(i: int) -> str:
    return _LETTERS[i % len(_LETTERS)]
