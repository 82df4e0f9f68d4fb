"""signal_filter_bank, its square root, spectral subtraction and logarithm, signal_pcan: from a spectrum to channels.

Custom operators of TensorFlow Lite Micro's signal library, on uint32 and uint64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import filter_bank as bank
from tinyedge.arithmetic.filter_bank import GAIN_VALUES, Bands, Subtraction
from tinyedge.graph.access import constant, first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops.checks import custom
from tinyedge.ops.checks.custom import custom_options
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer

_S16, _S32, _U32, _U64 = DType.INT16, DType.INT32, DType.UINT32, DType.UINT64
_MOST_CHANNELS = 1 << 12
_SHARE = (0, 1 << 16)
_BITS = (0, 31)


# -- signal_filter_bank ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalFilterBank:
    """Parameters."""

    bands: Bands


def _bands(graph: Graph, operator: Operator) -> Bands:
    weights, rests, starts, first, widths = (constant(graph.tensors[key]) for key in operator.inputs[1:])
    return Bands(starts, first, widths, weights, rests)


def bands_exist(graph: Graph, operator: Operator) -> bool:
    """num_channels is the number of outputs; for one part more, first bins, places of weights and widths lie within
    the input and within the two lists of weights, which are as long as each other and hold nothing negative. All have
    one dimension."""
    bands, outputs = _bands(graph, operator), first_output(graph, operator)
    tables = (bands.starts, bands.first, bands.widths)
    lists = (*tables, bands.weights, bands.rests)
    flat = all(table.ndim == 1 for table in lists) and len(first_input(graph, operator).shape) == 1
    count = custom_options(operator)["num_channels"]
    if not flat or outputs.shape != (count,) or any(len(table) != count + 1 for table in tables):
        return False
    if len(bands.weights) != len(bands.rests) or any(table.min() < 0 for table in lists):
        return False
    wide = [table.astype(np.int64) for table in tables]
    bins = first_input(graph, operator).elements
    return bool((wide[0] + wide[2]).max() <= bins and (wide[1] + wide[2]).max() <= len(bands.weights))


def parse_bank(graph: Graph, operator: Operator) -> Layer:
    params = SignalFilterBank(_bands(graph, operator))
    return make_layer(operator, params, [first_input(graph, operator)], [first_output(graph, operator)])


def sum_bands(params: SignalFilterBank, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (bank.sum_bands(inputs[0], params.bands),)


# -- signal_filter_bank_square_root ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SquareRoot:
    """Parameters: roots, shifted right by the lowest five bits of the second input."""

    channels: int


def parse_root(graph: Graph, operator: Operator) -> Layer:
    operands = [graph.tensors[key] for key in operator.inputs]
    return make_layer(operator, SquareRoot(operands[0].elements), operands, [first_output(graph, operator)])


def square_root(params: SquareRoot, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (bank.square_roots(inputs[0]) >> np.uint32(int(inputs[1]) & 31),)


# -- signal_filter_bank_spectral_subtraction -------------------------------------------------------------------------


def noise_is_kept(graph: Graph, operator: Operator) -> bool:
    """num_channels is the number of elements of its input and of its outputs, all of one dimension; the second output
    is no input of the model."""
    sizes = {graph.tensors[key].shape for key in (*operator.inputs, *operator.outputs)}
    noise = graph.tensors[operator.outputs[1]]
    return sizes == {(custom_options(operator)["num_channels"],)} and noise.is_variable


def parse_subtraction(graph: Graph, operator: Operator) -> Layer:
    """The estimate of the noise lasts from one inference to the next: it is read and written."""
    stated = {key: value for key, value in custom_options(operator).items() if key != "num_channels"}
    bits, clamping = stated.pop("spectral_subtraction_bits"), bool(stated.pop("clamping"))
    params = Subtraction(bits=bits, clamping=clamping, **stated)
    outputs = [graph.tensors[key] for key in operator.outputs]
    return make_layer(operator, params, [first_input(graph, operator), outputs[1]], outputs)


def subtract(params: Subtraction, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return bank.subtract_noise(inputs[0], inputs[1], params)


# -- signal_pcan -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalPcan:
    """Parameters: the table of gains, and the shift of signal times gain."""

    channels: int
    gains: Array
    snr_shift: int


def gains_fit(graph: Graph, operator: Operator) -> bool:
    """The table of gains has 125 values; signal, noise and output have one dimension and the same elements."""
    signal, noise, gains = (graph.tensors[key].shape for key in operator.inputs)
    return gains == (GAIN_VALUES,) and len(signal) == 1 and signal == noise == first_output(graph, operator).shape


def noise_is_computed(graph: Graph, operator: Operator) -> bool:
    """The noise is computed by the model."""
    return not graph.tensors[operator.inputs[1]].is_constant


def parse_pcan(graph: Graph, operator: Operator) -> Layer:
    signal, noise, gains = (graph.tensors[key] for key in operator.inputs)
    params = SignalPcan(signal.elements, constant(gains), custom_options(operator)["snr_shift"])
    return make_layer(operator, params, [signal, noise], [first_output(graph, operator)])


def control_gain(params: SignalPcan, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (bank.control_gain(inputs[0], inputs[1], params.gains, params.snr_shift),)


# -- signal_filter_bank_log ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Logarithm:
    """Parameters."""

    channels: int
    output_scale: int
    correction_bits: int


def parse_log(graph: Graph, operator: Operator) -> Layer:
    source, stated = first_input(graph, operator), custom_options(operator)
    params = Logarithm(source.elements, stated["output_scale"], stated["input_correction_bits"])
    return make_layer(operator, params, [source], [first_output(graph, operator)])


def logarithm(params: Logarithm, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = bank.logarithms(inputs[0], params.correction_bits, params.output_scale, 32767)
    return (values.astype(np.int16),)


SPECS = (
    OperatorSpec(
        "signal_filter_bank",
        (
            custom.types([_U32, _S16, _S16, _S16, _S16, _S16], [_U64]),
            custom.constants(1, 2, 3, 4, 5),
            custom.states(num_channels=(1, _MOST_CHANNELS)),
            bands_exist,
        ),
        parse_bank,
        sum_bands,
    ),
    OperatorSpec(
        "signal_filter_bank_square_root",
        (custom.types([_U64, _S32], [_U32]), custom.computed, custom.states(), custom.lines_of_one_length),
        parse_root,
        square_root,
    ),
    OperatorSpec(
        "signal_filter_bank_spectral_subtraction",
        (
            custom.types([_U32], [_U32, _U32]),
            custom.computed,
            custom.states(
                num_channels=(1, _MOST_CHANNELS),
                smoothing=_SHARE,
                one_minus_smoothing=_SHARE,
                alternate_smoothing=_SHARE,
                alternate_one_minus_smoothing=_SHARE,
                min_signal_remaining=_SHARE,
                smoothing_bits=_BITS,
                spectral_subtraction_bits=_BITS,
                clamping=(0, 1),
            ),
            noise_is_kept,
        ),
        parse_subtraction,
        subtract,
    ),
    OperatorSpec(
        "signal_pcan",
        (
            custom.types([_U32, _U32, _S16], [_U32]),
            custom.constants(2),
            noise_is_computed,
            custom.states(snr_shift=(0, 63)),
            gains_fit,
        ),
        parse_pcan,
        control_gain,
    ),
    OperatorSpec(
        "signal_filter_bank_log",
        (
            custom.types([_U32], [_S16]),
            custom.computed,
            custom.states(output_scale=(0, 1 << 16), input_correction_bits=_BITS),
            custom.lines_of_one_length,
        ),
        parse_log,
        logarithm,
    ),
)
