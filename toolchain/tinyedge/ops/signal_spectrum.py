"""signal_window, signal_fft_auto_scale, signal_rfft, signal_energy: from samples to a spectrum.

Custom operators of TensorFlow Lite Micro's signal library, on int16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.fft import LENGTHS, rfft_s16
from tinyedge.arithmetic.filter_bank import bit_length, energies
from tinyedge.graph.access import constant, first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops.checks import custom
from tinyedge.ops.checks.custom import custom_options
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer

_S16 = DType.INT16
_INT16_TYPE = 7
"""of the schema's TensorType"""


# -- signal_window ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalWindow:
    """Parameters: each piece of the input times the weights, shifted right, saturated."""

    windows: int
    weights: Array
    shift: int


def whole_windows(graph: Graph, operator: Operator) -> bool:
    """The weights have one dimension; the input holds whole windows, and the output has its shape."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    weights = graph.tensors[operator.inputs[1]]
    return len(weights.shape) == 1 and source.elements % weights.elements == 0 and source.shape == target.shape


def parse_window(graph: Graph, operator: Operator) -> Layer:
    source = first_input(graph, operator)
    weights = constant(graph.tensors[operator.inputs[1]])
    params = SignalWindow(source.elements // len(weights), weights, custom_options(operator)["shift"])
    return make_layer(operator, params, [source], [first_output(graph, operator)])


def window(params: SignalWindow, inputs: Sequence[Array]) -> tuple[Array, ...]:
    pieces = inputs[0].reshape(-1, len(params.weights)).astype(np.int64)
    return (np.clip((pieces * params.weights) >> params.shift, -32768, 32767).astype(np.int16),)


# -- signal_fft_auto_scale -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalFftAutoScale:
    """Parameters: values are shifted left as far as int16 lets them, and the shift is the second output."""

    elements: int


def parse_auto_scale(graph: Graph, operator: Operator) -> Layer:
    source = first_input(graph, operator)
    outputs = [graph.tensors[key] for key in operator.outputs]
    return make_layer(operator, SignalFftAutoScale(source.elements), [source], outputs)


def scale_bits(values: Array) -> int:
    """The bits by which int16 values can be shifted left; 0 where all are 0.

    TensorFlow Lite Micro keeps -32768 as the largest so far in int16, where any value behind it is larger.

    >>> scale_bits(np.array([100, -3])), scale_bits(np.array([-32768, 5])), scale_bits(np.array([5, -32768]))
    (8, 12, 0)
    """
    lowest = np.flatnonzero(values == -32768)
    if not lowest.size:
        largest = int(np.abs(values.astype(np.int64)).max(initial=0))
    else:
        largest = -32768
        for value in values[lowest[-1] + 1 :].tolist():
            largest = value if value > largest else max(largest, -value)
    return 15 - int(bit_length(np.array([largest]))[0]) if largest > 0 else 0


def auto_scale(params: SignalFftAutoScale, inputs: Sequence[Array]) -> tuple[Array, ...]:
    bits = scale_bits(inputs[0])
    return (inputs[0].astype(np.int64) << bits).astype(np.int16), np.array(bits, np.int32)


# -- signal_rfft -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalRfft:
    """Parameters: `rows` signals of `size` samples each, zeros behind them up to `length`."""

    rows: int
    size: int
    length: int


def transformable(graph: Graph, operator: Operator) -> bool:
    """It transforms int16 (T); fft_length is a power of two in [8, 4,096] and not below the last size of the input, and
    the output has fft_length + 2 in its place."""
    stated = custom_options(operator)
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    length = stated.get("fft_length", 0)
    known = stated.keys() == {"T", "fft_length"} and stated["T"] == _INT16_TYPE and length in LENGTHS
    return known and bool(source) and source[-1] <= length and target == (*source[:-1], length + 2)


def parse_rfft(graph: Graph, operator: Operator) -> Layer:
    source = first_input(graph, operator)
    size = source.shape[-1]
    params = SignalRfft(source.elements // size, size, custom_options(operator)["fft_length"])
    return make_layer(operator, params, [source], [first_output(graph, operator)])


def rfft(params: SignalRfft, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (rfft_s16(inputs[0].reshape(params.rows, params.size), params.length),)


# -- signal_energy ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalEnergy:
    """Parameters: energies of the bins from `start` to before `end`; TensorFlow Lite Micro leaves the others as they
    are, and tinyedge makes them 0."""

    bins: int
    start: int
    end: int


def bins_exist(graph: Graph, operator: Operator) -> bool:
    """Input and output have one dimension, the input a real and an imaginary part for each output; start_index and
    end_index are not above the number of outputs."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    flat = len(source.shape) == len(target.shape) == 1 and source.elements == 2 * target.elements
    return flat and max(custom_options(operator).values()) <= target.elements


def parse_energy(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    stated = custom_options(operator)
    params = SignalEnergy(target.elements, stated["start_index"], stated["end_index"])
    return make_layer(operator, params, [source], [target])


def energy(params: SignalEnergy, inputs: Sequence[Array]) -> tuple[Array, ...]:
    result = energies(inputs[0])
    result[: params.start] = 0
    result[max(params.end, params.start) :] = 0
    return (result,)


SPECS = (
    OperatorSpec(
        "signal_window",
        (
            custom.types([_S16, _S16], [_S16]),
            custom.constants(1),
            custom.states(shift=(0, 30)),
            whole_windows,
        ),
        parse_window,
        window,
    ),
    OperatorSpec(
        "signal_fft_auto_scale",
        (custom.types([_S16], [_S16, DType.INT32]), custom.computed, custom.states(), custom.lines_of_one_length),
        parse_auto_scale,
        auto_scale,
    ),
    OperatorSpec("signal_rfft", (custom.types([_S16], [_S16]), custom.computed, transformable), parse_rfft, rfft),
    OperatorSpec(
        "signal_energy",
        (
            custom.types([_S16], [DType.UINT32]),
            custom.computed,
            custom.states(start_index=(0, 1 << 15), end_index=(0, 1 << 15)),
            bins_exist,
        ),
        parse_energy,
        energy,
    ),
)
