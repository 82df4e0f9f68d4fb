"""A model as TensorFlow Lite Micro runs it: its layers, the registrations that serve them, and what they compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.artifacts import NamedKernel, Observer, Optimize, Program, ProgramLayer
from tinyedge.graph.ir import Array, Graph
from tinyedge.measure.reference import NUMPY_REFERENCE, run_reference
from tinyedge.ops.contract import Layer
from tinyedge.runtimes.tflm.operators import TflmFeatures, check_tflm, list_layers, older_layers, tflm_operator
from tinyedge.runtimes.tflm.project import registrations

OLDER_NOTE = (
    "this tree rounds scales in fully_connected to float32, which newer versions do not: outputs are held against "
    "tinyedge's reference of its arithmetic, not against the host's interpreter"
)


def make_program(graph: Graph, optimize: Optimize, features: TflmFeatures) -> Program:
    """The layers of a model in the file's order. Raises: ModelError when TensorFlow Lite Micro cannot run it."""
    check_tflm(graph, features)
    names = {operator.name: operator.registered for operator in registrations(graph, features)}
    layers = []
    for layer in list_layers(graph):
        entry = tflm_operator(layer.operator)
        layers.append(ProgramLayer(layer, NamedKernel(names[entry.name] if entry else layer.name)))
    return Program(graph, tuple(layers), 0, optimize)


@dataclass(frozen=True, eq=False)
class OlderTreeReference:
    """What a tree computes that is older than the host's interpreter, by the numpy reference of its arithmetic."""

    graph: Graph
    layers: tuple[Layer, ...]
    """with the multipliers of the tree"""

    @classmethod
    def where_it_differs(cls, graph: Graph, features: TflmFeatures) -> OlderTreeReference | None:
        """The reference of a tree with these features; None where it computes this model as the host does."""
        layers = older_layers(graph, features)
        return None if layers is None else cls(graph, layers)

    @property
    def name(self) -> str:
        return NUMPY_REFERENCE

    @property
    def notes(self) -> tuple[str, ...]:
        return (OLDER_NOTE,)

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model."""
        return run_reference(self.graph, samples, observer, self.layers)
