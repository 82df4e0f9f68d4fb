"""The model for TensorFlow Lite Micro: the file as a C array, and an interpreter with its operators and no others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinyedge.artifacts import FirmwareProject, Library, QuantizedModel
from tinyedge.boards import Board, Isa
from tinyedge.errors import InternalError, ModelError
from tinyedge.generate.features import feature_part
from tinyedge.generate.library import Form, class_labels, info_file, library_files, names
from tinyedge.generate.names import c_name
from tinyedge.generate.part import LayerRow, ModelPart, ranges_text, tensors_text
from tinyedge.generate.project import assemble_project
from tinyedge.generate.render import render, template_file
from tinyedge.graph.ir import Graph
from tinyedge.literals import c_values
from tinyedge.runtimes.tflm.operators import TflmFeatures, registration_of, tflm_operator, used_operators

ALIGNMENT = 16
"""of the arena, and of what the interpreter takes from it"""

STACK_BYTES = 3072
"""stack of the firmware: TensorFlow Lite Micro was measured to use up to 1.4 KB of it"""

_FOLDER = "tflm"
_PROBE_MAIN = "app/te_arena_probe.c"
_HOST_PROBE_BYTES = 1 << 26


@dataclass(frozen=True)
class Registration:
    """One operator in the resolver."""

    name: str
    key: str
    """argument of `FindOp`"""
    add: str
    """the call that registers it"""
    registered: str
    """what follows `Register_`"""
    why: str


def registrations(graph: Graph, features: TflmFeatures) -> tuple[Registration, ...]:
    """The operators of a checked graph in the resolver's order, each with the smallest registration that serves it."""
    found = []
    for entry in used_operators(graph):
        name, why = registration_of(graph, entry, features)
        argument = f"tflite::Register_{name}()" if name != entry.registration else ""
        found.append(Registration(entry.name, entry.key, f"{entry.add}({argument})", name, f"Register_{name}, {why}"))
    return tuple(found)


def generate_tflm(
    graph: Graph,
    model: QuantizedModel,
    board: Board,
    features: TflmFeatures,
    library: Library | None,
    *,
    arena_bytes: int,
    arena_origin: str,
    selftest_crc: int,
) -> ModelPart:
    """The files of the TensorFlow Lite Micro runtime.

    features      of the tree that `library` comes from, or what is assumed without one
    arena_bytes   a multiple of ALIGNMENT
    arena_origin  a sentence for people on where that figure comes from
    selftest_crc  CRC-32 (zlib's) of all outputs for the self-test input that te_model.h describes

    Raises: ModelError when the graph has no operator
    """
    if not graph.operators:
        raise ModelError(f"model `{model.name}` has no operator to run")
    if [operator.index for operator in graph.operators] != list(range(len(graph.operators))):
        raise InternalError("operators of the file are missing from its graph: their interpreter would miscount layers")
    operators = registrations(graph, features)
    sha = hashlib.sha256(model.tflite).hexdigest()
    data = np.frombuffer(model.tflite, np.uint8)
    form = Form(arena_bytes, ALIGNMENT, reentrant=False)
    features_part = feature_part(model, graph, board.core.isa)
    # The interpreter may reuse the memory of a layer's output for what comes after, so none can be read: no spans.
    layers = [f"{{{operator.index}, 0, 0}}, /* {operator.name} */" for operator in graph.operators]
    of_model = {
        **library_files(model, graph, form, len(layers)),
        **info_file(model, graph, runtime="tflm", selftest_crc=selftest_crc, layers=layers),
        f"{c_name(model.name)}.c": _render(
            "model.c",
            **names(model),
            origin=arena_origin,
            labels=class_labels(model, graph),
        ),
    }
    files = {
        "model/te_tflm.cc": _render("te_tflm.cc", model=model.name, operators=operators, clock_hz=board.clock_hz),
        "model/te_tflm.h": template_file(f"{_FOLDER}/te_tflm.h"),
        "model/te_tflm_log.c": template_file(f"{_FOLDER}/te_tflm_log.c"),
        **features_part.files,
        **{f"model/{name}": content for name, content in of_model.items()},
        "model/te_model_data.h": _render("te_model_data.h", model=model.name, size=len(data), digest=sha),
        "model/te_model_data.c": _render(
            "te_model_data.c", model=model.name, size=len(data), body=c_values(data, "uint8_t")
        ),
    }
    if board.core.isa is not Isa.NATIVE:
        files["model/te_libc.c"] = template_file(f"{_FOLDER}/te_libc.c")
    registered = {operator.name: operator.registered for operator in operators}
    rows = []
    for operator in graph.operators:
        entry = tflm_operator(operator)
        outputs = [graph.tensors[key] for key in operator.outputs]
        rows.append(LayerRow(operator.name, tensors_text(outputs), registered[entry.name] if entry else ""))
    return ModelPart(
        "tflm",
        model,
        files,
        tuple(rows),
        arena_bytes,
        arena_origin,
        library,
        templates=_FOLDER,
        alignment=ALIGNMENT,
        has_input_ranges=bool(ranges_text(graph)),
        window_bytes=features_part.window_bytes,
        listens=features_part.listens,
    )


def _render(template: str, **values: object) -> bytes:
    return render(f"{template}.j2", folder=_FOLDER, **values)


def _probe_part(part: ModelPart, board: Board) -> tuple[ModelPart, dict[str, bytes]]:
    """(the part, files that take the place of main.c) for a firmware that searches the smallest arena."""
    native = board.core.isa is Isa.NATIVE
    memory = _render("te_probe_memory.h", ram_end="" if native else f"{board.ram.end:#010x}", bytes=_HOST_PROBE_BYTES)
    of_model = (f"model/{part.symbol}.c", f"model/{part.symbol}_info.c")
    files = {name: content for name, content in part.files.items() if name not in of_model}
    mains = {_PROBE_MAIN: template_file(f"{_FOLDER}/te_arena_probe.c"), "app/te_probe_memory.h": memory}
    return replace(part, files=files, arena_bytes=0), mains


def generate_tflm_project(part: ModelPart, board: Board, *, make_flags: Mapping[str, str]) -> FirmwareProject:
    """The whole project round what `generate_tflm` made; without its library no more than something to read.

    make_flags    those for projects with a library

    Raises: UsageError when the model's name cannot be sent
    """
    return assemble_project([part], board, make_flags=make_flags, stack_bytes=STACK_BYTES)


def generate_arena_probe(part: ModelPart, board: Board, *, make_flags: Mapping[str, str]) -> FirmwareProject:
    """A firmware that finds the smallest arena in which the interpreter of `part` starts (te_arena_probe.c)."""
    probe, mains = _probe_part(part, board)
    return assemble_project([probe], board, make_flags=make_flags, stack_bytes=STACK_BYTES, mains=mains)
