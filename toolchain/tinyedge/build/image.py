"""From a firmware project to a linked image and the files that flash tools take."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import FirmwareProject, Image, SizeTable
from tinyedge.boards import CORES, Board, Core, Isa
from tinyedge.build.compiler import Compiler
from tinyedge.build.elf import Elf, read_elf
from tinyedge.build.formats import to_binary, to_intel_hex, to_uf2
from tinyedge.build.gcc import gcc_compiler, has_host_compiler
from tinyedge.build.objects import compile_objects
from tinyedge.build.size import check_size, size_of
from tinyedge.build.zig import zig_compiler
from tinyedge.errors import FitError, ToolError, UsageError
from tinyedge.paths import partial_of, whole, write_changed
from tinyedge.systems import processors

COMPILERS = ("zig", "gcc")
_LINK_TIMEOUT_S = 600.0
"""the first link for a CPU builds zig's compiler-rt: up to 20 s alone, longer on a busy machine"""
_OUTPUT = "build"
"""folder below the project that objects and images go to"""
_OVERFLOW = re.compile(r"region [`'](\w+)'(?: overflowed by|: overflowed by) (\d+) bytes?")
_ROOMY_BYTES = 64 << 20


def build_image(
    project: FirmwareProject,
    folder: Path,
    compiler: str = "zig",
    *,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    sanitize: bool = False,
) -> Image:
    """Write the project to `folder` and build `build/firmware.elf`, `.hex`, `.bin` and, where a bootloader takes it,
    `.uf2`. The host board gets an ELF alone.

    The same project gives the same bytes in any folder. Two builds may run at the same time, even in one folder.
    `gcc` means the system's `cc` for the host board, and zig where the system has none (`Image.compiler` says which).
    `sanitize` adds ASan and UBSan, on the host and with `gcc` alone. `progress(done, total)` counts objects.

    Raises: ToolError when the compiler is missing or fails; FitError when the image does not fit the board;
    UsageError for an unknown compiler or a folder that cannot be written
    """
    driver = select_compiler(compiler, project.board.core, sanitize=sanitize)
    output = folder / _OUTPUT
    with _writing(folder):
        project.write(folder)
        output.mkdir(exist_ok=True)
    objects = compile_objects(project, folder, driver, jobs=jobs or processors(), progress=progress)
    names = []
    with _writing(folder):
        for source in project.sources:
            name = f"{_OUTPUT}/{compiler}/{source}.o"
            write_changed(folder / name, objects[source])
            names.append(name)
    elf_path = _link(project, folder, driver, names)
    elf = read_elf(elf_path)
    table = size_of(elf, project.board)
    check_size(table, project.model, project.board)
    with _writing(folder):
        return _image(project, elf_path, elf, table, driver)


def select_compiler(name: str, core: Core, *, sanitize: bool = False) -> Compiler:
    """The compiler `name` set up for a core.

    Raises: UsageError for an unknown name or what the compiler cannot do; ToolError when it is not installed
    """
    if name not in COMPILERS:
        raise UsageError(f"there is no compiler `{name}`", hint=f"choose one of {', '.join(COMPILERS)}")
    if sanitize and (name != "gcc" or core.isa is not Isa.NATIVE):
        raise UsageError("sanitizers need the host board and the compiler `gcc`", hint="`--board host --compiler gcc`")
    if name == "zig" or (core.isa is Isa.NATIVE and not sanitize and not has_host_compiler()):
        return zig_compiler(core)
    return gcc_compiler(core, sanitize=sanitize)


def compiler_version(name: str) -> str:
    """The version number of a compiler for boards, e.g. `0.17.0`.

    Raises: ToolError with the way to install it; UsageError for an unknown name
    """
    return select_compiler(name, CORES["cortex-m4f"]).version


def _link(project: FirmwareProject, folder: Path, compiler: Compiler, objects: list[str]) -> Path:
    elf = folder / _OUTPUT / "firmware.elf"
    with compiler.at_work(linking=True) as env, _writing(folder), whole(elf) as partial:
        output = f"{_OUTPUT}/{partial.name}"
        command = compiler.link_command(objects, project.linker_script, output, project.library)
        completed = process.run(command, cwd=folder, timeout_s=_LINK_TIMEOUT_S, env=env, inherit=False, check=False)
        if completed.returncode != 0:
            if overflow := _OVERFLOW.findall(completed.output):
                _raise_overflow(project, folder, compiler, objects, overflow, env)
            raise process.failure(completed)
    return elf


def _raise_overflow(
    project: FirmwareProject,
    folder: Path,
    compiler: Compiler,
    objects: list[str],
    overflow: list[tuple[str, str]],
    env: Mapping[str, str],
) -> None:
    """Raises: FitError with the exact need, found by a link in which every region is large."""
    script, elf = (f"{_OUTPUT}/{partial_of(Path(name)).name}" for name in ("roomy.ld", "roomy.elf"))
    text = project.files[project.linker_script].decode()
    try:
        with _writing(folder):
            (folder / script).write_text(_make_roomy(text), encoding="utf-8")
        command = compiler.link_command(objects, script, elf, project.library)
        process.run(command, cwd=folder, timeout_s=_LINK_TIMEOUT_S, env=env, inherit=False)
        check_size(size_of(read_elf(folder / elf), project.board), project.model, project.board)
    except ToolError:
        pass  # the regions lie too close for a larger one: the linker's own numbers have to do
    finally:
        for name in (script, elf):
            (folder / name).unlink(missing_ok=True)
    most = {region: max(int(bytes_) for name, bytes_ in overflow if name == region) for region, _ in overflow}
    facts = ", ".join(f"region {region} by {bytes_:,} B" for region, bytes_ in most.items())
    raise FitError(
        f"model `{project.model}` does not fit board `{project.board.name}`: it overflows {facts}",
        hint="`tinyedge boards` lists boards with their memory; choose a larger one, or a smaller model",
    )


def _make_roomy(script: str) -> str:
    """The linker script with every region of MEMORY made large."""
    block = re.search(r"MEMORY\s*\{.*?\}", script, re.DOTALL)
    if block is None:
        return script
    roomy = re.sub(r"(LENGTH|LEN|\bl)(\s*=\s*)[^,}\n]+", rf"\g<1>\g<2>{_ROOMY_BYTES:#x} ", block[0])
    return script[: block.start()] + roomy + script[block.end() :]


def _image(project: FirmwareProject, path: Path, elf: Elf, table: SizeTable, compiler: Compiler) -> Image:
    made: dict[str, Path | None] = {"hex": None, "bin": None, "uf2": None}
    for suffix, content in _formats(project.board, elf).items():
        made[suffix] = path.with_suffix(f".{suffix}")
        write_changed(path.with_suffix(f".{suffix}"), content)
    return Image(
        elf=path,
        hex=made["hex"],
        bin=made["bin"],
        uf2=made["uf2"],
        size=table,
        compiler=compiler.title,
        project_digest=project.digest,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _formats(board: Board, elf: Elf) -> dict[str, bytes]:
    if board.core.isa is Isa.NATIVE:
        return {}
    contents = {"hex": to_intel_hex(elf.segments, elf.entry).encode(), "bin": to_binary(elf.segments)}
    if family := board.flash_options.get("uf2_family"):
        contents["uf2"] = to_uf2(elf.segments, int(family, 0))
    return contents


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raises: UsageError when files below `folder` cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the folder {folder} cannot be written: {error.strerror or error}",
            hint="choose another folder with `--build-dir`",
        ) from error
