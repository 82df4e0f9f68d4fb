"""What goes wrong in a firmware is named: the fault, the address, the function, the caller."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinyedge.errors import DeviceError

CALL = """
  function reset
  ldr r0, =VALUE
  bl poke
  b reset
  end_of reset
  function poke
  INSTRUCTIONS
  bx lr
  end_of poke
"""
IN_POKE = r", pc=0x[0-9a-f]+ in poke\+0x[0-9a-f]+, called from reset\+0x[68]"

FAULTS = {
    "read": ("0x60000000", "nop; ldr r1, [r0]", "BusFault: read of 4 bytes at 0x60000000" + IN_POKE),
    "read of a halfword": ("0x60000000", "ldrh r1, [r0, #2]", "BusFault: read of 2 bytes at 0x60000002" + IN_POKE),
    "write": ("0x20040000", "strb r1, [r0]", "BusFault: write of 1 byte at 0x20040000" + IN_POKE),
    "write to flash": ("0x100", "str r1, [r0]", r"BusFault: write of 4 bytes at 0x00000100 \(flash\)" + IN_POKE),
    "jump to nowhere": (
        "0x30000001",
        "push {lr}; blx r0",
        r"BusFault: jump to 0x30000000, where there is no program, called from poke\+0x4",
    ),
    "jump to an even address": (
        "0x40",
        "push {lr}; blx r0",
        r"UsageFault: jump to the even address 0x40 \(the Thumb bit is clear\), called from poke\+0x4",
    ),
    "undefined instruction": ("0", "udf #0", "UsageFault: undefined instruction 00de" + "[0-9a-f]{4}" + IN_POKE),
    "breakpoint": ("0", "bkpt #1", "breakpoint" + IN_POKE),
    "stack": ("0", "push {r0-r7, lr}; bl poke", r"stack overflow in the emulated firmware: .* in poke\+0x"),
    "stack moved away": ("0x20000000", "mov sp, r0; push {r0}", "stack overflow .*4 B below the stack"),
    "svc without a handler": ("0", "svc #1", "HardFault: exception 11 has no handler, its vector is 0x0" + IN_POKE),
    "exception return": ("0xFFFFFFF9", "bx r0", "BusFault: jump to 0xfffffff8, where there is no program"),
    "reset": ("0xE000ED0C", "ldr r1, =0x05FA0004; str r1, [r0]; dsb", "reset its chip"),
    "system off": ("0x40000500", "movs r1, #1; str r1, [r0]; dsb", "switched its chip off"),
    "halt": ("0", "wfi", r"halted: it sleeps and nothing can wake it, pc=0x[0-9a-f]+ in poke\+0x2"),
    "halt with wfe": ("0", "wfe", r"halted: it sleeps .* in poke\+0x2"),
    "exit": ("0x20026", "mov r1, r0; movs r0, #0x18; bkpt #0xab", "ended with exit code 0"),
    "abort": ("0x20023", "mov r1, r0; movs r0, #0x18; bkpt #0xab", "ended with exit code 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named(name: str, ending: Callable[..., DeviceError]) -> None:
    value, instructions, message = FAULTS[name]
    error = ending(CALL.replace("VALUE", value).replace("INSTRUCTIONS", instructions.replace(";", "\n")))
    with pytest.raises(DeviceError, match=message):
        raise error
    assert error.exit_code == 4
    if error.what.startswith("BusFault"):
        assert error.hint == "board `nrf52840dk` has flash [0x0, 0x100000), ram [0x20000000, 0x20040000)"


def test_the_python_hook_names_faults_too(ending: Callable[..., DeviceError]) -> None:
    value, instructions, _ = FAULTS["read"]
    error = ending(CALL.replace("VALUE", value).replace("INSTRUCTIONS", instructions.replace(";", "\n")), native=False)
    assert "read of 4 bytes at 0x60000000" in error.what


def test_dma_reads_and_writes_memory_only(ending: Callable[..., DeviceError]) -> None:
    source = """
    void reset(void) {
      REG(0x40002500) = 8; REG(0x40002544) = 0x60000000; REG(0x40002548) = 4; REG(0x40002008) = 1;
      for (;;) {}
    }"""
    assert "BusFault: DMA read of 4 bytes at 0x60000000" in ending(source).what


def test_a_program_without_a_reset_handler(ending: Callable[..., DeviceError]) -> None:
    source = '  .section .vectors, "a"\n  .text\n  function reset\n  nop\n  end_of reset\n  .section .data\n'
    broken = source.replace("function reset", ".global reset\nreset = 0x40 // function reset").replace(
        "end_of reset", "nop"
    )
    assert "no reset handler" in ending(broken).what
