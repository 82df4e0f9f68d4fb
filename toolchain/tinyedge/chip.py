"""What a board file knows of its chip beyond the core: caches, waits for memory, energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Cache:
    """[cache.code], [cache.data] or [cache.shared]: a cache between the core and its flash."""

    size_bytes: int
    ways: int
    """lines of a set; the one used longest ago is replaced"""
    line_bytes: int
    sector_bytes: int | None = None
    """what one miss reads from flash; a line without it"""

    @property
    def fetched_bytes(self) -> int:
        """What one miss reads from flash."""
        return self.sector_bytes or self.line_bytes

    @property
    def lines(self) -> int:
        return self.size_bytes // self.line_bytes

    def __post_init__(self) -> None:
        for name, count in (("line_bytes", self.line_bytes), ("sector_bytes", self.fetched_bytes)):
            if count < 4 or count & (count - 1):
                raise ValueError(f"`{name}` is {count}, no power of 2 from 4 upwards")
        if self.line_bytes // self.fetched_bytes not in range(1, 33):
            raise ValueError(f"a line of {self.line_bytes} B does not hold 1 to 32 sectors of {self.fetched_bytes} B")
        if not 1 <= self.ways <= 255 or not self.lines or self.size_bytes % (self.ways * self.line_bytes):
            raise ValueError(
                f"`size_bytes` is {self.size_bytes}, no multiple of {self.ways} ways of {self.line_bytes} B; there may "
                "be 1 to 255 ways"
            )


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """[calibration]: cycles that the core waits for its flash, found by comparing with silicon.

    It belongs to everything that `conditions` names. With `code_line_cycles` there are two bounds instead of a figure:
    caches that never miss, and none at all.
    """

    code_miss_cycles: float = 0.0
    data_miss_cycles: float = 0.0
    code_line_cycles: float | None = None
    """for each line of code that would be fetched without a cache: the upper bound of a range"""
    error_percent: float | None = None
    """the largest with one network of those it was found from left out; needed unless it gives a range"""
    mean_error_percent: float | None = None
    conditions: str
    """chip, clock, wait states, width of the flash bank, prefetch, caches"""
    source: str

    def __post_init__(self) -> None:
        if min(self.code_miss_cycles, self.data_miss_cycles, self.code_line_cycles or 0.0) < 0:
            raise ValueError("cycles below 0")
        if (self.error_percent is None) is (self.code_line_cycles is None):
            raise ValueError("either `error_percent` or `code_line_cycles`, which gives a range, is needed")

    @property
    def gives_range(self) -> bool:
        return self.code_line_cycles is not None


@dataclass(frozen=True, kw_only=True)
class Energy:
    """[energy]: what the whole chip takes for a cycle of inference."""

    nj_per_cycle: float
    volts: float
    """of the supply that it was measured at"""
    regulator: Literal["ldo", "smps"]
    """a linear regulator turns higher voltage into heat, a switching one does not"""
    error_percent: float
    sleep_ua: float | None = None
    """what flows while the core sleeps between inferences, where a source has it"""
    source: str

    def __post_init__(self) -> None:
        if not (self.nj_per_cycle > 0 and self.volts > 0 and self.error_percent >= 0):
            raise ValueError("`nj_per_cycle` and `volts` are above 0, `error_percent` is not below")
