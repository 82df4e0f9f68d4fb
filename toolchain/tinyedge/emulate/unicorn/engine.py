"""Unicorn's engine for one core, with types."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import unicorn
from unicorn import arm_const, riscv_const
from unicorn import unicorn_const as const
from unicorn.unicorn_py3.unicorn import Uc, UcError, uclib

from tinyedge.emulate.unicorn.native_library import address_of

__all__ = ["CPU_MODELS", "Engine", "UcError", "version"]

CPU_MODELS = {
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4f": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7f": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33f": arm_const.UC_CPU_ARM_CORTEX_M33,
    "rv32imc": riscv_const.UC_CPU_RISCV32_SIFIVE_E31,
    "rv32imac": riscv_const.UC_CPU_RISCV32_SIFIVE_E31,
}
"""core -> Unicorn's number of it"""


def version() -> str:
    return str(vars(unicorn)["__version__"])


class Engine:
    """A core, its memory and its hooks. Methods raise UcError."""

    def __init__(self, core: str) -> None:
        make: Any = Uc  # its methods have no types
        if core.startswith("rv32"):
            self._uc = make(const.UC_ARCH_RISCV, const.UC_MODE_RISCV32)
        else:
            self._uc = make(const.UC_ARCH_ARM, const.UC_MODE_THUMB)  # UC_MODE_MCLASS would make a Cortex-M33 of each
        self._keep: list[Any] = []  # callbacks live as long as the engine
        self._failure: BaseException | None = None
        self._uc.ctl_set_cpu_model(CPU_MODELS[core])

    def read_register(self, register: int) -> int:
        return int(self._uc.reg_read(register))

    def write_register(self, register: int, value: int) -> None:
        self._uc.reg_write(register, value)

    def map_memory(self, start: int, size: int, *, writable: bool, executable: bool) -> None:
        protection = const.UC_PROT_READ | (const.UC_PROT_WRITE if writable else 0)
        self._uc.mem_map(start, size, protection | (const.UC_PROT_EXEC if executable else 0))

    def map_registers(
        self, start: int, size: int, read: Callable[[int, int], int], write: Callable[[int, int, int], None]
    ) -> None:
        """Accesses call `read(offset, size)` and `write(offset, size, value)`."""
        self._uc.mmio_map(
            start, size, lambda _, offset, size, __: read(offset, size), None,
            lambda _, offset, size, value, __: write(offset, size, value), None,
        )  # fmt: skip

    def map_native_registers(self, start: int, size: int, library: Any, window: Any) -> None:
        """Accesses go to te_window_read and te_window_write. What Uc.mmio_map does with Python functions."""
        read, write = address_of(library.te_window_read), address_of(library.te_window_write)
        status = uclib.uc_mmio_map(self._uc._uch, start, size, read, window, write, window)
        if status != const.UC_ERR_OK:
            raise UcError(status)

    def guard(self, kind: Any, function: Callable[..., Any]) -> Any:
        """The function for native code to call while the engine runs; an exception in it stops the run, and ends it."""

        def guarded(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:  # an exception cannot cross the C code that called
                self._fail(error)
                return 0

        callback = kind(guarded)
        self._keep.append(callback)
        return callback

    def native_memory(self) -> tuple[Any, ctypes.c_void_p, ctypes.c_void_p]:
        """The engine's handle, uc_mem_read and uc_mem_write, for native code to call."""
        return self._uc._uch, address_of(uclib.uc_mem_read), address_of(uclib.uc_mem_write)

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

    def add_instruction_hook(self, address: int, hook: Callable[..., Any]) -> None:
        """Called before the instruction at that address."""
        self._uc.hook_add(const.UC_HOOK_CODE, hook, begin=address, end=address)

    def add_native_block_hook(self, function: ctypes.c_void_p, user: ctypes.c_void_p) -> None:
        self._add_native_hook(const.UC_HOOK_BLOCK, function, user, 1, 0)  # begin behind end: for all addresses

    def add_native_instruction_hook(self, address: int, function: ctypes.c_void_p, user: ctypes.c_void_p) -> int:
        """Called before the instruction at that address. Returns what `remove_native_hook` takes."""
        return self._add_native_hook(const.UC_HOOK_CODE, function, user, address, address)

    def _add_native_hook(
        self, kind: int, function: ctypes.c_void_p, user: ctypes.c_void_p, begin: int, end: int
    ) -> int:
        """`Uc.hook_add` wraps Python functions only; this is what it calls itself."""
        handle, bounds = ctypes.c_size_t(), (ctypes.c_uint64(begin), ctypes.c_uint64(end))
        status = uclib.uc_hook_add(self._uc._uch, ctypes.byref(handle), kind, function, user, *bounds)
        if status != const.UC_ERR_OK:
            raise OSError(f"unicorn refused a native hook: error {status}")
        return handle.value

    def remove_native_hook(self, handle: int) -> None:
        """Code that was translated calls it until `forget_translations`."""
        uclib.uc_hook_del(self._uc._uch, ctypes.c_size_t(handle))

    def forget_translations(self) -> None:
        """Translate all code again: hooks of instructions added since are in it. Not while the engine runs."""
        self._uc.ctl_flush_tb()

    @staticmethod
    def native_read_register() -> ctypes.c_void_p:
        """uc_reg_read, for native code to call."""
        return address_of(uclib.uc_reg_read)

    @staticmethod
    def native_stop() -> ctypes.c_void_p:
        """uc_emu_stop, for native code to call."""
        return address_of(uclib.uc_emu_stop)

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
