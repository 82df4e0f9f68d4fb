"""The emulated machine: Unicorn's core, the board's memories, the peripherals, and the loop that runs them."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from unicorn import arm_const
from unicorn import unicorn_const as const

from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.unicorn.bus import Bus
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.counting import NEVER, Counter, NativeCounter, PythonCounter
from tinyedge.emulate.unicorn.engine import Engine, UcError
from tinyedge.emulate.unicorn.exceptions import ExceptionUnit, StackError
from tinyedge.emulate.unicorn.faults import FaultReporter
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.native_library import PortState, load_native
from tinyedge.emulate.unicorn.peripherals.nvic import SV_CALL
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.scheduler import Event, Scheduler
from tinyedge.emulate.unicorn.semihosting import Semihosting
from tinyedge.emulate.unicorn.serial_line import Link
from tinyedge.emulate.unicorn.symbols import THUMB_BIT, Program

_VECTORS_SYMBOL = "_te_vectors"
"""the vector table, where tinyedge's linker scripts say so: behind what the chip's boot ROM wants to find first"""
_NO_END_ADDRESS = 0xFFFF_FFFE
_INTR_SVC, _INTR_BREAKPOINT, _INTR_EXCEPTION_RETURN, _INTR_SEMIHOSTING = 2, 7, 8, 16
_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"
_WIDE_HINT = b"\xaf\xf3"
"""first halfword of the 32-bit forms, whose second one is 0x8000 + 1 (YIELD), 2 (WFE), 3 (WFI)"""
_LOOK_AGAIN_CYCLES = 64
"""an exception is due but masked: how soon to look whether it still is"""
_NAP_SECONDS = 0.001
"""longest wait for the host while a timer runs"""
_EVENTS_SLEPT_THROUGH = 1000
"""timers that run with their interrupts off wake no core: after so many of their events it sleeps for ever"""
_RAM_FILL = b"\xa5"
"""what RAM holds at reset: no firmware may count on zeros"""


class MachineError(Exception):
    """The machine cannot be built; the text says why."""


class Machine:
    """One board with one program, from reset to its end. Also what its peripherals know as Services.

    Interrupts are taken between basic blocks. Cost of a block is kept by its address, so code that a program writes
    over other code in RAM would be counted with the old cost.
    """

    def __init__(self, config: MachineConfig, program: Program, link: Link) -> None:
        """Raises: MachineError when the program does not fit the board's memories"""
        config = dataclasses.replace(config, vectors=program.symbols.get(_VECTORS_SYMBOL, config.vectors))
        self.config, self.line, self._link = config, link, link
        self._scheduler = Scheduler()
        self._ending: Ending | None = None
        self._request: Callable[[int], int] | None = None  # what a stop was for: takes and gives the address to go on
        self._elapsed = 0.0
        self._started: float | None = None
        self._engine = Engine(config.core)
        self._model = MODELS[config.core]()
        self._flash = next((memory.start, memory.end) for memory in config.memories if memory.name == "flash")
        self._map_memories(program)
        self._native = self._load_native()
        self._counter = self._make_counter()
        self._bus = Bus(self, self._attend)
        self._bus.map(self._engine, self._native, link.note)
        self._nvic = self._bus.nvic
        self._exceptions = ExceptionUnit(self._engine, self._nvic, self._bus.system_control)
        self._faults = FaultReporter(self._engine, config, program)
        self._semihosting = Semihosting(self._engine, link)
        self._engine.add_hook(const.UC_HOOK_INTR, self._on_interrupt)
        self._engine.add_hook(const.UC_HOOK_MEM_UNMAPPED | const.UC_HOOK_MEM_PROT, self._on_bad_memory)
        self._engine.add_hook(const.UC_HOOK_INSN_INVALID, self._on_invalid_instruction)
        link.on_arrival = self._attend
        link.statistics = self.statistics
        link.longest_nap = self._longest_nap

    # Set-up

    def _map_memories(self, program: Program) -> None:
        for memory in self.config.memories:
            flash = memory.name == "flash"
            try:
                self._engine.map_memory(memory.start, memory.size_bytes, writable=not flash)
            except UcError as error:
                raise MachineError(
                    f"memory `{memory.name}` of board `{self.config.board}` cannot be emulated: {memory.start:#x} and "
                    f"{memory.size_bytes} B are no multiples of 4096 B"
                ) from error
            self._engine.write_memory(memory.start, (b"\xff" if flash else _RAM_FILL) * memory.size_bytes)
        for address, data in program.segments:
            end = address + len(data)
            if not any(memory.start <= address and end <= memory.end for memory in self.config.memories):
                raise MachineError(
                    f"the program is loaded at [{address:#x}, {end:#x}), outside the memories of board "
                    f"`{self.config.board}`"
                )
            self._engine.write_memory(address, data)

    def _load_native(self) -> Any | None:
        if self.config.helper is not None:
            try:
                return load_native(Path(self.config.helper))
            except (OSError, AttributeError) as error:
                self._link.note(f"the native helper cannot be loaded ({error}): counting in Python, slowly")
        return None

    def _make_counter(self) -> Counter:
        if self._native is None:
            return PythonCounter(self._engine, self._model)
        return NativeCounter(self._engine, self._model, self.config.memories, self._native)

    # Services of the peripherals

    def now(self) -> int:
        return self._counter.cycles

    def schedule(self, at_cycles: int, action: Callable[[], None]) -> Event:
        event = self._scheduler.add(at_cycles, action)
        self._counter.deadline = min(self._counter.deadline, at_cycles)
        return event

    def pend(self, exception: int) -> None:
        self._nvic.pend(exception)

    def set_interrupt(self, number: int, asserted: bool) -> None:
        self._nvic.set_line(number, asserted)

    def read_memory(self, address: int, count: int) -> bytes:
        try:
            return self._engine.read_memory(address, count)
        except UcError:
            self.end(self._faults.other(f"BusFault: DMA read of {count} bytes at {address:#010x}"))
            return bytes(count)

    def write_memory(self, address: int, data: bytes) -> None:
        flash_start, flash_end = self._flash
        with contextlib.suppress(UcError):
            if address + len(data) <= flash_start or address >= flash_end:
                self._engine.write_memory(address, data)
                return
        self.end(self._faults.other(f"BusFault: DMA write of {len(data)} bytes at {address:#010x}"))

    def share_port(self, page: RegisterPage) -> PortState:
        if self._native is None:
            return PortState()
        handle, read, write = self._engine.native_memory()
        port = self._native.te_port_new(ctypes.byref(page.shared), handle, read, write, *self._flash)
        if not port:
            raise MemoryError
        return cast(PortState, port.contents)

    def record_reading(self) -> None:
        self._link.add_reading(self._counter.instructions, self._counter.cycles)

    def end(self, ending: Ending) -> None:
        """Stop for good, with the next basic block. The first ending counts."""
        if self._ending is None:
            self._ending = ending
        self._attend()

    def _attend(self) -> None:
        """Stop before the next basic block. Also called by the thread that reads from the host."""
        self._counter.deadline = 0

    def _longest_nap(self) -> float | None:
        """A firmware that polls in vain sleeps for ever, unless a timer needs its time to go on."""
        return None if self._scheduler.next_cycles is None else _NAP_SECONDS

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
        if self._link.fresh or self._ending is not None:  # since the deadline was worked out
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
        if self._counter.stopped:
            self._counter.stopped = 0
            if overflow := self._faults.check_stack():
                self.end(overflow)
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

    # What it tells of itself

    def _seconds(self) -> float:
        running = 0.0 if self._started is None else time.perf_counter() - self._started - self._link.host_seconds
        return self._elapsed + running

    def statistics(self) -> dict[str, float]:
        """Counts since reset, and the seconds they took, without talking to the host and waiting for it."""
        seconds = self._seconds()
        instructions = self._counter.instructions
        return {
            "instructions": float(instructions),
            "cycles": float(self._counter.cycles),
            "seconds": seconds,
            "mips": instructions / seconds / 1e6 if seconds > 0 else 0.0,
            "native_hook": float(self._counter.native),
        }
