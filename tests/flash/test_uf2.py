"""UF2 against a folder that stands in for the drive of a bootloader."""

from __future__ import annotations

import dataclasses
import os
import shutil
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kits.flash_boards import board, image
from kits.processes import wait_until
from tinyedge.artifacts import Image
from tinyedge.build.elf import Segment
from tinyedge.build.formats import to_uf2
from tinyedge.errors import CheckError, DeviceError, UsageError
from tinyedge.flash.contract import FlashError
from tinyedge.flash.uf2 import INFO_FILE, Uf2Flasher, check_uf2, mounted_folders, read_drive
from tinyedge.uf2 import read_uf2

FAMILY = 0xADA52840
XIAO = "nRF52840-SeeedXiao-v1"
CODE = bytes(range(256)) * 9 + b"end"
INFO = "UF2 Bootloader 0.6.2\r\nModel: Seeed XIAO nRF52840\r\nBoard-ID: {}\r\nDate: Nov  1 2025\r\n"
BOARD = board()


def uf2(start: int = BOARD.flash_start, family: int = FAMILY) -> bytes:
    return to_uf2([Segment(start, CODE)], family)


def make_drive(folder: Path, board_id: str = XIAO) -> Path:
    folder.mkdir(parents=True)
    (folder / INFO_FILE).write_text(INFO.format(board_id))
    return folder


@pytest.fixture
def built(tmp_path: Path) -> Image:
    (tmp_path / "firmware.uf2").write_bytes(uf2())
    return image(tmp_path)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return make_drive(tmp_path / "XIAO-BOOT")


def flasher_at(*folders: Path, reboot_s: float = 10.0) -> Uf2Flasher:
    return Uf2Flasher(lambda: folders, reboot_s=reboot_s)


@contextmanager
def bootloader(drive: Path, size: int) -> Iterator[list[bytes]]:
    """Takes the first file that has `size` bytes, then the drive vanishes, as a board does that starts its image."""
    taken: list[bytes] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for path in drive.glob("*.UF2"):
                content = path.read_bytes()
                if len(content) == size:
                    taken.append(content)
                    shutil.rmtree(drive)
                    return
            time.sleep(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join()


def left_in(drive: Path) -> list[str]:
    return sorted(path.name for path in drive.iterdir())


@pytest.mark.parametrize("size", [0, 4, 100, 256, 476])
def test_a_block_holds_as_many_bytes_as_it_says(size: int) -> None:
    payload = bytes(i % 251 + 1 for i in range(size))
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x1000, size, 0, 1, FAMILY)
    block = (head + payload).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)
    (found,) = read_uf2(block)
    assert (found.address, found.data, found.family) == (0x1000, payload, FAMILY)


def test_the_image_is_copied_and_the_board_restarts(built: Image, drive: Path, tmp_path: Path) -> None:
    ordinary = tmp_path / "stick"
    ordinary.mkdir()
    with bootloader(drive, len(uf2())) as taken:
        flasher_at(ordinary, drive).write(built, BOARD, "")
    assert taken == [uf2()]
    assert not drive.exists()


def test_a_named_drive_is_the_only_one_looked_at(built: Image, drive: Path, tmp_path: Path) -> None:
    twin = make_drive(tmp_path / "twin")
    with bootloader(drive, len(uf2())):
        flasher_at(drive, twin).write(built, BOARD, str(drive))
    assert left_in(twin) == [INFO_FILE]


def test_patterns_of_board_ids(built: Image, drive: Path) -> None:
    some = board(uf2_board="other nRF52840-SeeedXiao*")
    with bootloader(drive, len(uf2())) as taken:
        flasher_at(drive).write(built, some, "")
    assert len(taken) == 1


@pytest.mark.parametrize("named", [True, False])
def test_another_board_is_refused(built: Image, tmp_path: Path, named: bool) -> None:
    other = make_drive(tmp_path / "RPI-RP2", "RPI-RP2")
    with pytest.raises(DeviceError, match=f"no drive is of board `test_board` \\(`{XIAO}`\\)") as caught:
        flasher_at(other).write(built, BOARD, str(other) if named else "")
    assert "is `RPI-RP2`" in caught.value.what
    assert not isinstance(caught.value, FlashError)
    assert left_in(other) == [INFO_FILE]


def test_no_drive(built: Image, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"no drive with INFO_UF2\.TXT") as caught:
        flasher_at(tmp_path / "gone", tmp_path).write(built, BOARD, "")
    assert "press reset twice" in caught.value.hint


def test_two_drives_are_listed(built: Image, drive: Path, tmp_path: Path) -> None:
    twin = make_drive(tmp_path / "twin")
    with pytest.raises(DeviceError, match="2 drives could be board `test_board`") as caught:
        flasher_at(drive, twin).write(built, BOARD, "")
    assert caught.value.hint == f"`--probe {drive}`"
    assert left_in(drive) == left_in(twin) == [INFO_FILE]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (uf2(family=0xE48BFF56), "the UF2 file is of family 0xe48bff56, board `test_board` is 0xada52840"),
        (uf2(start=0), r"writes 0x0, outside of what board `test_board` gives an image: \[0x27000, 0x100000\)"),
        (uf2(start=0x10_0000 - 1024), "writes 0x100000, outside"),
        (uf2()[:-1], "made of blocks of 512 B; this one has"),
        (uf2()[:-512], "says it is block 0 of 10"),
        (b"", "this one has 0 B"),
        (b"\0" * 512, "block 0 of the UF2 file has no magic numbers"),
    ],
)
def test_a_wrong_file_never_reaches_the_drive(content: bytes, words: str, built: Image, drive: Path) -> None:
    assert built.uf2 is not None
    built.uf2.write_bytes(content)
    with pytest.raises(CheckError, match=words):
        flasher_at(drive).write(built, BOARD, "")
    assert left_in(drive) == [INFO_FILE]


def test_the_family_of_a_board_file_is_a_number(built: Image, drive: Path) -> None:
    with pytest.raises(UsageError, match="`uf2_family` of board `test_board` is `nRF`, not a number"):
        flasher_at(drive).write(built, board(uf2_family="nRF"), "")


def test_a_full_disk_is_seen_before_anything_is_written(
    built: Image, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2048, 1024, 1024))  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match=r"has 1,024 B free; the image needs 5,120 B \(4,096 B too few\)"):
        flasher_at(drive).write(built, BOARD, "")
    assert left_in(drive) == [INFO_FILE]


class _Failing:
    """A file of an unbuffered writer that breaks at some byte, after which `then` happens."""

    def __init__(self, file: Any, room: int, then: Callable[[], object]) -> None:
        self._file, self._room, self._then = file, room, then

    def __enter__(self) -> _Failing:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        number: int = self._file.fileno()
        return number

    def write(self, data: bytes) -> int:
        if not self._room:
            self._then()
            raise OSError(28, "No space left on device")
        taken: int = self._file.write(data[: self._room])
        self._room -= taken
        return taken


def fail_at(monkeypatch: pytest.MonkeyPatch, room: int, then: Callable[[], object]) -> None:
    """Let writing to a *.UF2 fail after `room` bytes."""
    old = Path.open

    def opened(self: Path, *args: Any, **kwargs: Any) -> Any:
        file = old(self, *args, **kwargs)
        return _Failing(file, room, then) if self.suffix == ".UF2" else file

    monkeypatch.setattr(Path, "open", opened)


def test_a_disk_that_fills_up_meanwhile(built: Image, drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, 2048, lambda: None)
    with pytest.raises(FlashError, match=r"failed after 2,048 of 5,120 B: No space left on device") as caught:
        flasher_at(drive).write(built, BOARD, "")
    assert "may be written in part" in caught.value.what
    assert left_in(drive) == [INFO_FILE]


def test_a_drive_that_vanishes_in_the_middle(built: Image, drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, 2048, lambda: shutil.rmtree(drive))
    with pytest.raises(FlashError, match=r"broke off: the drive vanished after 2,048 of 5,120 B") as caught:
        flasher_at(drive).write(built, BOARD, "")
    assert "may be written in part" in caught.value.what


def test_a_drive_that_vanishes_before_the_copy(built: Image, drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path) -> object:
        shutil.rmtree(drive)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(shutil, "disk_usage", gone)
    with pytest.raises(DeviceError, match="is gone: No such file") as caught:
        flasher_at(drive).write(built, BOARD, "")
    assert not isinstance(caught.value, FlashError)


def test_a_reboot_before_the_file_is_closed_is_success(
    built: Image, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(descriptor: int) -> None:
        shutil.rmtree(drive)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", sync)
    flasher_at(drive).write(built, BOARD, "")
    assert not drive.exists()


def test_a_bootloader_that_stays_is_an_error(built: Image, drive: Path) -> None:
    start = time.monotonic()
    with pytest.raises(FlashError, match=r"its bootloader is still there after 0.2 s") as caught:
        flasher_at(drive, reboot_s=0.2).write(built, BOARD, "")
    assert "press reset" in caught.value.hint
    assert time.monotonic() - start < 5


def test_an_info_file_that_is_hostile(tmp_path: Path) -> None:
    folder = make_drive(tmp_path / "drive")
    (folder / INFO_FILE).write_bytes(b"\xff\xfe" * 10_000_000)
    found = read_drive(folder)
    assert found is not None
    assert found.board_id == ""
    (folder / INFO_FILE).unlink()
    (folder / INFO_FILE).mkdir()
    assert read_drive(folder) is None


def test_describe_names_file_and_drive(built: Image) -> None:
    (line,) = flasher_at().describe(built, BOARD, "")
    assert line == f"copy {built.uf2} to the drive whose INFO_UF2.TXT says `Board-ID: {XIAO}`"
    (line,) = flasher_at().describe(built, BOARD, "/mnt/x")
    assert "the drive at /mnt/x whose" in line


def test_an_image_without_uf2(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"was not written as \.uf2"):
        flasher_at().write(dataclasses.replace(image(tmp_path), uf2=None), BOARD, "")


def test_the_reader_reads_what_the_writer_wrote() -> None:
    blocks = read_uf2(uf2())
    assert {block.family for block in blocks} == {FAMILY}
    memory = b"".join(block.data for block in blocks)
    assert memory[: len(CODE)] == CODE
    assert [block.address for block in blocks] == [BOARD.flash_start + 256 * i for i in range(len(blocks))]
    check_uf2(uf2(), BOARD)


def test_blocks_beside_main_flash_are_left_out() -> None:
    content = bytearray(uf2())
    struct.pack_into("<I", content, 8, 0x2001)
    assert len(read_uf2(bytes(content))) == len(content) // 512 - 1


def test_a_block_that_claims_more_than_it_holds() -> None:
    content = bytearray(uf2())
    struct.pack_into("<I", content, 16, 477)
    with pytest.raises(CheckError, match="block 0 of the UF2 file claims 477 B, of which 476 B fit"):
        read_uf2(bytes(content))


def test_mounted_folders_exist_or_have_vanished() -> None:
    assert all(isinstance(folder, Path) for folder in mounted_folders())


def test_the_copy_is_there_at_once(built: Image, drive: Path) -> None:
    """A bootloader flashes what it gets: the host must never send it anything but the one file."""
    with bootloader(drive, len(uf2())) as taken:
        flasher_at(drive).write(built, BOARD, "")
    assert wait_until(lambda: len(taken) == 1)
