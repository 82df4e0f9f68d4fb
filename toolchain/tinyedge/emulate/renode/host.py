"""Starts Renode on a board's firmware."""

from __future__ import annotations

import functools
import re
from contextlib import ExitStack
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Counting, Image
from tinyedge.boards import Board
from tinyedge.emulate.renode.console import RenodeConsole
from tinyedge.emulate.renode.platform import (
    has_platform,
    monitor_path,
    platform_text,
    script_text,
    template_name,
)
from tinyedge.errors import DeviceError
from tinyedge.paths import scratch_folder
from tinyedge.systems import has_terminals

_PROGRAM = "renode"
_HINT = "get it from renode.io (1.16 or newer) and put it on PATH"
_START_TIMEOUT_S = 60.0
_VERSION_TIMEOUT_S = 60.0
_LINE = "serial"
"""the pseudo-terminal, in the folder of the run"""


class RenodeEmulator:
    """Renode, told to execute one instruction a tick of the counter. Each board runs in its own process."""

    name = "renode"

    counting = Counting("instructions")

    def __init__(self, board: Board | None = None, *, start_timeout_s: float = _START_TIMEOUT_S) -> None:
        del board  # every one counts alike
        self._start_timeout_s = start_timeout_s

    def version(self) -> str:
        """Its version for reports. Raises: ToolError with the way to install it when it is missing."""
        return _version(process.require(_PROGRAM, _HINT))

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        if not has_terminals():
            return "`renode` hands out the serial line as a pseudo-terminal, which this system lacks"
        if has_platform(board):
            return ""
        return f"`renode` has no platform for board `{board.name}`: there is no renode/{template_name(board)}"

    def start(self, image: Image, board: Board) -> RenodeConsole:
        """Reset and run. Raises: ToolError when it is missing, DeviceError when it does not come up."""
        program = process.require(_PROGRAM, _HINT)
        if reason := self.supports(board):
            raise DeviceError(reason, hint="`tinyedge boards` lists the emulators of each board")
        with ExitStack() as stack:
            folder = stack.enter_context(scratch_folder("renode"))
            platform, script, line = (folder / name for name in (f"{board.name}.repl", "run.resc", _LINE))
            platform.write_text(platform_text(board), encoding="utf-8")
            script.write_text(script_text(board, platform, image.elf, line), encoding="utf-8")
            # With `--console` the monitor is on our pipe, and Renode ends with us, as it quits at the end of its
            # input; without, it would listen for commands on a port of all networks. The line is a file of ours, too.
            # Its own temporary files go into our folder, as it does not remove them when it is killed.
            child = process.start(
                [program, "--console", "--disable-gui", "--plain", monitor_path(script)],
                env={name: str(folder) for name in ("TMPDIR", "TMP", "TEMP")},
                merge_stderr=True,
            )
            return RenodeConsole(child, line, self._start_timeout_s, stack.pop_all().close)


@functools.cache
def _version(program: Path) -> str:
    completed = process.run([program, "--version"], timeout_s=_VERSION_TIMEOUT_S)
    found = re.search(r"v?(\d+\.\d+\.\d+\S*)", completed.output)
    return found[1] if found else completed.output.splitlines()[0] if completed.output else "unknown"
