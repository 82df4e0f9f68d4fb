"""fully_connected: matrix times vector, int8, weights quantized per tensor or per output."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.ops.contract import Array


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """Parameters of one fully connected layer over `batches` rows.

    Shape:  input [batches, inputs]; weights int8 [outputs, inputs]; bias int32 [outputs], zeros if absent;
            multiplier, shift int32 [outputs], expanded
    """

    batches: int
    inputs: int
    outputs: int
    input_zero_point: int
    weight_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int
