"""Lines of Thumb assembler as timing rules see them: what machine code tells the emulator, told of the text.

Only what kernels write is understood; a mnemonic is taught by naming it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from tinyedge.errors import InternalError
from tinyedge.timing.instruction import BRANCHES, COMPARES, LOADS, MULTIPLE, STORES, Instruction

_LABEL = re.compile(r"^\d+:\s*")
_CONDITIONS = ("eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
_TO_ITSELF = frozenset(
    ("add", "sub", "rsb", "adc", "sbc", "and", "orr", "eor", "bic", "lsl", "lsr", "asr", "ror", "mul")
)
"""with two operands, the first is read as well"""
_OTHER = frozenset(
    ("mov", "mvn", "adr", "ssat", "usat", "sxtb", "sxth", "uxtb", "uxth", "sxtb16", "uxtb16", "movt", "clz", "ubfx")
)
_DSP = frozenset(
    (
        *("pkhbt", "pkhtb", "sxtab16", "sadd16", "qadd16", "ssub16", "ssub8", "sel", "usada8"),
        *("mla", "mls", "smulbb", "smultb", "smultt", "smlabb", "smlabt", "smlatb", "smlatt", "smlawb", "smlawt"),
        *("smlad", "smuad"),
        *("smmul", "smmulr", "smmla", "smmlar", "smmls", "smmlsr"),
    )
)
_DATA = _TO_ITSELF | _OTHER | _DSP
_TESTS = frozenset(("cbz", "cbnz"))
"""branches whose condition is no suffix"""
_LISTS = MULTIPLE - {"ldrd", "strd"}
_NAMES = _DATA | COMPARES | LOADS | STORES | MULTIPLE | BRANCHES | {"vmov", "nop"}
_SYNONYMS = {"movw": "mov", "addw": "add", "subw": "sub", "vldm": "vldmia", "vstm": "vstmia"}
_REGISTER = re.compile(r"\b(?:r\d+|sp|lr|pc|[sd]\d+)\b")
_OPERANDS = re.compile(r"(?P<plain>[^\[{]*)(\[(?P<address>.*?)\]|\{(?P<listed>.*?)\})?(?P<behind>.*)")
_NARROW = re.compile(
    r"(bx|blx|it\w*|nop)\b.*"
    r"|cbn?z \w+, \d+f"
    r"|b(eq|ne|cs|cc|hs|lo|mi|pl|hi|ls|ge|lt|gt|le)? \d+[bf]"
    r"|(mov|cmp) \w+, (r\d+|lr|sp)"
    r"|cmp r[0-7], #\d+"
    r"|mov(lt|gt) r[0-7], #\d+"
    r"|add (\w+), \4, (r\d+|lr)"
    r"|(adds|subs) r[0-7], r[0-7], (#\d|r[0-7])"
    r"|(adds|subs) (r[0-7]), \9, #\d+"
    r"|(ldr|str) r[0-7], \[r[0-7](, #(\d|[1-9]\d|1[01]\d|12[04]))?\]"
    r"|(ldr|str) r[0-7], \[sp(, #\d+)?\]"
    r"|(strb|ldrb) r[0-7], \[r[0-7](, #([12]?\d|3[01]))?\]"
    r"|(ldm|stm) r[0-7]!, \{[r0-7, -]+\}"
    r"|(push|pop) \{[r0-7, -]+(lr|pc)?\}"
)
"""instructions that have a form of two bytes, among those these kernels use; branches are taken to be short"""


@cache
def without_label(line: str) -> str:
    """The instruction of a line, the directive, or nothing."""
    return _LABEL.sub("", line)


def is_instruction(line: str) -> bool:
    """Whether a line, less its label, is no directive and not empty."""
    return bool(line) and not line.startswith(".")


def size_bytes(line: str) -> int:
    """Bytes of one instruction, less its label; 0 for what is none.

    >>> size_bytes("ldr r2, [r0, #4]"), size_bytes("ldr r2, [r8], #4"), size_bytes(".balign 4")
    (2, 4, 0)
    """
    if not is_instruction(line):
        return 0
    return 2 if _NARROW.fullmatch(line) else 4


def goes_back(line: str) -> bool:
    """Whether a branch is one to a label above it."""
    return line.endswith("b")


def basic_blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """A straight piece of code cut behind each of its branches; labels and directives are left out."""
    block: list[str] = []
    for line in map(without_label, lines):
        if not is_instruction(line):
            continue
        block.append(line)
        if parse_instruction(line).branches:
            yield block
            block = []
    if block:
        yield block


@cache
def parse_instruction(line: str) -> Instruction:
    """What a timing rule may ask of a line, which has no label.

    Raises: InternalError when the mnemonic is not among those kernels use

    >>> parse_instruction("ldr r2, [r0, r1, lsl #2]").address == {"r0", "r1"}
    True
    >>> parse_instruction("bne 1b").conditional, parse_instruction("cbz r2, 4f").conditional
    (True, True)
    """
    mnemonic, _, text = line.partition(" ")
    name, conditional = _split_mnemonic(mnemonic)
    operands = _OPERANDS.fullmatch(text)
    assert operands is not None
    plain, address = _REGISTER.findall(operands["plain"]), _REGISTER.findall(operands["address"] or "")
    if name in _LISTS:
        listed = list_registers(operands["listed"])
        return _describe_list(name, line, plain[0] if plain else "sp", listed, moves="!" in text or not plain)
    count = _results(name, plain)
    moved = address[:1] if operands["behind"] else []
    written = {*plain[:count], *moved, *["cpsr"] * (name in COMPARES)}
    read = {*plain[0 if _reads_result(name, text) else count :], *address}
    branches = name in BRANCHES or "pc" in written
    return Instruction(
        name=name,
        size_bytes=size_bytes(line),
        written=frozenset(written),
        read=frozenset(read),
        address=frozenset(address),
        indexed=len(address) > 1,
        words=2 if name in MULTIPLE else 0,
        branches=branches,
        conditional=branches and (conditional or name in _TESTS),
    )


def _describe_list(name: str, line: str, base: str, listed: list[str], *, moves: bool) -> Instruction:
    """A transfer of several registers."""
    loads = name.startswith(("ldm", "vldm", "pop", "vpop"))
    return Instruction(
        name=name,
        size_bytes=size_bytes(line),
        written=frozenset(([base] if moves else []) + (listed if loads else [])),
        read=frozenset([base] + ([] if loads else listed)),
        address=frozenset() if name.endswith(("push", "pop")) else frozenset((base,)),
        indexed=False,
        words=sum(2 if register.startswith("d") else 1 for register in listed),
        branches=loads and "pc" in listed,
        conditional=False,
    )


def _split_mnemonic(mnemonic: str) -> tuple[str, bool]:
    """The name without width, data type, `s` and condition, and whether there is a condition.

    >>> [_split_mnemonic(each) for each in ("lsls", "movls", "bls", "bne.w", "itte")]
    [('lsl', False), ('mov', True), ('b', True), ('b', True), ('it', False)]
    """
    whole = mnemonic.partition(".")[0]
    if whole.startswith("it"):
        return "it", False
    for condition in ("", *_CONDITIONS):
        if not whole.endswith(condition):
            continue
        stem = whole.removesuffix(condition)
        name = _SYNONYMS.get(stem, stem)
        if name in _NAMES:
            return name, bool(condition)
        if stem.removesuffix("s") in _DATA:
            return stem.removesuffix("s"), bool(condition)
    raise InternalError(f"`{mnemonic}` is not among the instructions whose timing kernels ask for")


def _results(name: str, plain: Sequence[str]) -> int:
    """How many of the first operands are written."""
    if name in BRANCHES or name in COMPARES or name in STORES or name == "strd":
        return 0
    return 2 if name == "ldrd" or (name == "vmov" and len(plain) == 4) else 1


def _reads_result(name: str, text: str) -> bool:
    """Whether the first operand is read too."""
    return name == "movt" or (name in _TO_ITSELF and text.count(",") == 1)


def list_registers(text: str) -> list[str]:
    """The registers between the braces of a list.

    >>> list_registers("r4-r6, lr")
    ['r4', 'r5', 'r6', 'lr']
    """
    registers: list[str] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if dash:
            registers += [f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]
        else:
            registers.append(first)
    return registers
