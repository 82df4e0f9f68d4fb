"""An int8 network with an island in float32 that is partly a table, partly operators, and moves elements."""

from __future__ import annotations

import numpy as np

from kits.tflite_builder import TfliteBuilder


def network_with_island() -> bytes:
    """fully_connected, then exp(x) * y / 3 and exp(x) joined in float32, then fully_connected."""
    rng = np.random.default_rng(0)
    builder = TfliteBuilder()

    def connected(source: int, inputs: int, scale: float, zero_point: int) -> int:
        weights = builder.tensor((16, inputs), scale=0.01, data=rng.integers(-127, 128, (16, inputs)).astype(np.int8))
        target = builder.tensor((1, 16), scale=scale, zero_point=zero_point)
        builder.operator("fully_connected", [source, weights], [target], fused_activation_function="none")
        return target

    def real(operator: str, inputs: list[int], width: int = 16, **options: object) -> int:
        target = builder.tensor((1, width), "float32")
        builder.operator(operator, inputs, [target], **options)
        return target

    x = builder.tensor((1, 16), scale=0.05, zero_point=3)
    y = connected(x, 16, 0.1, -5)
    grown = real("exp", [real("dequantize", [x])])
    product = real("mul", [grown, real("dequantize", [y])], fused_activation_function="none")
    three = builder.tensor((1,), "float32", data=np.float32([3]))
    share = real("div", [product, three], fused_activation_function="relu6")
    both = real("concatenation", [share, grown], 32, axis=1, fused_activation_function="none")
    joined = builder.tensor((1, 32), scale=0.05, zero_point=-100)
    builder.operator("quantize", [both], [joined])
    return builder.build([x], [connected(joined, 32, 0.05, -128)])
