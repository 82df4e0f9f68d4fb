"""The native helper as Python calls it: native/*.c, built by helper.py."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from tinyedge.emulate.unicorn.strict.preconditions import TERMS_MAX


class BlockCostEntry(ctypes.Structure):
    """`block_cost` of native/counter.c."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("instructions", ctypes.c_uint32),
        ("cycles", ctypes.c_uint32),
        ("taken_cycles", ctypes.c_uint32),
        ("conditions", ctypes.c_uint32),
        ("watched", ctypes.c_uint32),
    )


class TermEntry(ctypes.Structure):
    """A register in `condition` of native/counter.c."""

    _fields_ = (("id", ctypes.c_uint32), ("factor", ctypes.c_uint32))


class ConditionEntry(ctypes.Structure):
    """`condition` of native/counter.c."""

    _fields_ = (
        ("last", ctypes.c_uint32),
        ("kind", ctypes.c_uint32),
        ("bound", ctypes.c_uint32),
        ("constant", ctypes.c_uint32),
        ("term_count", ctypes.c_uint32),
        ("terms", TermEntry * TERMS_MAX),
    )


class CounterState(ctypes.Structure):
    """The first fields of `counter` of native/counter.c."""

    _fields_ = (
        ("instructions", ctypes.c_uint64),
        ("cycles", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("block_end", ctypes.c_uint64),
        ("taken_cycles", ctypes.c_uint32),
        ("stopped", ctypes.c_uint32),
        ("again", ctypes.c_uint32),
        ("float_on", ctypes.c_uint32),
        ("unchecked", ctypes.c_uint32),
        ("suspect_size", ctypes.c_uint32),
        ("suspect", ctypes.c_uint64),
    )


PORT_BUFFER_BYTES = 4096


class PortState(ctypes.Structure):
    """The first fields of `uarte_port` of native/uarte_port.c."""

    _fields_ = (
        ("polled", ctypes.c_uint32),
        ("target", ctypes.c_uint32),
        ("room", ctypes.c_uint32),
        ("received", ctypes.c_uint32),
        ("rx_next", ctypes.c_uint32),
        ("rx_count", ctypes.c_uint32),
        ("tx_count", ctypes.c_uint32),
        ("rx", ctypes.c_uint8 * PORT_BUFFER_BYTES),
        ("tx", ctypes.c_uint8 * PORT_BUFFER_BYTES),
    )


RESOLVE = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.POINTER(BlockCostEntry))
WINDOW_READ = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32)
WINDOW_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64)
_POINTER, _U32, _U64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64


def load_native(path: Path) -> Any:
    """The library with its functions' types. Raises: OSError, AttributeError when it is not that library."""
    library = ctypes.CDLL(str(path))
    for name, result, arguments in (
        ("te_counter_new", ctypes.POINTER(CounterState), (RESOLVE, _POINTER, _POINTER)),
        ("te_counter_add_region", ctypes.c_int, (ctypes.POINTER(CounterState), _U64, _U64)),
        ("te_counter_add_conditions", _U32, (ctypes.POINTER(CounterState), ctypes.POINTER(ConditionEntry), _U32)),
        ("te_counter_watch", None, (ctypes.POINTER(CounterState), _U64, _U32)),
        ("te_window_new", _POINTER, (_U32, WINDOW_READ, WINDOW_WRITE)),
        ("te_window_set_page", None, (_POINTER, _U32, _POINTER)),
        ("te_port_new", ctypes.POINTER(PortState), (_POINTER, _POINTER, _POINTER, _POINTER, _U32, _U32)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def address_of(function: Any) -> ctypes.c_void_p:
    """A function of a library, for other native code to call."""
    return ctypes.cast(function, ctypes.c_void_p)
