"""Batches: single-image kernels called once for each image."""

from __future__ import annotations

from kits.tflite_builder import TfliteBuilder
from tinyedge.boards import CORES
from tinyedge.graph.reader import read_model
from tinyedge.kernels import candidates
from tinyedge.kernels.batches import each_image, image_count, one_image
from tinyedge.kernels.contract import Operands
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.plan import make_plan

M4 = CORES["cortex-m4f"]


def _pool(batch: int, size: int, channels: int, stride: int = 1) -> Layer:
    builder = TfliteBuilder()
    left = size // stride
    source = builder.tensor((batch, size, size, channels), scale=0.1)
    target = builder.tensor((batch, left, left, channels), scale=0.1)
    options = {"filter_height": stride, "filter_width": stride, "stride_h": stride, "stride_w": stride}
    builder.operator("max_pool_2d", [source], [target], padding="valid", fused_activation_function="none", **options)
    return parse_graph(read_model(builder.build([source], [target]), "m"))[0]


def test_a_layer_of_one_image() -> None:
    layer = _pool(3, 4, 2, stride=2)
    assert image_count(layer) == 3
    image = one_image(layer)
    assert [tensor.shape for tensor in (*image.inputs, *image.outputs)] == [(1, 4, 4, 2), (1, 2, 2, 2)]
    assert image_count(image) == 1


def test_the_call_is_in_a_loop() -> None:
    layer = _pool(3, 4, 2, stride=2)
    inner = next(kernel for kernel in candidates(layer) if kernel.name == "portable/max_pool_2d")
    kernel = each_image(inner)
    assert kernel is each_image(inner)
    assert kernel.fits(layer, M4) == ""
    code = kernel.emit(layer, M4, Operands(("in",), ("out",), "", "p"))
    assert code.call[0] == "for (int32_t i0 = 0; i0 < 3; ++i0) {"
    assert "(in + i0 * 32), (out + i0 * 8)" in code.call[1]
    assert code.call[-1] == "}"
    assert kernel.cost(layer, M4).cycles > 3 * inner.cost(one_image(layer), M4).cycles


def test_kernels_that_want_aligned_images_are_not_offered_others() -> None:
    chosen = make_plan(read_model(_odd(), "m"), M4, "speed").layers[0]
    assert chosen.kernel.name.startswith("portable/")
    assert any("bytes, the kernel takes multiples of 4" in reason for _, reason in chosen.considered)


def _odd() -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor((2, 3, 3, 1), scale=0.1)
    target = builder.tensor((2, 3, 3, 1), scale=0.1)
    options = {"filter_height": 1, "filter_width": 1, "stride_h": 1, "stride_w": 1}
    builder.operator("max_pool_2d", [source], [target], padding="valid", fused_activation_function="none", **options)
    return builder.build([source], [target])
