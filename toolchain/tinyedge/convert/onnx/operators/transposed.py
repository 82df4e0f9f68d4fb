"""ConvTranspose: a convolution turned round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.operators.windows import four_axes, put
from tinyedge.convert.onnx.reference import whole_weights
from tinyedge.graph.ir import Array


def conv_transpose(importer: Importer, node: Node) -> None:
    """TensorFlow Lite's transpose_conv from the first whole row on; what the padding takes away is cut off."""
    value, filters = importer.value(node, 0), importer.value(node, 1)
    if filters.data is None:
        raise node.refuse("its weights are computed; they have to be constant")
    if value.rank not in (3, 4):
        raise node.refuse(f"its input has {value.rank} axes; windows go over one or two", "use Conv1D or Conv2D")
    groups, axes = int(node.get("group", 1)), value.rank - 2
    kernel = _dilated(whole_weights(filters.data, groups), node.get("dilations", [1] * axes))
    outputs = kernel.shape[1]
    strides = [int(stride) for stride in node.get("strides", [1] * axes)]
    shape = importer.shapes[node.outputs[0]][0]
    before = _cut_before(node, value.shape[2:], kernel.shape[2:], strides, shape[2:])
    if axes == 1:
        kernel, strides, before = kernel[:, :, None], [1, *strides], [0, *before]
    tensor, _, _ = four_axes(importer, value)
    bias = importer.constant(node, 2, np.zeros(outputs, np.float32))
    assert bias is not None
    builder = importer.builder
    sizes, wanted = ([1] * (2 - axes) + [int(extent) for extent in entry] for entry in (value.shape[2:], shape[2:]))
    same = _is_same(sizes, wanted, kernel.shape[2:], strides, before)
    size = wanted if same else _whole_size(node, sizes, wanted, kernel.shape[2:], strides, before)
    sources = [
        builder.constant(np.array([shape[0], *size, outputs], np.int32)),
        importer.weights(kernel.transpose(1, 2, 3, 0), None),
        tensor,
        importer.weights(bias.astype(np.float32), None),
    ]
    options = {
        "padding": schema.Padding.SAME if same else schema.Padding.VALID,
        "stride_h": strides[0],
        "stride_w": strides[1],
    }
    if size == wanted:
        put(importer, node, "transpose_conv", sources, **options)
        return
    whole = builder.tensor(f"{node.outputs[0]}_whole", (shape[0], *size, outputs))
    builder.operator("transpose_conv", sources, [whole], **options)
    begin = [0, *before, 0]
    end = [shape[0], *(first + extent for first, extent in zip(before, wanted, strict=True)), outputs]
    cuts = [builder.constant(np.array(entry, np.int32)) for entry in (begin, end, [1, 1, 1, 1])]
    put(importer, node, "strided_slice", [whole, *cuts])


def _dilated(weights: Array, dilations: Sequence[int]) -> Array:
    """Weights with zeros between them."""
    sizes = [(extent - 1) * step + 1 for extent, step in zip(weights.shape[2:], dilations, strict=True)]
    spread = np.zeros((*weights.shape[:2], *sizes), weights.dtype)
    places = (slice(None), slice(None), *(slice(None, None, int(step)) for step in dilations))
    spread[places] = weights
    return spread


def _cut_before(
    node: Node, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], after: Sequence[int]
) -> list[int]:
    """How many rows and columns the padding takes away in front. Source: ONNX's specification, ConvTranspose."""
    axes = len(sizes)
    auto, stated = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    if auto in ("SAME_UPPER", "SAME_LOWER") or stated is not None:
        more = node.get("output_padding", [0] * axes)
        total = [
            max((size - 1) * stride + extra + extent - out, 0)
            for size, stride, extra, extent, out in zip(sizes, strides, more, kernel, after, strict=True)
        ]
        return [whole // 2 if auto == "SAME_UPPER" else whole - whole // 2 for whole in total]
    return [int(pad) for pad in node.get("pads", [0] * (2 * axes))[:axes]]


def _whole_size(
    node: Node,
    sizes: Sequence[int],
    wanted: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    before: Sequence[int],
) -> list[int]:
    """The size before anything is cut off. Raises: ModelError for rows that no input reaches."""
    found = []
    for size, out, extent, stride, cut in zip(sizes, wanted, kernel, strides, before, strict=True):
        whole = max(cut + out, (size - 1) * stride + extent)
        if whole >= size * stride + extent:
            raise node.refuse(
                f"its result has {out} rows, {cut + out - (size - 1) * stride - extent} of them empty",
                "use an output_padding below the stride",
            )
        found.append(whole)
    return found


def _is_same(
    sizes: Sequence[int], after: Sequence[int], kernel: Sequence[int], strides: Sequence[int], before: Sequence[int]
) -> bool:
    """Whether the padding is what TensorFlow Lite calls SAME."""
    for size, out, extent, stride, cut in zip(sizes, after, kernel, strides, before, strict=True):
        if -(-out // stride) != size or max((size - 1) * stride + extent - out, 0) // 2 != cut:
            return False
    return True


HANDLERS = {"ConvTranspose": conv_transpose}
