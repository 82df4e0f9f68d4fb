"""What is said of a program that ended: how, and its last lines."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable

QUOTED_LINES = 12
"""lines of a program's output that its error quotes"""


_FULL = re.compile(r"No space left on device|NoSpaceLeft|Disk quota exceeded")


def full_disk_hint(output: str) -> str:
    """What to do about a disk that is full, if a program's output says so; empty when it does not.

    >>> full_disk_hint("unable to write `a.o`: NoSpaceLeft")[:15], full_disk_hint("undefined symbol")
    ('free some space', '')
    """
    if not _FULL.search(output):
        return ""
    return (
        "free some space, or put things elsewhere: `--build-dir DIR`, TINYEDGE_CACHE for the cache, TMPDIR for the rest"
    )


def describe_exit(returncode: int) -> str:
    """An exit code in words.

    >>> describe_exit(3), describe_exit(-9)
    ('ended with exit code 3', 'was ended by SIGKILL')
    """
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


def quote_log(lines: str | Iterable[str], *, most: int = QUOTED_LINES, empty: str = "") -> str:
    """The last lines of a log as an error quotes them, blank ones left out; `empty` when there are none.

    >>> print("it failed" + quote_log("first\\n\\nsecond", most=1))
    it failed
           | second
    """
    found = [line for line in (lines.splitlines() if isinstance(lines, str) else lines) if line.strip()]
    return "".join(f"\n       | {line}" for line in found[-most:]) or empty
