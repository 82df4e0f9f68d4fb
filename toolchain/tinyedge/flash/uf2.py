"""UF2 bootloaders: a drive appears, the image is copied to it, the board restarts. No tool is needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import string
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.errors import CheckError, DeviceError, Interrupted, UsageError
from tinyedge.flash.contract import TIMEOUT_S, Availability, FlashError, file_of, half_written, option
from tinyedge.uf2 import PAGE_BYTES, read_uf2

INFO_FILE = "INFO_UF2.TXT"
_IMAGE_FILE = "TINYEDGE.UF2"
_MOST_INFO_BYTES = 4096
_POLL_S = 0.05
_ENTER_HINT = "start its bootloader: press reset twice, or hold BOOTSEL while you plug it in; then again"


@dataclass(frozen=True)
class Drive:
    """A drive of a UF2 bootloader, and what its INFO_UF2.TXT says."""

    folder: Path
    board_id: str
    model: str


def read_drive(folder: Path) -> Drive | None:
    """The drive at `folder`; None when it is none, or is gone."""
    try:
        with (folder / INFO_FILE).open("rb") as file:
            text = file.read(_MOST_INFO_BYTES).decode("ascii", "replace")
    except OSError:
        return None
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    return Drive(folder, fields.get("Board-ID", ""), fields.get("Model", ""))


def mounted_folders() -> Iterator[Path]:
    """Where drives can be on this system."""
    if sys.platform == "win32":
        yield from (Path(f"{letter}:\\") for letter in string.ascii_uppercase)
    elif sys.platform == "darwin":
        yield from sorted(Path("/Volumes").glob("*"))
    else:
        with contextlib.suppress(OSError):
            for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
                _, folder, kind, *_ = line.split(" ")
                if kind in ("vfat", "msdos", "fuseblk"):
                    yield Path(folder.encode().decode("unicode_escape"))  # blanks are \040 there


class Uf2Flasher:
    """Copies the image to the drive of the bootloader, and waits for the reboot that says it took all of it.

    `uf2_family` in [flash_options] is the family id, `uf2_board` the Board-ID of INFO_UF2.TXT (patterns separated by
    blanks); probe: the folder of the drive, for systems that mount it elsewhere.

    folders   where to look for drives
    reboot_s  how long the bootloader may take to start the image once it has it
    """

    name = "uf2"
    reaches = "boards that appear as a drive"
    option_is = "`uf2_board`: its Board-ID, patterns; `uf2_family`: its family id"
    probe_is = "folder of the drive"
    install = "it is part of tinyedge"
    needs_probe = False
    verifies = False

    def __init__(self, folders: Callable[[], Iterable[Path]] = mounted_folders, *, reboot_s: float = 15.0) -> None:
        self._folders = folders
        self._reboot_s = reboot_s

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """None: copying takes no program. Raises: UsageError when the board's file lacks what is checked."""
        del probe
        option(board, "uf2_board")
        option(board, "uf2_family")
        file_of(image, "uf2")
        return []

    def files(self, image: Image, board: Board, probe: str) -> dict[Path, str]:
        """None."""
        del image, board, probe
        return {}

    def describe(self, image: Image, board: Board, probe: str) -> list[str]:
        """One line."""
        self.commands(image, board, probe)
        where = f"at {probe} " if probe else ""
        target = f"the drive {where}whose {INFO_FILE} says `Board-ID: {option(board, 'uf2_board')}`"
        return [f"copy {file_of(image, 'uf2')} to {target}"]

    def find_probe(self, board: Board, console_port: str) -> str:
        """Drives are looked for when the image is written."""
        del board, console_port
        return ""

    def available(self) -> Availability:
        """Always: it is part of tinyedge."""
        return Availability("built in", self.install)

    def write(self, image: Image, board: Board, probe: str, timeout_s: float = TIMEOUT_S) -> None:
        """See `Flasher`. A bootloader verifies nothing, but restarts only when it got every block."""
        self.commands(image, board, probe)
        content = file_of(image, "uf2").read_bytes()
        check_uf2(content, board)
        drive = self._find_drive(board, probe)
        _check_space(drive, len(content))
        try:
            self._copy(content, drive, board)
            self._await_reboot(drive, board, min(self._reboot_s, timeout_s))
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted while the image was copied\n       {half_written(board)}") from None

    def _find_drive(self, board: Board, probe: str) -> Drive:
        """The one drive of this board. Raises: DeviceError when there is none, or several."""
        wanted = option(board, "uf2_board").split()
        folders = [Path(probe)] if probe else list(self._folders())
        drives = [drive for folder in folders if (drive := read_drive(folder)) is not None]
        fitting = [drive for drive in drives if any(fnmatchcase(drive.board_id, pattern) for pattern in wanted)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            listed = ", ".join(f"`{drive.folder}`" for drive in fitting)
            raise DeviceError(
                f"{len(fitting)} drives could be board `{board.name}`: {listed}", hint=f"`--probe {fitting[0].folder}`"
            )
        if drives:
            others = ", ".join(f"{drive.folder} is `{drive.board_id}` ({drive.model})" for drive in drives)
            raise DeviceError(
                f"no drive is of board `{board.name}` (`{' '.join(wanted)}`): {others}",
                hint="is this the right board? `tinyedge boards` lists them",
            )
        where = f" at {probe}" if probe else ""
        raise DeviceError(f"there is no drive with {INFO_FILE}{where} for board `{board.name}`", hint=_ENTER_HINT)

    def _copy(self, content: bytes, drive: Drive, board: Board) -> None:
        """All bytes at once: the bootloader flashes each block as it comes, and leaves with the last one.

        It may be gone before the system has closed the file, which is an error to the system and success to us.
        """
        path = drive.folder / _IMAGE_FILE
        written = 0
        try:
            with path.open("wb", buffering=0) as file:
                while written < len(content):
                    written += file.write(content[written:]) or 0
                os.fsync(file.fileno())
        except OSError as error:
            there = read_drive(drive.folder) is not None
            if written == len(content) and not there:
                return
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            what = "failed" if there else "broke off: the drive vanished"
            raise FlashError(
                f"copying to {drive.folder} {what} after {written:,} of {len(content):,} B: {error.strerror or error}",
                half_written(board),
                hint=_ENTER_HINT,
            ) from error

    def _await_reboot(self, drive: Drive, board: Board, timeout_s: float) -> None:
        """Wait until the drive is gone. Raises: FlashError when it stays."""
        deadline = time.monotonic() + timeout_s
        while read_drive(drive.folder) is not None:
            if time.monotonic() > deadline:
                raise FlashError(
                    f"board `{board.name}` got the image, but its bootloader is still there after {timeout_s:g} s",
                    half_written(board),
                    hint="press reset once; if the drive comes back, the bootloader refused the image",
                )
            time.sleep(_POLL_S)


def _check_space(drive: Drive, needed: int) -> None:
    """Raises: DeviceError when the drive is too full, or gone."""
    try:
        free = shutil.disk_usage(drive.folder).free
    except OSError as error:
        raise DeviceError(f"the drive {drive.folder} is gone: {error.strerror or error}", hint=_ENTER_HINT) from error
    if free < needed:
        raise DeviceError(
            f"the drive {drive.folder} has {free:,} B free; the image needs {needed:,} B ({needed - free:,} B too few)",
            hint="reset the board into its bootloader again: its drive starts empty",
        )


def check_uf2(content: bytes, board: Board) -> None:
    """Raises: CheckError when blocks are broken, of another family, or outside the board's flash."""
    text = option(board, "uf2_family")
    try:
        family = int(text, 0)
    except ValueError as error:
        raise UsageError(f"`uf2_family` of board `{board.name}` is `{text}`, not a number") from error
    for block in read_uf2(content):
        if block.family != family:
            found = "no family" if block.family is None else f"family {block.family:#010x}"
            raise CheckError(
                f"the UF2 file is of {found}, board `{board.name}` is {family:#010x}", hint="build it for this board"
            )
        # Pages are padded, so the first may begin and the last may end a little outside.
        if not board.flash_start // PAGE_BYTES * PAGE_BYTES <= block.address <= board.flash.end - len(block.data):
            raise CheckError(
                f"the UF2 file writes {block.address:#x}, outside of what board `{board.name}` gives an image: "
                f"[{board.flash_start:#x}, {board.flash.end:#x})",
                hint="build it for this board",
            )


FLASHER = Uf2Flasher
