"""What Thumb instructions require: alignment, room on the stack, a floating point unit, a core that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import capstone
from capstone import arm

from tinyedge.emulate.cycles.thumb import words_transferred
from tinyedge.emulate.unicorn.strict.preconditions import Kind, Precondition, Value
from tinyedge.timing.instruction import MULTIPLE

SP, PC = 13, 15
NUMBERS = {getattr(arm, f"ARM_REG_R{number}"): number for number in range(13)} | {
    arm.ARM_REG_SP: SP, arm.ARM_REG_LR: 14, arm.ARM_REG_PC: PC
}  # fmt: skip
"""capstone's number of a core register -> its own"""
_WORDS = ("ldrd", "strd", "ldrex", "strex", "lda", "stl", "ldaex", "stlex", "vldr", "vstr")
_HALFWORDS = ("ldrexh", "strexh", "ldah", "stlh", "ldaexh", "stlexh")
_LISTS = ("ldm", "stm", "vldm", "vstm")
"""their first operand is the base register"""
_PLAIN = {"ldr": 4, "str": 4, "ldrh": 2, "ldrsh": 2, "strh": 2}
"""single accesses, which only Armv6-M wants aligned"""
_DSP = (
    "sadd", "ssub", "sasx", "ssax", "qadd", "qsub", "qasx", "qsax", "qdadd", "qdsub", "shadd", "shsub", "shasx",
    "shsax", "uadd", "usub", "uasx", "usax", "uqadd", "uqsub", "uqasx", "uqsax", "uhadd", "uhsub", "uhasx", "uhsax",
    "smlab", "smlat", "smlad", "smlalb", "smlalt", "smlald", "smlaw", "smlsd", "smlsld", "smmla", "smmls", "smmul",
    "smuad", "smulb", "smult", "smulw", "smusd", "umaal", "usad", "ssat16", "usat16", "sxtb16", "uxtb16", "sxtab",
    "uxtab", "sxtah", "uxtah", "pkh", "sel",
)  # fmt: skip
"""beginnings of the names of the DSP extension's instructions"""
Values = list[Value | None]


class ThumbRules:
    """The preconditions of a basic block on a Cortex-M.

    The addresses of a block are followed from the registers at its start through moves, sums, shifts and constants;
    what is loaded or computed otherwise is not known before.

    Source: Armv7-M Architecture Reference Manual (DDI 0403), A3.2.1 alignment, B1.4.6 CPACR; Armv6-M (DDI 0419), A3.2.1
    """

    stack_pointer = SP

    def __init__(self, core: str, stack_bottom: int, constant_at: Callable[[int], int | None]) -> None:
        """`constant_at` reads a word of flash, None elsewhere."""
        self._stack_bottom, self._constant_at = stack_bottom, constant_at
        self._all_aligned = core == "cortex-m0plus"  # Unicorn sees to that itself
        self._has_dsp = core not in ("cortex-m0plus", "cortex-m3")
        self._has_compare_branch = core != "cortex-m0plus"
        self._disassembler = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._disassembler.detail = True
        self._disassembler.skipdata = True

    def of_block(self, code: bytes, address: int) -> list[Precondition]:
        """In the order of execution."""
        if not self._may_have_any(code):
            return []
        values: Values = [Value.register(number) for number in range(16)]
        return [precondition for raw in self.instructions(code, address) for precondition in self._follow(raw, values)]

    def instructions(self, code: bytes, address: int) -> Iterator[Any]:
        """As capstone decodes them; what is no instruction has `id` 0."""
        yield from self._disassembler.disasm(code, address)

    def of_instruction(self, code: bytes, address: int) -> list[Precondition]:
        """Of the first instruction, with those that Unicorn sees to."""
        values: Values = [Value.register(number) for number in range(16)]
        raw = next(self._disassembler.disasm(code, address), None)
        if raw is None or raw.id == 0:
            return []
        found = list(self._preconditions(raw, values))
        name = raw.insn_name()
        bound = _PLAIN.get(name) or _bound(name)
        if bound and (here := access_address(raw, values)) is not None:
            found.append(_aligned(raw, name, bound, here, here))
        return found

    def _may_have_any(self, code: bytes) -> bool:
        """A quick look, as most blocks require nothing."""
        halfwords = memoryview(code).cast("H") if len(code) % 2 == 0 else ()
        wide = 0
        for halfword in halfwords:
            if wide:
                if wide >> 9 == 0xE800 >> 9 or wide & 0xEC00 == 0xEC00 or halfword >> 8 & 15 == SP:
                    return True
                if not self._has_dsp and wide >> 8 in (0xFA, 0xFB, 0xEA, 0xF3):
                    return True
                wide = 0
            elif halfword >= 0xE800:
                wide = halfword
            elif halfword >> 12 == 0xC or halfword >> 9 == 0xB400 >> 9 or halfword >> 7 == 0xB080 >> 7:
                return True  # LDM and STM, PUSH, SUB SP
            elif halfword & 0xFD87 == 0x4485 or (halfword & 0xF500 == 0xB100 and not self._has_compare_branch):
                return True  # ADD SP and MOV SP, CBZ and CBNZ
        return False

    def _follow(self, raw: Any, values: Values) -> Iterator[Precondition]:
        """The preconditions of an instruction; afterwards `values` are those behind it."""
        if raw.id != 0:
            yield from self._preconditions(raw, values)
        self.advance(raw, values)

    def advance(self, raw: Any, values: Values) -> None:
        """`values` of the core's registers in front of an instruction become those behind it."""
        if raw.id == 0:
            values[:] = [None] * 16
            return
        name = raw.insn_name()
        conditional = is_conditional(raw, name)
        result = None if conditional else self._result(raw, name, values)
        base, moved = _moved_base(raw, name, values)
        for register in raw.regs_access()[1]:
            if (number := NUMBERS.get(register)) is not None:
                values[number] = None
        if base is not None:
            values[base] = None if conditional else moved
        operands = raw.operands
        if result is not None and operands and operands[0].reg in NUMBERS:
            values[NUMBERS[operands[0].reg]] = result

    def _preconditions(self, raw: Any, values: Values) -> Iterator[Precondition]:
        name = raw.insn_name()
        if name.startswith("v"):
            yield Precondition(raw.address, _text(raw), Kind.FLOAT, conditional=is_conditional(raw, name))
        if (not self._has_dsp and name.startswith(_DSP)) or (not self._has_compare_branch and name in ("cbz", "cbnz")):
            yield Precondition(raw.address, _text(raw), Kind.CORE, conditional=is_conditional(raw, name))
        bound = _bound(name)
        if bound and not self._all_aligned:
            here = access_address(raw, [Value.register(number) for number in range(16)])
            if here is not None:
                yield _aligned(raw, name, bound, here, access_address(raw, values))
        yield from self._stack_preconditions(raw, name, values)

    def _stack_preconditions(self, raw: Any, name: str, values: Values) -> Iterator[Precondition]:
        """The stack pointer may not move below the stack."""
        plain: Values = [Value.register(number) for number in range(16)]
        if name in ("push", "vpush") or _moved_base(raw, name, plain)[0] == SP:
            here, at_start = (_moved_base(raw, name, each)[1] for each in (plain, values))
        elif name in ("mov", "add", "sub") and raw.operands[0].reg == arm.ARM_REG_SP:
            here, at_start = (self._result(raw, name, each) for each in (plain, values))
        else:
            return
        if here is None or (here.terms == ((SP, 1),) and not here.constant >> 31):  # it goes up
            return
        yield Precondition(
            raw.address, _text(raw), Kind.STACK, self._stack_bottom, here, at_start, is_conditional(raw, name), True
        )

    def _result(self, raw: Any, name: str, values: Values) -> Value | None:
        """What a move, sum or shift puts into its first operand."""
        if name in ("ldr", "adr", "mov"):
            return self._copied(raw, name, values)
        return _sum(raw, name, values) if name in ("add", "sub", "rsb", "lsl", "movt") else None

    def _copied(self, raw: Any, name: str, values: Values) -> Value | None:
        source = raw.operands[1]
        literals = raw.address + 4 & ~3
        if name == "mov":
            return _operand(source, values)
        if name == "adr":
            return Value.of(literals + source.imm)
        if source.type != arm.ARM_OP_MEM or source.mem.base != arm.ARM_REG_PC:
            return None
        constant = self._constant_at(literals + source.mem.disp)
        return None if constant is None else Value.of(constant)


def _sum(raw: Any, name: str, values: Values) -> Value | None:
    left, right = _operand(raw.operands[-2], values), _operand(raw.operands[-1], values)
    if left is None or right is None:
        return None
    if name == "lsl":
        return None if right.terms else left.times(1 << right.constant)
    if name == "movt":
        return None if left.terms else Value.of(left.constant & 0xFFFF | right.constant << 16)
    if name == "rsb":
        left, right = right, left
    return left.plus(right if name == "add" else right.times(-1))


def is_conditional(raw: Any, name: str) -> bool:
    """It may be skipped."""
    return name != "it" and raw.cc not in (arm.ARM_CC_INVALID, arm.ARM_CC_AL)


def _bound(name: str) -> int:
    """Bytes that the address is a multiple of on every Cortex-M; 0: any"""
    return 4 if name in _WORDS or name.startswith(_LISTS) else 2 if name in _HALFWORDS else 0


def _text(raw: Any) -> str:
    return f"{raw.mnemonic} {raw.op_str}".strip()


def _aligned(raw: Any, name: str, bound: int, here: Value, at_start: Value | None) -> Precondition:
    writes = name.startswith(("st", "vst"))
    return Precondition(
        raw.address, _text(raw), Kind.ALIGNMENT, bound, here, at_start, is_conditional(raw, name), writes
    )


def _operand(operand: Any, values: Values) -> Value | None:
    if operand.type == arm.ARM_OP_IMM:
        return Value.of(operand.imm)
    if operand.type != arm.ARM_OP_REG or operand.reg not in NUMBERS or operand.reg == arm.ARM_REG_PC:
        return None
    value = values[NUMBERS[operand.reg]]
    if value is None or operand.shift.type == arm.ARM_SFT_INVALID:
        return value
    return value.times(1 << operand.shift.value) if operand.shift.type == arm.ARM_SFT_LSL else None


def access_address(raw: Any, values: Values) -> Value | None:
    """Where a load or store begins, before its base moves; LDMDB begins below, by whole words."""
    if raw.insn_name().startswith(_LISTS):
        return _operand(raw.operands[0], values)
    memory = next((operand for operand in raw.operands if operand.type == arm.ARM_OP_MEM), None)
    if memory is None:
        return None
    if memory.mem.base == arm.ARM_REG_PC:
        return Value.of((raw.address + 4 & ~3) + memory.mem.disp)
    base = values[NUMBERS[memory.mem.base]]
    if base is None or not memory.mem.index:
        return None if base is None else base.plus_constant(memory.mem.disp)
    index = values[NUMBERS[memory.mem.index]]
    return None if index is None else base.plus(index.times(1 << memory.shift.value))


def _moved_base(raw: Any, name: str, values: Values) -> tuple[int | None, Value | None]:
    """The base register that moves with the access, and what it is then; None when none does."""
    if name in ("push", "vpush", "pop", "vpop"):
        moves = 4 * words_transferred(raw, name) * (-1 if name.endswith("push") else 1)
        return SP, _plus(values[SP], moves)
    if not raw.writeback or (name not in MULTIPLE and not any(o.type == arm.ARM_OP_MEM for o in raw.operands)):
        return None, None
    if name.startswith(_LISTS):
        base = NUMBERS[raw.operands[0].reg]
        down = name.endswith("db")
        return base, _plus(values[base], 4 * words_transferred(raw, name) * (-1 if down else 1))
    position = next(i for i, operand in enumerate(raw.operands) if operand.type == arm.ARM_OP_MEM)
    memory = raw.operands[position].mem
    base = NUMBERS[memory.base]
    if raw.post_index:
        behind = raw.operands[position + 1]
        return base, _plus(values[base], behind.imm) if behind.type == arm.ARM_OP_IMM else None
    return base, None if memory.index else _plus(values[base], memory.disp)


def _plus(value: Value | None, constant: int) -> Value | None:
    return None if value is None else value.plus_constant(constant)
