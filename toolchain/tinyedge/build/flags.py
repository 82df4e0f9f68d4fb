"""What a core, the house rules and the wish for speed mean in the words of each compiler.

The one place for compiler and linker flags: `build_image` uses them and the Makefile of a project prints them.
Every flag is here because leaving it out broke or spoiled something; the comments say what.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyedge.boards import Board, Core, Isa
from tinyedge.errors import UsageError

OPTIMIZE = ("-O2",)
"""Speed first, for both compilers. gcc -O3 gains 0.5 % of the instructions of keyword spotting for 8 % more flash."""

SMALL = ("-Os",)
"""behind the other flags for what is not the model: nothing there runs during an inference"""
SMALL_FOLDERS = ("app", "bsp")
"""of a project: the protocol, and the support of the board"""

_WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
_NOT_FOR_MAKE = "-Werror"
"""what a warning of a compiler that is newer than tinyedge must not do to a user's build"""
_FLOAT = ("-ffp-contract=off",)  # float results must not depend on which core has a fused multiply-add
LANGUAGE = ("-std=c99", *_WARNINGS, *_FLOAT)

_CXX = (
    "-std=c++17",
    "-fno-rtti",
    "-fno-exceptions",
    "-fno-threadsafe-statics",  # else each static in a function costs a lock that nobody else takes
)
_NO_UNWIND = ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
_LIBRARY_C = ("-std=c11", "-w", *_FLOAT)  # the warnings of a library are for its authors
_LIBRARY_LINK = ("-lm",)

_SECTIONS = ("-ffunction-sections", "-fdata-sections")  # what is not used can be left out at the link
_LINK = ("-Wl,--gc-sections", "-Wl,-z,max-page-size=4")  # without the page size each segment is padded to 64 KiB

_FPU_FEATURE = {
    # LLVM's names. `-mcpu=cortex_m4` alone compiles to soft-float calls even for eabihf.
    "fpv4-sp-d16": "vfp4d16sp",
    "fpv5-sp-d16": "fp_armv8d16sp",
    "fpv5-d16": "fp_armv8d16",
    "fp-armv8-fullfp16": "fp_armv8d16+fullfp16",
}
_ISA_FEATURE = {Isa.ARMV8M_DSP: ("dsp",), Isa.ARMV81M: ("mve_fp",)}


@dataclass(frozen=True)
class Flags:
    """Flags of one compiler for one core: `compile` for each C source, `link` for the image.

    The others are for projects with a library: `cxx` for the project's own C++, `library_c` and `library_cxx` for the
    library's sources, without an optimization level, and `library_link` behind `link`.
    """

    compile: tuple[str, ...]
    link: tuple[str, ...]
    cxx: tuple[str, ...] = ()
    library_c: tuple[str, ...] = ()
    library_cxx: tuple[str, ...] = ()
    library_link: tuple[str, ...] = ()


def zig_flags(core: Core) -> Flags:
    """Flags after `zig cc`."""
    target = _zig_target(core)
    always = (
        "-g0",  # zig adds debug information unasked, and with it absolute paths
        "-fno-sanitize=undefined",  # on by default below -O2: 100 KB of runtime
        "-fomit-frame-pointer",
        "-fno-unroll-loops",  # unrolled, keyword spotting takes 1.4 % more instructions and 23 % more flash
    )
    hosted = (*_zig_hosted(target), *always, *_NO_UNWIND, *_SECTIONS)
    if core.isa is Isa.NATIVE:
        link = (*target, *OPTIMIZE, "-Wl,--gc-sections")  # without -O2, zig first builds a UBSan runtime for 10 s
        compile_c = (*target, *OPTIMIZE, *LANGUAGE, *always, *_SECTIONS)
        return _with_library(Flags(compile_c, link), hosted, _LIBRARY_LINK)
    # `-nostdlib` would drop compiler-rt, and ENTRY() of a linker script is ignored.
    link = (*target, *OPTIMIZE, *_LINK, "-Wl,-e,Reset_Handler")
    return _with_library(Flags((*target, *OPTIMIZE, *LANGUAGE, *always, *_NO_UNWIND, *_SECTIONS), link), hosted)


def gcc_flags(core: Core) -> Flags:
    """Flags after `arm-none-eabi-gcc`, or after `cc` for the host.

    Raises: UsageError for a core that arm-none-eabi-gcc does not know
    """
    target: tuple[str, ...] = ()
    link: tuple[str, ...] = ("-Wl,--gc-sections",)
    if core.isa is not Isa.NATIVE:
        target = _gcc_target(core)
        # newlib's nano variant gives memcpy and the float functions; startup code is the project's own.
        link = (*target, "-nostartfiles", "--specs=nano.specs", *_LINK, "-Wl,-e,Reset_Handler")
    flags = Flags((*target, *OPTIMIZE, *LANGUAGE, *_SECTIONS), link)
    return _with_library(flags, (*target, *_NO_UNWIND, *_SECTIONS), _LIBRARY_LINK)


def _with_library(flags: Flags, common: tuple[str, ...], link: tuple[str, ...] = ()) -> Flags:
    """The flags with those for projects that carry a library: `common` to all its sources, `link` for its libraries."""
    return replace(
        flags,
        cxx=(*common, *OPTIMIZE, *_CXX, *_WARNINGS, *_FLOAT),
        library_c=(*common, *_LIBRARY_C),
        library_cxx=(*common, *_CXX, "-w", *_FLOAT),
        library_link=link,
    )


def supports_gcc(core: Core) -> bool:
    """Whether arm-none-eabi-gcc, or the host's compiler, can build for the core."""
    return core.isa is not Isa.RV32IMC


def make_flags(board: Board) -> dict[str, str]:
    """Flags for a Makefile: those of `build_image`, but warnings are no errors there; gcc's are empty where gcc cannot
    build for the board.

    Keys: `zig_cflags`, `zig_ldflags`, `gcc_cflags`, `gcc_ldflags`, and `small_cflags` for what is in SMALL_FOLDERS
    """
    zig = zig_flags(board.core)
    gcc = gcc_flags(board.core) if supports_gcc(board.core) else Flags((), ())
    return {
        "zig_cflags": _for_make(zig.compile),
        "zig_ldflags": _for_make(zig.link),
        "gcc_cflags": _for_make(gcc.compile),
        "gcc_ldflags": _for_make(gcc.link),
        "small_cflags": _for_make(SMALL),
    }


def make_library_flags(board: Board) -> dict[str, str]:
    """Flags for the Makefile of a project that carries a library; empty where a compiler cannot build that.

    Keys: those of `make_flags`, and for `zig` and `gcc` each `<name>_cxxflags`, `<name>_library_cflags`,
    `<name>_library_cxxflags`, `<name>_libs`
    """
    flags = make_flags(board)
    gcc = gcc_flags(board.core) if supports_gcc(board.core) else Flags((), ())
    for name, found in (("zig", zig_flags(board.core)), ("gcc", gcc)):
        flags[f"{name}_cxxflags"] = _for_make(found.cxx)
        flags[f"{name}_library_cflags"] = _for_make(found.library_c)
        flags[f"{name}_library_cxxflags"] = _for_make(found.library_cxx)
        flags[f"{name}_libs"] = _for_make(found.library_link)
    return flags


def _for_make(flags: tuple[str, ...]) -> str:
    return " ".join(flag for flag in flags if flag != _NOT_FOR_MAKE)


def _arm_cpu(core: Core) -> str:
    """The vendor's name of the processor, without the `f` that says it has an FPU."""
    return core.name.removesuffix("f") if core.fpu else core.name


def _zig_target(core: Core) -> tuple[str, ...]:
    if core.isa is Isa.NATIVE:
        return ("-mcpu=baseline",)  # zig would use what this very computer has, and the ELF would differ elsewhere
    if core.isa is Isa.RV32IMC:
        return ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c+zicsr")
    features = [*_ISA_FEATURE.get(core.isa, ()), *([_FPU_FEATURE[core.fpu]] if core.fpu else [])]
    cpu = "+".join([_arm_cpu(core).replace("-", "_"), *features])
    return ("-target", "thumb-freestanding-eabihf" if core.fpu else "thumb-freestanding-eabi", f"-mcpu={cpu}")


def _zig_hosted(target: tuple[str, ...]) -> tuple[str, ...]:
    """The same target with the headers of a C and a C++ library, which zig gives to no target without a system.

    The code is the same: what it calls of a C library comes from compiler-rt, or the project brings it. Enumerations
    are as small as gcc makes them, and with them what the library keeps in its arena (by up to 96 bytes).
    """
    if "-target" not in target:
        return target
    place = target.index("-target") + 1
    name = target[place].replace("-freestanding-eabi", "-linux-musleabi").replace("-freestanding-none", "-linux-musl")
    return (*target[:place], name, *target[place + 1 :], "-fno-pic", "-fno-stack-protector", "-fshort-enums")


def _gcc_target(core: Core) -> tuple[str, ...]:
    if not supports_gcc(core):
        raise UsageError(f"`gcc` does not build for the core `{core.name}`", hint="use `--compiler zig`")
    cpu = (f"-mcpu={_arm_cpu(core)}", "-mthumb")
    if not core.fpu:
        return (*cpu, "-mfloat-abi=soft")
    fpu = "auto" if core.isa is Isa.ARMV81M else core.fpu  # the FPU of an M55 is named by its -mcpu alone
    return (*cpu, "-mfloat-abi=hard", f"-mfpu={fpu}")
