"""Resource variables become variable tensors: one kind of state is enough for everything behind the reader.

In a file a var_handle names a variable, and read_variable and assign_variable take that handle. Here the handle is
gone: each variable is one tensor with `is_variable` set, which read_variable reads and assign_variable writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator, Tensor

_HINT = "export the model again, with every variable assigned in the graph that reads it"


@dataclass
class _Variable:
    """What the graph says about one variable."""

    name: str
    value: Tensor | None = None
    """of its first assignment, which says what it is"""
    key: int = -1
    """of the tensor that stands for it"""


def bind_resources(graph: Graph) -> Graph:
    """The graph without handles; the very same graph when it has none.

    A variable has the shape, type and quantization of what is assigned to it first, as in TensorFlow Lite Micro.

    Raises: ModelError when a variable is never assigned, holds tensors of different sizes, or a handle goes astray
    """
    if not any(operator.name == "var_handle" for operator in graph.operators):
        return graph
    variables = _find_variables(graph)
    tensors = dict(graph.tensors)
    for variable in {id(variable): variable for variable in variables.values()}.values():
        if variable.value is None:
            raise _fail(graph, f"variable `{variable.name}` is never assigned")
        variable.key = max(tensors, default=-1) + 1
        tensors[variable.key] = replace(
            variable.value, index=variable.key, name=variable.name, data=None, is_variable=True
        )
    operators = [_bound(graph, operator, variables) for operator in graph.operators if operator.name != "var_handle"]
    for key in (*graph.inputs, *graph.outputs):
        if key in variables:
            raise _fail(graph, f"the handle of variable `{variables[key].name}` is an input or output of the model")
    for key in variables:
        del tensors[key]
    return graph.evolve(tensors=tensors, operators=tuple(operators))


def _fail(graph: Graph, what: str) -> ModelError:
    return ModelError(f"model `{graph.name}`: {what}", hint=_HINT)


def _find_variables(graph: Graph) -> dict[int, _Variable]:
    """The variable behind each handle, by the handle's tensor."""
    by_name: dict[tuple[str, str], _Variable] = {}
    variables: dict[int, _Variable] = {}
    for operator in graph.operators:
        if operator.name == "var_handle":
            name = (str(operator.options.get("container", "")), str(operator.options.get("shared_name", "")))
            if len(operator.outputs) != 1 or graph.tensors[operator.outputs[0]].dtype is not DType.RESOURCE:
                raise _fail(graph, f"operator {operator.index} `var_handle` does not write one handle")
            handle = operator.outputs[0]
            if handle in variables:
                raise _fail(graph, f"handle `{graph.tensors[handle].name}` is written twice")
            variables[handle] = by_name.setdefault(name, _Variable(name[1] or name[0] or f"variable {len(by_name)}"))
    for operator in graph.operators:
        if operator.name == "assign_variable" and len(operator.inputs) == 2 and operator.inputs[0] in variables:
            variable = variables[operator.inputs[0]]
            if variable.value is None and operator.inputs[1] >= 0:
                variable.value = graph.tensors[operator.inputs[1]]
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
    if other < 0 or (graph.tensors[other].bytes, graph.tensors[other].dtype) != (
        variable.value.bytes,
        variable.value.dtype,
    ):
        held = f"{variable.value.dtype.value} {list(variable.value.shape)}"
        raise _fail(graph, f"variable `{variable.name}` holds {held}, {title} moves something else")
    return bound
