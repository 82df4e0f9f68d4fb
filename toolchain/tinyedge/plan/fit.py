"""Whether a plan fits a board, said before any code is generated."""

from __future__ import annotations

from tinyedge.artifacts import Buffer, Plan
from tinyedge.boards import Board
from tinyedge.errors import FitError


def constant_bytes(plan: Plan) -> int:
    """Flash that weights, biases and tables of the chosen kernels need, in bytes."""
    return sum(planned.cost.constant_bytes for planned in plan.layers)


def check_fits(plan: Plan, board: Board) -> None:
    """Refuse a model whose arena alone exceeds the board's RAM, or whose constants alone exceed its flash.

    Code, stack and the rest of the firmware come on top and are checked against the linked image.

    Raises: FitError with the bytes needed, the bytes there are, and the tensor to look at
    """
    if not board.memories:
        return  # the host has no limits of its own
    hint = "`tinyedge boards` lists boards and their memories; `--optimize size` trades speed for bytes"
    ram = board.ram.size_bytes
    if plan.arena_bytes > ram:
        raise FitError(
            f"model `{plan.graph.name}` needs {plan.arena_bytes:,} B of RAM; board `{board.name}` has {ram:,} B "
            f"({plan.arena_bytes - ram:,} B too few)\n       largest: {_largest(plan)}",
            hint=hint,
        )
    flash = board.flash.start + board.flash.size_bytes - board.flash_start
    if constant_bytes(plan) > flash:
        heaviest = max(plan.layers, key=lambda planned: planned.cost.constant_bytes)
        raise FitError(
            f"model `{plan.graph.name}` needs {constant_bytes(plan):,} B of flash for constants; board `{board.name}` "
            f"has {flash:,} B ({constant_bytes(plan) - flash:,} B too few)\n       largest: operator "
            f"{heaviest.layer.index} (`{heaviest.layer.name}`) = {heaviest.cost.constant_bytes:,} B",
            hint=hint,
        )


def _largest(plan: Plan) -> str:
    buffer = max(plan.buffers, key=lambda b: b.bytes)
    return f"{_what(plan, buffer)} = {buffer.bytes:,} B, alive at {_operators(plan, buffer)}"


def _what(plan: Plan, buffer: Buffer) -> str:
    if buffer.tensor is None:
        return f"`{buffer.name}`"
    tensor = plan.graph.tensors[buffer.tensor]
    return f"`{tensor.name}` {tensor.dtype.value} [{','.join(map(str, tensor.shape))}]"


def _operators(plan: Plan, buffer: Buffer) -> str:
    if not plan.layers:
        return "all times"
    first, last = (plan.layers[step].layer.index for step in (buffer.first, buffer.last))
    return f"operator {first}" if first == last else f"operators {first}-{last}"
