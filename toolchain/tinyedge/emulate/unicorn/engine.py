"""Unicorn's engine for a Cortex-M core, with types."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import unicorn
from unicorn import arm_const
from unicorn import unicorn_const as const
from unicorn.unicorn_py3.unicorn import Uc, UcError, uclib

__all__ = ["CPU_MODELS", "Engine", "UcError", "version"]

CPU_MODELS = {
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4f": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7f": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33f": arm_const.UC_CPU_ARM_CORTEX_M33,
}
"""core -> Unicorn's number of it"""


_READ = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64, ctypes.c_void_p)


def version() -> str:
    return str(vars(unicorn)["__version__"])


class Engine:
    """A core, its memory and its hooks. Methods raise UcError."""

    def __init__(self, core: str) -> None:
        make: Any = Uc  # its methods have no types
        self._uc = make(const.UC_ARCH_ARM, const.UC_MODE_THUMB | const.UC_MODE_MCLASS)
        self._keep: list[Any] = []  # callbacks live as long as the engine
        self._failure: BaseException | None = None
        self._uc.ctl_set_cpu_model(CPU_MODELS[core])

    def read_register(self, register: int) -> int:
        return int(self._uc.reg_read(register))

    def write_register(self, register: int, value: int) -> None:
        self._uc.reg_write(register, value)

    def map_memory(self, start: int, size: int, *, writable: bool) -> None:
        protection = const.UC_PROT_ALL if writable else const.UC_PROT_READ | const.UC_PROT_EXEC
        self._uc.mem_map(start, size, protection)

    def map_registers(
        self, start: int, size: int, read: Callable[[int, int], int], write: Callable[[int, int, int], None]
    ) -> None:
        """Accesses call `read(offset, size)` and `write(offset, size, value)`.

        Done as Uc.mmio_map does it, at a third of its price: firmware polls its serial port through this.
        """

        def guarded_read(_: Any, offset: int, size: int, __: Any) -> int:
            try:
                return read(offset, size)
            except BaseException as error:  # an exception cannot cross the C code that called
                self._fail(error)
                return 0

        def guarded_write(_: Any, offset: int, size: int, value: int, __: Any) -> None:
            try:
                write(offset, size, value)
            except BaseException as error:
                self._fail(error)

        callbacks = _READ(guarded_read), _WRITE(guarded_write)
        self._keep.append(callbacks)
        status = uclib.uc_mmio_map(
            self._uc._uch, start, size, ctypes.cast(callbacks[0], ctypes.c_void_p), None,
            ctypes.cast(callbacks[1], ctypes.c_void_p), None,
        )  # fmt: skip
        if status != const.UC_ERR_OK:
            raise UcError(status)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._uc.emu_stop()

    def read_memory(self, address: int, count: int) -> bytes:
        return bytes(self._uc.mem_read(address, count))

    def peek(self, address: int, count: int) -> bytes:
        """Memory where there is some, nothing where there is none."""
        try:
            return self.read_memory(address, count)
        except UcError:
            return b""

    def write_memory(self, address: int, data: bytes) -> None:
        """Also into flash."""
        self._uc.mem_write(address, data)

    def add_hook(self, kind: int, hook: Callable[..., Any]) -> None:
        self._uc.hook_add(kind, hook)

    def add_native_block_hook(self, function: ctypes.c_void_p, user: ctypes.c_void_p) -> None:
        """`Uc.hook_add` wraps Python functions only; this is what it calls itself."""
        begin, end = ctypes.c_uint64(1), ctypes.c_uint64(0)  # begin behind end: for all addresses
        handle = ctypes.c_size_t()
        status = uclib.uc_hook_add(self._uc._uch, ctypes.byref(handle), const.UC_HOOK_BLOCK, function, user, begin, end)
        if status != const.UC_ERR_OK:
            raise OSError(f"unicorn refused a native block hook: error {status}")

    @staticmethod
    def native_stop() -> ctypes.c_void_p:
        """uc_emu_stop, for native code to call."""
        return ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p)

    def start(self, address: int, until: int) -> None:
        """Execute until a hook stops the engine, the core sleeps, or something is wrong."""
        try:
            self._uc.emu_start(address, until)
        except UcError:
            if self._uc._hook_exception is not None:  # a defect in a hook, which Unicorn reports as its own error
                raise self._uc._hook_exception from None
            raise
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        self._uc.emu_stop()
