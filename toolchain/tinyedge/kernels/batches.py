"""Batches: a kernel that computes one image is called for each of them."""

from __future__ import annotations

import dataclasses
from functools import cache

from tinyedge.boards import Core
from tinyedge.graph.ir import Tensor
from tinyedge.kernels.common.loops import looped, nested
from tinyedge.kernels.contract import Code, Cost, ExactOffset, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.pool_2d import Pool2D
from tinyedge.ops.transpose_conv import TransposeConv

LOOP_CODE_BYTES = 28
LOOP_CYCLES = 12
_ANY_ADDRESS = "portable/"
"""kernels in plain C, which read elements one by one wherever they lie"""


def image_count(layer: Layer) -> int:
    """How many images a layer computes whose parameters describe one; 1 for other layers."""
    one_by_one = isinstance(layer.params, Conv2D | DepthwiseConv2D | Pool2D | TransposeConv)
    return layer.inputs[0].shape[0] if one_by_one else 1


def _first_image(tensor: Tensor) -> Tensor:
    return dataclasses.replace(tensor, shape=(1, *tensor.shape[1:]))


def one_image(layer: Layer) -> Layer:
    """The layer for the first image alone."""
    return dataclasses.replace(
        layer,
        inputs=tuple(map(_first_image, layer.inputs)),
        outputs=tuple(map(_first_image, layer.outputs)),
        macs=layer.macs // image_count(layer),
    )


@cache
def each_image(inner: Kernel) -> Kernel:
    """The kernel that runs `inner` for one image after the other."""

    class EachImage(Kernel):
        name = inner.name
        operators = inner.operators
        alignment = inner.alignment

        def fits(self, layer: Layer, core: Core) -> str:
            image = one_image(layer)
            sizes = [tensor.bytes for tensor in (*image.inputs, *image.outputs)]
            if not self.name.startswith(_ANY_ADDRESS) and any(size % self.alignment for size in sizes):
                stated = " and ".join(f"{size:,}" for size in sizes)
                return f"its images have {stated} bytes, the kernel takes multiples of {self.alignment}"
            return inner.fits(image, core)

        def cost(self, layer: Layer, core: Core) -> Cost:
            cost = inner.cost(one_image(layer), core)
            images = image_count(layer)
            cycles = (cost.cycles + LOOP_CYCLES) * images
            code_bytes = cost.code_bytes + LOOP_CODE_BYTES
            instructions = cost.instructions * images
            return dataclasses.replace(cost, cycles=cycles, code_bytes=code_bytes, instructions=instructions)

        def scratch_bytes(self, layer: Layer, core: Core) -> int:
            return inner.scratch_bytes(one_image(layer), core)

        def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
            """Where outputs are larger than inputs, they catch up with every image."""
            image = one_image(layer)
            offset = inner.in_place_offset(image, core, input_index)
            growth = image.outputs[0].bytes - image.inputs[input_index].bytes
            if offset is None or (growth and isinstance(offset, ExactOffset)):
                return None
            return offset if not growth else offset + max(0, (image_count(layer) - 1) * growth)

        def reads_behind(self, layer: Layer, core: Core) -> int:
            return inner.reads_behind(one_image(layer), core)

        def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
            image = one_image(layer)
            steps = tuple(tensor.elements for tensor in (*image.inputs, *image.outputs))
            heads, pointers = looped([(image_count(layer), steps)], [*operands.inputs, *operands.outputs])
            count = len(operands.inputs)
            moved = dataclasses.replace(operands, inputs=tuple(pointers[:count]), outputs=tuple(pointers[count:]))
            code = inner.emit(image, core, moved)
            return dataclasses.replace(code, call=nested(heads, code.call))

    return EachImage()
