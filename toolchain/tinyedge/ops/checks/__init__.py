"""Constraints that many operators share, and the words in which a broken one is reported.

A constraint's docstring is the rule: it is what the error says and what the published table of operators shows.
Constraints run in the order of `OperatorSpec.constraints`, and each may rely on the ones before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinyedge.arithmetic.quantization import ACTIVATIONS, MAX_LEFT_SHIFT, quantize_multiplier
from tinyedge.errors import ModelError
from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops.contract import Constraint

CONVERT_HINT = (
    "convert with a representative data set: set converter.optimizations = [tf.lite.Optimize.DEFAULT], "
    "converter.representative_dataset and converter.target_spec.supported_ops = "
    "[tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
)

OPTIONS_RULE = "The file states its options"
"""how the rule of `options` begins"""


_MOST_SHOWN = 6
"""tensors of an operator that an error lists"""


def describe(graph: Graph, operator: Operator) -> str:
    """An operator with its index, name and the types and shapes of its tensors, as errors show it."""

    def shapes(keys: Iterable[int]) -> str:
        tensors = [graph.tensors[key] for key in keys if key >= 0]
        shown = [f"{tensor.dtype.value} {list(tensor.shape)}" for tensor in tensors]
        if len(shown) > _MOST_SHOWN:
            shown[_MOST_SHOWN - 1 :] = [f"{len(shown) - _MOST_SHOWN + 1:,} more"]
        return ", ".join(shown)

    return f"operator {operator.index} `{operator.name}` ({shapes(operator.inputs)} -> {shapes(operator.outputs)})"


def refuse(graph: Graph, operator: Operator, rule: str, *, hint: str = "") -> ModelError:
    """The error for an operator that breaks a rule."""
    hint = hint or "change this layer in the model so that it keeps the rule, and convert the model again"
    return ModelError(
        f"model `{graph.name}`: {describe(graph, operator)} cannot be run: {rule}", hint=hint, code="TE204"
    )


def rule_of(constraint: Constraint) -> str:
    """The rule a constraint states: its docstring."""
    return " ".join((constraint.__doc__ or "").split())


def scalable(factor: float, most: int = MAX_LEFT_SHIFT) -> bool:
    """Whether a real factor fits a 31-bit multiplier with a shift of at most `most` to the left."""
    return math.isfinite(factor) and quantize_multiplier(factor)[1] <= most


# -- constraints -----------------------------------------------------------------------------------------------------


def arity(smallest: int, largest: int) -> Constraint:
    """A constraint: so many inputs, the first of which is there, and one output."""

    def check(graph: Graph, operator: Operator) -> bool:
        present = all(key >= 0 for key in operator.inputs[:smallest])
        return smallest <= len(operator.inputs) <= largest and present and len(operator.outputs) == 1

    count = str(smallest) if smallest == largest else f"{smallest} to {largest}"
    check.__doc__ = f"It has {count} input{'s' if largest > 1 else ''} and one output."
    return check


def options(*names: str) -> Constraint:
    """A constraint: the file holds these options."""

    def check(graph: Graph, operator: Operator) -> bool:
        return all(name in operator.options for name in names)

    check.__doc__ = f"{OPTIONS_RULE} ({', '.join(names)})."
    return check


def computed_input(graph: Graph, operator: Operator) -> bool:
    """Its first input is computed by the model, not a constant."""
    return not first_input(graph, operator).is_constant


def int8_in_and_out(graph: Graph, operator: Operator) -> bool:
    """Input and output are int8, each with one scale and zero point."""
    tensors = (first_input(graph, operator), first_output(graph, operator))
    return all(tensor.dtype is DType.INT8 and per_tensor(tensor) for tensor in tensors)


def int8_or_int16(graph: Graph, operator: Operator) -> bool:
    """Input and output are both int8 or both int16, each with one scale and zero point, which is 0 for int16."""
    tensors = (first_input(graph, operator), first_output(graph, operator))
    if tensors[0].dtype is not tensors[1].dtype or not all(per_tensor(tensor) for tensor in tensors):
        return False
    wide = tensors[0].dtype is DType.INT16 and not any(tensor.zero_point for tensor in tensors)
    return wide or tensors[0].dtype is DType.INT8


def same_shape(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape."""
    return first_input(graph, operator).shape == first_output(graph, operator).shape


def output_quantization(text: str, scale: float, zero_point: int) -> Constraint:
    """A constraint: the output has this scale, which `text` shows, and this zero point."""

    def check(graph: Graph, operator: Operator) -> bool:
        target = first_output(graph, operator)
        return target.scale == scale and target.zero_point == zero_point

    check.__doc__ = f"The output has scale {text} and zero point {zero_point}."
    return check


def same_quantization(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same scale (within 1e-6) and zero point."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return abs(source.scale - target.scale) <= 1e-6 and source.zero_point == target.zero_point


def known_activation(graph: Graph, operator: Operator) -> bool:
    """The fused activation is none, relu, relu_n1_to_1 or relu6."""
    return operator.options["fused_activation_function"] in ACTIVATIONS


def no_activation(graph: Graph, operator: Operator) -> bool:
    """It has no fused activation."""
    return bool(operator.options["fused_activation_function"] == "none")


def images(graph: Graph, operator: Operator) -> bool:
    """Input and output have four dimensions (NHWC) and the same batch size."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    return len(source) == 4 == len(target) and source[0] == target[0]


def element_types(*dtypes: DType, data: slice = slice(0, 1)) -> Constraint:
    """A constraint: the inputs that are moved (`data`) and all outputs are of one type, which is one of these."""

    def check(graph: Graph, operator: Operator) -> bool:
        keys = (*operator.inputs[data], *operator.outputs)
        moved = {graph.tensors[key].dtype for key in keys if key >= 0}
        return len(moved) == 1 and moved <= set(dtypes)

    names = [dtype.value for dtype in dtypes]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    check.__doc__ = f"What it moves is {listed}, the same going in and coming out."
    return check
