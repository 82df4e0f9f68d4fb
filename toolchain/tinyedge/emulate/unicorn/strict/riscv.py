"""What RISC-V instructions require: alignment where the core traps, room on the stack, a core that has them."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.emulate.unicorn.strict.preconditions import MASK, Kind, Precondition, Value

SP = 2
MISALIGNED_TRAPS = ("sifive",)
"""Families whose cores trap at a misaligned load or store: the FE310-G002 has the causes 4 and 6 (manual v1p5, table
23). The ESP32-C3 has neither (Technical Reference Manual v1.1, 1.4.1, mcause): its core serves such accesses."""
_LOAD, _STORE, _AMO = 0x03, 0x23, 0x2F
_ADD_IMMEDIATE, _ADD, _LUI, _AUIPC = 0x13, 0x33, 0x37, 0x17
_NO_RESULT = (_STORE, 0x63, 0x0F)
Values = list[Value | None]
Access = tuple[str, int, int, int]
"""name, bytes, base register, offset"""


class RiscvRules:
    """The preconditions of a basic block on an RV32 core.

    Source: RISC-V Instruction Set Manual, volume I, 2.4 to 2.6 and 16 (compressed instructions)
    """

    stack_pointer = SP

    def __init__(self, core: str, family: str, stack_bottom: int) -> None:
        self._stack_bottom = stack_bottom
        self._traps = family in MISALIGNED_TRAPS
        self._has_atomics = core != "rv32imc"

    def of_block(self, code: bytes, address: int) -> list[Precondition]:
        """In the order of execution."""
        values: Values = [Value.of(0), *(Value.register(number) for number in range(1, 32))]
        found: list[Precondition] = []
        position = 0
        while position + 2 <= len(code):
            size = 4 if code[position] & 3 == 3 else 2
            word = int.from_bytes(code[position : position + size], "little")
            found += self._preconditions(word, size, address + position, values)
            values = _behind(word, size, address + position, values)
            position += size
        return found

    def of_instruction(self, code: bytes, address: int) -> list[Precondition]:
        """Unicorn sees to none itself."""
        return self.of_block(code[: 4 if code[0] & 3 == 3 else 2], address)

    def _preconditions(self, word: int, size: int, address: int, values: Values) -> Iterator[Precondition]:
        plain: Values = [Value.of(0), *(Value.register(number) for number in range(1, 32))]
        access = _access(word) if size == 4 else _compressed_access(word)
        if access is not None and self._traps:
            name, width, base, offset = access
            here, at_start = (_plus(each[base], offset) for each in (plain, values))
            if here is not None and base != SP:
                text = f"{name} {offset}(x{base})"
                yield Precondition(address, text, Kind.ALIGNMENT, width, here, at_start, writes=name.startswith("s"))
        if size == 4 and word & 0x7F == _AMO and not self._has_atomics:
            yield Precondition(address, f"atomic instruction {word:08x}", Kind.CORE)
        stack, before = _behind(word, size, address, plain)[SP], _behind(word, size, address, values)[SP]
        if stack is not None and stack != plain[SP] and (stack.terms != ((SP, 1),) or stack.constant >> 31):
            yield Precondition(address, "add to sp", Kind.STACK, self._stack_bottom, stack, before, writes=True)


def _access(word: int) -> Access | None:
    """A load or store of a halfword or word in 32 bits."""
    function, base = word >> 12 & 7, word >> 15 & 31
    if word & 0x7F == _LOAD and function in (1, 2, 5):
        return {1: "lh", 2: "lw", 5: "lhu"}[function], 4 if function == 2 else 2, base, _signed(word >> 20, 12)
    if word & 0x7F == _STORE and function in (1, 2):
        offset = _signed(word >> 25 << 5 | word >> 7 & 31, 12)
        return {1: "sh", 2: "sw"}[function], 2 << function - 1, base, offset
    if word & 0x7F == _AMO:
        return ("lr.w" if word >> 27 == 2 else "sc.w" if word >> 27 == 3 else "amo"), 4, base, 0
    return None


def _compressed_access(half: int) -> Access | None:
    """C.LW and C.SW; those of the stack pointer are aligned when it is."""
    if half & 3 or half >> 13 not in (2, 6):
        return None
    offset = (half >> 10 & 7) << 3 | (half >> 6 & 1) << 2 | (half >> 5 & 1) << 6
    return ("lw" if half >> 13 == 2 else "sw"), 4, 8 + (half >> 7 & 7), offset


def _behind(word: int, size: int, address: int, values: Values) -> Values:
    """The registers behind an instruction."""
    target, value = _wide_result(word, address, values) if size == 4 else _compressed_result(word, values)
    if not target:
        return values
    behind = values.copy()
    behind[target] = value
    return behind


def _wide_result(word: int, address: int, values: Values) -> tuple[int, Value | None]:
    """(register written, or 0; what it is then)"""
    if word & 0x7F in _NO_RESULT:
        return 0, None
    return word >> 7 & 31, _wide_value(word, address, values)


def _wide_value(word: int, address: int, values: Values) -> Value | None:
    opcode, function, first, second = word & 0x7F, word >> 12 & 7, values[word >> 15 & 31], values[word >> 20 & 31]
    if opcode == _LUI:
        return Value.of(word & 0xFFFFF000)
    if opcode == _AUIPC:
        return Value.of(address + (word & 0xFFFFF000))
    if opcode == _ADD_IMMEDIATE and function == 0:
        return _plus(first, _signed(word >> 20, 12))
    if opcode == _ADD_IMMEDIATE and function == 1:
        return _shifted(first, word >> 20 & 31)
    if opcode == _ADD and function == 0 and word >> 25 in (0, 0x20):
        return _sum(first, second, -1 if word >> 25 else 1)
    return None


def _compressed_result(half: int, values: Values) -> tuple[int, Value | None]:
    """(register written, or 0; what it is then)"""
    return (_from_quadrant_0, _from_quadrant_1, _from_quadrant_2)[half & 3](half, values)


def _from_quadrant_0(half: int, values: Values) -> tuple[int, Value | None]:
    target = 8 + (half >> 2 & 7)
    if half >> 13 == 0:  # C.ADDI4SPN
        offset = (half >> 11 & 3) << 4 | (half >> 7 & 15) << 6 | (half >> 6 & 1) << 2 | (half >> 5 & 1) << 3
        return target, _plus(values[SP], offset)
    return (target if half >> 13 == 2 else 0), None  # C.LW, C.SW


def _from_quadrant_1(half: int, values: Values) -> tuple[int, Value | None]:
    function, register = half >> 13, half >> 7 & 31
    immediate = _signed((half >> 12 & 1) << 5 | half >> 2 & 31, 6)
    if function == 0:  # C.ADDI
        return register, _plus(values[register], immediate)
    if function == 1:  # C.JAL
        return 1, None
    if function == 3 and register == SP:  # C.ADDI16SP
        offset = (half >> 3 & 3) << 7 | (half >> 5 & 1) << 6 | (half >> 2 & 1) << 5 | (half >> 6 & 1) << 4
        return SP, _plus(values[SP], _signed((half >> 12 & 1) << 9 | offset, 10))
    if function in (2, 3):  # C.LI, C.LUI
        return register, Value.of(immediate if function == 2 else immediate << 12)
    if function == 4:  # C.SUB, and C.SRLI, C.SRAI, C.ANDI, C.XOR, C.OR, C.AND
        target = 8 + (half >> 7 & 7)
        subtracts = half >> 10 & 7 == 3 and half >> 5 & 3 == 0
        return target, _sum(values[target], values[8 + (half >> 2 & 7)], -1) if subtracts else None
    return 0, None  # C.J, C.BEQZ, C.BNEZ


def _from_quadrant_2(half: int, values: Values) -> tuple[int, Value | None]:
    function, register = half >> 13, half >> 7 & 31
    if function == 0:  # C.SLLI
        return register, _shifted(values[register], half >> 2 & 31)
    if function == 2:  # C.LWSP
        return register, None
    if function == 4:
        return _compressed_register_result(half, register, half >> 2 & 31, values)
    return 0, None  # C.SWSP


def _compressed_register_result(half: int, register: int, second: int, values: Values) -> tuple[int, Value | None]:
    """C.MV, C.ADD, C.JALR and C.JR"""
    if second == 0:
        return (1 if half >> 12 & 1 else 0), None
    return register, _sum(values[register], values[second], 1) if half >> 12 & 1 else values[second]


def _plus(value: Value | None, constant: int) -> Value | None:
    return None if value is None else value.plus_constant(constant & MASK)


def _shifted(value: Value | None, places: int) -> Value | None:
    return None if value is None else value.times(1 << places)


def _sum(left: Value | None, right: Value | None, factor: int) -> Value | None:
    return None if left is None or right is None else left.plus(right.times(factor))


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> width - 1 & 1 else bits
