"""Runtimes: ways to run a model in a firmware, one file or folder each behind one interface."""

from __future__ import annotations

from pathlib import Path

from tinyedge.errors import UsageError
from tinyedge.runtimes.contract import Runtime

__all__ = ["RUNTIMES", "Runtime", "make_runtime"]

RUNTIMES = ("aot", "tflm")


def make_runtime(name: str, tflm: Path | None = None) -> Runtime:
    """The runtime of that name, imported when it is asked for.

    tflm  a source tree of TensorFlow Lite Micro; None: TINYEDGE_TFLM names it

    Raises: UsageError when there is none of that name
    """
    if name == "aot":
        from tinyedge.runtimes.aot import AotRuntime

        return AotRuntime()
    if name == "tflm":
        from tinyedge.runtimes.tflm.runtime import TflmRuntime

        return TflmRuntime(tflm)
    raise UsageError(f"there is no runtime `{name}`", hint=f"choose of {', '.join(RUNTIMES)}")
