"""The worker process: `python -m tinyedge.emulate.unicorn.worker`, spoken to in frames over its standard streams."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from tinyedge.emulate.unicorn import engine, frames
from tinyedge.emulate.unicorn.board_machine import MachineError
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.machine import Machine
from tinyedge.emulate.unicorn.riscv_machine import RiscvMachine
from tinyedge.emulate.unicorn.serial_line import Link
from tinyedge.emulate.unicorn.symbols import BrokenProgramError, Program


def main() -> None:
    """Wait for START, run the machine to its end, say why it ended."""
    source, sink = _claim_streams()
    started = frames.read_frame(source)
    if started is None or started[0] != frames.START:
        raise SystemExit("this is a part of tinyedge, which starts it itself")
    link = Link(source, sink)
    try:
        config = MachineConfig.from_json(started[1])
        machine = RiscvMachine if config.core.startswith("rv32") else Machine
        built = machine(config, Program.load(Path(config.elf), config.core), link)
    except (BrokenProgramError, MachineError) as error:
        link.end(Ending(str(error)))
        return
    link.ready(engine.version())
    link.start_reading()
    link.end(built.run())


def _claim_streams() -> tuple[BinaryIO, BinaryIO]:
    """Unbuffered pipes to tinyedge. Whatever else writes to standard output ends up in standard error."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    return source, sink


if __name__ == "__main__":
    main()
