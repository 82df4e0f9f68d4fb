"""Runs kernel cases on an emulated Cortex-M or RV32, and counts: the same cases as natively, compiled for the core.

No firmware is around them: each case is called with the arena's address, a return to a magic address ends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unicorn import arm_const, riscv_const, unicorn_const

from kits.kernel_cases import GUARD, Case, Trial, c_source
from tinyedge import process
from tinyedge.boards import CORES, Core, Isa
from tinyedge.build.elf import Elf, read_elf
from tinyedge.build.image import select_compiler
from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.unicorn.counting import WATCHED_SIZE_BYTES, PythonCounter
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.strict.cores import make_guard
from tinyedge.emulate.unicorn.strict.preconditions import Precondition
from tinyedge.paths import templates_dir

FLASH, RAM, SIZE = 0x0, 0x20000000, 4 << 20
STACK_BYTES = 16384
END = FLASH + SIZE - 16
"""where a call returns to"""
_MOST_CYCLES = 10**9


@dataclass(frozen=True)
class _Registers:
    """The registers of a call; `code_bit` is set in the address of Thumb code."""

    argument: int
    stack: int
    link: int
    counter: int
    code_bit: int


_ARM = _Registers(arm_const.UC_ARM_REG_R0, arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR, arm_const.UC_ARM_REG_PC, 1)
_RISCV = _Registers(
    riscv_const.UC_RISCV_REG_A0,
    riscv_const.UC_RISCV_REG_SP,
    riscv_const.UC_RISCV_REG_RA,
    riscv_const.UC_RISCV_REG_PC,
    0,
)

_SCRIPT = f"""\
MEMORY {{ FLASH (rx) : ORIGIN = {FLASH}, LENGTH = {SIZE} RAM (rwx) : ORIGIN = {RAM}, LENGTH = {SIZE} }}
SECTIONS
{{
  .text :
  {{
    . = . + 16; KEEP(*(.text.Reset_Handler))
    *(.text .text.*) *(.rodata .rodata.* .srodata .srodata.*) . = ALIGN(4);
  }} > FLASH
  .data : {{ *(.data .data.* .sdata .sdata.*) }} > RAM
  .bss (NOLOAD) : {{ *(.bss .bss.* .sbss .sbss.*) *(COMMON) }} > RAM
  /DISCARD/ : {{ *(.ARM.exidx .ARM.exidx.* .ARM.extab.*) }}
}}
"""


@dataclass(frozen=True)
class Count:
    """What one run of a case took, call and return included."""

    instructions: int
    cycles: int
    """modelled, without wait states"""


class CoreRunner:
    """A `kernel_cases.Runner` for one core; `counts` holds one entry per trial of the last run."""

    def __init__(self, folder: Path, core: Core, compiler: str = "zig") -> None:
        self.folder = folder
        self.core = core
        self.compiler = compiler
        self.counts: list[Count] = []

    def __call__(self, cases: Sequence[Case], trials: Sequence[Trial]) -> list[bytes]:
        elf = read_elf(self._build(cases))
        machine = Machine(elf, self.core)
        arenas = []
        self.counts = []
        for number, before in trials:
            arena, count = machine.call(f"te_case_{number}", before)
            arenas.append(arena)
            self.counts.append(count)
        return arenas

    def reads_behind(self, cases: Sequence[Case], trials: Sequence[Trial]) -> list[int]:
        """For each trial how many bytes behind its first input are read; no other buffer of the case lies there."""
        machine = Machine(read_elf(self._build(cases)), self.core)
        read = machine.watch_reads()
        found = []
        for number, before in trials:
            end = cases[number].inputs[0].end
            read.clear()
            machine.call(f"te_case_{number}", before)
            found.append(max((at - end for at in read if end < at <= end + GUARD), default=0))
        return found

    def function_sizes(self, cases: Sequence[Case]) -> dict[str, int]:
        """Bytes of machine code by function, as the cases are linked."""
        return {symbol.name: symbol.size for symbol in read_elf(self._build(cases)).symbols}

    def _build(self, cases: Sequence[Case]) -> Path:
        sources = c_source(cases)
        key = hashlib.sha256(repr((sources.cases, sorted(sources.runtime.items()), self.core)).encode()).hexdigest()
        folder = self.folder / f"{self.core.name}-{self.compiler}-{key[:16]}"
        elf = folder / "cases.elf"
        if elf.exists():
            return elf
        folder.mkdir(parents=True)
        keep = "".join(
            f"void te_case_{n}(unsigned char *);\n__attribute__((used)) void (*const keep_{n})(unsigned char *)"
            f" = te_case_{n};\n"
            for n in range(len(cases))
        )
        listed = ", ".join(f"keep_{n}" for n in range(len(cases)))
        start = (
            f"{keep}void Reset_Handler(void);\nvoid Reset_Handler(void) {{\n"
            f"  void (*const volatile all[])(unsigned char *) = {{{listed}}};\n  (void)all;\n}}\n"
        )
        strings = Path(templates_dir() / "project")
        files = {"cases.c": sources.cases, "start.c": start.encode(), "link.ld": _SCRIPT.encode(), **sources.runtime}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        compiler = select_compiler(self.compiler, self.core)
        # newlib brings its own string.h; zig brings none.
        includes = [".", str(strings)] if self.compiler == "zig" else ["."]
        units = [name for name in files if name.endswith((".c", ".S"))]
        commands = [compiler.compile_command(name, f"{name}.o", includes) for name in units]
        commands.append(compiler.link_command([f"{name}.o" for name in units], "link.ld", "cases.elf"))
        for command in commands:
            process.run(command, cwd=folder, timeout_s=300)
        return elf


class Machine:
    """A core with flash and RAM, and nothing else. It faults where silicon does, the strictest of each core's chips."""

    def __init__(self, elf: Elf, core: Core) -> None:
        self._registers = _RISCV if core.isa is Isa.RV32IMC else _ARM
        self._engine = Engine(core.name)
        for start in (FLASH, RAM):
            self._engine.map_memory(start, SIZE, writable=start == RAM, executable=True)
        for segment in elf.segments:
            self._engine.write_memory(segment.address, segment.data)
        self._symbols = {symbol.name: symbol.address for symbol in elf.symbols}
        self._arena = RAM + SIZE // 2
        self._guard = make_guard(self._engine, core.name, "sifive", RAM, (FLASH, FLASH + SIZE))
        self._counter = PythonCounter(self._engine, MODELS[core.name], self._guard)
        self._counter.set_float(True)

    def call(self, function: str, arena: bytes) -> tuple[bytes, Count]:
        engine, registers, counter = self._engine, self._registers, self._counter
        engine.write_memory(self._arena, arena)
        engine.write_register(registers.argument, self._arena)
        engine.write_register(registers.stack, RAM + SIZE)
        engine.write_register(registers.link, END | registers.code_bit)
        before = counter.instructions, counter.cycles
        counter.deadline = counter.cycles + _MOST_CYCLES
        at = self._symbols[function] & ~registers.code_bit
        while True:
            engine.start(at | registers.code_bit, END)
            at = engine.read_register(registers.counter)
            if counter.suspect_size or not self._guard.fresh:
                break
            counter.stopped = 0
            counter.watch()
        assert not counter.suspect_size, f"{function}: silicon faults on {self._broken()}"
        assert at == END, f"{function} did not return, it is at {at:#x}"
        count = Count(counter.instructions - before[0], counter.cycles - before[1])
        return engine.read_memory(self._arena, len(arena)), count

    def watch_reads(self) -> set[int]:
        """A set to which calls add where in the arena their reads end."""
        ends = set()

        def read(_: object, __: int, address: int, size: int, *___: object) -> None:
            ends.add(address + size - self._arena)

        self._engine.add_hook(unicorn_const.UC_HOOK_MEM_READ, read)
        return ends

    def _broken(self) -> Precondition | None:
        address, size = self._counter.suspect, self._counter.suspect_size
        watched = size == WATCHED_SIZE_BYTES
        return self._guard.broken_here(address) if watched else self._guard.broken(address, size)


def core_named(name: str) -> Core:
    return CORES[name]
