"""Entry to and return from exceptions: the stack frame, the mode, and the two stack pointers."""

from __future__ import annotations

import struct

from unicorn import arm_const

from tinyedge.emulate.unicorn.engine import Engine, UcError
from tinyedge.emulate.unicorn.peripherals.nvic import Masks, Nvic
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.scb import VTOR

_FRAME_REGISTERS = (
    arm_const.UC_ARM_REG_R0,
    arm_const.UC_ARM_REG_R1,
    arm_const.UC_ARM_REG_R2,
    arm_const.UC_ARM_REG_R3,
    arm_const.UC_ARM_REG_R12,
    arm_const.UC_ARM_REG_LR,
)
_BASIC_FRAME = struct.Struct("<8I")
_FLOAT_REGISTERS = (*range(arm_const.UC_ARM_REG_S0, arm_const.UC_ARM_REG_S0 + 16), arm_const.UC_ARM_REG_FPSCR)
_FLOAT_FRAME = struct.Struct("<18I")  # S0-S15, FPSCR, one word reserved
_XPSR_THUMB, _XPSR_EXCEPTION, _XPSR_PADDED = 1 << 24, 0x1FF, 1 << 9
_CONTROL_SPSEL, _CONTROL_FPCA = 1 << 1, 1 << 2
_RETURN_BASE = 0xFFFF_FFE1  # bits 4: basic frame, 3: to thread mode, 2: with the process stack
_RETURN_BASIC, _RETURN_THREAD, _RETURN_PROCESS_STACK = 1 << 4, 1 << 3, 1 << 2


class StackError(Exception):
    """A frame could not be written or read; the text says where."""


class ExceptionUnit:
    """Moves the core into and out of handlers. The floating point context is stacked at once, not lazily.

    Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 to B1.5.8
    """

    def __init__(self, engine: Engine, nvic: Nvic, system_control: RegisterPage, stack_bottom: int) -> None:
        self._engine, self._nvic, self._system_control = engine, nvic, system_control
        self._stack_bottom = stack_bottom

    def masks(self) -> Masks:
        read = self._engine.read_register
        return Masks(
            read(arm_const.UC_ARM_REG_PRIMASK),
            read(arm_const.UC_ARM_REG_FAULTMASK),
            read(arm_const.UC_ARM_REG_BASEPRI),
        )

    def enter(self, exception: int, return_address: int) -> int:
        """Stack the context, and give the address of the handler. Raises: StackError"""
        engine, read, write = self._engine, self._engine.read_register, self._engine.write_register
        control, status = read(arm_const.UC_ARM_REG_CONTROL), read(arm_const.UC_ARM_REG_XPSR)
        float_used = bool(control & _CONTROL_FPCA)
        top = read(arm_const.UC_ARM_REG_SP)
        padding = top & 4
        bottom = top - padding - _BASIC_FRAME.size - (_FLOAT_FRAME.size if float_used else 0)
        registers = [read(register) for register in _FRAME_REGISTERS]
        pushed_status = status & ~_XPSR_PADDED | _XPSR_THUMB | (_XPSR_PADDED if padding else 0)
        frame = _BASIC_FRAME.pack(*registers, return_address, pushed_status)
        if float_used:
            frame += _FLOAT_FRAME.pack(*(read(register) for register in _FLOAT_REGISTERS), 0)
        if bottom < self._stack_bottom:
            raise StackError(f"the stack frame of exception {exception} goes down to {bottom:#010x}")
        try:
            engine.write_memory(bottom, frame)
        except UcError as error:
            raise StackError(f"the stack frame of exception {exception} does not fit at {bottom:#010x}") from error
        write(arm_const.UC_ARM_REG_SP, bottom)
        in_thread = not self._nvic.active
        returns = _RETURN_BASE | (0 if float_used else _RETURN_BASIC)
        if in_thread:
            returns |= _RETURN_THREAD | (_RETURN_PROCESS_STACK if control & _CONTROL_SPSEL else 0)
        if float_used:
            write(arm_const.UC_ARM_REG_CONTROL, control & ~_CONTROL_FPCA)
        self._write_status(_XPSR_THUMB | exception)  # handler mode: the main stack from here on
        write(arm_const.UC_ARM_REG_LR, returns)
        self._nvic.enter(exception)
        vector = self._system_control.values[VTOR] + 4 * exception
        try:
            return int.from_bytes(engine.read_memory(vector, 4), "little")
        except UcError as error:
            raise StackError(f"the vector of exception {exception} at {vector:#010x} is not in memory") from error

    def leave(self, returns: int) -> int:
        """Take the context back, and give the address where execution goes on. Raises: StackError"""
        engine, write = self._engine, self._engine.write_register
        self._nvic.leave()
        to_thread = bool(returns & _RETURN_THREAD)
        outer = 0 if to_thread or not self._nvic.active else self._nvic.active[-1]
        self._write_status(_XPSR_THUMB | outer)
        float_used = not returns & _RETURN_BASIC
        control = engine.read_register(arm_const.UC_ARM_REG_CONTROL) & ~(_CONTROL_FPCA | _CONTROL_SPSEL)
        control |= _CONTROL_FPCA if float_used else 0
        control |= _CONTROL_SPSEL if to_thread and returns & _RETURN_PROCESS_STACK else 0
        if to_thread:
            write(arm_const.UC_ARM_REG_CONTROL, control)
        bottom = engine.read_register(arm_const.UC_ARM_REG_SP)
        size = _BASIC_FRAME.size + (_FLOAT_FRAME.size if float_used else 0)
        try:
            frame = engine.read_memory(bottom, size)
        except UcError as error:
            raise StackError(f"there is no stack frame to return to at {bottom:#010x}") from error
        *registers, address, status = _BASIC_FRAME.unpack_from(frame)
        for register, value in zip(_FRAME_REGISTERS, registers, strict=True):
            write(register, value)
        if float_used:
            values = _FLOAT_FRAME.unpack_from(frame, _BASIC_FRAME.size)
            for register, value in zip(_FLOAT_REGISTERS, values, strict=False):
                write(register, value)
        write(arm_const.UC_ARM_REG_SP, bottom + size + (4 if status & _XPSR_PADDED else 0))
        self._write_status(status & ~(_XPSR_PADDED | _XPSR_EXCEPTION) | outer)
        return int(address)

    def _write_status(self, value: int) -> None:
        """Also tell Unicorn's translator, which learns of the mode by a write of the flags alone."""
        self._engine.write_register(arm_const.UC_ARM_REG_XPSR, value)
        flags = self._engine.read_register(arm_const.UC_ARM_REG_APSR_NZCV)
        self._engine.write_register(arm_const.UC_ARM_REG_APSR_NZCV, flags)
