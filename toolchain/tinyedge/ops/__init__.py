"""What tinyedge can compute: the table of operators, and graphs turned into layers or refused."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ai_edge_litert import schema_py_generated as schema

from tinyedge.arithmetic import movement
from tinyedge.arithmetic.float_functions import OF_LIBRARY
from tinyedge.discovery import collect
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks, reshape
from tinyedge.ops.checks import CONVERT_HINT, describe, refuse, rule_of
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL, TFLM_ONLY
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec
from tinyedge.ops.control_flow import LOOP_HINT
from tinyedge.ops.elementwise_f32 import SUFFIX
from tinyedge.ops.variables import SLIDE

_USERS = ("reference",)
"""modules of this folder that look operators up"""
OPERATORS: Mapping[str, OperatorSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in sorted(
            (spec for family in collect(__name__, "SPECS", skip=_USERS) for spec in family), key=lambda spec: spec.name
        )
    }
)
"""every operator tinyedge runs, by TFLite's name in lower case"""
IN_FILES = tuple(name for name in OPERATORS if name not in ("island", SLIDE) and not name.endswith(SUFFIX))
"""the names of those that files hold; passes make the others"""

_BORDERS = ("quantize", "dequantize")
_MOVING = (movement.reference, reshape.reference)
"""references of operators that leave elements as they are"""
_QUANTIZED = (DType.INT8, DType.INT16)
_SMALL_INTEGERS = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


@functools.lru_cache(maxsize=4)
def parse_graph(graph: Graph) -> tuple[Layer, ...]:
    """The layers of a graph in the order of its operators: the same objects for the same graph, asked again.

    Raises: ModelError as `check` does
    """
    check(graph)
    return tuple(OPERATORS[operator.name].parse(graph, operator) for operator in graph.operators)


def check(graph: Graph) -> None:
    """Raise ModelError unless every operator is known, computes in integers, and keeps its rules; in subgraphs too."""
    for operator in graph.operators:
        refuse_float(graph, operator)
    _refuse_unknown(graph)
    for operator in graph.operators:
        for constraint in OPERATORS[operator.name].constraints:
            if not constraint(graph, operator):
                raise refuse(graph, operator, f"the rule is: {rule_of(constraint)}")
        for subgraph in operator.subgraphs:
            check(subgraph)


def _refuse_unknown(graph: Graph) -> None:
    unknown = [operator for operator in graph.operators if operator.name not in OPERATORS]
    if not unknown:
        return
    first = unknown[0]
    others = sorted({operator.name for operator in unknown[1:]} - {first.name})
    also = f"; also not supported here: {', '.join(f'`{name}`' for name in others)}" if others else ""
    hint = f"supported are {', '.join(IN_FILES)}"
    near = _nearest(graph, first)
    if near:
        hint = f"the nearest is `{near}`; {hint}"
    why = ""
    if first.name in FLOAT_ONLY:
        why = ": TensorFlow Lite Micro computes it in float32 only"
    elif is_builtin(first.name) and first.name not in TFLM_ONLY:
        why = ": TensorFlow Lite Micro has no kernel either"
    instead = FLOAT_ONLY.get(first.name) or NO_KERNEL.get(first.name)
    raise ModelError(
        f"model `{graph.name}`: {describe(graph, first)} is not supported{why}{also}",
        hint=f"{instead}; {hint}" if instead else hint,
        code="TE201" if is_builtin(first.name) else "TE202" if first.name.startswith("Flex") else "TE203",
    )


def is_builtin(name: str) -> bool:
    """Whether TensorFlow Lite has an operator of this name; others are custom ones."""
    return hasattr(schema.BuiltinOperator, name.upper())


def _nearest(graph: Graph, operator: Operator) -> str:
    """A name that the name of a custom operator may be meant for, if that operator would run here; else empty."""
    near = () if is_builtin(operator.name) else difflib.get_close_matches(operator.name, IN_FILES, n=1)
    for name in near:
        meant = replace(operator, name=name)
        if all(_may_hold(constraint, graph, meant) for constraint in OPERATORS[name].constraints):
            return name
    return ""


def _may_hold(constraint: Constraint, graph: Graph, operator: Operator) -> bool:
    """Whether an operator without its options may keep a rule."""
    if rule_of(constraint).startswith(checks.OPTIONS_RULE):
        return True
    try:
        return constraint(graph, operator)
    except KeyError:  # an option that the rule looks at
        return True


def refuse_float(graph: Graph, operator: Operator) -> None:
    """Refuse an operator that computes in float32 or in the old uint8, in the words of the case."""
    if operator.name in _BORDERS:
        return
    used = [*graph.present_inputs(operator), *(graph.tensors[key] for key in operator.outputs)]
    computed = [tensor.dtype for tensor in used if not tensor.is_constant]
    title = describe(graph, operator)
    if DType.UINT8 in computed:
        raise ModelError(
            f"model `{graph.name}` is quantized to uint8, TensorFlow 1's way: {title}", hint=CONVERT_HINT, code="TE106"
        )
    if DType.FLOAT32 not in computed:
        return
    in_part = is_quantized_in_part(graph)
    if in_part and _runs_in_float32(operator):
        return
    if _has_quantized_weights(graph, operator):
        raise ModelError(
            f"model `{graph.name}` is a hybrid model: its weights are integers, its activations float32: {title}",
            hint=CONVERT_HINT,
            code="TE102",
        )
    if in_part and operator.name in OF_LIBRARY:
        raise ModelError(
            f"model `{graph.name}` is int8 in part only: {title} computes in float32 by the C library, on which the "
            "last bit depends: it runs as a table of single int8 values that is quantized to int8 again, and not else",
            hint=f"the converter could not quantize this operator: replace it, or {CONVERT_HINT}",
            code="TE103",
        )
    if in_part:
        raise ModelError(
            f"model `{graph.name}` is int8 in part only: {title} computes in float32, is no function of single int8 "
            "values that a table could hold, and has no kernel in float32",
            hint=LOOP_HINT
            if operator.subgraphs
            else f"the converter could not quantize this operator: replace it, or {CONVERT_HINT}",
            code="TE103",
        )
    never = "" if any(tensor.quantization for tensor in graph.tensors.values()) else "; no tensor of it was quantized"
    raise ModelError(
        f"model `{graph.name}` is a float model: {title} computes in float32{never}",
        hint=LOOP_HINT if operator.subgraphs else CONVERT_HINT,
        code="TE102" if any(_has_quantized_weights(graph, other) for other in graph.operators) else "TE101",
    )


def is_quantized_in_part(graph: Graph) -> bool:
    """Whether some of what a model computes is int8 or int16: what it computes in float32 is an island then."""
    return any(tensor.dtype in _QUANTIZED and not tensor.is_constant for tensor in graph.tensors.values())


def _runs_in_float32(operator: Operator) -> bool:
    """Whether an operator has a kernel for float32, or moves elements; its rules say which types it moves."""
    spec = OPERATORS.get(operator.name)
    return spec is not None and (
        operator.name.endswith(SUFFIX) or operator.name == "island" or spec.reference in _MOVING
    )


def _has_quantized_weights(graph: Graph, operator: Operator) -> bool:
    """Whether a float operator has integer constants, given directly or through a dequantize."""
    for tensor in graph.present_inputs(operator):
        if tensor.is_constant and tensor.dtype in _SMALL_INTEGERS:
            return True
        producer = graph.producer(tensor.index)
        if producer is None or producer.name != "dequantize":
            continue
        if any(source.is_constant for source in graph.present_inputs(producer)):
            return True
    return False
