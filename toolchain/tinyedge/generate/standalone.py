"""Models as a library for programs that are not tinyedge's: their files in one folder, and self-tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyedge.artifacts import CLibrary, FirmwareProject, LibraryModel
from tinyedge.artifacts.input_ranges import InputRange, ranged_inputs
from tinyedge.boards import Core, Isa
from tinyedge.errors import InternalError
from tinyedge.generate.joint import PlannedModel, join_files, model_parts, shared_arena_file
from tinyedge.generate.library import FOLDER, file_digest, input_rows, names
from tinyedge.generate.names import c_name
from tinyedge.generate.render import render, template_file
from tinyedge.graph.ir import DType, Tensor
from tinyedge.literals import float_literal

_PORTABLE = (Isa.NATIVE, Isa.ARMV7M, Isa.RV32IMC)
"""cores without kernels of their own"""
_SELFTEST_FILES = ("te_selftest.c", "te_selftest.h")


def generate_library(
    name: str, models: Sequence[PlannedModel], core: Core, project: FirmwareProject, *, shared_arena: bool
) -> CLibrary:
    """The library of some models for a core.

    name     of the library, a C identifier
    project  the measuring firmware of the same models

    Raises: as `model_parts`
    """
    shared_arena = shared_arena and len(models) > 1
    parts = model_parts(models, core, shared_arena=shared_arena)
    files: dict[str, bytes] = {}
    for path, content in join_files(parts).items():
        leaf = path.rpartition("/")[2]
        if files.setdefault(leaf, content) != content:
            raise InternalError(f"two files of a library have the name `{leaf}`")
    for each in models:
        files.pop(f"{c_name(each.model.name)}_info.c")
        files.update(_selftest_files(each))
    if shared_arena:
        files.update(shared_arena_file(parts))
    files.update({leaf: template_file(f"{FOLDER}/{leaf}") for leaf in _SELFTEST_FILES})
    return CLibrary(
        name,
        tuple(_described(each) for each in models),
        dict(sorted(files.items())),
        core.name,
        core.isa in _PORTABLE,
        project,
    )


def _described(each: PlannedModel) -> LibraryModel:
    plan = each.plan
    name = each.model.name
    constant_bytes = sum(planned.cost.constant_bytes for planned in plan.layers)
    rows = plan.arriving_input is not None
    digest = file_digest(each.model)
    return LibraryModel(name, c_name(name), digest, plan.arena_bytes, plan.state_bytes, constant_bytes, rows)


def _selftest_files(each: PlannedModel) -> dict[str, bytes]:
    c, graph = c_name(each.model.name), each.plan.graph
    source = render(
        "model_selftest.c.j2",
        folder=FOLDER,
        **names(each.model),
        draws=[_draw(tensor, limits) for tensor, limits in ranged_inputs(graph)],
        output_bytes=[tensor.bytes for tensor in graph.output_tensors()],
        crc=f"0x{each.selftest_crc:08x}u",
        rows=input_rows(graph) if each.plan.arriving_input is not None else {},
    )
    header = render("model_selftest.h.j2", folder=FOLDER, **names(each.model))
    return {f"{c}_selftest.c": source, f"{c}_selftest.h": header}


def _draw(tensor: Tensor, limits: InputRange | None) -> dict[str, Any]:
    return {
        "bytes": tensor.bytes,
        "elements": tensor.elements,
        "truth": tensor.dtype is DType.BOOL,
        "count": 0 if limits is None else limits.count,
        "first": 0 if limits is None else limits.first,
        "scale": "" if limits is None or not limits.scale else float_literal(limits.scale),
    }
