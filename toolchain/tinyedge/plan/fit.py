"""Whether a plan fits a board, said before any code is generated."""

from __future__ import annotations

from tinyedge.artifacts import Buffer, Plan
from tinyedge.boards import Board
from tinyedge.errors import FitError
from tinyedge.graph.ir import Graph, Tensor

_SPLIT = 4
"""a tensor may be so many times the board's memory, because a plan can make it in parts"""
LEAST_LIMIT_BYTES = 4 << 20
HOST_LIMIT_BYTES = 64 << 20


def constant_bytes(plan: Plan) -> int:
    """Flash that weights, biases and tables of the chosen kernels need, in bytes."""
    return sum(planned.cost.constant_bytes for planned in plan.layers)


def check_sizes(graph: Graph, board: Board) -> None:
    """Refuse a graph with a tensor that no memory of the board could ever hold, before anything is evaluated.

    A file of some hundred bytes can state tensors of gigabytes. What a plan may still split or leave out is far
    smaller: several times what the board has passes here, and `check_fits` says the rest.

    Raises: FitError
    """
    memory = sum(memory.size_bytes for memory in board.memories)
    limit = max(_SPLIT * memory, LEAST_LIMIT_BYTES) if memory else HOST_LIMIT_BYTES
    largest = max(_used_tensors(graph), key=lambda tensor: tensor.bytes, default=None)
    if largest is not None and largest.bytes > limit:
        has = f"has {memory:,} B of memory in all" if memory else f"is given at most {limit:,} B for one tensor"
        raise FitError(
            f"model `{graph.name}` does not fit: tensor `{largest.name}` {largest.dtype.value} "
            f"[{','.join(map(str, largest.shape))}] alone has {largest.bytes:,} B; board `{board.name}` {has}",
            hint="export the model with a smaller input, or with the layer that makes this tensor left out",
        )


def _used_tensors(graph: Graph) -> list[Tensor]:
    """What is computed in a graph and in what its operators run."""
    found = []
    graphs = {id(graph): graph}
    while graphs:
        _, at = graphs.popitem()
        used = {key for op in at.operators for key in (*op.inputs, *op.outputs) if key >= 0}
        used.update(at.inputs, at.outputs)
        found += [at.tensors[key] for key in used if not at.tensors[key].is_constant]
        graphs |= {id(inner): inner for op in at.operators for inner in op.subgraphs}
    return found


def check_fits(plan: Plan, board: Board) -> None:
    """Refuse a model whose arena and state alone exceed the board's RAM, or whose constants alone exceed its flash.

    Code, stack and the rest of the firmware come on top and are checked against the linked image.

    Raises: FitError with the bytes needed, the bytes there are, and the tensor to look at
    """
    if not board.memories:
        return  # the host has no limits of its own
    hint = "`tinyedge boards` lists boards and their memories; `--optimize size` trades speed for bytes"
    ram = board.ram.size_bytes
    needed = plan.arena_bytes + plan.state_bytes
    if needed > ram:
        raise FitError(
            f"model `{plan.graph.name}` needs {needed:,} B of RAM; board `{board.name}` has {ram:,} B "
            f"({needed - ram:,} B too few)\n       largest: {_largest(plan)}",
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
    buffer = max((*plan.buffers, *plan.state), key=lambda b: b.bytes)
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
