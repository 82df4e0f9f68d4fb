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
        ("loads", ctypes.c_uint32),
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


class LoadEntry(ctypes.Structure):
    """`load` of native/memory.h."""

    _fields_ = (
        ("constant", ctypes.c_uint32),
        ("term_count", ctypes.c_uint32),
        ("terms", TermEntry * TERMS_MAX),
        ("width", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("condition", ctypes.c_uint32),
    )


class LoadGroupEntry(ctypes.Structure):
    """`load_group` of native/memory.h."""

    _fields_ = (
        ("address", ctypes.c_uint32),
        ("registers", ctypes.c_uint32),
        ("first", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("last", ctypes.c_uint32),
        ("behind", ctypes.c_uint32),
    )


class MemoryEventsState(ctypes.Structure):
    """`memory_events` of native/memory.h."""

    _fields_ = (
        ("code_misses", ctypes.c_uint64),
        ("data_misses", ctypes.c_uint64),
        ("code_lines", ctypes.c_uint64),
        ("stall_cycles", ctypes.c_uint64),
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


class PolledPortState(ctypes.Structure):
    """The first fields of `polled_port` of native/polled_port.c."""

    _fields_ = (
        ("rx_next", ctypes.c_uint32),
        ("rx_count", ctypes.c_uint32),
        ("tx_count", ctypes.c_uint32),
        ("looks", ctypes.c_uint32),
        ("words", ctypes.c_uint32 * 3),
        ("empty", ctypes.c_uint32),
        ("full", ctypes.c_uint32),
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
        ("te_counter_set_memory", None, (ctypes.POINTER(CounterState), _POINTER)),
        ("te_memory_new", _POINTER, (_U64, _U64, ctypes.POINTER(_U32), _U32, _POINTER)),
        ("te_memory_add_cache", ctypes.c_int, (_POINTER, *(_U32,) * 5)),
        ("te_memory_set_stalls", None, (_POINTER, _U32, _U32)),
        (
            "te_memory_add_groups",
            _U32,
            (_POINTER, ctypes.POINTER(LoadGroupEntry), _U32, ctypes.POINTER(LoadEntry), _U32),
        ),
        ("te_memory_events", ctypes.POINTER(MemoryEventsState), (_POINTER,)),
        ("te_window_new", _POINTER, (_U32, WINDOW_READ, WINDOW_WRITE)),
        ("te_window_set_page", None, (_POINTER, _U32, _POINTER)),
        ("te_polled_port_new", ctypes.POINTER(PolledPortState), (_POINTER, ctypes.POINTER(_U32), _U32, _U32)),
        ("te_port_new", ctypes.POINTER(PortState), (_POINTER, _POINTER, _POINTER, _POINTER, _U32, _U32)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def address_of(function: Any) -> ctypes.c_void_p:
    """A function of a library, for other native code to call."""
    return ctypes.cast(function, ctypes.c_void_p)
