"""The firmware project: the parts every model shares, put round the model part of a runtime.

Deterministic: the same plan, model, board and flags give the same bytes; no time, no absolute path, no set order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from tinyedge import wire
from tinyedge.artifacts import FirmwareProject, Plan, QuantizedModel, digest
from tinyedge.boards import Board, Isa, Memory, pin_port_and_number
from tinyedge.errors import UsageError
from tinyedge.generate.aot import generate_aot
from tinyedge.generate.part import ModelPart
from tinyedge.generate.render import render, template_file

STACK_BYTES = 2048
"""stack of the firmware unless the caller says otherwise; measured peaks are below 450 bytes, and an overflow faults"""
MAKE_FLAGS = ("zig_cflags", "zig_ldflags", "gcc_cflags", "gcc_ldflags")
"""keys of `make_flags`; an empty value means that the compiler is not for this board"""

_IMAGE_HEADER = "app/te_image.h"
_LINKER_SCRIPT = "link.ld"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
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
    make_flags    MAKE_FLAGS, as the Makefile prints them

    Raises: ModelError when the graph cannot become C, UsageError when the model's name cannot be sent
    """
    part = generate_aot(plan, model, board.core, selftest_crc=selftest_crc)
    return assemble_project(part, model, board, make_flags=make_flags, stack_bytes=stack_bytes)


def assemble_project(
    part: ModelPart, model: QuantizedModel, board: Board, *, make_flags: Mapping[str, str], stack_bytes: int
) -> FirmwareProject:
    """The model part of any runtime, with main, protocol, board support and what builds them."""
    if not _NAME.fullmatch(model.name):
        raise UsageError(
            f"model name `{model.name}` cannot stand in the firmware's banner",
            hint="use up to 40 letters, digits, `_`, `-` and `.`",
        )
    native = board.core.isa is Isa.NATIVE
    files = {**part.files, **_app_files(board), **_bsp_files(board)}
    if not native:
        files["compat/string.h"] = template_file("project/string.h")
        files[_LINKER_SCRIPT] = _linker_script(board, stack_bytes)
    files[_IMAGE_HEADER] = b""  # its place in the lists; its content comes last
    sources = tuple(sorted(name for name in files if name.endswith(".c")))
    include_dirs = tuple(sorted({name.rpartition("/")[0] for name in files if name.endswith(".h")}))
    linker_script = "" if native else _LINKER_SCRIPT
    files["Makefile"] = _makefile(sources, include_dirs, linker_script, make_flags, native=native)
    files["README.md"] = _readme(part, model, board, linker_script)
    del files[_IMAGE_HEADER]
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
    )


def _app_files(board: Board) -> dict[str, bytes]:
    files = {f"app/{name}": template_file(f"project/{name}") for name in _APP_FILES}
    files["app/te_protocol.h"] = protocol_header()
    files["app/te_board.h"] = render("te_board.h.j2", board=board, console=_console_macros(board))
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


def _console_macros(board: Board) -> list[tuple[str, str]]:
    """(name behind TE_CONSOLE_, value): pins as port and number, addresses in hex."""
    macros = []
    for key, value in sorted(board.console.items()):
        if key.endswith("_pin"):
            port, number = pin_port_and_number(str(value))
            macros += [(f"{key.removesuffix('_pin').upper()}_PORT", f"{port}u"), (f"{key.upper()}", f"{number}u")]
        elif isinstance(value, int):
            macros.append((key.upper(), f"{value:#x}u" if key == "base" else str(value)))
    return macros


def _bsp_files(board: Board) -> dict[str, bytes]:
    """The chip family's file, and the startup of its kind of core."""
    names = [f"{board.family}.c"]
    if board.core.name.startswith("cortex-m"):
        names.append("startup_cortex_m.c")
    return {f"bsp/{name}": template_file(f"bsp/{name}") for name in names}


def _linker_script(board: Board, stack_bytes: int) -> bytes:
    skipped = board.flash_start - board.flash.start
    return render(
        "link.ld.j2",
        board=board,
        flash_origin=f"{board.flash_start:#010x}",
        flash_length=board.flash_limit_bytes,
        flash_note=f" /* behind {skipped} bytes of bootloader */" if skipped else "",
        ram_regions=[_region(memory) for memory in board.memories if memory.name != "flash"],
        stack_bytes=stack_bytes,
    )


def _region(memory: Memory) -> dict[str, str]:
    return {"name": memory.name.upper(), "origin": f"{memory.start:#010x}", "length": str(memory.size_bytes)}


def _gcc_name(*, native: bool) -> str:
    return "cc" if native else "arm-none-eabi-gcc"


def _makefile(
    sources: tuple[str, ...],
    include_dirs: tuple[str, ...],
    linker_script: str,
    make_flags: Mapping[str, str],
    *,
    native: bool,
) -> bytes:
    return render(
        "Makefile.j2",
        gcc=_gcc_name(native=native),
        flags={key: make_flags[key] for key in MAKE_FLAGS},
        include_flags=" ".join(f"-I{folder}" for folder in include_dirs),
        sources=sources,
        header_globs=" ".join(f"{folder}/*.h" for folder in include_dirs),
        linker_script=linker_script,
    )


def _readme(part: ModelPart, model: QuantizedModel, board: Board, linker_script: str) -> bytes:
    return render(
        "README.md.j2",
        board=board,
        model=model.name,
        digest=hashlib.sha256(model.tflite).hexdigest()[:16],
        runtime=part.runtime,
        gcc=_gcc_name(native=board.core.isa is Isa.NATIVE),
        has_runtime=any(name.startswith("runtime/") for name in part.files),
        linker_script=linker_script,
        arena_bytes=part.arena_bytes,
        console=_console_text(board),
        layers=part.layers,
    )


def _console_text(board: Board) -> str:
    """Where the console is, for people."""
    if "baud" not in board.console:
        return "Console: standard input and output."
    text = f"Console: {board.console['baud']} baud, 8 data bits, no parity, one stop bit"
    return f"{text}; {board.console['wiring']}." if "wiring" in board.console else f"{text}."
