"""Starts Renode on a board's firmware."""

from __future__ import annotations

import functools
import re
import socket
import tempfile
from fractions import Fraction
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Counting, Image
from tinyedge.boards import Board
from tinyedge.emulate.renode.console import PortTakenError, RenodeConsole
from tinyedge.emulate.renode.platform import (
    has_platform,
    monitor_path,
    platform_text,
    script_text,
    template_name,
    ticks_per_instruction,
)
from tinyedge.errors import DeviceError

_PROGRAM = "renode"
_HINT = "get it from renode.io (1.16 or newer) and put it on PATH"
_START_TIMEOUT_S = 60.0
_VERSION_TIMEOUT_S = 60.0
_PORT_ATTEMPTS = 4
_NOTES = ("instructions may be off by 1: Renode rounds virtual time to ticks of the counter",)


class RenodeEmulator:
    """Renode, told to execute one instruction a cycle. Each board runs in its own process, on a port of its own."""

    name = "renode"

    def __init__(self, board: Board | None = None, *, start_timeout_s: float = _START_TIMEOUT_S) -> None:
        """`board` decides what a tick of the counter is."""
        ratio = Fraction(1) if board is None else ticks_per_instruction(board)
        self.counting = Counting("instructions", ticks_per_instruction=ratio)
        self._start_timeout_s = start_timeout_s

    def version(self) -> str:
        """Its version for reports. Raises: ToolError with the way to install it when it is missing."""
        return _version(process.require(_PROGRAM, _HINT))

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        if has_platform(board):
            return ""
        return f"`renode` has no platform for board `{board.name}`: there is no renode/{template_name(board)}"

    def start(self, image: Image, board: Board) -> RenodeConsole:
        """Reset and run. Raises: ToolError when it is missing, DeviceError when it does not come up."""
        program = process.require(_PROGRAM, _HINT)
        if reason := self.supports(board):
            raise DeviceError(reason, hint="`tinyedge boards` lists the emulators of each board")
        for _ in range(_PORT_ATTEMPTS - 1):
            try:
                return self._start_once(program, image, board)
            except PortTakenError:
                continue
        return self._start_once(program, image, board)

    def _start_once(self, program: Path, image: Image, board: Board) -> RenodeConsole:
        folder = tempfile.TemporaryDirectory(prefix="tinyedge-renode-", ignore_cleanup_errors=True)
        try:
            port = _free_port()
            platform, script = Path(folder.name, f"{board.name}.repl"), Path(folder.name, "run.resc")
            platform.write_text(platform_text(board), encoding="utf-8")
            script.write_text(script_text(board, platform, image.elf, port), encoding="utf-8")
            # With `--console` the monitor is on our pipe, and Renode ends with us, as it quits at the end of its
            # input; without, it would listen for commands on a port of all networks.
            child = process.start(
                [program, "--console", "--disable-gui", "--plain", monitor_path(script)], merge_stderr=True
            )
        except BaseException:
            folder.cleanup()
            raise
        return RenodeConsole(child, port, self._start_timeout_s, _NOTES, folder.cleanup)


def _free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _version(program: Path) -> str:
    completed = process.run([program, "--version"], timeout_s=_VERSION_TIMEOUT_S)
    found = re.search(r"v?(\d+\.\d+\.\d+\S*)", completed.output)
    return found[1] if found else completed.output.splitlines()[0] if completed.output else "unknown"
