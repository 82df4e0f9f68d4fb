"""read_variable, assign_variable, circular_buffer, slide: what a streaming model keeps from one inference to the next.

State is a tensor with `is_variable` set (`graph.resources` makes such a tensor of a resource variable). A layer that
changes state lists it among its inputs and its outputs.
"""

from __future__ import annotations

from flatbuffers import flexbuffers

from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

SLIDE = "slide"
"""the operator that `optimize.slide_variables` makes of four"""
_MOVED = element_types(DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.BOOL)
_EVERY_TIME = (5, 13, 25)
"""slots of the circular buffers that TensorFlow Lite Micro runs every time when their options do not say how often"""


def _is_state(tensor: Tensor) -> bool:
    return tensor.is_variable and not tensor.is_constant


def _cycles(graph: Graph, operator: Operator) -> int | None:
    """Inferences from one run of what follows a circular buffer to the next; None when the file is not clear."""
    raw = operator.options.get("custom_options", b"")
    cycles = 0
    if raw:
        try:
            stated = flexbuffers.Loads(raw)
        except Exception:  # whatever flexbuffers makes of damaged bytes
            return None
        # The interpreter takes the first value of the map, whatever its name: cycles_max is alone in it.
        first = stated[min(stated)] if isinstance(stated, dict) and stated else None
        if not isinstance(first, int):
            return None
        cycles = first
    if cycles > 0:
        return cycles
    return 1 if first_output(graph, operator).shape[1] in _EVERY_TIME else None


# -- resource variables ----------------------------------------------------------------------------------------------


def reads_variable(graph: Graph, operator: Operator) -> bool:
    """It reads a variable that a var_handle of this graph names, whole."""
    source = first_input(graph, operator)
    return _is_state(source) and source.elements == first_output(graph, operator).elements


def writes_variable(graph: Graph, operator: Operator) -> bool:
    """It writes a variable that a var_handle of this graph names, whole."""
    target = first_output(graph, operator)
    return _is_state(target) and target.elements == first_input(graph, operator).elements


def starts_at_zero(graph: Graph, operator: Operator) -> bool:
    """The value that is assigned is int8, or its zero point is 0, or the model says what the variable starts with."""
    target = first_output(graph, operator)
    if target.start is not None:
        return True
    return target.dtype is DType.INT8 or target.quantization is None or not any(target.quantization.zero_point)


def parse_copy(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    line = View.whole((source.elements,))
    return movement_layer(operator, [source], [target], make_copies(0, 0, [(line, line)]))


# -- circular buffers ------------------------------------------------------------------------------------------------


def kept_buffer(graph: Graph, operator: Operator) -> bool:
    """The output is a variable, which keeps its slots from one inference to the next."""
    return _is_state(first_output(graph, operator))


def one_slot_goes_in(graph: Graph, operator: Operator) -> bool:
    """The input is [1, 1, columns, depth], the output [1, slots, columns, depth]."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    return len(source) == 4 == len(target) and source == (1, 1, *target[2:]) and target[0] == 1


def runs_every_time(graph: Graph, operator: Operator) -> bool:
    """What follows runs in every inference (cycles_max is 1, or absent with 5, 13 or 25 slots): none is cut short."""
    return _cycles(graph, operator) == 1


def parse_circular_buffer(graph: Graph, operator: Operator) -> Layer:
    """All slots move down by one, and the input becomes the last."""
    source, buffer = first_input(graph, operator), first_output(graph, operator)
    slots, depth = buffer.shape[1], source.elements
    whole = View.whole((slots, depth))
    last = whole.part(0, slots - 1, 1)
    copies = [
        *make_copies(1, 0, [(whole.part(0, 1, slots - 1), whole.part(0, 0, slots - 1))]),
        *make_copies(0, 0, [(View.whole((1, depth)), last)]),
    ]
    return movement_layer(operator, [source, buffer], [buffer], copies)


# -- sliding buffers, which passes make ----------------------------------------------------------------------------


def kept_whole(graph: Graph, operator: Operator) -> bool:
    """The output is a variable of more elements than the input, which become its last ones."""
    return kept_buffer(graph, operator) and first_input(graph, operator).elements < _elements(graph, operator)


def _elements(graph: Graph, operator: Operator) -> int:
    return first_output(graph, operator).elements


def parse_slide(graph: Graph, operator: Operator) -> Layer:
    """All elements move down by as many as come in, and the input becomes the last."""
    source, buffer = first_input(graph, operator), first_output(graph, operator)
    whole, new = View.whole((buffer.elements,)), source.elements
    kept = buffer.elements - new
    copies = [
        *make_copies(1, 0, [(whole.part(0, new, kept), whole.part(0, 0, kept))]),
        *make_copies(0, 0, [(View.whole((new,)), whole.part(0, kept, new))]),
    ]
    return movement_layer(operator, [source, buffer], [buffer], copies)


SPECS = (
    OperatorSpec("read_variable", (checks.arity(1, 1), _MOVED, reads_variable), parse_copy, reference),
    OperatorSpec(
        "assign_variable", (checks.arity(1, 1), _MOVED, writes_variable, starts_at_zero), parse_copy, reference
    ),
    OperatorSpec(
        name="circular_buffer",
        constraints=(
            checks.arity(1, 1),
            checks.int8_in_and_out,
            one_slot_goes_in,
            kept_buffer,
            runs_every_time,
        ),
        parse=parse_circular_buffer,
        reference=reference,
    ),
    OperatorSpec(SLIDE, (checks.arity(1, 1), _MOVED, kept_whole), parse_slide, reference),
)
