"""Resource variables within loops and branches become values that go in and come out.

A subgraph that reads or assigns a variable gets its value as a further input, and gives what it assigned as a further
output; the graph around it reads the variable in front and assigns it behind. So variables are of the outermost graph
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator, Tensor

Name = tuple[str, str]
"""container and shared name"""
_HINT = "read the variable in front of the loop or branch, pass its value through, and assign it behind"


def variable_name(operator: Operator) -> Name:
    """The variable that a var_handle names."""
    return str(operator.options.get("container", "")), str(operator.options.get("shared_name", ""))


def lift_variables(graph: Graph) -> Graph:
    """The graph with no variables in what its operators run; the very same graph when there are none.

    Raises: ModelError when a subgraph uses a handle or a variable in another way than to read or to assign it whole
    """
    if not any(_uses_variables(inner) for operator in graph.operators for inner in operator.subgraphs):
        return graph
    around = _Around(graph)
    for operator in graph.operators:
        if any(map(_uses_variables, operator.subgraphs)):
            around.lift(replace(operator, subgraphs=tuple(map(lift_variables, operator.subgraphs))))
        else:
            around.operators.append(operator)
    return around.finish()


def _uses_variables(graph: Graph) -> bool:
    kept = (t for t in graph.tensors.values() if t.dtype is DType.RESOURCE or (t.is_variable and not t.is_constant))
    return any(True for _ in kept) or any(_uses_variables(inner) for op in graph.operators for inner in op.subgraphs)


@dataclass(frozen=True, eq=False)
class _Uses:
    """What a subgraph does with variables: what they hold, in order of first use, and which it assigns."""

    values: Mapping[Name, Tensor]
    assigned: frozenset[Name]


class _Around:
    """The graph around subgraphs with variables, while it is rewritten."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors = dict(graph.tensors)
        self.operators: list[Operator] = []
        self.free = max((operator.index for operator in graph.operators), default=-1) + 1

    def lift(self, operator: Operator) -> None:
        uses = [_find_uses(inner) for inner in operator.subgraphs]
        values = {name: tensor for use in uses for name, tensor in use.values.items()}
        assigned = [name for name in values if any(name in use.assigned for use in uses)]
        if operator.name == "while" and uses[0].assigned:
            raise _fail(self.graph, operator, "whose condition assigns a variable")
        names = [*assigned, *(name for name in values if name not in assigned)]
        handles = {name: self._handle(name) for name in names}
        read = {name: self._add("read_variable", (handles[name],), values[name]) for name in names}
        results = {name: self._tensor(values[name]) for name in assigned}
        bodies = operator.subgraphs[1:] if operator.name == "while" else operator.subgraphs
        self.operators.append(
            replace(
                operator,
                inputs=(*operator.inputs, *(read[name] for name in names)),
                outputs=(*operator.outputs, *results.values()),
                subgraphs=tuple(
                    _Pure(inner, names, values).run(assigned if inner in bodies else ()) for inner in operator.subgraphs
                ),
            )
        )
        for name, key in results.items():
            self._append("assign_variable", (handles[name], key), ())

    def _handle(self, name: Name) -> int:
        options = {"container": name[0], "shared_name": name[1]}
        key = self._tensor(Tensor(0, name[1], (1,), DType.RESOURCE))
        self._append("var_handle", (), (key,), options)
        return key

    def _tensor(self, like: Tensor) -> int:
        key = max(self.tensors, default=-1) + 1
        self.tensors[key] = replace(like, index=key, data=None)
        return key

    def _add(self, name: str, inputs: tuple[int, ...], like: Tensor) -> int:
        key = self._tensor(like)
        self._append(name, inputs, (key,))
        return key

    def _append(
        self, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], options: Mapping[str, Any] | None = None
    ) -> None:
        self.operators.append(Operator(self.free, name, inputs, outputs, MappingProxyType(dict(options or {}))))
        self.free += 1

    def finish(self) -> Graph:
        return self.graph.evolve(tensors=self.tensors, operators=tuple(self.operators))


def _steps(graph: Graph) -> Iterator[tuple[Operator, Name | None]]:
    """The operators of a subgraph, with the variable that they name, read or assign.

    Raises: ModelError when a variable is used in another way
    """
    handles: dict[int, Name] = {}
    for operator in graph.operators:
        if operator.name == "var_handle" and len(operator.outputs) == 1:
            handles[operator.outputs[0]] = variable_name(operator)
            yield operator, variable_name(operator)
            continue
        used = {key for key in (*operator.inputs, *operator.outputs) if key >= 0 and _is_state(graph.tensors[key])}
        if not used:
            yield operator, None
            continue
        shape = {"read_variable": (1, 1), "assign_variable": (2, 0)}.get(operator.name)
        if shape != (len(operator.inputs), len(operator.outputs)) or used != {operator.inputs[0]} & handles.keys():
            raise _fail(graph, operator, "which keeps state within a loop or a branch")
        yield operator, handles[operator.inputs[0]]


def _is_state(tensor: Tensor) -> bool:
    return tensor.dtype is DType.RESOURCE or (tensor.is_variable and not tensor.is_constant)


def _fail(graph: Graph, operator: Operator, what: str) -> ModelError:
    return ModelError(f"model `{graph.name}` has operator {operator.index} `{operator.name}`, {what}", hint=_HINT)


def _find_uses(graph: Graph) -> _Uses:
    values: dict[Name, Tensor] = {}
    assigned = set()
    for operator, name in _steps(graph):
        if name is None or operator.name == "var_handle":
            continue
        moved = operator.outputs[0] if operator.name == "read_variable" else operator.inputs[1]
        values.setdefault(name, graph.tensors[moved])
        if operator.name == "assign_variable":
            assigned.add(name)
    return _Uses(values, frozenset(assigned))


@dataclass(eq=False)
class _Pure:
    """A subgraph that takes the values of variables and gives new ones."""

    graph: Graph
    names: Sequence[Name]
    values: Mapping[Name, Tensor]
    tensors: dict[int, Tensor] = field(default_factory=dict)

    def run(self, assigned: Sequence[Name]) -> Graph:
        self.tensors = {key: t for key, t in self.graph.tensors.items() if t.dtype is not DType.RESOURCE}
        current: dict[Name, int] = {}
        for name in self.names:
            current[name] = max(self.graph.tensors, default=-1) + 1 + len(current)
            self.tensors[current[name]] = replace(self.values[name], index=current[name], data=None)
        given = tuple(current.values())
        operators = []
        for operator, used in _steps(self.graph):
            if used is None:
                operators.append(operator)
            elif operator.name == "read_variable":
                shape = self.graph.tensors[operator.outputs[0]].shape
                options = MappingProxyType({"new_shape": shape})
                operators.append(replace(operator, name="reshape", inputs=(current[used],), options=options))
            elif operator.name == "assign_variable":
                current[used] = operator.inputs[1]
        return self.graph.evolve(
            tensors=self.tensors,
            operators=tuple(operators),
            inputs=(*self.graph.inputs, *given),
            outputs=(*self.graph.outputs, *(current[name] for name in assigned)),
        )
