"""Words that findings share."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "operator"), counted(1200, "value")
    ('1 operator', '1,200 values')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
