"""GNU compilers: arm-none-eabi-gcc for boards, the system's `cc` for the host."""

from __future__ import annotations

import functools
from pathlib import Path

from tinyedge import process
from tinyedge.boards import Core, Isa
from tinyedge.build.compiler import Compiler
from tinyedge.build.flags import Flags, gcc_flags
from tinyedge.errors import ToolError

_ARM = "arm-none-eabi-gcc"
_ARM_HINT = "`apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi` installs it; `--compiler zig` needs nothing"
_HOST_HINT = "`apt-get install gcc` installs it; `--compiler zig` needs nothing"
_CXX_HINTS = {
    "gcc": "`apt-get install libstdc++-arm-none-eabi-newlib` installs its library",
    "cc": "`apt-get install g++` installs it",
}
_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def gcc_compiler(core: Core, *, sanitize: bool = False) -> Compiler:
    """gcc set up for a core; `sanitize` adds ASan and UBSan on the host.

    Raises: ToolError when it is not installed; UsageError for a core it does not build for
    """
    flags = gcc_flags(core)
    if core.isa is Isa.NATIVE:
        name, driver = "cc", process.require("cc", _HOST_HINT)
        if sanitize:
            flags = Flags((*flags.compile, *_SANITIZE), (*flags.link, *_SANITIZE))
    else:
        name, driver = "gcc", process.require(_ARM, _ARM_HINT)
    return Compiler(name, _identity(driver), (str(driver),), flags)


def check_cxx(compiler: Compiler) -> None:
    """Raises: ToolError when the compiler has no C++, or no headers of its standard library."""
    if compiler.name not in _CXX_HINTS:
        return  # zig brings its own
    command = [*compiler.driver, *compiler.flags.cxx, "-fsyntax-only", "-x", "c++", "-include", "cstdint", "-"]
    if process.run(command, timeout_s=60, inherit=False, check=False).returncode != 0:
        raise ToolError(f"`{compiler.driver[-1]}` cannot compile C++ here", hint=_CXX_HINTS[compiler.name])


def has_host_compiler() -> bool:
    """Whether the system has a C compiler of its own."""
    return process.find("cc") is not None


@functools.cache
def _identity(driver: Path) -> str:
    lines = process.run([str(driver), "--version"], timeout_s=60, inherit=False).stdout.splitlines()
    return lines[0] if lines else driver.name
