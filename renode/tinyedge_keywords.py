"""Keywords for the robot tests: firmware of a board, the machine that runs it, and requests of the serial protocol."""

from __future__ import annotations

import base64
from pathlib import Path

from tinyedge import wire
from tinyedge.artifacts import Silence
from tinyedge.boards import load_board
from tinyedge.emulate.renode.platform import machine_text, platform_text
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.paths import write_whole

_input_bytes: list[int] = []
"""of the machine that was built last"""


def build_machine(model: str, board: str, folder: str) -> str:
    """Build the firmware of a model (name or .tflite) for a board, below `folder`; the path of its machine's script."""
    loaded = load_board(board)
    built = build(Choices(model, board, "zig", None, Path(folder)), Silence())
    _input_bytes[:] = [tensor.bytes for tensor in built.prepared.original.input_tensors()]
    platform, script = built.folder / f"{board}.repl", built.folder / "machine.resc"
    write_whole(platform, platform_text(loaded).encode())
    write_whole(script, machine_text(loaded, platform, built.image.elf).encode())
    return str(script.absolute())


def input_requests(first: int | str) -> list[str | int]:
    """What writes zeros to every input of the machine built last, as number, request, number, request: from `first`."""
    lines: list[str | int] = []
    for index, size in enumerate(_input_bytes):
        for offset in range(0, size, wire.CHUNK_BYTES):
            number = int(first) + len(lines) // 2
            data = base64.b64encode(bytes(min(wire.CHUNK_BYTES, size - offset))).decode()
            lines += [number, request(number, f"in {index} {offset} {data}")]
    return lines


def request(sequence: int | str, words: str) -> str:
    """A request with its number and checksum, as the firmware wants it, without the line feed."""
    return wire.encode_line(wire.MARK_REQUEST, int(sequence), words).decode().rstrip("\n")
