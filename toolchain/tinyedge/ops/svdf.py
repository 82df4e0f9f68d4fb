"""svdf: a fully connected layer of low rank over time, int8; its state keeps what the filters gave before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    requantize,
    wrap_int32,
)
from tinyedge.graph.access import constant, first_input, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_FEATURES, _TIMES, _BIAS, _STATE = 1, 2, 3, 4


@dataclass(frozen=True, eq=False)
class Svdf:
    """Parameters. `rank` filters in a row make one unit.

    Shape:  features int8 [filters, inputs]; times int8 or int16 [filters, memory]; bias int32 [units].
            Layer.inputs are the input [batches, inputs] and the state [batches, filters * memory], of the type of
            `times`; Layer.outputs the output [batches, units] and the state.
    """

    batches: int
    inputs: int
    filters: int
    memory: int
    rank: int
    features: Array
    times: Array
    bias: Array
    state_dtype: DType
    input_zero_point: int
    state_zero_point: int
    output_zero_point: int
    feature_multiplier: int
    feature_shift: int
    output_multiplier: int
    output_shift: int

    @property
    def units(self) -> int:
        return self.filters // self.rank


def _tensors(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Feature weights, time weights, bias and state."""
    features, times, bias, state = (graph.tensors[operator.inputs[at]] for at in (_FEATURES, _TIMES, _BIAS, _STATE))
    return features, times, bias, state


def _factors(graph: Graph, operator: Operator) -> tuple[float, float]:
    """Into the state, and out of it."""
    features, times, _, state = _tensors(graph, operator)
    source, target = first_input(graph, operator).scale, first_output(graph, operator).scale
    return source * features.scale / state.scale, state.scale * times.scale / target


def operands_present(graph: Graph, operator: Operator) -> bool:
    """All five inputs are there, the bias too."""
    return all(input_tensor(graph, operator, at) is not None for at in range(5))


def types_fit(graph: Graph, operator: Operator) -> bool:
    """The feature weights are int8; time weights and state are both int8 or both int16; the bias is int32."""
    features, times, bias, state = _tensors(graph, operator)
    if features.dtype is not DType.INT8 or bias.dtype is not DType.INT32:
        return False
    return times.dtype is state.dtype and times.dtype in (DType.INT8, DType.INT16)


def constant_weights(graph: Graph, operator: Operator) -> bool:
    """Weights and bias are constants, the state is a variable, each with one scale; the zero points of weights are 0
    and the scale of the bias is that of the state times that of the time weights."""
    features, times, bias, state = _tensors(graph, operator)
    if not (features.is_constant and times.is_constant and bias.is_constant):
        return False
    if not state.is_variable or state.is_constant or not all(map(per_tensor, (features, times, bias, state))):
        return False
    sums = float(np.float32(state.scale) * np.float32(times.scale))
    return features.zero_point == times.zero_point == 0 and abs(bias.scale - sums) < 1e-5


def shapes_match(graph: Graph, operator: Operator) -> bool:
    """Input [batches, inputs], weights [filters, inputs] and [filters, memory], state [batches, filters * memory].

    The output is [batches, units] and the bias [units], with rank times as many filters as units.
    """
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    features, times, bias, state = (tensor.shape for tensor in _tensors(graph, operator))
    rank = operator.options["rank"]
    if len(source) != 2 or len(features) != 2 or len(times) != 2 or 0 in (*source, *features, *times):
        return False
    if rank < 1 or features[0] % rank or features[1] != source[1] or times[0] != features[0]:
        return False
    units = features[0] // rank
    return (target, bias, state) == ((source[0], units), (units,), (source[0], times[1] * times[0]))


def features_fit(graph: Graph, operator: Operator) -> bool:
    """No input can make a sum of features leave int32: 255 times the sum of |weights| of each filter."""
    weights = constant(_tensors(graph, operator)[0]).astype(np.int64)
    return bool(np.all(255 * np.abs(weights).sum(axis=1) < 1 << 31))


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """Both quotients of scales (into the state, out of it) are less than 2**30."""
    return all(checks.scalable(factor) for factor in _factors(graph, operator))


def plain_activation(graph: Graph, operator: Operator) -> bool:
    """The fused activation is none or relu (which int8 output does by its quantization)."""
    return operator.options["fused_activation_function"] in ("none", "relu")


def parse(graph: Graph, operator: Operator) -> Layer:
    features, times, bias, state = _tensors(graph, operator)
    source, target = first_input(graph, operator), first_output(graph, operator)
    into, out = (quantize_multiplier(factor) for factor in _factors(graph, operator))
    params = Svdf(
        batches=source.shape[0],
        inputs=source.shape[1],
        filters=features.shape[0],
        memory=times.shape[1],
        rank=operator.options["rank"],
        features=constant(features),
        times=constant(times),
        bias=constant(bias),
        state_dtype=state.dtype,
        input_zero_point=source.zero_point,
        state_zero_point=state.zero_point,
        output_zero_point=target.zero_point,
        feature_multiplier=into[0],
        feature_shift=into[1],
        output_multiplier=out[0],
        output_shift=out[1],
    )
    macs = source.shape[0] * (features.elements + times.elements)
    return Layer(operator, params, (source, state), (target, state), macs)


def reference(params: Svdf, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Sums over time wrap in int32, as they do in the interpreter on common machines."""
    p, dtype = params, params.state_dtype.numpy
    limits = np.iinfo(dtype)
    source = inputs[0].astype(np.int64) - p.input_zero_point
    features = source @ p.features.astype(np.int64).T
    scaled = multiply_by_quantized_multiplier(features, p.feature_multiplier, p.feature_shift)
    newest = p.state_zero_point + np.clip(scaled, limits.min, limits.max)
    state = np.empty((p.batches, p.filters, p.memory), dtype)
    state[..., :-1] = inputs[1].reshape(state.shape)[..., 1:]
    state[..., -1] = newest.astype(dtype)  # leaves the type by the zero point: wraps
    products = (state.astype(np.int64) - p.state_zero_point) * p.times.astype(np.int64)
    sums = products.reshape(p.batches, p.units, p.rank * p.memory).sum(axis=-1)
    output = requantize(wrap_int32(sums + p.bias), p.output_multiplier, p.output_shift, p.output_zero_point, -128, 127)
    return output.astype(np.int8), state


SPECS = (
    OperatorSpec(
        name="svdf",
        constraints=(
            checks.arity(5, 5),
            operands_present,
            checks.options("rank", "fused_activation_function"),
            checks.computed_input,
            checks.int8_in_and_out,
            types_fit,
            constant_weights,
            shapes_match,
            features_fit,
            scales_fit,
            plain_activation,
        ),
        parse=parse,
        reference=reference,
    ),
)
