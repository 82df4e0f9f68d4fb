"""What every emulated machine is: memories, counts, time, and what its peripherals know as Services."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.memories.cache import FlashPath
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.counting import NEVER, WATCHED_SIZE_BYTES, Counter, NativeCounter, PythonCounter
from tinyedge.emulate.unicorn.engine import Engine, UcError
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.memory_counting import NativeFlashPath
from tinyedge.emulate.unicorn.native_library import PolledPortState, PortState, load_native
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import PolledWords
from tinyedge.emulate.unicorn.scheduler import Event, Scheduler
from tinyedge.emulate.unicorn.serial_line import Link
from tinyedge.emulate.unicorn.strict.cores import make_guard
from tinyedge.emulate.unicorn.strict.preconditions import Precondition
from tinyedge.emulate.unicorn.symbols import Program

_VECTORS_SYMBOL = "_te_vectors"
"""the vector table, where tinyedge's linker scripts say so: behind what the chip's boot ROM wants to find first"""
_STACK_BOTTOM_SYMBOL = "_te_stack_bottom"
"""the lowest address of the stack; where a linker script does not say so, it is where RAM begins"""
_READ_ONLY = ("flash", "flash_data")
_STOPS_ON_THE_WAY = 16
"""the host's input may stop the engine within a block"""
_NAP_SECONDS = 0.001
"""longest wait for the host while a timer runs"""
_RAM_FILL = b"\xa5"
"""what RAM holds at reset: no firmware may count on zeros"""


class MachineError(Exception):
    """The machine cannot be built; the text says why."""


class BoardMachine(ABC):
    """One board with one program, from reset to its end; subclasses add the core's exceptions and its bus.

    Cost of a block is kept by its address, so code that a program writes over other code in RAM would be counted with
    the old cost.
    """

    def __init__(self, config: MachineConfig, program: Program, link: Link) -> None:
        """Raises: MachineError when the program does not fit the board's memories"""
        config = dataclasses.replace(config, vectors=program.symbols.get(_VECTORS_SYMBOL, config.vectors))
        self.config, self.line, self._link = config, link, link
        self._scheduler = Scheduler()
        self._ending: Ending | None = None
        self._elapsed = 0.0
        self._started: float | None = None
        self._engine = Engine(config.core)
        self._model = MODELS[config.core]
        self._flash = next((memory.start, memory.end) for memory in config.memories if memory.name == "flash")
        self._map_memories(program)
        self._native = self._load_native()
        ram = next(memory.start for memory in config.memories if memory.name == "ram")
        self._stack_bottom = program.symbols.get(_STACK_BOTTOM_SYMBOL, ram)
        self._guard = make_guard(self._engine, config.core, config.family, self._stack_bottom, self._flash)
        self._counter = self._make_counter()
        link.on_arrival = self._attend
        link.statistics = self.statistics
        link.longest_nap = self._longest_nap

    # Set-up

    def _map_memories(self, program: Program) -> None:
        data_bus = any(memory.name == "flash_data" for memory in self.config.memories)  # ... has no instruction fetch
        for memory in self.config.memories:
            flash = memory.name in _READ_ONLY
            executable = memory.name == "flash" or not data_bus
            try:
                self._engine.map_memory(memory.start, memory.size_bytes, writable=not flash, executable=executable)
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
        self._mirror_flash()

    def _mirror_flash(self) -> None:
        """The flash shows at the addresses of the data bus too."""
        for memory in self.config.memories:
            if memory.name == "flash_data":
                start, end = self._flash
                self._engine.write_memory(memory.start, self._engine.read_memory(start, end - start))

    def _load_native(self) -> Any | None:
        if self.config.helper is not None:
            try:
                return load_native(Path(self.config.helper))
            except (OSError, AttributeError) as error:
                self._link.note(f"the native helper cannot be loaded ({error}): counting in Python, slowly")
        return None

    def _make_counter(self) -> Counter:
        config = self.config
        if self._native is None:
            reads = (
                FlashPath(self._flash, config.caches, config.code_stall, config.data_stall) if config.caches else None
            )
            return PythonCounter(self._engine, self._model, self._guard, reads)
        path = NativeFlashPath(config, self._engine, self._guard, self._flash, self._native) if config.caches else None
        return NativeCounter(self._engine, self._model, self._guard, config.memories, self._native, path)

    # Preconditions of silicon

    def _examine(self) -> None:
        """The counter stopped in front of something that silicon would fault on: go there, and end with its name."""
        counter = self._counter
        address, size = counter.suspect, counter.suspect_size
        counter.suspect_size, counter.unchecked = 0, 1
        watched = size == WATCHED_SIZE_BYTES
        precondition = self._guard.broken_here(address) if watched else None
        if precondition is None:
            precondition = self._guard.broken(address, size)
        if precondition is None:
            raise RuntimeError(f"the block at {address:#x} breaks a precondition that none of its instructions has")
        if not watched:
            self._go_on_to(precondition.address)
        if self._ending is None:
            self.end(self._break(precondition, precondition.here.evaluate(self._guard.read)))

    def _go_on_to(self, address: int) -> None:
        """Execute the instructions in front of it, which may end the run themselves."""
        self._engine.forget_translations()
        for _ in range(_STOPS_ON_THE_WAY):
            here = self._program_counter()
            if here == address or self._ending is not None:
                return
            self._counter.deadline = NEVER
            with contextlib.suppress(UcError):  # its hook has ended the run
                self._resume(here, address)

    @abstractmethod
    def _program_counter(self) -> int: ...

    @abstractmethod
    def _resume(self, address: int, until: int) -> None:
        """Execute from `address` to in front of the instruction at `until`. Raises: UcError"""

    @abstractmethod
    def _break(self, precondition: Precondition, value: int) -> Ending:
        """The end by a precondition that is not met."""

    # Services of the peripherals

    def set_float_unit(self, on: bool) -> None:
        self._counter.set_float(on)

    def now(self) -> int:
        return self._counter.cycles

    def schedule(self, at_cycles: int, action: Callable[[], None]) -> Event:
        event = self._scheduler.add(at_cycles, action)
        self._counter.deadline = min(self._counter.deadline, at_cycles)
        return event

    @abstractmethod
    def pend(self, exception: int) -> None: ...

    @abstractmethod
    def set_interrupt(self, number: int, asserted: bool) -> None: ...

    @abstractmethod
    def _fault(self, what: str) -> Ending:
        """The end by a fault, with the place in the program."""

    def read_memory(self, address: int, count: int) -> bytes:
        try:
            return self._engine.read_memory(address, count)
        except UcError:
            self.end(self._fault(f"BusFault: DMA read of {count} bytes at {address:#010x}"))
            return bytes(count)

    def write_memory(self, address: int, data: bytes) -> None:
        flash_start, flash_end = self._flash
        with contextlib.suppress(UcError):
            if address + len(data) <= flash_start or address >= flash_end:
                self._engine.write_memory(address, data)
                return
        self.end(self._fault(f"BusFault: DMA write of {len(data)} bytes at {address:#010x}"))

    def share_port(self, page: RegisterPage) -> PortState:
        if self._native is None:
            return PortState()
        handle, read, write = self._engine.native_memory()
        port = self._native.te_port_new(ctypes.byref(page.shared), handle, read, write, *self._flash)
        if not port:
            raise MemoryError
        return cast(PortState, port.contents)

    def share_polled_port(self, page: RegisterPage, words: PolledWords) -> PolledPortState:
        if self._native is None:
            return PolledPortState()
        offsets = (words.status, words.receive, words.send)
        numbers = (ctypes.c_uint32 * 3)(*((page.start + offset) // 4 for offset in offsets))
        port = self._native.te_polled_port_new(ctypes.byref(page.shared), numbers, words.empty, words.full)
        if not port:
            raise MemoryError
        return cast(PolledPortState, port.contents)

    def record_reading(self) -> None:
        events = self._counter.events
        self._link.add_reading(
            (
                self._counter.instructions,
                self._counter.cycles,
                events.stall_cycles,
                events.code_misses,
                events.data_misses,
                events.code_lines,
            )
        )

    def _lighten(self) -> None:
        """Follow reads of flash no longer, when the host said so."""
        if self._link.light:
            self._link.light = False
            self._counter.leave_reads_out()

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

    @abstractmethod
    def run(self) -> Ending:
        """From reset to the end."""

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
