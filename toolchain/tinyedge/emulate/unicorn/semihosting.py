"""Arm semihosting, as far as a firmware uses it to print and to end."""

from __future__ import annotations

from collections.abc import Callable

from unicorn import arm_const

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.serial_line import SerialLine

_BREAKPOINT = b"\xab\xbe"
_WRITE_CHARACTER, _WRITE_TEXT, _EXIT, _EXIT_EXTENDED = 0x03, 0x04, 0x18, 0x20
_APPLICATION_EXIT = 0x20026
_LONGEST_TEXT_BYTES = 4096


class Semihosting:
    """BKPT 0xAB with an operation in R0 and its argument in R1.

    Source: Arm, Semihosting for AArch32 and AArch64, 2.0
    """

    def __init__(self, engine: Engine, line: SerialLine) -> None:
        self._engine, self._line = engine, line
        self._operations: dict[int, Callable[[int], Ending | None]] = {
            _WRITE_CHARACTER: self._write_character,
            _WRITE_TEXT: self._write_text,
            _EXIT: lambda reason: _exit(0 if reason == _APPLICATION_EXIT else 1),
            _EXIT_EXTENDED: lambda block: _exit(self._word(block + 4) if self._word(block) == _APPLICATION_EXIT else 1),
        }

    def is_call(self) -> bool:
        """The breakpoint at the program counter is a semihosting call."""
        return self._engine.peek(self._engine.read_register(arm_const.UC_ARM_REG_PC), 2) == _BREAKPOINT

    def serve(self) -> Ending | None:
        """Do what is asked for. An operation that is not supported answers -1."""
        operation = self._engine.read_register(arm_const.UC_ARM_REG_R0)
        serve = self._operations.get(operation)
        if serve is None:
            self._engine.write_register(arm_const.UC_ARM_REG_R0, 0xFFFF_FFFF)
            return None
        return serve(self._engine.read_register(arm_const.UC_ARM_REG_R1))

    def _write_character(self, address: int) -> None:
        self._line.send(self._engine.peek(address, 1))

    def _write_text(self, address: int) -> None:
        text = bytearray()
        while (byte := self._engine.peek(address + len(text), 1)) not in (b"", b"\0") and len(
            text
        ) < _LONGEST_TEXT_BYTES:
            text += byte
        self._line.send(bytes(text))

    def _word(self, address: int) -> int:
        return int.from_bytes(self._engine.peek(address, 4), "little")


def _exit(code: int) -> Ending:
    return Ending(f"the emulated firmware ended with exit code {code}")
