"""Several models in one program: their libraries side by side, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Plan, QuantizedModel
from tinyedge.boards import Core
from tinyedge.errors import InternalError, UsageError
from tinyedge.generate.aot import generate_aot
from tinyedge.generate.library import FOLDER
from tinyedge.generate.names import c_name
from tinyedge.generate.part import ModelPart
from tinyedge.generate.render import render


@dataclass(frozen=True, eq=False)
class PlannedModel:
    """A model with its plan.

    selftest_crc  CRC-32 (zlib's) of all its outputs for the self-test input that te_model.h describes
    """

    plan: Plan
    model: QuantizedModel
    selftest_crc: int


def model_parts(models: Sequence[PlannedModel], core: Core, *, shared_arena: bool) -> list[ModelPart]:
    """The library of each model.

    Raises: ModelError when a graph cannot become C; UsageError when two have the same name in C
    """
    check_distinct([each.model.name for each in models])
    return [
        generate_aot(each.plan, each.model, core, selftest_crc=each.selftest_crc, shared_arena=shared_arena)
        for each in models
    ]


def check_distinct(models: Sequence[str]) -> None:
    """Raises: UsageError when two models have the same name in C, or names that differ in case alone."""
    seen: dict[str, str] = {}
    for name in models:
        key = c_name(name).lower()
        if key in seen:
            raise UsageError(
                f"models `{seen[key]}` and `{name}` have one name in C, `{c_name(name)}`: both cannot be linked",
                hint="give one of the files another name",
            )
        seen[key] = name


def join_files(parts: Sequence[ModelPart]) -> dict[str, bytes]:
    """The files of all parts. Raises: InternalError when two that differ have one name."""
    files: dict[str, bytes] = {}
    for part in parts:
        for name, content in part.files.items():
            if files.setdefault(name, content) != content:
                raise InternalError(f"two models bring a file `{name}`, and they differ")
    return files


def shared_arena_file(parts: Sequence[ModelPart]) -> dict[str, bytes]:
    """te_shared_arena.c, as large as the largest arena of the models."""
    content = render(
        "te_shared_arena.c.j2",
        folder=FOLDER,
        bytes=max(part.arena_bytes for part in parts),
        alignment=max(part.alignment for part in parts),
    )
    return {"te_shared_arena.c": content}
