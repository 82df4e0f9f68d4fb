"""Resource variables become variable tensors: one kind of state is enough for everything behind the reader.

In a file a var_handle names a variable, and read_variable and assign_variable take that handle. Here the handle is
gone: each variable is one tensor with `is_variable` set, which read_variable reads and assign_variable writes. What a
call_once assigns before the first inference is what the variable starts with, and the call_once is gone too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.graph.inner_variables import Name, lift_variables, variable_name
from tinyedge.graph.ir import DType, Graph, Operator, Tensor

_HINT = "export the model again, with every variable assigned in the graph that reads it"
_ONCE_HINT = "give each variable a constant as its initial value, and convert again"
_KEPT_OUTPUTS = MappingProxyType({"signal_filter_bank_spectral_subtraction": 1})
"""operators that keep one of their outputs from one inference to the next, and its position"""
_UNCHANGED = -1
"""stands for a variable that needs no tensor"""


@dataclass
class _Variable:
    """What the graph says about one variable."""

    name: str
    value: Tensor | None = None
    """of its first assignment, which says what it is"""
    changes: bool = False
    """whether an inference assigns it"""
    start: Tensor | None = None
    """the constant it is assigned before the first inference"""
    key: int = _UNCHANGED
    """of the tensor that stands for it"""


def bind_resources(graph: Graph, once: Mapping[int, Graph]) -> Graph:
    """The graph without handles and without call_once; the very same graph when it has neither.

    A variable has the shape, type and quantization of what is assigned to it first, as in TensorFlow Lite Micro. One
    that no inference assigns is a constant.

    once  the subgraphs that a call_once of the graph runs, by their numbers

    Raises: ModelError when a variable is never assigned, holds tensors of different sizes, or a handle goes astray;
            when a call_once computes, or comes too late; when a loop or a branch keeps state otherwise
    """
    graph = lift_variables(graph)
    calls = [operator for operator in graph.operators if operator.name == "call_once"]
    if not calls and not any(operator.name == "var_handle" for operator in graph.operators):
        return graph
    _refuse_late_calls(graph)
    starts: dict[Name, Tensor] = {}
    for call in calls:
        starts.update(_starts(graph, call, once[int(call.options.get("init_subgraph_index", 0))]))
    variables = _find_variables(graph, starts)
    tensors = dict(graph.tensors)
    for variable in {id(variable): variable for variable in variables.values()}.values():
        _refuse_unsound(graph, variable)
        if variable.changes:
            _add_state(tensors, variable)
    operators = []
    for operator in graph.operators:
        if operator.name in ("var_handle", "call_once"):
            continue
        bound = _bound(graph, operator, variables)
        if bound.name == "read_variable" and bound.inputs == (_UNCHANGED,):
            _make_constant(tensors, operator.outputs[0], variables[operator.inputs[0]])
        else:
            operators.append(bound)
    for key in (*graph.inputs, *graph.outputs):
        if key in variables:
            raise _fail(graph, f"the handle of variable `{variables[key].name}` is an input or output of the model")
    for key in variables:
        del tensors[key]
    return graph.evolve(tensors=tensors, operators=tuple(operators), calls_once=bool(calls))


def keep_outputs(graph: Graph) -> Graph:
    """The graph with outputs that an operator keeps inside as variables; the very same graph when it has none."""
    kept = {
        operator.outputs[at]
        for operator in graph.operators
        if (at := _KEPT_OUTPUTS.get(operator.name)) is not None and at < len(operator.outputs)
    } - set(graph.inputs)
    if not kept:
        return graph
    variables = {
        key: replace(graph.tensors[key], is_variable=True) for key in kept if not graph.tensors[key].is_constant
    }
    return graph.evolve(tensors=MappingProxyType({**graph.tensors, **variables}))


def _refuse_unsound(graph: Graph, variable: _Variable) -> None:
    if variable.value is None:
        raise _fail(graph, f"variable `{variable.name}` is never assigned")
    if variable.start is not None and not _same_room(variable.start, variable.value):
        raise _fail(
            graph,
            f"variable `{variable.name}` holds {_what(variable.value)}, it starts as {_what(variable.start)}",
        )


def _add_state(tensors: dict[int, Tensor], variable: _Variable) -> None:
    """The tensor that stands for a variable."""
    value, start = variable.value, variable.start
    assert value is not None
    variable.key = max(tensors, default=-1) + 1
    tensors[variable.key] = replace(
        value,
        index=variable.key,
        name=variable.name,
        data=None,
        is_variable=True,
        start=None if start is None else np.asarray(start.data).reshape(value.shape),
    )


def _make_constant(tensors: dict[int, Tensor], key: int, variable: _Variable) -> None:
    """What is read of a variable that no inference changes."""
    assert variable.start is not None, "what nothing changes was assigned at the start"
    tensors[key] = replace(tensors[key], data=np.asarray(variable.start.data).reshape(tensors[key].shape))


def _fail(graph: Graph, what: str, hint: str = _HINT) -> ModelError:
    return ModelError(f"model `{graph.name}`: {what}", hint=hint)


def _what(tensor: Tensor) -> str:
    return f"{tensor.dtype.value} {list(tensor.shape)}"


def _same_room(first: Tensor, second: Tensor) -> bool:
    return (first.bytes, first.dtype) == (second.bytes, second.dtype)


def _refuse_late_calls(graph: Graph) -> None:
    """Refuse a call_once behind an operator that uses a variable: the first inference would differ from the others."""
    used = False
    for operator in graph.operators:
        if operator.name == "call_once" and used:
            what = f"operator {operator.index} `call_once` gives variables their start values after one was used"
            raise _fail(graph, what, "initialise variables before the model uses them, and convert again")
        used |= operator.name in ("read_variable", "assign_variable")


def _handles(graph: Graph, operators: Iterable[Operator]) -> dict[int, Name]:
    """The name behind each handle, by the handle's tensor."""
    names: dict[int, Name] = {}
    for operator in operators:
        if operator.name != "var_handle":
            continue
        if len(operator.outputs) != 1 or graph.tensors[operator.outputs[0]].dtype is not DType.RESOURCE:
            raise _fail(graph, f"operator {operator.index} `var_handle` does not write one handle")
        handle = operator.outputs[0]
        if handle in names:
            raise _fail(graph, f"handle `{graph.tensors[handle].name}` is written twice")
        names[handle] = variable_name(operator)
    return names


def _starts(graph: Graph, call: Operator, once: Graph) -> dict[Name, Tensor]:
    """What a subgraph assigns to each variable: constants, the last one of each."""
    title = f"operator {call.index} `call_once`"
    names = _handles(once, once.operators)
    starts: dict[Name, Tensor] = {}
    for operator in once.operators:
        if operator.name == "var_handle":
            continue
        known = operator.name == "assign_variable" and len(operator.inputs) == 2 and operator.inputs[0] in names
        value = once.tensors.get(operator.inputs[1]) if known else None
        if value is None or not value.is_constant:
            what = f"{title} runs operator {operator.index} `{operator.name}` of its subgraph"
            raise _fail(graph, f"{what}; tinyedge takes constants as start values", _ONCE_HINT)
        starts[names[operator.inputs[0]]] = value
    return starts


def _find_variables(graph: Graph, starts: Mapping[Name, Tensor]) -> dict[int, _Variable]:
    """The variable behind each handle, by the handle's tensor."""
    by_name: dict[Name, _Variable] = {}
    variables: dict[int, _Variable] = {}
    for handle, name in _handles(graph, graph.operators).items():
        known = _Variable(name[1] or name[0] or f"variable {len(by_name)}", start=starts.get(name))
        variables[handle] = by_name.setdefault(name, known)
    for operator in graph.operators:
        if operator.name == "assign_variable" and len(operator.inputs) == 2 and operator.inputs[0] in variables:
            variable = variables[operator.inputs[0]]
            variable.changes = True
            if variable.value is None and operator.inputs[1] >= 0:
                variable.value = graph.tensors[operator.inputs[1]]
    for variable in by_name.values():
        variable.value = variable.value or variable.start
    return variables


def _bound(graph: Graph, operator: Operator, variables: dict[int, _Variable]) -> Operator:
    """An operator that names variables by their tensors."""
    used = [key for key in (*operator.inputs, *operator.outputs) if key in variables]
    if not used:
        return operator
    title = f"operator {operator.index} `{operator.name}`"
    if operator.inputs[:1] != (used[0],) or len(used) != 1:
        raise _fail(graph, f"{title} uses the handle of variable `{variables[used[0]].name}` as something else")
    variable = variables[used[0]]
    assert variable.value is not None
    if operator.name == "read_variable" and len(operator.inputs) == 1 and len(operator.outputs) == 1:
        bound, other = replace(operator, inputs=(variable.key,)), operator.outputs[0]
    elif operator.name == "assign_variable" and len(operator.inputs) == 2 and not operator.outputs:
        bound, other = replace(operator, inputs=operator.inputs[1:], outputs=(variable.key,)), operator.inputs[1]
    else:
        raise _fail(graph, f"{title} uses the handle of variable `{variable.name}` in a way tinyedge does not know")
    if other < 0 or not _same_room(graph.tensors[other], variable.value):
        raise _fail(graph, f"variable `{variable.name}` holds {_what(variable.value)}, {title} moves something else")
    return bound
