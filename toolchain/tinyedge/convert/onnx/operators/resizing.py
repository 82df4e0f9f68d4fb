"""Resize: images of another size, by TensorFlow Lite's operators where they read the same places, else by gathers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.operators.windows import four_axes, put
from tinyedge.convert.onnx.values import Value
from tinyedge.graph.ir import Array

_CLOSE = 1e-4
"""of a cell, within which two places are the same"""
_OPTIONS: tuple[dict[str, bool], ...] = ({}, {"half_pixel_centers": True}, {"align_corners": True})
"""the ways in which TensorFlow Lite finds places"""


@dataclass(frozen=True)
class _Axis:
    """One axis that is resized: cells before and after, and the scale, which need not be their quotient."""

    before: int
    after: int
    scale: float


def resize(importer: Importer, node: Node) -> None:
    value, shape = importer.value(node, 0), importer.shapes[node.outputs[0]][0]
    mode, changed = node.get("mode", "nearest"), [a for a in range(value.rank) if shape[a] != value.shape[a]]
    scales = _scales(importer, node, value, shape)
    if mode not in ("nearest", "linear") or (node.get("antialias", 0) and min(scales) < 1):
        raise node.refuse(f"it resizes by `{mode}`, or against aliasing", "resize by `nearest` or `linear`")
    if not changed:
        importer.alias(node, value)
        return
    axes = [_Axis(value.shape[axis], shape[axis], scales[axis]) for axis in range(2, value.rank)]
    images = value.rank in (3, 4) and min(changed) >= 2
    if mode == "nearest":
        places = {axis: _nearest(node, _Axis(value.shape[axis], shape[axis], scales[axis])) for axis in changed}
        options = _same_cells(axes, places) if images else None
        if options is None:
            _gather(importer, node, value, places)
            return
        _put(importer, node, value, "resize_nearest_neighbor", options)
        return
    if not images:
        raise node.refuse(f"it resizes axes {changed} of {value.rank}", "resize the last one or two axes of an image")
    wanted = [np.clip(_coordinates(node, axis), 0, axis.before - 1) for axis in axes]
    for options in _OPTIONS:
        found = [np.clip(_tflite_coordinates(axis, options), 0, axis.before - 1) for axis in axes]
        if all(np.allclose(one, other, rtol=0, atol=_CLOSE) for one, other in zip(wanted, found, strict=True)):
            _put(importer, node, value, "resize_bilinear", options)
            return
    raise node.refuse(
        f"`{_transformation(node)}` with scales {[round(scale, 4) for scale in scales]} reads between other cells "
        "than TensorFlow Lite does",
        "resize by whole factors, with `half_pixel`, `align_corners` or `asymmetric`",
    )


def _transformation(node: Node) -> str:
    return str(node.get("coordinate_transformation_mode", "half_pixel"))


def _scales(importer: Importer, node: Node, value: Value, shape: Sequence[int]) -> list[float]:
    """The scale of each axis, as the node states it."""
    scales, sizes = (importer.constant(node, position) for position in (2, 3))
    axes = [int(axis) % value.rank for axis in node.get("axes", list(range(value.rank)))]
    found = [1.0] * value.rank
    if scales is not None and scales.size:
        stated = [float(scale) for scale in scales]
    elif sizes is not None:
        stated = [float(size) / value.shape[axis] for size, axis in zip(sizes, axes, strict=True)]
        policy = node.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            stated = [min(stated) if policy == "not_larger" else max(stated)] * len(stated)
    else:
        raise node.refuse("it has neither scales nor sizes")
    for axis, scale in zip(axes, stated, strict=True):
        found[axis] = scale
    return found


def _coordinates(node: Node, axis: _Axis) -> Array:
    """Where each cell afterwards lies among those before. Source: ONNX's operator specification, Resize."""
    place = np.arange(axis.after, dtype=np.float64)
    length = axis.scale * axis.before
    centred = (place + 0.5) / axis.scale - 0.5
    match _transformation(node):
        case "half_pixel":
            return centred
        case "pytorch_half_pixel":
            return centred if length > 1 else np.full(axis.after, -0.5)
        case "half_pixel_symmetric":
            return axis.before / 2 * (1 - axis.after / length) + centred
        case "align_corners":
            return place * (axis.before - 1) / (length - 1) if length > 1 else np.zeros(axis.after)
        case "asymmetric":
            return place / axis.scale
    raise node.refuse(f"it finds its places by `{_transformation(node)}`", "use `half_pixel`")


def _nearest(node: Node, axis: _Axis) -> Array:
    """The cell before that each cell afterwards has."""
    place = _coordinates(node, axis)
    rounded = {
        "round_prefer_floor": np.ceil(place - 0.5),
        "round_prefer_ceil": np.floor(place + 0.5),
        "floor": np.floor(place),
        "ceil": np.ceil(place),
    }[node.get("nearest_mode", "round_prefer_floor")]
    return np.clip(rounded, 0, axis.before - 1).astype(np.int32)


def _tflite_coordinates(axis: _Axis, options: dict[str, bool]) -> Array:
    place = np.arange(axis.after, dtype=np.float32)
    if options.get("align_corners"):
        return place * np.float32((axis.before - 1) / (axis.after - 1)) if axis.after > 1 else place
    scale = np.float32(axis.before / axis.after)
    return (place + np.float32(0.5)) * scale - np.float32(0.5) if options else place * scale


def _tflite_cells(axis: _Axis, options: dict[str, bool]) -> Array:
    """What resize_nearest_neighbor reads."""
    place = _tflite_coordinates(axis, options)
    whole = np.floor(place + np.float32(0.5)) if options else np.floor(place)
    return np.clip(whole, 0, axis.before - 1).astype(np.int32)


def _same_cells(axes: Sequence[_Axis], places: dict[int, Array]) -> dict[str, bool] | None:
    """The options with which TensorFlow Lite reads the same cells; None when there are none."""
    for options in _OPTIONS:
        found = [_tflite_cells(axis, options) for axis in axes]
        if all(
            np.array_equal(cells, places.get(number, np.arange(len(cells))))
            for number, cells in enumerate(found, start=2)
        ):
            return options
    return None


def _put(importer: Importer, node: Node, value: Value, name: str, options: dict[str, Any]) -> None:
    shape = importer.shapes[node.outputs[0]][0]
    tensor, _, _ = four_axes(importer, value)
    size = [1, shape[2]] if value.rank == 3 else list(shape[2:])
    put(importer, node, name, [tensor, importer.builder.constant(np.array(size, np.int32))], **options)


def _gather(importer: Importer, node: Node, value: Value, places: dict[int, Array]) -> None:
    """Cells copied axis by axis."""
    builder, last = importer.builder, value.last
    source, shape = importer.last(value) if last else importer.plain(value), list(value.stored_shape)
    for number, (axis, cells) in enumerate(places.items(), start=1):
        stored = value.stored_axis(axis)
        shape[stored] = len(cells)
        final = number == len(places)
        target = importer.output(node, last=last) if final else builder.tensor(f"gathered_{source}", shape)
        builder.operator("gather", [source, builder.constant(cells)], [target], axis=stored)
        source = target


HANDLERS = {"Resize": resize}
