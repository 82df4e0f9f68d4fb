"""The firmware project: the parts every model shares, put round the model part of a runtime.

Deterministic: the same plan, model, board and flags give the same bytes; no time, no absolute path, no set order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tinyedge import wire
from tinyedge.artifacts import FirmwareProject, Library, Plan, QuantizedModel, check_name
from tinyedge.boards import Board, Isa
from tinyedge.digests import digest
from tinyedge.generate.aot import generate_aot
from tinyedge.generate.board_part import board_header, bsp_files, make_linker_script
from tinyedge.generate.part import SOURCE_SUFFIXES, ModelPart
from tinyedge.generate.render import render, template_file

STACK_BYTES = 2048
"""stack of the firmware unless the caller says otherwise; measured peaks are below 450 bytes, and an overflow faults"""
_IMAGE_HEADER = "app/te_image.h"
_MAIN = "app/main.c"
_LINKER_SCRIPT = "link.ld"
_APP_FILES = ("main.c", "te_bsp.h", "te_model.h", "te_startup.h", "te_wire.c", "te_wire.h")


def generate_project(
    plan: Plan,
    model: QuantizedModel,
    board: Board,
    *,
    selftest_crc: int,
    make_flags: Mapping[str, str],
    stack_bytes: int = STACK_BYTES,
) -> FirmwareProject:
    """The whole project for the ahead-of-time runtime.

    selftest_crc  CRC-32 (zlib's) of all outputs for the self-test input that te_model.h describes
    make_flags    of `build.make_flags`, as the Makefile prints them; empty for a compiler that is not for this board

    Raises: ModelError when the graph cannot become C, UsageError when the model's name cannot be sent
    """
    part = generate_aot(plan, model, board.core, selftest_crc=selftest_crc)
    if board.core.isa is not Isa.NATIVE:  # there is no C library to include it from
        part = replace(part, files={**part.files, "compat/string.h": template_file("project/string.h")})
    return assemble_project(part, model, board, make_flags=make_flags, stack_bytes=stack_bytes)


def assemble_project(
    part: ModelPart,
    model: QuantizedModel,
    board: Board,
    *,
    make_flags: Mapping[str, str],
    stack_bytes: int,
    mains: Mapping[str, bytes] | None = None,
) -> FirmwareProject:
    """The model part of any runtime, with main, protocol, board support and what builds them.

    mains  files that take the place of main.c and the protocol
    """
    check_name(model.name)
    native = board.core.isa is Isa.NATIVE
    files = {**part.files, **_app_files(board), **bsp_files(board)}
    if mains is not None:
        for name in (_MAIN, "app/te_wire.c"):
            del files[name]
        files.update(mains)
    if not native:
        files[_LINKER_SCRIPT] = make_linker_script(board, stack_bytes)
    files[_IMAGE_HEADER] = b""  # its place in the lists; its content comes last
    sources = tuple(sorted(name for name in files if name.endswith(SOURCE_SUFFIXES)))
    include_dirs = tuple(sorted({name.rpartition("/")[0] for name in files if name.endswith(".h")}))
    linker_script = "" if native else _LINKER_SCRIPT
    files["Makefile"] = _makefile(part, sources, include_dirs, linker_script, make_flags, native=native)
    files["README.md"] = _readme(part, model, board, linker_script, gcc=bool(make_flags["gcc_cflags"]))
    del files[_IMAGE_HEADER]
    if part.library is not None:
        files.update(part.library.files)
        sources += tuple(part.library.sources)
    project_digest = digest(*(item for name in sorted(files) for item in (name, files[name])))
    files[_IMAGE_HEADER] = render("te_image.h.j2", image_id=project_digest[:16])
    return FirmwareProject(
        model=model.name,
        board=board,
        runtime=part.runtime,
        files=dict(sorted(files.items())),
        sources=sources,
        include_dirs=include_dirs,
        linker_script=linker_script,
        arena_bytes=part.arena_bytes,
        digest=project_digest,
        library=part.library,
    )


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


def _readme(part: ModelPart, model: QuantizedModel, board: Board, linker_script: str, *, gcc: bool) -> bytes:
    """`gcc`: whether it builds for the board too."""
    return render(
        "README.md.j2",
        folder=part.templates,
        board=board,
        model=model.name,
        digest=hashlib.sha256(model.tflite).hexdigest()[:16],
        runtime=part.runtime,
        gcc=_gcc_name(native=board.core.isa is Isa.NATIVE) if gcc else "",
        has_assembler=any(name.endswith(".S") for name in part.files),
        has_runtime=any(name.startswith("runtime/") for name in part.files),
        linker_script=linker_script,
        arena_bytes=part.arena_bytes,
        arena_origin=part.arena_origin,
        library=None if part.library is None else part.library.name,
        console=_console_text(board),
        layers=part.layers,
    )


def _console_text(board: Board) -> str:
    """Where the console is, for people."""
    if "baud" not in board.console:
        return "Console: standard input and output."
    text = f"Console: {board.console['baud']} baud, 8 data bits, no parity, one stop bit"
    return f"{text}; {board.console['wiring']}." if "wiring" in board.console else f"{text}."
