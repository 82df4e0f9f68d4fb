"""What TensorFlow Lite Micro can run: its operators, how each is registered, and what it refuses.

The rules are constraints like those of tinyedge's own operators (contract.py), and are reported in the same words.
Names of the C++ methods and registrations are those of micro_mutable_op_resolver.h and the kernels' headers; a test
holds them against the headers of a real tree.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from tinyedge.arithmetic.quantization import quantize_multiplier
from tinyedge.errors import ModelError
from tinyedge.graph.access import input_tensor, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.measure.oracle_limits import MOST_JOINED
from tinyedge.ops import OPERATORS, refuse_float
from tinyedge.ops.checks import describe, refuse, rule_of
from tinyedge.ops.checks.float_only import NO_KERNEL
from tinyedge.ops.contract import Constraint, Layer
from tinyedge.optimize import settle_islands


@dataclass(frozen=True)
class TflmOperator:
    """An operator of TensorFlow Lite Micro. `name` is TFLite's in lower case, or a custom operator's own."""

    name: str
    add: str
    """method of MicroMutableOpResolver"""
    registration: str
    """what follows `Register_`"""
    int8: tuple[int, ...] = ()
    """positions of the inputs that must be int8, with all outputs, for the int8-only registration; empty: none"""
    custom: bool = False

    @property
    def key(self) -> str:
        """The argument of `FindOp`."""
        return f'"{self.name}"' if self.custom else f"tflite::BuiltinOperator_{self.name.upper()}"


_REGULAR = (
    "abs add add_n arg_max arg_min assign_variable batch_to_space_nd broadcast_args broadcast_to cast ceil "
    "concatenation cos depth_to_space dequantize div dynamic_update_slice elu embedding_lookup equal exp expand_dims "
    "fill floor floor_div floor_mod fully_connected gather gather_nd greater greater_equal hard_swish l2_normalization "
    "leaky_relu less less_equal log log_softmax logical_and logical_not logical_or logistic maximum mean minimum "
    "mirror_pad mul neg not_equal pack pad prelu quantize read_variable reduce_all reduce_max reduce_min relu relu6 "
    "reshape resize_bilinear resize_nearest_neighbor reverse_v2 round rsqrt select_v2 shape sin slice softmax "
    "space_to_batch_nd space_to_depth split split_v sqrt square squared_difference squeeze strided_slice sub sum svdf "
    "tanh transpose transpose_conv unpack var_handle zeros_like"
)
_IRREGULAR = {
    "average_pool_2d": "AddAveragePool2D",
    "batch_matmul": "AddBatchMatMul",
    "conv_2d": "AddConv2D",
    "cumsum": "AddCumSum",
    "depthwise_conv_2d": "AddDepthwiseConv2D",
    "l2_pool_2d": "AddL2Pool2D",
    "max_pool_2d": "AddMaxPool2D",
    "padv2": "AddPadV2",
    "unidirectional_sequence_lstm": "AddUnidirectionalSequenceLSTM",
}
_CUSTOM = {
    "CIRCULAR_BUFFER": ("AddCircularBuffer", "CIRCULAR_BUFFER"),
    "SignalDelay": ("AddDelay", "DELAY"),
    "SignalEnergy": ("AddEnergy", "ENERGY"),
    "SignalFftAutoScale": ("AddFftAutoScale", "FFT_AUTO_SCALE"),
    "SignalFilterBank": ("AddFilterBank", "FILTER_BANK"),
    "SignalFilterBankLog": ("AddFilterBankLog", "FILTER_BANK_LOG"),
    "SignalFilterBankSpectralSubtraction": (
        "AddFilterBankSpectralSubtraction",
        "FILTER_BANK_SPECTRAL_SUBTRACTION",
    ),
    "SignalFilterBankSquareRoot": ("AddFilterBankSquareRoot", "FILTER_BANK_SQUARE_ROOT"),
    "SignalFramer": ("AddFramer", "FRAMER"),
    "SignalIrfft": ("AddIrfft", "IRFFT"),
    "SignalOverlapAdd": ("AddOverlapAdd", "OVERLAP_ADD"),
    "SignalPCAN": ("AddPCAN", "PCAN"),
    "SignalRfft": ("AddRfft", "RFFT"),
    "SignalStacker": ("AddStacker", "STACKER"),
    "SignalWindow": ("AddWindow", "WINDOW"),
}
_INT8 = {
    "add": (0, 1),
    "average_pool_2d": (0,),
    "batch_matmul": (0, 1),
    "conv_2d": (0, 1),
    "depthwise_conv_2d": (0, 1),
    "fully_connected": (0, 1),
    "max_pool_2d": (0,),
    "maximum": (0, 1),
    "minimum": (0, 1),
    "mul": (0, 1),
    "pad": (0,),
    "softmax": (0,),
    "svdf": (0, 1),
    "transpose": (0,),
    "transpose_conv": (1, 2),  # the first input is the output's shape
    "unidirectional_sequence_lstm": (0,),
}
"""the data and the weights; biases, shapes and states are int32 or int16 with an int8 registration too"""


def _camel(name: str) -> str:
    return "Add" + "".join(word.capitalize() for word in name.split("_"))


TFLM_OPERATORS: Mapping[str, TflmOperator] = MappingProxyType(
    {
        **{
            name: TflmOperator(name, _IRREGULAR.get(name) or _camel(name), name.upper(), _INT8.get(name, ()))
            for name in sorted([*_REGULAR.split(), *_IRREGULAR])
        },
        **{name: TflmOperator(name, add, register, custom=True) for name, (add, register) in _CUSTOM.items()},
    }
)
"""every operator that its resolver has a method for, without those that run other subgraphs"""

_INT64 = (
    *("concatenation", "fill", "maximum", "minimum", "mirror_pad", "pack", "reverse_v2", "zeros_like"),
    *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"),
)
"""operators with a kernel for int64"""
_RESOURCES = ("assign_variable", "read_variable", "var_handle")


@dataclass(frozen=True)
class TflmFeatures:
    """What differs between versions of TensorFlow Lite Micro."""

    per_channel_fully_connected: bool
    registrations: frozenset[str] | None
    """every `Register_...` of the tree, without `Register_`; None: not known, taken as complete"""
    float_scale_product: bool = False
    """fully_connected rounds input scale times weights scale to float32, as versions before autumn 2026 did"""

    def has(self, registration: str) -> bool:
        return self.registrations is None or registration in self.registrations


NEWEST = TflmFeatures(per_channel_fully_connected=True, registrations=None)
"""assumed where there is no tree to look at"""


def tflm_operator(operator: Operator) -> TflmOperator | None:
    """The entry of an operator; custom operators are found in the spelling of the file and in tinyedge's."""
    found = TFLM_OPERATORS.get(operator.name)
    if found is None:
        wanted = _squeezed(operator.name)
        return next((TFLM_OPERATORS[name] for name in _CUSTOM if _squeezed(name) == wanted), None)
    return found


def _squeezed(name: str) -> str:
    """A name without what spellings differ in."""
    return name.replace("_", "").lower()


# -- constraints -----------------------------------------------------------------------------------------------------


def no_int64(graph: Graph, operator: Operator) -> bool:
    """What it computes is not int64, for which TensorFlow Lite Micro has no kernel here."""
    used = [*graph.present_inputs(operator), *(graph.tensors[key] for key in operator.outputs)]
    return operator.name in _INT64 or not any(t.dtype is DType.INT64 and not t.is_constant for t in used)


def no_resource(graph: Graph, operator: Operator) -> bool:
    """It uses no resource variable: the firmware's interpreter has no memory for them."""
    return operator.name not in _RESOURCES


def few_joined(graph: Graph, operator: Operator) -> bool:
    """It joins at most 10 tensors, the limit of TensorFlow Lite Micro's concatenation."""
    return operator.name != "concatenation" or len(operator.inputs) <= MOST_JOINED


def per_tensor_weights(graph: Graph, operator: Operator) -> bool:
    """The weights have one scale: this version of TensorFlow Lite Micro lacks per-channel fully_connected."""
    weights = input_tensor(graph, operator, 1)
    return weights is None or weights.quantization is None or per_tensor(weights)


_RESOURCES_HINT = "use `--runtime aot`, which runs them"
_PER_TENSOR_HINT = (
    "set converter._experimental_disable_per_channel_quantization_for_dense_layers = True and convert again, take a "
    "newer TensorFlow Lite Micro, or use `--runtime aot`"
)
_JOINED_HINT = (
    "join in two steps, the results of the first in the second, or use `--runtime aot`, which has no such limit"
)
_INT64_HINT = "cast to int32 in the model (e.g. tf.argmax(..., output_type=tf.int32)) and convert again"


def constraints(operator: TflmOperator, features: TflmFeatures) -> tuple[tuple[Constraint, str], ...]:
    """(rule, hint) of an operator for a version of TensorFlow Lite Micro."""
    rules: list[tuple[Constraint, str]] = [
        (no_int64, _INT64_HINT),
        (no_resource, _RESOURCES_HINT),
        (few_joined, _JOINED_HINT),
    ]
    if operator.name == "fully_connected" and not features.per_channel_fully_connected:
        rules.append((per_tensor_weights, _PER_TENSOR_HINT))
    return tuple(rules)


def check_tflm(graph: Graph, features: TflmFeatures = NEWEST) -> None:
    """Raise ModelError unless TensorFlow Lite Micro has every operator, in integers or in islands of float32 that
    `aot` runs too, and its rules are kept."""
    folded = settle_islands(graph)
    for operator in folded.operators:
        refuse_float(folded, operator)
    if graph.calls_once:
        raise ModelError(
            f"model `{graph.name}` gives variables their start values by call_once, and the firmware's interpreter has "
            "no memory for variables",
            hint=_RESOURCES_HINT,
        )
    for operator in graph.operators:
        entry = tflm_operator(operator)
        if operator.subgraphs:
            raise ModelError(
                f"model `{graph.name}`: {describe(graph, operator)} runs other subgraphs, and the interpreter of the "
                "firmware counts the layers of one",
                hint="`--runtime aot` runs it",
            )
        if entry is None or not features.has(entry.registration):
            raise _unknown(graph, operator, entry)
        for rule, hint in constraints(entry, features):
            if not rule(graph, operator):
                raise refuse(graph, operator, f"the rule is: {rule_of(rule)}", hint=hint)


def _unknown(graph: Graph, operator: Operator, entry: TflmOperator | None) -> ModelError:
    what = f"model `{graph.name}`: {describe(graph, operator)} is not in "
    if entry is not None:
        return ModelError(
            what + "the TensorFlow Lite Micro of this tree", hint="take a newer tree, or use `--runtime aot`"
        )
    near = difflib.get_close_matches(operator.name, TFLM_OPERATORS, n=1)
    hints = [
        NO_KERNEL.get(operator.name, ""),
        f"the nearest it has is `{near[0]}`" if near else "",
        "`--runtime aot` runs it" if operator.name in OPERATORS else "",
        f"TensorFlow Lite Micro has {', '.join(TFLM_OPERATORS)}",
    ]
    return ModelError(what + "TensorFlow Lite Micro", hint="; ".join(hint for hint in hints if hint))


# -- what follows for a model ----------------------------------------------------------------------------------------


def used_operators(graph: Graph) -> tuple[TflmOperator, ...]:
    """Each operator of a checked graph once, by name: a stable order for the resolver."""
    found = {entry.name: entry for entry in map(tflm_operator, graph.operators) if entry is not None}
    return tuple(found[name] for name in sorted(found))


def registration_of(graph: Graph, entry: TflmOperator, features: TflmFeatures) -> tuple[str, str]:
    """(what follows `Register_`, why) for an operator: one registration serves all its uses in the model.

    An int8-only registration runs its int8 kernel whatever the tensors hold, in silence, so each use is looked at.
    """
    if not entry.int8:
        return entry.registration, "no int8-only registration exists"
    uses = [operator for operator in graph.operators if tflm_operator(operator) is entry]
    name = f"{entry.registration}_INT8"
    for operator in uses:
        if other := _first_other(graph, operator, entry.int8):
            return entry.registration, f"operator {operator.index} has {other}"
    if not features.has(name):
        return entry.registration, "this tree has no int8-only registration"
    return name, "int8 throughout"


def _first_other(graph: Graph, operator: Operator, positions: Sequence[int]) -> str:
    """The first data tensor that is not int8, in words; empty when all are."""
    for position in positions:
        tensor = input_tensor(graph, operator, position)
        if tensor is None or tensor.dtype is not DType.INT8:
            return f"{'no' if tensor is None else tensor.dtype.value} input {position}"
    for position, key in enumerate(operator.outputs):
        if graph.tensors[key].dtype is not DType.INT8:
            return f"{graph.tensors[key].dtype.value} output {position}"
    return ""


def list_layers(graph: Graph) -> tuple[Layer, ...]:
    """The layers of a graph as reports show them, in the file's order; MACs where tinyedge knows the operator."""
    return tuple(_layer(graph, operator) for operator in graph.operators)


def older_layers(graph: Graph, features: TflmFeatures) -> tuple[Layer, ...] | None:
    """The layers with the multipliers of a version with `float_scale_product`, for the numpy reference.

    None where they are those of newer versions, so that any TensorFlow Lite Micro computes the same, and where tinyedge
    has no reference for an operator.
    """
    if not features.float_scale_product or not all(operator.name in OPERATORS for operator in graph.operators):
        return None
    layers = list_layers(graph)
    older = tuple(_with_float_product(graph, layer) for layer in layers)
    if all(a is b for a, b in zip(layers, older, strict=True)) or any(layer.params is None for layer in layers):
        return None
    return older


def _with_float_product(graph: Graph, layer: Layer) -> Layer:
    """The layer itself unless rounding the product of the scales changes its multiplier."""
    if layer.name != "fully_connected" or layer.params is None:
        return layer
    weights = graph.tensors[layer.operator.inputs[1]]
    if not per_tensor(weights):
        return layer
    product = float(np.float32(layer.inputs[0].scale) * np.float32(weights.scale))
    multiplier, shift = quantize_multiplier(product / layer.outputs[0].scale)
    old = layer.params
    if (multiplier, shift) == (old.multiplier[0], old.shift[0]):
        return layer
    params = replace(old, multiplier=np.full_like(old.multiplier, multiplier), shift=np.full_like(old.shift, shift))
    return replace(layer, params=params)


def _layer(graph: Graph, operator: Operator) -> Layer:
    spec = OPERATORS.get(operator.name)
    if spec is not None and all(constraint(graph, operator) for constraint in spec.constraints):
        return spec.parse(graph, operator)
    inputs = tuple(tensor for tensor in graph.present_inputs(operator) if not tensor.is_constant)
    return Layer(operator, None, inputs, tuple(graph.tensors[key] for key in operator.outputs), 0)
