"""What moves elements or gives them another shape: axes go where the layout has them."""

from __future__ import annotations

import math

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value, moves_nothing


def reshape(importer: Importer, node: Node) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze: the shape is known. A flattened image stays with its channels last."""
    value = importer.value(node, 0)
    shape = importer.shapes[node.outputs[0]][0]
    if value.last and shape == (value.shape[0], math.prod(value.shape[1:])) and value.index is not None:
        index = importer.reshape(value.index, shape, "flat")
        importer.values[node.outputs[0]] = Value(shape, index, flat_of=value)
        return
    source = importer.plain(value)
    size = importer.builder.constant(np.array(shape, np.int32))
    importer.builder.operator("reshape", [source, size], [importer.output(node)])


def transpose(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    order = [int(axis) for axis in node.get("perm", list(range(value.rank))[::-1])]
    stored = [value.stored_axis(axis) for axis in order]
    source = importer.last(value) if value.last else importer.plain(value)
    if moves_nothing(value.stored_shape, stored):
        size = importer.builder.constant(np.array(importer.shapes[node.outputs[0]][0], np.int32))
        importer.builder.operator("reshape", [source, size], [importer.output(node)])
        return
    sources = [source, importer.builder.constant(np.array(stored, np.int32))]
    importer.builder.operator("transpose", sources, [importer.output(node)])


def concat(importer: Importer, node: Node) -> None:
    values = [importer.value(node, position) for position in range(len(node.inputs))]
    last = all(value.last for value in values)
    sources = [importer.last(value) if last else importer.plain(value) for value in values]
    axis = values[0].stored_axis(int(node.get("axis"))) if last else int(node.get("axis")) % values[0].rank
    importer.builder.operator("concatenation", sources, [importer.output(node, last=last)], axis=axis)


def pad(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    mode = node.get("mode", "constant")
    fill = importer.constant(node, 2)
    number = float(node.get("value", 0.0)) if fill is None else float(fill.ravel()[0]) if fill.size else 0.0
    pads = importer.integers(node, 1, "pads") or []
    axes = importer.constant(node, 3)
    chosen = list(range(value.rank)) if axes is None else [int(axis) % value.rank for axis in axes]
    if mode != "constant" or number != 0.0 or any(extent < 0 for extent in pads):
        raise node.refuse(f"it pads with {mode} {number:g}, {pads}", "pad with zeros")
    borders = np.zeros((value.rank, 2), np.int32)
    for place, axis in enumerate(chosen):
        borders[value.stored_axis(axis)] = pads[place], pads[place + len(chosen)]
    source = importer.last(value) if value.last else importer.plain(value)
    sources = [source, importer.builder.constant(borders)]
    importer.builder.operator("pad", sources, [importer.output(node, last=value.last)])


def cut(importer: Importer, node: Node) -> None:
    """Slice, with any steps but negative ones."""
    value = importer.value(node, 0)
    starts, ends = (importer.integers(node, place, name) for place, name in ((1, "starts"), (2, "ends")))
    axes = importer.integers(node, 3, "axes") or list(range(len(starts or [])))
    steps = importer.integers(node, 4, "steps") or [1] * len(axes)
    begin, end, stride = [0] * value.rank, list(value.stored_shape), [1] * value.rank
    for start, stop, axis, step in zip(starts or [], ends or [], axes, steps, strict=True):
        if step < 1:
            raise node.refuse(f"it steps by {step}", "slice forwards")
        place, extent = value.stored_axis(axis), value.shape[axis % value.rank]
        begin[place] = min(max(start + extent if start < 0 else start, 0), extent)
        end[place] = min(max(stop + extent if stop < 0 else stop, 0), extent)
        stride[place] = step
    source = importer.last(value) if value.last else importer.plain(value)
    sources = [source, *(importer.builder.constant(np.array(entry, np.int32)) for entry in (begin, end, stride))]
    importer.builder.operator("strided_slice", sources, [importer.output(node, last=value.last)])


def split(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    axis = value.stored_axis(int(node.get("axis", 0)))
    sizes = [importer.shapes[name][0][int(node.get("axis", 0)) % value.rank] for name in node.outputs]
    source = importer.last(value) if value.last else importer.plain(value)
    targets = [importer.output(node, last=value.last, position=position) for position in range(len(node.outputs))]
    place = importer.builder.constant(np.array(axis, np.int32))
    if len(set(sizes)) == 1:
        importer.builder.operator("split", [place, source], targets, num_splits=len(sizes))
        return
    count = importer.builder.constant(np.array(sizes, np.int32))
    importer.builder.operator("split_v", [source, count, place], targets, num_splits=len(sizes))


def gather(importer: Importer, node: Node) -> None:
    value, places = importer.value(node, 0), importer.value(node, 1)
    axis = int(node.get("axis", 0)) % max(value.rank, 1)
    if places.data is not None:
        extent = value.shape[axis]
        wrapped = np.where(places.data < 0, places.data + extent, places.data).astype(np.int32)
        index = importer.builder.constant(wrapped)
    else:
        index = importer.plain(places)
    importer.builder.operator("gather", [importer.plain(value), index], [importer.output(node)], axis=axis)


HANDLERS = {
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Transpose": transpose,
    "Concat": concat,
    "Pad": pad,
    "Slice": cut,
    "Split": split,
    "Gather": gather,
}
