"""What a runtime gives to a project: the model as C, and what the rest of the project says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.artifacts import Runtime


@dataclass(frozen=True)
class LayerRow:
    """One layer as the project's README lists it."""

    operator: str
    output: str
    kernel: str


@dataclass(frozen=True)
class ModelPart:
    """The files of one runtime: everything behind te_model.h."""

    runtime: Runtime
    files: Mapping[str, bytes]
    """path within the project -> content, below model/ and runtime/"""
    layers: tuple[LayerRow, ...]
    arena_bytes: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The files to compile."""
        return tuple(sorted(name for name in self.files if name.endswith(".c")))
