"""What silicon faults on and Unicorn alone does not: alignment, a switched off FPU, the stack, foreign instructions."""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from unicorn import arm_const

from kits.m4_program import STACK_LAST, build
from tinyedge.boards import load_board
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.emulate.unicorn.strict.cores import make_guard
from tinyedge.emulate.unicorn.strict.preconditions import Value
from tinyedge.emulate.unicorn.strict.thumb import ThumbRules
from tinyedge.emulate.unicorn.symbols import Program
from tinyedge.errors import DeviceError

Ending = Callable[..., DeviceError]

CASE = """
  function resetNAME
  ldr r0, =VALUE
  bl pokeNAME
  wfi
  b resetNAME
  end_of resetNAME
  function pokeNAME
  INSTRUCTIONS
  bx lr
  end_of pokeNAME
"""
FLOAT_ON = "ldr r1, =0xE000ED88; movs r2, #0xF; lsls r2, #20; str r2, [r1]; dsb; isb; "
IN_POKE = r", pc=0x[0-9a-f]+ in poke\d*\+0x2, called from reset\d*\+0x[68]"
DATA = "  .section .data\n  .global data\ndata:\n  .space 256\n"


def source_of(value: str, instructions: str, name: str = "") -> str:
    text = CASE.replace("VALUE", value).replace("INSTRUCTIONS", instructions.replace(";", "\n"))
    return text.replace("NAME", name)


class Programs:
    """Many programs in one image, each with a reset handler of its own."""

    def __init__(self, folder: Path, cases: dict[str, str], value: str, **options: Any) -> None:
        """`cases`: name -> instructions"""
        self._folder, self._names = folder, list(cases)
        parts = (source_of(value, text, str(number)) for number, text in enumerate(cases.values()))
        source = "  function reset\n  nop\n  end_of reset\n" + "".join(parts) + DATA
        self._image = build(folder, source, **options)
        with self._image.elf.open("rb") as stream:
            elf = ELFFile(stream)
            self._vector = elf.get_section_by_name(".text")["sh_offset"] + 4
            self._symbols = {
                symbol.name: symbol["st_value"] for symbol in elf.get_section_by_name(".symtab").iter_symbols()
            }

    def ending(self, name: str, board: str, *, native: bool = True) -> DeviceError:
        """How the program ends."""
        handler = self._symbols[f"reset{self._names.index(name)}"]
        elf = bytearray(self._image.elf.read_bytes())
        elf[self._vector : self._vector + 4] = handler.to_bytes(4, "little")
        path = self._folder / "one.elf"
        path.write_bytes(elf)
        on = load_board(board)
        emulator = UnicornEmulator(on, native=native)
        with (
            emulator.start(dataclasses.replace(self._image, elf=path), on) as console,
            pytest.raises(DeviceError) as caught,
        ):
            list(console.lines(30.0))
        return caught.value


def unaligned(text: str, verb: str, address: str, fault: str = "UsageFault", multiple: int = 4) -> str:
    """The message, as a pattern."""
    return rf"{fault}: `{text}` {verb} at {address}, which is no multiple of {multiple}, pc=0x[0-9a-f]+ in poke\d*\+0x"


OFF = r"UsageFault: `vmov s0, r0` while the floating point unit is off \(CPACR\)"
M4 = {
    "ldrd": ("ldrd r1, r2, [r0]", unaligned(r"ldrd r1, r2, \[r0\]", "reads", "0x20001002")),
    "strd": ("strd r1, r2, [r0, #8]", unaligned("strd .*", "writes", "0x2000100a")),
    "ldrd that moves on": ("adds r0, #2; ldrd r1, r2, [r0], #8; ldrd r1, r2, [r0], #-7; ldrd r1, r2, [r0]", None),
    "ldrd behind a step": ("adds r0, #2; ldrd r1, r2, [r0], #8; adds r0, #1; ldrd r1, r2, [r0]",
                           unaligned("ldrd .*", "reads", "0x2000100d")),
    "ldm": ("ldm r0!, {r1, r2}", unaligned("ldm r0!, {r1, r2}", "reads", "0x20001002")),
    "stm": ("stm r0!, {r1, r2}", unaligned("stm r0!, {r1, r2}", "writes", "0x20001002")),
    "ldmdb": ("ldmdb r0, {r1, r2}", unaligned("ldmdb .*", "reads", "0x20001002")),
    "ldm at a sum": ("movs r1, #1; add r0, r0, r1, lsl #1; ldm r0, {r1, r2}", None),
    "ldm at an address loaded in its block": ("str r0, [sp, #-4]; ldr r3, [sp, #-4]; ldm r3, {r1, r2}",
                                              unaligned("ldm.* r3, {r1, r2}", "reads", "0x20001002")),
    "ldm that is skipped": ("cmp r0, #0; it eq; ldmeq r0, {r1, r2}", None),
    "ldm that is not skipped": ("cmp r0, #0; it ne; ldmne r0, {r1, r2}",
                                unaligned("ldmne.* r0, {r1, r2}", "reads", "0x20001002")),
    "vldr": (FLOAT_ON + "vldr s0, [r0, #4]", unaligned("vldr .*", "reads", "0x20001006")),
    "vstmia": (FLOAT_ON + "vstmia r0!, {s0-s3}", unaligned("vstmia .*", "writes", "0x20001002")),
    "ldrex": ("ldrex r1, [r0]", unaligned("ldrex .*", "reads", "0x20001002")),
    "ldrexh": ("adds r0, #1; ldrexh r1, [r0]", unaligned("ldrexh .*", "reads", "0x20001003", multiple=2)),
    "what may be misaligned": ("ldr r1, [r0]; ldrh r1, [r0, #1]; str r1, [r0]; strh r1, [r0, #3]", None),
    "a unit that is off": ("nop; vmov s0, r0", OFF + IN_POKE),
    "a unit that is on": (FLOAT_ON + "vmov s0, r0", None),
    "a unit switched off again": (FLOAT_ON + "movs r2, #0; str r2, [r1]; dsb; isb; vpush {s0}",
                                  "UsageFault: `vpush {s0}` while the floating point unit is off"),
    "a skipped instruction of a unit that is off": ("cmp r0, #0; it eq; vmoveq s0, r0", None),
    "an unskipped instruction of a unit that is off": ("cmp r0, #0; it ne; vmovne s0, r0", "`vmovne s0, r0` while the"),
    "a jump into registers": ("ldr r0, =0x40001001; bx r0", "BusFault: jump to 0x40001000, where there is no program"),
}  # fmt: skip


IN_PYTHON = ("ldrd", "ldm at an address loaded in its block", "ldm that is not skipped", "a unit that is off")
"""what the counting hook in Python is tried with too"""


@pytest.fixture(scope="module")
def m4_programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("m4"), {name: case[0] for name, case in M4.items()}, "0x20001002")


@pytest.mark.parametrize(("name", "native"), [*((name, True) for name in M4), *((name, False) for name in IN_PYTHON)])
def test_cortex_m4(name: str, native: bool, m4_programs: Programs) -> None:
    error = m4_programs.ending(name, "nrf52840dk", native=native)
    with pytest.raises(DeviceError, match=M4[name][1] or "halted"):
        raise error
    assert error.exit_code == 4
    if "no multiple" in error.what:
        assert error.hint.startswith("align the data")


OTHER_CORES = {
    "m0+ ldr": ("nucleo_g0b1re", "ldr r1, [r0]", unaligned("ldr .*", "reads", "0x20001002", "HardFault")),
    "m0+ strh": ("nucleo_g0b1re", "adds r0, #1; strh r1, [r0]",
                 unaligned("strh .*", "writes", "0x20001003", "HardFault", 2)),
    "m0+ ldm": ("nucleo_g0b1re", "ldm r0!, {r1, r2}", unaligned("ldm .*", "reads", "0x20001002", "HardFault")),
    "m0+ ldrh": ("nucleo_g0b1re", "ldrh r1, [r0]", None),
    "m0+ cbz": ("nucleo_g0b1re", "cbz r0, 1f; nop; 1: nop", "HardFault: `cbz .*` is no instruction of cortex-m0plus"),
    "m0+ movw": ("nucleo_g0b1re", "movw r0, #4660", "undefined instruction"),
    "m3 ldrd": ("bluepill", "ldrd r1, r2, [r0]", unaligned("ldrd .*", "reads", "0x20001002")),
    "m3 ldr": ("bluepill", "ldr r1, [r0]", None),
    "m3 smlad": ("bluepill", "smlad r0, r1, r2, r3", "UsageFault: `smlad .*` is no instruction of cortex-m3"),
    "m3 smlal": ("bluepill", "smlal r0, r1, r2, r3; ssat r0, #8, r1; sxtb r0, r0; bfi r0, r1, #3, #2", None),
    "m3 sxtb16": ("bluepill", "sxtb16 r0, r1, ror #8", "`sxtb16 .*` is no instruction of cortex-m3"),
    "m3 pkhbt": ("bluepill", "pkhbt r0, r1, r2", "`pkhbt r0, r1, r2` is no instruction of cortex-m3"),
    "m3 vadd": ("bluepill", "vadd.f32 s0, s1, s2", "floating point"),
    "m7 ldm": ("nucleo_h743zi", "movw r0, #1; movt r0, #0x2400; ldm r0, {r1, r2}",
               unaligned("ldm.* r0, {r1, r2}", "reads", "0x24000001")),
    "m33 lda": ("nucleo_u575zi_q", ".inst.w 0xe8d01faf", unaligned(r"lda r1, \[r0\]", "reads", "0x20001002")),
}  # fmt: skip
"""board, instructions, message"""


@pytest.fixture(scope="module")
def programs_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Programs]:
    """The programs of a board."""

    @functools.cache
    def programs_of(board: str) -> Programs:
        cases = {name: case[1] for name, case in OTHER_CORES.items() if case[0] == board}
        folder = tmp_path_factory.mktemp(board)
        return Programs(folder, cases, "0x20001002", flash_start=load_board(board).flash_start)

    return programs_of


@pytest.mark.parametrize("name", OTHER_CORES)
def test_other_cores(name: str, programs_of: Callable[[str], Programs]) -> None:
    board, _, message = OTHER_CORES[name]
    with pytest.raises(DeviceError, match=message or "halted"):
        raise programs_of(board).ending(name, board)


STACK = {
    "a push": ("0: push {r4-r7, lr}; b 0b", r"`push {r4, r5, r6, r7, lr}` moves sp to 0x2000.*, \d+ B below the stack"),
    "a frame": ("0: sub sp, #0x1f8; push {lr}; b 0b", "`sub sp, #0x1f8` moves sp to 0x1f"),
    "a move": ("ldr r0, =data; mov sp, r0", "`mov sp, r0` moves sp to 0x20000000, 256 B below the stack"),
    "a float push": (FLOAT_ON + "1: vpush {d0-d7}; b 1b", "`vpush .*` moves sp to 0x2000"),
    "a frame of its own": ("movs r1, #1; lsls r1, #11; mov r2, sp; subs r2, r2, r1; mov sp, r2", "`mov sp, r2` moves"),
    "a frame that fits": ("sub sp, #0x1f8; add sp, #0x1f8", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def stack_programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    cases = {name: case[0] for name, case in STACK.items()}
    return Programs(tmp_path_factory.mktemp("stack"), cases, "0", script_text=STACK_LAST)


@pytest.mark.parametrize("name", STACK)
def test_the_stack_does_not_grow_into_static_data(name: str, stack_programs: Programs) -> None:
    error, message = stack_programs.ending(name, "nrf52840dk"), STACK[name][1]
    assert (error.what.startswith("stack overflow in the emulated firmware: ")) == (message is not None)
    with pytest.raises(DeviceError, match=message or "halted"):
        raise error


def test_the_frame_of_an_exception_has_to_fit(tmp_path: Path) -> None:
    source = "  function reset\n  ldr r0, =_te_stack_bottom + 16\n  mov sp, r0\n  svc #1\n  wfi\n  end_of reset\n"
    source += "  function svcall\n  bx lr\n  end_of svcall\n" + DATA
    image = build(tmp_path, source, script_text=STACK_LAST)
    with (
        UnicornEmulator().start(image, load_board("nrf52840dk")) as console,
        pytest.raises(DeviceError, match=r"stack overflow .* stack frame of exception 11 goes down to 0x200000f0"),
    ):
        list(console.lines(30.0))


def test_what_comes_first_is_named(ending: Ending) -> None:
    """The instructions in front of the broken one are executed, and may end the run themselves."""
    error = ending(source_of("0x20001002", "ldr r1, =0x60000000; ldr r1, [r1]; ldm r0, {r1, r2}"))
    assert error.what.startswith("BusFault: read of 4 bytes at 0x60000000")


def test_a_loop_is_left_in_the_round_that_breaks(ending: Ending) -> None:
    """A pointer that moves by 8 for a while, and then not."""
    text = "movs r3, #0; 1: ldrd r1, r2, [r0], #8; adds r3, #1; cmp r3, #100; bne 2f; adds r0, #1; 2: b 1b"
    error = ending(source_of("0x20001000", text))
    assert "reads at 0x20001321, which is no multiple of 4" in error.what


STEPS = (
    "adds {0}, #4", "subs {0}, #7", "add {0}, {1}, {2}", "add {0}, {1}, {2}, lsl #3", "sub {0}, {1}, {2}",
    "mov {0}, {1}", "lsl {0}, {1}, #2", "rsb {0}, {1}, #5", "movw {0}, #0x1234", "movt {0}, #7",
    "ldr {0}, =0x12345678", "mul {0}, {1}, {2}", "ldr {0}, [{3}, #4]", "ldr {0}, [{3}], #4", "str {0}, [{3}, #-4]!",
    "ldrd {0}, {1}, [{3}], #8", "ldm {3}!, {{{0}}}", "strd {0}, {1}, [{3}, #-8]!", "push {{{0}}}", "sub sp, #8",
    "stmdb {3}!, {{{0}, {1}}}", "adr {0}, .", "eor {0}, {1}, {2}",
)  # fmt: skip


def random_block(chooser: random.Random) -> str:
    lines = []
    for _ in range(12):
        first, second, third = sorted(chooser.sample(range(5), 3))
        names = (f"r{first}", f"r{second}", f"r{third}", f"r{chooser.randint(5, 7)}")
        lines.append("  " + chooser.choice(STEPS).format(*names))
    return "\n".join(lines)


def test_values_told_at_the_start_of_a_block_are_right(tmp_path: Path) -> None:
    """Random blocks: what was told of each access is what the registers say when it is reached."""
    chooser = random.Random(7)
    blocks = [random_block(chooser) for _ in range(60)]
    source = ["  function reset", "  nop", "  end_of reset"]
    for number, block in enumerate(blocks):
        source += [f"  function block_{number}", block, f"  end_of block_{number}"]
    image = build(tmp_path, "\n".join(source) + "\n")
    loaded = Program.load(image.elf)
    engine = Engine("cortex-m4f")
    engine.map_memory(0, 0x40000, writable=False, executable=True)
    engine.map_memory(0x20000000, 0x10000, writable=True, executable=True)
    for address, data in loaded.segments:
        engine.write_memory(address, data)
    guard = make_guard(engine, "cortex-m4f", "", 0, (0, 0x40000))
    checked = sum(check_block(engine, guard.read, loaded, number) for number in range(len(blocks)))
    assert checked > 100


def check_block(engine: Engine, read: Callable[[int], int], loaded: Program, number: int) -> int:
    """How many accesses of a block were told and are right."""
    start = loaded.symbols[f"block_{number}"] & ~1
    function = loaded.function_at(start)
    assert function is not None
    rules = ThumbRules("cortex-m4f", 0, lambda at: int.from_bytes(engine.peek(at, 4), "little"))
    preconditions = rules.of_block(engine.read_memory(start, function.size_bytes), start)
    for register in range(8):
        engine.write_register(arm_const.UC_ARM_REG_R0 + register, 0x20004000 + 16 * register)
    engine.write_register(arm_const.UC_ARM_REG_SP, 0x20008000)
    at_start = [read(register) for register in range(16)]
    address = start
    for precondition in preconditions:
        if precondition.address != address:
            engine.start(address | 1, precondition.address)
        address = precondition.address
        if precondition.at_start is not None:
            assert precondition.at_start.evaluate(at_start.__getitem__) == precondition.here.evaluate(read), (
                precondition
            )
    return sum(precondition.at_start is not None for precondition in preconditions)


def test_sums_of_registers() -> None:
    value = Value.register(1).plus(Value.register(1).times(3)).plus(Value.register(2).times(-1)).plus_constant(-4)
    assert value.evaluate([0, 10, 4].__getitem__) == 32
    assert value.plus(Value.register(2)).terms == ((1, 4),)
