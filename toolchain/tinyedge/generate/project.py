"""The firmware project: the parts every model shares, put round the model part of a runtime.

Deterministic: the same plan, model, board and flags give the same bytes; no time, no absolute path, no set order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tinyedge import wire
from tinyedge.artifacts import FirmwareProject, Library, Plan, QuantizedModel, check_name
from tinyedge.boards import Board, Isa
from tinyedge.digests import digest
from tinyedge.generate.board_part import board_header, bsp_files, make_linker_script
from tinyedge.generate.joint import PlannedModel, check_distinct, join_files, model_parts, shared_arena_file
from tinyedge.generate.library import FOLDER, INFO_HEADER, file_digest
from tinyedge.generate.mlperf import runner_files
from tinyedge.generate.part import SOURCE_SUFFIXES, ModelPart
from tinyedge.generate.render import render, template_file

STACK_BYTES = 2048
"""stack of the firmware unless the caller says otherwise; measured peaks are below 450 bytes, and an overflow faults"""
_IMAGE_HEADER = "app/te_image.h"
_MAIN = "app/main.c"
_MODELS_SOURCE = "app/te_models.c"
_LINKER_SCRIPT = "link.ld"
_APP_FILES = ("main.c", "te_bsp.h", "te_startup.h", "te_wire.c", "te_wire.h")
_STREAMING_FILES = ("te_streaming.c", "te_streaming.h")
"""where a model listens"""


def generate_project(
    plan: Plan,
    model: QuantizedModel,
    board: Board,
    *,
    selftest_crc: int,
    make_flags: Mapping[str, str],
    stack_bytes: int = STACK_BYTES,
) -> FirmwareProject:
    """The whole project of one model for the ahead-of-time runtime.

    selftest_crc  as in `PlannedModel`
    make_flags    of `build.make_flags`, as the Makefile prints them; empty for a compiler that is not for this board

    Raises: ModelError when the graph cannot become C, UsageError when the model's name cannot be sent
    """
    planned = PlannedModel(plan, model, selftest_crc)
    return generate_joint_project([planned], board, make_flags=make_flags, stack_bytes=stack_bytes)


def generate_joint_project(
    models: Sequence[PlannedModel],
    board: Board,
    *,
    make_flags: Mapping[str, str],
    stack_bytes: int = STACK_BYTES,
    shared_arena: bool = True,
    for_runner: bool = False,
) -> FirmwareProject:
    """The same for several models in one firmware.

    shared_arena  they run in one arena, as large as the largest of theirs; else each has its own
    for_runner    the firmware of one model speaks the protocol of MLPerf Tiny's runner

    Raises: UsageError too when two models have the same name in C
    """
    shared_arena = shared_arena and len(models) > 1
    parts = model_parts(models, board.core, shared_arena=shared_arena)
    if board.core.isa is not Isa.NATIVE:  # there is no C library to include it from
        compat = {"compat/string.h": template_file("project/string.h")}
        parts[0] = replace(parts[0], files={**parts[0].files, **compat})
    mains = None
    if for_runner:
        listed = {_MODELS_SOURCE: _models_files(parts, shared_arena=False)[_MODELS_SOURCE]}
        mains = runner_files(models[0].plan.graph) | listed
    return assemble_project(
        parts, board, make_flags=make_flags, stack_bytes=stack_bytes, mains=mains, shared_arena=shared_arena
    )


def assemble_project(
    parts: Sequence[ModelPart],
    board: Board,
    *,
    make_flags: Mapping[str, str],
    stack_bytes: int,
    mains: Mapping[str, bytes] | None = None,
    shared_arena: bool = False,
) -> FirmwareProject:
    """The model parts of any runtime, with main, protocol, board support and what builds them.

    mains  files that take the place of main.c, the protocol and the list of models
    """
    for part in parts:
        check_name(part.model.name)
    check_distinct([part.model.name for part in parts])
    first = parts[0]
    native = board.core.isa is Isa.NATIVE
    files = {**join_files(parts), **_app_files(board), **bsp_files(board), **_models_files(parts, shared_arena)}
    if mains is not None:
        for name in (_MAIN, "app/te_wire.c", _MODELS_SOURCE):
            del files[name]
        files.update(mains)
    if not native:
        files[_LINKER_SCRIPT] = make_linker_script(board, stack_bytes)
    files[_IMAGE_HEADER] = b""  # its place in the lists; its content comes last
    sources = tuple(sorted(name for name in files if name.endswith(SOURCE_SUFFIXES)))
    include_dirs = tuple(sorted({name.rpartition("/")[0] for name in files if name.endswith(".h")}))
    linker_script = "" if native else _LINKER_SCRIPT
    files["Makefile"] = _makefile(first, sources, include_dirs, linker_script, make_flags, native=native)
    files["README.md"] = _readme(parts, board, linker_script, gcc=bool(make_flags["gcc_cflags"]))
    del files[_IMAGE_HEADER]
    if first.library is not None:
        files.update(first.library.files)
        sources += tuple(first.library.sources)
    project_digest = digest(*(item for name in sorted(files) for item in (name, files[name])))
    files[_IMAGE_HEADER] = render("te_image.h.j2", image_id=project_digest[:16])
    arenas = [part.arena_bytes for part in parts]
    return FirmwareProject(
        model=", ".join(part.model.name for part in parts),
        board=board,
        runtime=first.runtime,
        files=dict(sorted(files.items())),
        sources=sources,
        include_dirs=include_dirs,
        linker_script=linker_script,
        arena_bytes=max(arenas) if shared_arena else sum(arenas),
        digest=project_digest,
        library=first.library,
        state_bytes=sum(part.state_bytes for part in parts),
    )


def _models_files(parts: Sequence[ModelPart], shared_arena: bool) -> dict[str, bytes]:
    """te_models.h and .c: which models there are, and the arena that they share."""
    values: dict[str, Any] = {
        "models": [part.symbol for part in parts],
        "most_layers": max(len(part.layers) for part in parts),
        "any_rows": any(part.has_rows for part in parts),
        "any_input_ranges": any(part.has_input_ranges for part in parts),
        "any_features": any(part.window_bytes for part in parts),
        "window_bytes": max((part.window_bytes for part in parts if not part.listens), default=0),
        "any_listens": any(part.listens for part in parts),
    }
    shared = {f"model/{name}": content for name, content in shared_arena_file(parts).items()} if shared_arena else {}
    streaming = _STREAMING_FILES if values["any_listens"] else ()
    return {
        **shared,
        **{f"app/{name}": template_file(f"project/{name}") for name in streaming},
        _MODELS_SOURCE: render("te_models.c.j2", **values),
        "app/te_models.h": render("te_models.h.j2", **values),
        f"app/{INFO_HEADER}": template_file(f"{FOLDER}/{INFO_HEADER}"),
    }


def _app_files(board: Board) -> dict[str, bytes]:
    files = {f"app/{name}": template_file(f"project/{name}") for name in _APP_FILES}
    files["app/te_protocol.h"] = protocol_header()
    files["app/te_board.h"] = board_header(board)
    return files


def protocol_header() -> bytes:
    """te_protocol.h: the constants of tinyedge.wire for the firmware."""
    return render(
        "te_protocol.h.j2",
        protocol=wire.PROTOCOL,
        line_bytes=wire.LINE_BYTES,
        chunk_bytes=wire.CHUNK_BYTES,
        mark_request=wire.MARK_REQUEST,
        mark_reply=wire.MARK_REPLY,
        mark_record=wire.MARK_RECORD,
        check_mark=wire.CHECK_MARK,
        verbs=wire.VERBS,
        ok=wire.OK,
        err=wire.ERR,
        errors=tuple(wire.ERRORS.items()),
    )


def _gcc_name(*, native: bool) -> str:
    return "cc" if native else "arm-none-eabi-gcc"


_LEVELS = {"-O2": "for speed, as its authors compile it: kernels", "-Os": "for size: everything else"}


def _makefile(
    part: ModelPart,
    sources: tuple[str, ...],
    include_dirs: tuple[str, ...],
    linker_script: str,
    make_flags: Mapping[str, str],
    *,
    native: bool,
) -> bytes:
    return render(
        "Makefile.j2",
        folder=part.templates,
        gcc=_gcc_name(native=native),
        flags=make_flags,
        include_flags=" ".join(f"-I{folder}" for folder in include_dirs),
        sources=sources,
        has_assembler=any(name.endswith(".S") for name in sources),
        header_globs=" ".join(f"{folder}/*.h" for folder in include_dirs),
        linker_script=linker_script,
        library=None if part.library is None else _library_values(part.library),
    )


def _library_values(library: Library) -> dict[str, Any]:
    levels = sorted(set(library.sources.values()))
    return {
        "folder": library.include_dirs[0],
        "defines": " ".join(f"-D{define}" for define in library.defines),
        "include_flags": " ".join(f"-I{folder}" for folder in library.include_dirs),
        "system_flags": " ".join(f"-isystem {folder}" for folder in library.include_dirs),
        "levels": [
            {
                "name": level.replace("-", "_"),
                "flag": level,
                "comment": _LEVELS.get(level, level),
                "sources": [source for source, chosen in library.sources.items() if chosen == level],
            }
            for level in levels
        ],
    }


def _readme(parts: Sequence[ModelPart], board: Board, linker_script: str, *, gcc: bool) -> bytes:
    """`gcc`: whether it builds for the board too."""
    first = parts[0]
    names = {name for part in parts for name in part.files}
    return render(
        "README.md.j2",
        folder=first.templates,
        board=board,
        models=[
            {
                "name": part.model.name,
                "c": part.symbol,
                "digest": file_digest(part.model),
                "arena_bytes": part.arena_bytes,
                "state_bytes": part.state_bytes,
                "layers": part.layers,
            }
            for part in parts
        ],
        runtime=first.runtime,
        gcc=_gcc_name(native=board.core.isa is Isa.NATIVE) if gcc else "",
        has_assembler=any(name.endswith(".S") for name in names),
        has_runtime=any(name.startswith("runtime/") for name in names),
        linker_script=linker_script,
        arena_origin=first.arena_origin,
        library=None if first.library is None else first.library.name,
        console=_console_text(board),
    )


def _console_text(board: Board) -> str:
    """Where the console is, for people."""
    if "baud" not in board.console:
        return "Console: standard input and output."
    text = f"Console: {board.console['baud']} baud, 8 data bits, no parity, one stop bit"
    return f"{text}; {board.console['wiring']}." if "wiring" in board.console else f"{text}."
