"""What instructions require of registers, and how a block's preconditions are told before its first instruction."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MASK = 0xFFFF_FFFF
TERMS_MAX = 3
"""registers in a condition of native/counter.c"""


@dataclass(frozen=True)
class Value:
    """A sum of registers and a constant, modulo 2^32.

    >>> Value.register(2).plus(Value.register(3).times(4)).plus_constant(-8)
    Value(terms=((2, 1), (3, 4)), constant=4294967288)
    """

    terms: tuple[tuple[int, int], ...]
    """(number of the register, factor), each register once"""
    constant: int

    @classmethod
    def register(cls, number: int) -> Value:
        return cls(((number, 1),), 0)

    @classmethod
    def of(cls, constant: int) -> Value:
        return cls((), constant & MASK)

    def plus_constant(self, constant: int) -> Value:
        return Value(self.terms, (self.constant + constant) & MASK)

    def plus(self, other: Value) -> Value:
        factors = dict(self.terms)
        for number, factor in other.terms:
            factors[number] = (factors.get(number, 0) + factor) & MASK
        terms = tuple(sorted((number, factor) for number, factor in factors.items() if factor))
        return Value(terms, (self.constant + other.constant) & MASK)

    def times(self, factor: int) -> Value:
        terms = ((number, each * factor & MASK) for number, each in self.terms)
        return Value(tuple((number, each) for number, each in terms if each), self.constant * factor & MASK)

    def evaluate(self, read: Callable[[int], int]) -> int:
        total = self.constant
        for number, factor in self.terms:
            total += factor * read(number)
        return total & MASK


class Kind(enum.IntEnum):
    """What is required; the numbers are those of native/counter.c."""

    ALIGNMENT = 0
    """the value is a multiple of `bound` bytes"""
    STACK = 1
    """the value, a stack pointer, is at least `bound`"""
    FLOAT = 2
    """the floating point unit is on"""
    CORE = 3
    """never met: the core has no such instruction"""


@dataclass(frozen=True)
class Precondition:
    """What one instruction requires; silicon faults on it otherwise."""

    address: int
    text: str
    """the instruction"""
    kind: Kind
    bound: int = 0
    here: Value = Value((), 0)
    """of the registers as they are in front of the instruction"""
    at_start: Value | None = Value((), 0)
    """the same of the registers as they are in front of its basic block; None when that cannot be told"""
    conditional: bool = False
    """in an IT block: it may be skipped"""
    writes: bool = False

    @property
    def is_watched(self) -> bool:
        """Only to be told right at the instruction."""
        return self.conditional or self.at_start is None or len(self.at_start.terms) > TERMS_MAX

    def is_met(self, value: int, float_on: bool) -> bool:
        return is_met(self.kind, self.bound, value, float_on)


@dataclass(frozen=True)
class Condition:
    """A precondition as it is looked at natively."""

    kind: Kind
    bound: int
    value: Value


def is_met(kind: Kind, bound: int, value: int, float_on: bool) -> bool:
    """What `is_met` of native/counter.c tells."""
    if kind == Kind.ALIGNMENT:
        return value % bound == 0
    if kind == Kind.STACK:
        return value >= bound
    return kind == Kind.FLOAT and float_on


def conditions(
    preconditions: Iterable[tuple[Precondition, Value]], aligned: Sequence[int] = ()
) -> tuple[Condition, ...]:
    """The conditions that meet all preconditions on these values, each once. Registers `aligned` are multiples of 4."""
    wanted: dict[tuple[object, ...], Condition] = {}
    for precondition, exact in preconditions:
        value = _remainder(exact, precondition.bound, aligned) if precondition.kind == Kind.ALIGNMENT else exact
        if precondition.kind == Kind.ALIGNMENT and value == Value((), 0):
            continue
        key = (
            precondition.kind,
            precondition.bound,
            value.terms,
            None if precondition.kind == Kind.STACK else value.constant,
        )
        lowest = wanted.get(key)
        if lowest is None or _signed(value.constant) < _signed(lowest.value.constant):
            wanted[key] = Condition(precondition.kind, precondition.bound, value)
    return tuple(wanted.values())


def _remainder(value: Value, bound: int, aligned: Sequence[int]) -> Value:
    terms = ((number, factor % bound) for number, factor in value.terms if number not in aligned)
    return Value(tuple(term for term in terms if term[1]), value.constant % bound)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word
