"""What a core, the house rules and the wish for speed mean in the words of each compiler.

The one place for compiler and linker flags: `build_image` uses them and the Makefile of a project prints them.
Every flag is here because leaving it out broke or spoiled something; the comments say what.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.boards import Board, Core, Isa
from tinyedge.errors import UsageError

OPTIMIZE = ("-O2",)
"""Speed first, for both compilers. gcc -O3 gains 0.5 % of the instructions of keyword spotting for 8 % more flash."""

SMALL = ("-Os",)
"""behind the other flags for what is not the model: nothing there runs during an inference"""
SMALL_FOLDERS = ("app", "bsp")
"""of a project: the protocol, and the support of the board"""

_WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
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
_ISA_FEATURE = {Isa.ARMV8M_DSP: ("dsp",), Isa.ARMV8_1M_MVE: ("mve_fp",)}


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
    if core.isa is Isa.NATIVE:
        link = (*target, *OPTIMIZE, "-Wl,--gc-sections")  # without -O2, zig first builds a UBSan runtime for 10 s
        return Flags((*target, *OPTIMIZE, *LANGUAGE, *always, *_SECTIONS), link)
    # `-nostdlib` would drop compiler-rt, and ENTRY() of a linker script is ignored.
    link = (*target, *OPTIMIZE, *_LINK, "-Wl,-e,Reset_Handler")
    return Flags((*target, *OPTIMIZE, *LANGUAGE, *always, *_NO_UNWIND, *_SECTIONS), link)


def gcc_flags(core: Core) -> Flags:
    """Flags after `arm-none-eabi-gcc`, or after `cc` for the host.

    Raises: UsageError for a core that arm-none-eabi-gcc does not know
    """
    if core.isa is Isa.NATIVE:
        return _gcc_sets((), ("-Wl,--gc-sections",))
    target = _gcc_target(core)
    # newlib's nano variant gives memcpy and the float functions; startup code is the project's own.
    return _gcc_sets(target, (*target, "-nostartfiles", "--specs=nano.specs", *_LINK, "-Wl,-e,Reset_Handler"))


def _gcc_sets(target: tuple[str, ...], link: tuple[str, ...]) -> Flags:
    """The flags for every kind of source."""
    library = (*_NO_UNWIND, *_SECTIONS)
    return Flags(
        compile=(*target, *OPTIMIZE, *LANGUAGE, *_SECTIONS),
        link=link,
        cxx=(*target, *OPTIMIZE, *_CXX, *_WARNINGS, *_FLOAT, *library),
        library_c=(*target, *_LIBRARY_C, *library),
        library_cxx=(*target, *_CXX, "-w", *_FLOAT, *library),
        library_link=_LIBRARY_LINK,
    )


def supports_gcc(core: Core) -> bool:
    """Whether arm-none-eabi-gcc, or the host's compiler, can build for the core."""
    return core.isa is not Isa.RV32IMC


def make_flags(board: Board) -> dict[str, str]:
    """Flags for a Makefile, the same that `build_image` uses; gcc's are empty where gcc cannot build for the board.

    Keys: `zig_cflags`, `zig_ldflags`, `gcc_cflags`, `gcc_ldflags`, and `small_cflags` for what is in SMALL_FOLDERS
    """
    zig = zig_flags(board.core)
    gcc = gcc_flags(board.core) if supports_gcc(board.core) else Flags((), ())
    return {
        "zig_cflags": " ".join(zig.compile),
        "zig_ldflags": " ".join(zig.link),
        "gcc_cflags": " ".join(gcc.compile),
        "gcc_ldflags": " ".join(gcc.link),
        "small_cflags": " ".join(SMALL),
    }


def make_library_flags(board: Board) -> dict[str, str]:
    """Flags for the Makefile of a project that carries a library, which gcc builds.

    Keys: `cflags`, `cxxflags`, `library_cflags`, `library_cxxflags`, `ldflags`, `libs`, and `small_cflags` for what is
    in SMALL_FOLDERS
    """
    gcc = gcc_flags(board.core)
    flags = {
        "cflags": gcc.compile,
        "cxxflags": gcc.cxx,
        "library_cflags": gcc.library_c,
        "library_cxxflags": gcc.library_cxx,
        "ldflags": gcc.link,
        "libs": gcc.library_link,
        "small_cflags": SMALL,
    }
    return {name: " ".join(words) for name, words in flags.items()}


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


def _gcc_target(core: Core) -> tuple[str, ...]:
    if not supports_gcc(core):
        raise UsageError(f"`gcc` does not build for the core `{core.name}`", hint="use `--compiler zig`")
    cpu = (f"-mcpu={_arm_cpu(core)}", "-mthumb")
    if not core.fpu:
        return (*cpu, "-mfloat-abi=soft")
    fpu = "auto" if core.isa is Isa.ARMV8_1M_MVE else core.fpu  # the FPU of an M55 is named by its -mcpu alone
    return (*cpu, "-mfloat-abi=hard", f"-mfpu={fpu}")
