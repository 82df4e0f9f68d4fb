"""What a runtime gives to a project: the model as C, and what the rest of the project says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Library, QuantizedModel
from tinyedge.artifacts.input_ranges import ranged_inputs
from tinyedge.generate.names import c_name
from tinyedge.generate.render import comment_text
from tinyedge.graph.ir import Graph, Tensor
from tinyedge.literals import float_literal


@dataclass(frozen=True)
class LayerRow:
    """One layer as the project's README lists it."""

    operator: str
    output: str
    kernel: str


@dataclass(frozen=True)
class ModelPart:
    """The files of one runtime: a model as a C library, and the table by which the measuring firmware knows it."""

    runtime: str
    model: QuantizedModel
    files: Mapping[str, bytes]
    """path within the project -> content, below model/, runtime/ and compat/"""
    layers: tuple[LayerRow, ...]
    arena_bytes: int
    arena_origin: str = ""
    """a sentence on where that figure comes from; empty: it is planned"""
    library: Library | None = None
    """sources of others that the files need"""
    templates: str = "project"
    """folder under firmware_templates/ with the Makefile and README of such a project"""
    alignment: int = 16
    """of the arena"""
    state_bytes: int = 0
    has_rows: bool = False
    """some layers run row by row"""
    has_input_ranges: bool = False
    """some input may not hold any bytes"""
    window_bytes: int = 0
    """of samples that a row of its features is computed of; 0: it has no features"""
    listens: bool = False
    """its library can listen to a signal"""

    @property
    def symbol(self) -> str:
        """What every C name of the model starts with; its header is `<symbol>.h`."""
        return c_name(self.model.name)

    @property
    def sources(self) -> tuple[str, ...]:
        """The files to compile."""
        return tuple(sorted(name for name in self.files if name.endswith(SOURCE_SUFFIXES)))


SOURCE_SUFFIXES = (".c", ".cc", ".S")


def tensors_text(tensors: Sequence[Tensor]) -> str:
    """Types, shapes and names for a comment."""
    return ", ".join(f"{t.dtype.value} {shape_text(t.shape)} {comment_text(t.name, 40)}" for t in tensors) or "nothing"


def shape_text(shape: Sequence[int]) -> str:
    """Dimensions as the protocol has them; a scalar is `1`."""
    return "x".join(str(size) for size in shape) or "1"


def ranges_text(graph: Graph) -> str:
    """The initializer of a table of te_input_range; empty when all inputs may hold any bytes."""
    ranges = [limits for _, limits in ranged_inputs(graph)]
    if not any(ranges):
        return ""
    rows = (
        "{0}"
        if limits is None
        else f"{{{limits.count}u, {limits.first}, {float_literal(limits.scale)}, {limits.element_bytes}}}"
        for limits in ranges
    )
    return f"{{{', '.join(rows)}}}"
