"""A board with a Cortex-M: Unicorn's core, exceptions and interrupts, and the loop that runs them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from unicorn import arm_const
from unicorn import unicorn_const as const

from tinyedge.emulate.unicorn.board_machine import BoardMachine
from tinyedge.emulate.unicorn.bus import Bus
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.counting import NEVER
from tinyedge.emulate.unicorn.engine import UcError
from tinyedge.emulate.unicorn.exceptions import ExceptionUnit, StackError
from tinyedge.emulate.unicorn.faults import FaultReporter
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.nvic import SV_CALL
from tinyedge.emulate.unicorn.semihosting import Semihosting
from tinyedge.emulate.unicorn.serial_line import Link
from tinyedge.emulate.unicorn.strict.preconditions import Precondition
from tinyedge.emulate.unicorn.symbols import THUMB_BIT, Program

_NO_END_ADDRESS = 0xFFFF_FFFE
_REGISTERS = (*range(arm_const.UC_ARM_REG_R0, arm_const.UC_ARM_REG_R0 + 13), arm_const.UC_ARM_REG_SP,
              arm_const.UC_ARM_REG_LR, arm_const.UC_ARM_REG_PC)  # fmt: skip
_INTR_MISALIGNED = 4
_INTR_SVC, _INTR_BREAKPOINT, _INTR_EXCEPTION_RETURN, _INTR_SEMIHOSTING = 2, 7, 8, 16
_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"
_WIDE_HINT = b"\xaf\xf3"
"""first halfword of the 32-bit forms, whose second one is 0x8000 + 1 (YIELD), 2 (WFE), 3 (WFI)"""
_LOOK_AGAIN_CYCLES = 64
"""an exception is due but masked: how soon to look whether it still is"""
_EVENTS_SLEPT_THROUGH = 1000
"""timers that run with their interrupts off wake no core: after so many of their events it sleeps for ever"""


class Machine(BoardMachine):
    """A board with a Cortex-M. Interrupts are taken between basic blocks."""

    def __init__(self, config: MachineConfig, program: Program, link: Link) -> None:
        """Raises: MachineError when the program does not fit the board's memories"""
        super().__init__(config, program, link)
        self._request: Callable[[int], int] | None = None  # what a stop was for: takes and gives the address to go on
        self._faults = FaultReporter(self._engine, self.config, program, self._stack_bottom)
        self._bus = Bus(self, self._attend)
        self._bus.map(self._engine, self._native, link.note)
        self._nvic = self._bus.nvic
        self._exceptions = ExceptionUnit(self._engine, self._nvic, self._bus.system_control, self._stack_bottom)
        self._semihosting = Semihosting(self._engine, link)
        self._engine.add_hook(const.UC_HOOK_INTR, self._on_interrupt)
        self._engine.add_hook(const.UC_HOOK_MEM_UNMAPPED | const.UC_HOOK_MEM_PROT, self._on_bad_memory)
        self._engine.add_hook(const.UC_HOOK_INSN_INVALID, self._on_invalid_instruction)

    # Preconditions of silicon

    def _program_counter(self) -> int:
        return self._engine.read_register(arm_const.UC_ARM_REG_PC)

    def _resume(self, address: int, until: int) -> None:
        self._engine.start(address | THUMB_BIT, until)

    def _break(self, precondition: Precondition, value: int) -> Ending:
        return self._faults.precondition(precondition, value)

    # Services of the peripherals

    def pend(self, exception: int) -> None:
        self._nvic.pend(exception)

    def set_interrupt(self, number: int, asserted: bool) -> None:
        self._nvic.set_line(number, asserted)

    def _fault(self, what: str) -> Ending:
        return self._faults.other(what)

    # The run

    def run(self) -> Ending:
        """From reset to the end."""
        vectors = self.read_memory(self.config.vectors, 8)
        self._engine.write_register(arm_const.UC_ARM_REG_SP, int.from_bytes(vectors[:4], "little"))
        self._engine.write_register(arm_const.UC_ARM_REG_LR, 0xFFFF_FFFF)
        address = int.from_bytes(vectors[4:], "little")
        if not address & THUMB_BIT:
            self.end(Ending(f"the vector table at {self.config.vectors:#x} holds no reset handler ({address:#010x})"))
        self._started = time.perf_counter()
        while self._ending is None:
            try:
                address = self._step(address & ~THUMB_BIT)
            except StackError as error:
                self.end(self._faults.stack(str(error)))
        self._elapsed = self._seconds()
        self._started = None
        return self._ending

    def _step(self, address: int) -> int:
        """Take an exception if one is due, else execute until something happens; the address to go on at."""
        self._scheduler.run_until(self._counter.cycles)
        self._tell_of_input()
        self._lighten()
        masks = self._exceptions.masks()
        exception = self._nvic.next_exception(masks)
        if exception is not None:
            self._counter.cycles += self._model.exception_entry_cycles
            handler = self._exceptions.enter(exception, address)
            if not handler & THUMB_BIT:
                self.end(
                    self._faults.other(f"HardFault: exception {exception} has no handler, its vector is {handler:#x}")
                )
            return handler
        due = self._scheduler.next_cycles
        deadline = NEVER if due is None else due
        if self._nvic.has_due:
            deadline = min(deadline, self._counter.cycles + _LOOK_AGAIN_CYCLES)
        self._counter.deadline = deadline
        if self._link.fresh or self._link.light or self._ending is not None:  # since the deadline was worked out
            return address
        return self._execute(address)

    def _execute(self, address: int) -> int:
        error = None
        try:
            self._engine.start(address | THUMB_BIT, _NO_END_ADDRESS)
        except UcError as raised:
            error = raised
        if self._counter.failure is not None:
            raise self._counter.failure
        address = self._engine.read_register(arm_const.UC_ARM_REG_PC)
        if (request := self._take_request()) is not None:
            return request(address)
        if self._counter.suspect_size:
            self._examine()
        elif self._counter.stopped:
            self._counter.stopped = 0
            self._counter.watch()
        elif error is not None:
            self.end(self._faults.other(f"HardFault: {error}"))
        elif self._hint_before(address) == _WFI:
            self._sleep()
        elif self._ending is None:
            self.end(self._faults.other("the emulator stopped for no reason it could name"))
        return address

    def _take_request(self) -> Callable[[int], int] | None:
        request, self._request = self._request, None
        return request

    def _hint_before(self, address: int) -> bytes:
        """WFI, WFE or YIELD (16-bit form) when that was the instruction in front of `address`."""
        code = self.read_memory(address - 4, 4)
        if code[:2] == _WIDE_HINT and code[3] == 0x80 and code[2] in (1, 2, 3):
            return bytes([code[2] << 4, 0xBF])
        return code[2:]

    def _tell_of_input(self) -> None:
        if self._link.fresh:
            self._link.fresh = False
            self._link.on_input()

    # Sleep

    def _sleep(self) -> None:
        """WFI: time passes until an exception that would wake the core is due."""
        for _ in range(_EVENTS_SLEPT_THROUGH):
            if self._ending is not None or self._nvic.wakes(self._exceptions.masks()):
                return
            due = self._scheduler.next_cycles
            if self._link.can_interrupt and not self._link.fresh:  # the host may write meanwhile
                self._link.wait(None if due is None else (due - self._counter.cycles) / self.config.clock_hz)
            elif due is None and not self._link.fresh:
                break
            if due is not None and not self._link.fresh:
                self._counter.cycles = max(self._counter.cycles, due)
            self._tell_of_input()
            self._scheduler.run_until(self._counter.cycles)
        if not self._link.can_interrupt:
            where = self._faults.where()
            self.end(Ending(f"the emulated firmware halted: it sleeps and nothing can wake it, {where}"))

    # What Unicorn reports from within a run

    def _stop_for(self, request: Callable[[int], int]) -> None:
        self._request = request
        self._engine.stop()

    def _end_at(self, ending: Ending) -> None:
        self.end(ending)
        self._stop_for(lambda address: address)

    def _on_interrupt(self, _: Any, number: int, __: Any) -> None:
        if number == _INTR_SVC:
            self._stop_for(self._call_supervisor)
        elif number == _INTR_EXCEPTION_RETURN:
            self._stop_for(self._return_from_exception)
        elif number in (_INTR_BREAKPOINT, _INTR_SEMIHOSTING) and self._semihosting.is_call():
            ending = self._semihosting.serve()
            if ending is not None:
                self.end(ending)
            self._stop_for(lambda address: address + 2)
        elif number == _INTR_BREAKPOINT:
            self._end_at(self._faults.other("the emulated firmware ran into a breakpoint"))
        elif (
            number == _INTR_MISALIGNED and (precondition := self._guard.misaligned(self._program_counter())) is not None
        ):
            self._end_at(self._break(precondition, precondition.here.evaluate(self._guard.read)))
        else:
            self._end_at(self._faults.exception(number))

    def _call_supervisor(self, address: int) -> int:
        self._nvic.pend(SV_CALL)
        if self._nvic.next_exception(self._exceptions.masks()) != SV_CALL:
            self.end(self._faults.other("HardFault: SVC while exceptions of its priority are masked"))
        return address

    def _return_from_exception(self, address: int) -> int:
        if not self._nvic.active:
            self.end(self._faults.other("UsageFault: return from an exception, but none is active"))
            return address
        self._counter.cycles += self._model.exception_return_cycles
        return self._exceptions.leave(address | 1)

    def _on_bad_memory(self, _: Any, access: int, address: int, size: int, value: int, __: Any) -> bool:
        self._end_at(self._faults.memory(access, address, size))
        return False

    def _on_invalid_instruction(self, _: Any, __: Any) -> bool:
        hint = self._hint_before(self._engine.read_register(arm_const.UC_ARM_REG_PC))
        if hint == _WFE:  # Unicorn reports WFE and YIELD, which it does not execute, this way
            self._stop_for(self._wait_for_event)
        elif hint == _YIELD:
            self._stop_for(lambda address: address)
        else:
            self._end_at(self._faults.invalid_instruction())
        return False

    def _wait_for_event(self, address: int) -> int:
        """An exception is the only event there is."""
        self._sleep()
        return address
