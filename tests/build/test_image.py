"""build_image: what it makes, what it makes again, and what it says when it cannot."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from intelhex import IntelHex

from kits.processes import make_program
from kits.tiny_firmware import WORK, make_board, make_host_project, make_project, with_file
from tinyedge import process
from tinyedge.artifacts import FirmwareProject, Image
from tinyedge.boards import CORES, Memory
from tinyedge.build import build_image, compiler_version, select_compiler
from tinyedge.build.elf import read_elf
from tinyedge.build.flags import supports_gcc
from tinyedge.errors import CheckError, ToolError, UsageError
from tinyedge.install import package_command


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".part" in path.name or "roomy" in path.name]


def test_an_image_and_its_files(compiler: str, tmp_path: Path) -> None:
    board = replace(make_board(), flash_options={"uf2_family": "0xADA52840"})
    project = make_project(board)
    image = build_image(project, tmp_path, compiler)
    assert image.elf == tmp_path / "build" / "firmware.elf"
    assert image.digest == hashlib.sha256(image.elf.read_bytes()).hexdigest()
    assert image.compiler == f"{compiler} {compiler_version(compiler)}"
    assert image.project_digest == project.digest
    elf = read_elf(image.elf)
    reset = next(symbol for symbol in elf.symbols if symbol.name == "Reset_Handler")
    assert elf.entry == reset.address | 1
    assert image.hex
    assert image.bin
    assert image.uf2
    binary = image.bin.read_bytes()
    assert int.from_bytes(binary[4:8], "little") == elf.entry
    assert IntelHex(str(image.hex)).tobinstr() == binary
    assert len(image.uf2.read_bytes()) == -(-len(binary) // 256) * 512
    assert image.size.flash_bytes == len(binary)
    assert (tmp_path / "src" / "work.c").read_text() == WORK
    assert not leftovers(tmp_path)


def test_binary_equals_what_binutils_make(compiler: str, tmp_path: Path) -> None:
    objcopy = shutil.which("arm-none-eabi-objcopy")
    if objcopy is None:
        pytest.skip("no arm-none-eabi-objcopy: `apt-get install binutils-arm-none-eabi`")
    image = build_image(make_project(), tmp_path, compiler)
    assert image.bin
    assert image.uf2 is None
    process.run([objcopy, "-O", "binary", image.elf, tmp_path / "other.bin"], timeout_s=20)
    assert (tmp_path / "other.bin").read_bytes() == image.bin.read_bytes()


def test_another_folder_gives_the_same_bytes(compiler: str, cache: Path, tmp_path: Path) -> None:
    first = build_image(make_project(), tmp_path / "a", compiler)
    shutil.rmtree(cache / "objects")  # else the second build would copy the first one's objects
    second = build_image(make_project(), tmp_path / "deeper" / "b", compiler, jobs=1)
    assert first.elf.read_bytes() == second.elf.read_bytes()
    assert str(tmp_path).encode() not in first.elf.read_bytes()
    assert str(cache).encode() not in first.elf.read_bytes()


def test_only_what_changed_is_compiled(compiler: str, tmp_path: Path) -> None:
    commands: list[str] = []
    counts: list[tuple[int, int]] = []

    def compiled(project: FirmwareProject) -> set[str]:
        commands.clear()
        counts.clear()
        with process.configured(log=commands.append):
            build_image(project, tmp_path, compiler, progress=lambda done, total: counts.append((done, total)))
        words = [command.split() for command in commands if " -c " in command]
        return {line[line.index("-c") + 1] for line in words}

    project = make_project()
    assert compiled(project) == {"src/startup.c", "src/work.c"}
    assert counts == [(0, 2), (1, 2), (2, 2)]
    assert compiled(project) == set()
    assert counts == [(2, 2)]
    assert compiled(with_file(project, "src/work.c", WORK + "/* new */\n")) == {"src/work.c"}
    header = project.files["include/work.h"].decode()
    assert compiled(with_file(project, "include/work.h", header + "/* new */\n")) == {"src/startup.c", "src/work.c"}
    assert compiled(with_file(project, "include/other.h", "/* nobody's */\n")) == set()
    assert compiled(project) == set()


def test_a_header_included_by_a_macro_counts(cache: Path, tmp_path: Path) -> None:
    work = WORK + '#define OTHER "other.h"\n#include OTHER\n'
    project = make_project(work=work)
    first = build_image(with_file(project, "include/other.h", "extern int unused;\n"), tmp_path)
    with pytest.raises(ToolError, match="error"):
        build_image(with_file(project, "include/other.h", "#error no\n"), tmp_path)
    assert first.elf.is_file()
    assert not leftovers(cache / "objects")


def test_a_failed_build_keeps_the_image_and_quotes_the_compiler(compiler: str, tmp_path: Path) -> None:
    image = build_image(make_project(), tmp_path, compiler)
    before = image.elf.read_bytes()
    with pytest.raises(ToolError, match=r"src/work\.c:.*missing_name") as caught:
        build_image(make_project(work=WORK + "int bad(void) { return missing_name; }\n"), tmp_path, compiler)
    assert caught.value.exit_code == 3
    with pytest.raises(ToolError, match="missing_function"):
        build_image(make_project(work=WORK.replace("gain = gain", "missing_function(); gain = gain").replace(
            "volatile float", "extern void missing_function(void);\nvolatile float")), tmp_path, compiler)  # fmt: skip
    assert image.elf.read_bytes() == before
    assert not leftovers(tmp_path)


def test_builds_at_the_same_time(compiler: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "a", "b", "b")]
    with ThreadPoolExecutor(4) as pool:
        images: list[Image] = list(pool.map(lambda folder: build_image(make_project(), folder, compiler), folders))
    assert len({image.digest for image in images}) == 1
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(("sizes", "memory"), [({"arena_bytes": 20_000}, "RAM"), ({"weights_bytes": 100_000}, "flash")])
def test_a_full_memory_says_how_much_is_missing(
    compiler: str, tmp_path: Path, sizes: dict[str, int], memory: str
) -> None:
    large = build_image(make_project(make_board(flash_bytes=1 << 20, ram_bytes=1 << 17), **sizes), tmp_path, compiler)
    needs = large.size.ram_bytes if memory == "RAM" else large.size.flash_bytes
    has = 16_384 if memory == "RAM" else 65_536
    with pytest.raises(CheckError) as caught:
        build_image(make_project(**sizes), tmp_path, compiler)
    symbol = "`arena` (.bss) = 20,000 B" if memory == "RAM" else "`weights` (.text) = 100,000 B"
    assert str(caught.value) == (
        f"model `tiny` needs {needs:,} B of {memory}; board `tiny` has {has:,} B ({needs - has:,} B too few)\n"
        f"       largest in {memory}: {symbol}"
    )
    assert f"choose one with more {memory}" in caught.value.hint
    assert caught.value.exit_code == 1
    assert not leftovers(tmp_path)


def test_both_memories_full(compiler: str, tmp_path: Path) -> None:
    with pytest.raises(CheckError) as caught:
        build_image(make_project(arena_bytes=20_000, weights_bytes=100_000), tmp_path, compiler)
    first, _, second, _ = str(caught.value).splitlines()
    assert "B of flash" in first
    assert second.startswith("       and needs 21,028 B of RAM")


def test_one_byte_decides(compiler: str, tmp_path: Path) -> None:
    size = build_image(make_project(), tmp_path, compiler).size
    fits = make_board(flash_bytes=size.flash_bytes, ram_bytes=size.ram_bytes)
    assert build_image(make_project(fits), tmp_path, compiler).size.flash_limit_bytes == size.flash_bytes
    with pytest.raises(CheckError, match=r"of flash.*\(1 B too few\)"):
        build_image(make_project(make_board(flash_bytes=size.flash_bytes - 1)), tmp_path, compiler)
    with pytest.raises(CheckError, match=r"of RAM.*\(1 B too few\)"):
        build_image(make_project(make_board(ram_bytes=size.ram_bytes - 1)), tmp_path, compiler)


def test_regions_side_by_side_fall_back_to_the_linkers_numbers(compiler: str, tmp_path: Path) -> None:
    board = make_board()
    board = replace(board, memories=(*board.memories, Memory("ram2", 0x2000_4000, 4096)))
    project = make_project(board, arena_bytes=20_000)
    script = project.files["link.ld"].decode()
    script = script.replace("\n}\nSECTIONS", "\n  RAM2 (rwx) : ORIGIN = 0x20004000, LENGTH = 4096\n}\nSECTIONS")
    script = script.replace("  /DISCARD/", "  .more (NOLOAD) : { . = . + 16; } > RAM2\n  /DISCARD/")
    with pytest.raises(CheckError, match=r"does not fit board `tiny`: it overflows region RAM by 4,6[0-9]{2} B"):
        build_image(with_file(project, "link.ld", script), tmp_path, compiler)
    assert not leftovers(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("core", [name for name in CORES if name != "native"])
def test_every_core_links(core: str, compiler: str, tmp_path: Path) -> None:
    if compiler == "gcc" and not supports_gcc(CORES[core]):
        pytest.skip("gcc does not build for this core: zig does")
    image = build_image(make_project(make_board(core)), tmp_path, compiler)
    assert image.size.ram_bytes >= 5124


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="file/project cannot be written") as caught:
        build_image(make_project(), tmp_path / "file" / "project")
    assert "--build-dir" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    build_image(make_project(), tmp_path / "p")
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"the cache folder .*objects cannot be made") as caught:
        build_image(make_project(), tmp_path / "p")
    assert "TINYEDGE_CACHE" in caught.value.hint


def test_the_cache_forgets_what_was_not_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    monkeypatch.setattr("tinyedge.build.objects.KEEP_OBJECTS", 4)
    sources = [WORK + f"/* {number} */\n" for number in range(4)]
    for work in sources:
        build_image(make_project(work=work), tmp_path, compiler)
    kept = len(list((cache / "objects").iterdir()))
    assert kept <= 4
    assert build_image(make_project(work=sources[0]), tmp_path, compiler).elf.is_file()


def test_unknown_compiler_and_impossible_sanitizers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no compiler `clang`"):
        build_image(make_project(), tmp_path, "clang")
    with pytest.raises(UsageError, match="sanitizers need the host board"):
        build_image(make_project(), tmp_path, "gcc", sanitize=True)


class TestHost:
    HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'

    @pytest.mark.parametrize("name", ["zig", "gcc"])
    def test_a_program_of_this_computer(self, name: str, tmp_path: Path) -> None:
        image = build_image(make_host_project(self.HELLO), tmp_path, name)
        assert (image.hex, image.bin, image.uf2) == (None, None, None)
        assert (image.size.flash_limit_bytes, image.size.ram_limit_bytes) == (0, 0)
        assert image.size.flash_bytes > 0
        assert process.run([image.elf], timeout_s=20).stdout == "hello\n"

    @pytest.mark.parametrize(
        ("body", "report"),
        [
            ("char *volatile p = malloc(4); free(p); return p[0] + n;", "heap-use-after-free"),
            ("volatile int top = 2147483647; volatile int sum = top + n; return sum != 0;", "signed integer overflow"),
        ],
    )
    def test_sanitizers(self, body: str, report: str, tmp_path: Path) -> None:
        if shutil.which("cc") is None:
            pytest.skip("no cc: `apt-get install gcc`")
        main = f"#include <stdlib.h>\nint main(int n, char **words) {{ (void)words; {body} }}\n"
        image = build_image(make_host_project(main), tmp_path, "gcc", sanitize=True)
        assert image.compiler.startswith("cc ")
        done = process.run([image.elf], timeout_s=20, check=False)
        assert report in done.stderr
        assert done.returncode != 0

    def test_zig_serves_where_the_system_has_no_compiler(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert select_compiler("gcc", CORES["native"]).title == f"zig {compiler_version('zig')}"
        with pytest.raises(ToolError, match="`cc` is not installed"):
            select_compiler("gcc", CORES["native"], sanitize=True)


class TestFakeCompiler:
    """arm-none-eabi-gcc replaced by a script on PATH."""

    VERSION = 'case "$*" in *--version*) echo "arm-none-eabi-gcc (fake 99.9) 1.2.3 2020"; exit 0;; esac\n'
    OUTPUT = 'out="$(echo "$*" | sed "s/.*-o //; s/ .*//")"\n'

    @pytest.fixture
    def bin_dir(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "bin"
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return folder

    def fake(self, folder: Path, script: str) -> None:
        make_program(folder, "arm-none-eabi-gcc", self.VERSION + self.OUTPUT + script)

    def test_version(self, bin_dir: Path) -> None:
        self.fake(bin_dir, "exit 1")
        assert compiler_version("gcc") == "1.2.3"

    def test_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError, match="`arm-none-eabi-gcc` is not installed") as caught:
            build_image(make_project(), tmp_path / "p", "gcc")
        assert "apt-get install gcc-arm-none-eabi" in caught.value.hint
        assert caught.value.exit_code == 3
        assert not (tmp_path / "p").exists()

    def test_zig_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ToolError, match="the Python package `ziglang` is not installed") as caught:
            build_image(make_project(), tmp_path)
        assert caught.value.hint == f"`{package_command('ziglang')}` installs it"

    def test_fails(self, bin_dir: Path, tmp_path: Path) -> None:
        self.fake(bin_dir, 'echo "internal compiler error: tired" >&2; exit 4')
        with pytest.raises(
            ToolError, match=r"`arm-none-eabi-gcc` ended with exit code 4\n +\| internal compiler error"
        ):
            build_image(make_project(), tmp_path / "p", "gcc")

    def test_hangs(self, bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tinyedge.build.objects._COMPILE_TIMEOUT_S", 0.3)
        self.fake(bin_dir, "exec sleep 60")
        with pytest.raises(ToolError, match=r"did not end within 0\.3 s and was killed"):
            build_image(make_project(), tmp_path / "p", "gcc")

    def test_makes_no_elf(self, bin_dir: Path, tmp_path: Path) -> None:
        self.fake(bin_dir, 'echo nonsense > "$out"')
        with pytest.raises(ToolError, match=r"`firmware\.elf` is not a whole ELF file"):
            build_image(make_project(), tmp_path / "p", "gcc")

    @pytest.mark.parametrize(
        "words",
        [
            "ld.lld: error: section '.data' will not fit in region 'RAM': overflowed by 12 bytes\n"
            "ld.lld: error: section '.bss' will not fit in region 'RAM': overflowed by 3636 bytes",
            "ld: section `.bss' will not fit in region `RAM'\nld: region `RAM' overflowed by 3636 bytes",
        ],
    )
    def test_overflow_in_the_words_of_both_linkers(self, bin_dir: Path, tmp_path: Path, words: str) -> None:
        (tmp_path / "words").write_text(words)
        self.fake(bin_dir, f'case "$*" in *" -c "*) touch "$out";; *) cat {tmp_path}/words >&2; exit 1;; esac')
        with pytest.raises(CheckError) as caught:
            build_image(make_project(), tmp_path / "p", "gcc")
        assert str(caught.value) == "model `tiny` does not fit board `tiny`: it overflows region RAM by 3,636 B"
