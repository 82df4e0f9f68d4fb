"""The only caller of subprocess: every program tinyedge runs is started, logged, timed out, quoted and killed here.

Each child gets a process group of its own, so that a Ctrl-C or a time-out ends it together with whatever it
started, and so that a Ctrl-C in the terminal reaches tinyedge alone, which then ends its children in order.
"""

from tinyedge.process.child import Child, start
from tinyedge.process.completed import Completed, failure, run, run_parallel
from tinyedge.process.settings import configured, is_dry_run
from tinyedge.process.tools import find, python_module, require
from tinyedge.process.words import QUOTED_LINES, describe_exit, full_disk_hint, quote_log

__all__ = [
    "QUOTED_LINES",
    "Child",
    "Completed",
    "configured",
    "describe_exit",
    "failure",
    "find",
    "full_disk_hint",
    "is_dry_run",
    "python_module",
    "quote_log",
    "require",
    "run",
    "run_parallel",
    "start",
]
