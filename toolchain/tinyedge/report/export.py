"""What an export wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tinyedge.artifacts import CLibrary
from tinyedge.report.table import format_bytes, render_table


class _World(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def next_steps(self, library: CLibrary) -> tuple[str, ...]: ...


class _Exported(Protocol):
    @property
    def library(self) -> CLibrary: ...

    @property
    def world(self) -> _World: ...

    @property
    def output(self) -> Path: ...

    @property
    def files(self) -> Mapping[str, bytes]: ...


def render_export(exported: _Exported) -> str:
    """Sizes, where it is, and what to type next."""
    library = exported.library
    rows = [
        (
            model.name,
            f"{model.symbol}.h",
            format_bytes(model.arena_bytes),
            format_bytes(model.state_bytes),
            format_bytes(model.constant_bytes),
        )
        for model in library.models
    ]
    core = "any core" if library.portable else library.core
    steps = "\n".join(f"  {step}" for step in exported.world.next_steps(library))
    return (
        f"{library.name} for {exported.world.title}: C for {core}, {len(exported.files)} files\n\n"
        f"{render_table(('model', 'header', 'arena', 'state', 'constants'), rows)}\n\n"
        f"written to {exported.output}; type there\n{steps}\n"
    )


def export_document(exported: _Exported) -> dict[str, Any]:
    """`tinyedge.export/1`: the models with their sizes, the files, and what to type next."""
    library = exported.library
    return {
        "schema": "tinyedge.export/1",
        "library": library.name,
        "world": exported.world.name,
        "core": library.core,
        "models": [
            {
                "model": model.name,
                "header": f"{model.symbol}.h",
                "arena_bytes": model.arena_bytes,
                "state_bytes": model.state_bytes,
                "constant_bytes": model.constant_bytes,
            }
            for model in library.models
        ],
        "output": str(exported.output),
        "files": sorted(exported.files),
        "next": list(exported.world.next_steps(library)),
    }
