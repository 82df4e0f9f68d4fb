"""LSTM and GRU, written out step by step: TensorFlow Lite's one operator for an LSTM would keep its state from one
inference to the next.

What the steps read of the input is computed at once: one matrix product for all of them, whose rows they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value, moves_nothing
from tinyedge.graph.ir import Array

_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
_LENGTHS, _FIRST_STATE, _FIRST_CELL, _PEEPHOLES = 4, 5, 6, 7
"""positions of optional inputs"""
_MOST_STEPS = 512
"""each is about a dozen operators"""


@dataclass(frozen=True)
class _Layer:
    """One direction of a recurrent layer, and what makes its operators.

    Shape:  weights [gates * units, features], recurrent [gates * units, units], bias of both [gates * units]
    """

    importer: Importer
    node: Node
    units: int
    batch: int
    steps: int
    weights: Array
    recurrent: Array
    bias: Array
    recurrent_bias: Array
    peepholes: Array | None

    def tensor(self, width: int) -> int:
        builder = self.importer.builder
        return builder.tensor(f"{self.node.kind.lower()}_{len(builder.graph.tensors)}", (self.batch, width))

    def apply(self, name: str, sources: Sequence[int], width: int | None = None) -> int:
        """An operator with a result [batch, width]; width None: the units."""
        target = self.tensor(self.units if width is None else width)
        self.importer.builder.operator(name, sources, [target])
        return target

    def dense(self, source: int, weights: Array, bias: Array | None = None) -> int:
        constants = [self.constant(weights), -1 if bias is None or not bias.any() else self.constant(bias)]
        return self.apply("fully_connected", [source, *constants], len(weights))

    def constant(self, data: Array) -> int:
        return self.importer.weights(np.ascontiguousarray(data), None)

    def cut(self, source: int, count: int) -> list[int]:
        """A tensor [batch, count * units] as `count` of [batch, units]."""
        targets, builder = [self.tensor(self.units) for _ in range(count)], self.importer.builder
        builder.operator("split", [builder.constant(np.array(1, np.int32)), source], targets, num_splits=count)
        return targets

    def row(self, rows: int, step: int) -> int:
        """What a step reads, [batch, features], of rows [steps * batch, features]."""
        if self.steps == 1:
            return rows
        builder, features = self.importer.builder, self.weights.shape[1]
        target = self.tensor(features)
        ends = ((step * self.batch, 0), ((step + 1) * self.batch, features), (1, 1))
        constants = [builder.constant(np.array(end, np.int32)) for end in ends]
        builder.operator("strided_slice", [rows, *constants], [target])
        return target

    def sum(self, one: int, other: int | None, width: int | None = None) -> int:
        return one if other is None else self.apply("add", [one, other], width)


def _lstm(layer: _Layer, rows: int, order: Sequence[int], state: int | None, cell: int | None) -> list[tuple[int, int]]:
    """(state, cell) after each step, by step. Gates stand in ONNX's order: input, output, forget, cell."""
    apply, count = layer.apply, 3 * layer.units
    three, last = slice(0, count), slice(count, None)
    bias = layer.bias + layer.recurrent_bias
    found = {}
    for step in order:
        row = layer.row(rows, step)
        gates, fresh = (layer.dense(row, layer.weights[part], bias[part]) for part in (three, last))
        seen, term = (None if state is None else layer.dense(state, layer.recurrent[part]) for part in (three, last))
        summed = layer.sum(gates, seen, count)
        if layer.peepholes is None:
            enter, leave, stay = layer.cut(apply("logistic", [summed], count), 3)
        else:
            enter, leave, stay = layer.cut(summed, 3)
            enter, stay = (_peeped(layer, gate, cell, place) for gate, place in ((enter, 0), (stay, 2)))
        entered = apply("mul", [enter, apply("tanh", [layer.sum(fresh, term)])])
        cell = entered if cell is None else apply("add", [entered, apply("mul", [stay, cell])])
        if layer.peepholes is not None:
            leave = _peeped(layer, leave, cell, 1)
        state = apply("mul", [leave, apply("tanh", [cell])])
        found[step] = (state, cell)
    return [found[step] for step in range(layer.steps)]


def _peeped(layer: _Layer, gate: int, cell: int | None, place: int) -> int:
    """A gate that sees the cell through weights of its own, as a number from 0 to 1."""
    if cell is not None and layer.peepholes is not None:
        weights = layer.constant(layer.peepholes[place * layer.units :][: layer.units])
        gate = layer.apply("add", [gate, layer.apply("mul", [cell, weights])])
    return layer.apply("logistic", [gate])


def _gru(layer: _Layer, rows: int, order: Sequence[int], state: int | None, *, after: bool) -> list[tuple[int, int]]:
    """(state, state) after each step, by step; `after`: the reset gate comes after the product.

    Gates stand in ONNX's order: update, reset, hidden.
    """
    apply, count = layer.apply, 2 * layer.units
    two, last = slice(0, count), slice(count, None)
    own = layer.recurrent_bias[last]
    bias = layer.bias + np.concatenate([layer.recurrent_bias[two], np.zeros_like(own) if after else own])
    found = {}
    for step in order:
        row = layer.row(rows, step)
        gates, fresh = (layer.dense(row, layer.weights[part], bias[part]) for part in (two, last))
        seen = None if state is None else layer.dense(state, layer.recurrent[two])
        keep, reset = layer.cut(apply("logistic", [layer.sum(gates, seen, count)], count), 2)
        term = None
        if after and state is not None:
            term = apply("mul", [reset, layer.dense(state, layer.recurrent[last], own)])
        elif after and own.any():
            term = apply("mul", [reset, layer.constant(own[None])])
        elif state is not None:
            term = layer.dense(apply("mul", [reset, state]), layer.recurrent[last])
        new = apply("tanh", [layer.sum(fresh, term)])
        if state is None:
            state = apply("sub", [new, apply("mul", [keep, new])])
        else:
            state = apply("add", [new, apply("mul", [keep, apply("sub", [state, new])])])
        found[step] = (state, state)
    return [found[step] for step in range(layer.steps)]


def recurrent(importer: Importer, node: Node) -> None:
    _refuse_options(importer, node)
    value = importer.value(node, 0)
    batch_first = bool(node.get("layout", 0))
    steps, batch = (value.shape[1], value.shape[0]) if batch_first else value.shape[:2]
    if steps > _MOST_STEPS:
        raise node.refuse(f"{steps} steps would be {steps} sets of operators", f"use at most {_MOST_STEPS} steps")
    weights = [_constant(importer, node, place) for place in (1, 2)]
    directions, units = len(weights[0]), weights[1].shape[-1]
    gates = weights[0].shape[1]
    bias = importer.constant(node, 3)
    biases = np.zeros((directions, 2 * gates), np.float32) if bias is None else bias
    peepholes = importer.constant(node, _PEEPHOLES) if node.kind == "LSTM" else None
    rows = _rows(importer, value, steps * batch, batch_first=batch_first)
    states = _states(importer, node, _FIRST_STATE, batch_first=batch_first)
    cells = (
        _states(importer, node, _FIRST_CELL, batch_first=batch_first) if node.kind == "LSTM" else [None] * directions
    )
    runs = []
    for way in range(directions):
        layer = _Layer(
            importer, node, units, batch, steps, weights[0][way], weights[1][way], biases[way][:gates],
            biases[way][gates:], None if peepholes is None else peepholes[way],
        )  # fmt: skip
        order = list(range(steps))
        if way == 1 or node.get("direction", "forward") == "reverse":
            order.reverse()
        if node.kind == "LSTM":
            found = _lstm(layer, rows, order, states[way], cells[way])
        else:
            found = _gru(layer, rows, order, states[way], after=bool(node.get("linear_before_reset", 0)))
        runs.append((found, found[order[-1]]))
    every = [run[0][step][0] for step in range(steps) for run in runs]
    _put(importer, node, 0, every, (steps, directions, batch, units), [2, 0, 1, 3] if batch_first else None)
    for place in (1, 2)[: len(node.outputs) - 1]:
        ends = [run[1][place - 1] for run in runs]
        _put(importer, node, place, ends, (directions, batch, units), [1, 0, 2] if batch_first else None)


def _refuse_options(importer: Importer, node: Node) -> None:
    """Raises: ModelError for what is set otherwise than trained networks have it."""
    directions = 2 if node.get("direction", "forward") == "bidirectional" else 1
    activations = [name.decode() if isinstance(name, bytes) else str(name) for name in node.get("activations", [])]
    if activations and activations != _ACTIVATIONS[node.kind] * directions:
        raise node.refuse(f"its activations are {', '.join(activations)}", "use Sigmoid and Tanh, the default")
    if node.get("clip") or node.get("input_forget", 0):
        raise node.refuse("it clips its gates, or couples them", "train it without `clip` and `input_forget`")
    lengths = importer.optional(node, _LENGTHS)
    if lengths is not None:
        steps = importer.value(node, 0).shape[1 if node.get("layout", 0) else 0]
        if lengths.data is None or not np.array_equal(lengths.data, np.full(lengths.shape, steps)):
            raise node.refuse("its sequences have lengths of their own", "give it sequences of one length")


def _constant(importer: Importer, node: Node, position: int) -> Array:
    found = importer.constant(node, position)
    if found is None:
        raise node.refuse(f"it has no input {position}")
    return found


def _moved(importer: Importer, index: int, shape: Sequence[int], order: Sequence[int]) -> int:
    """A tensor with its axes in another order; itself where that moves no element."""
    if moves_nothing(shape, order):
        return index
    builder = importer.builder
    target = builder.tensor(f"moved_{index}", [shape[axis] for axis in order])
    builder.operator("transpose", [index, builder.constant(np.array(order, np.int32))], [target])
    return target


def _rows(importer: Importer, value: Value, count: int, *, batch_first: bool) -> int:
    """A sequence as rows, one step after the other: [steps * batch, features]."""
    source = importer.plain(value)
    if batch_first:
        source = _moved(importer, source, value.shape, [1, 0, 2])
    return importer.reshape(source, (count, value.shape[2]), "rows")


def _states(importer: Importer, node: Node, position: int, *, batch_first: bool) -> list[int | None]:
    """The state [batch, units] that each direction starts with; None where it is zero."""
    value = importer.optional(node, position)
    directions = 2 if node.get("direction", "forward") == "bidirectional" else 1
    if value is None or (value.data is not None and not value.data.any()):
        return [None] * directions
    source, shape = importer.plain(value), list(value.shape)
    if batch_first:
        source = _moved(importer, source, shape, [1, 0, 2])
        shape = [shape[1], shape[0], shape[2]]
    builder, size = importer.builder, (shape[1], shape[2])
    if directions == 1:
        return [importer.reshape(source, size, "state")]
    parts = [builder.tensor(f"state_{source}_{way}", (1, *size)) for way in range(directions)]
    builder.operator("split", [builder.constant(np.array(0, np.int32)), source], parts, num_splits=directions)
    return [importer.reshape(part, size, "state") for part in parts]


def _put(
    importer: Importer, node: Node, position: int, parts: Sequence[int], shape: Sequence[int], order: list[int] | None
) -> None:
    """An output of parts [batch, units], one after the other; `order` of its axes where the batch comes first."""
    name = node.outputs[position]
    if not name or name not in importer.read:
        return
    builder, units = importer.builder, shape[-1]
    whole = parts[0]
    if len(parts) > 1:
        whole = builder.tensor(f"{name}_rows", (int(np.prod(shape[:-1])), units))
        builder.operator("concatenation", parts, [whole], axis=0)
    if order is not None and not moves_nothing(shape, order):
        whole = _moved(importer, importer.reshape(whole, shape, "every"), shape, order)
    size = builder.constant(np.array(importer.shapes[name][0], np.int32))
    builder.operator("reshape", [whole, size], [importer.output(node, position=position)])


HANDLERS = {"LSTM": recurrent, "GRU": recurrent}
