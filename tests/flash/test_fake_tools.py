"""The whole path of every tool, with programs on PATH that stand in for the real ones."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kits.flash_boards import TOOLS, board, image
from kits.processes import is_running, make_program, wait_until
from tinyedge.errors import ToolError
from tinyedge.flash import flasher
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import FlashError

PROGRAM_TOOLS = [tool for tool in TOOLS if tool != "uf2"]
SUCCESS = {
    "pyocd": ["", "All 20,088 bytes match."],
    "openocd": ["** Programming Started **\n** Programming Finished **\n** Verified OK **\n** Resetting Target **"],
    "probe-rs": ["      Finished in 1.2s", ""],
    "jlink": ["O.K.\nVerify successful."],
    "esptool": ["Wrote 20480 bytes\nHash of data verified.\nHard resetting via RTS pin..."],
    "nrfutil": ["Zip created at firmware.zip", "####\nDevice programmed."],
    "bossac": ["Write 20088 bytes to flash\nVerify successful"],
    "st-flash": ["common.c: Flash written and verified! jolly good!"],
    "gdb": ["tinyedge: attached\nSection .text, range 0x0 -- 0x100: matched.\ntinyedge: written"],
}
"""what each command prints when all is well"""
NOT_REACHED = {
    "pyocd": "No connected debug probes",
    "openocd": "Error: No J-Link device found\n** OpenOCD init failed **",
    "probe-rs": "Error: No connected probes were found.",
    "jlink": "Connecting to J-Link via USB...FAILED: Cannot connect to J-Link.",
    "esptool": "A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't exist.",
    "bossac": "No device found on ttyACM0",
    "st-flash": "WARN usb.c: Couldn't find any ST-Link devices",
    "gdb": "flash.gdb:3: Error in sourced command file:\nlocalhost:1: Connection timed out.",
}
"""what they print when there is no board"""


class Fakes:
    """Programs on PATH that log their arguments and do as told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def install(self, tool: str, outputs: list[str], *, code: int = 0, stderr: bool = False, then: str = "") -> None:
        """The program of `tool`: its call number i prints outputs[i]; the last call ends with `code`."""
        program = flasher(tool).commands(image(), board(), "P")[0][0]
        to = " >&2" if stderr else ""
        cases = "\n".join(f"{i}) printf '%s\\n' {shlex.quote(text)}{to};;" for i, text in enumerate(outputs))
        make_program(
            self.bin,
            program,
            f"""log={shlex.quote(str(self.folder / "log"))}
n=$(wc -l < "$log" 2>/dev/null || echo 0)
printf '%s' "$(basename "$0")" >> "$log"
for word in "$@"; do printf ' %s' "$word" >> "$log"; done
echo >> "$log"
case $((n)) in
{cases}
esac
{then}
[ $((n)) -ge {len(outputs) - 1} ] && exit {code}
exit 0""",
        )

    def calls(self) -> list[str]:
        """The command lines so far."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    return Fakes(tmp_path, monkeypatch)


def fail(tool: str, folder: Path, timeout_s: float = 20.0) -> FlashError:
    with pytest.raises(FlashError) as caught:
        flasher(tool).write(image(folder), board(), "P", timeout_s)
    return caught.value


@pytest.mark.parametrize("tool", PROGRAM_TOOLS)
def test_success(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, SUCCESS[tool])
    one = flasher(tool)
    one.write(image(tmp_path), board(), "P")
    assert fakes.calls() == [" ".join(command) for command in one.commands(image(tmp_path), board(), "P")]
    for path, text in one.files(image(tmp_path), board(), "P").items():
        assert path.read_text() == text


@pytest.mark.parametrize("tool", PROGRAM_TOOLS)
def test_failure_quotes_the_tool_and_says_what_was_touched(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    outputs = [*SUCCESS[tool][:-1], "** Programming Started **\ntinyedge: attached\nflash sector 3 is protected"]
    fakes.install(tool, outputs, code=7, stderr=True)
    error = fail(tool, tmp_path)
    assert error.exit_code == 4
    assert f"`{tool}` ended with exit code 7\n" in error.what
    assert "       | flash sector 3 is protected" in error.what
    assert error.what.splitlines()[-1].strip().startswith("the flash of board `test_board` may be written in part")
    assert error.hint


@pytest.mark.parametrize("tool", sorted(NOT_REACHED))
def test_a_board_that_is_not_there_was_not_touched(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, [NOT_REACHED[tool]] * len(SUCCESS[tool]), code=1, then="exit 1")
    assert (
        fail(tool, tmp_path).what.splitlines()[-1].strip() == f"nothing was touched: `{tool}` did not reach the board"
    )
    assert len(fakes.calls()) == 1


@pytest.mark.parametrize("tool", ["pyocd", "probe-rs"])
def test_a_board_that_is_gone_after_the_writing_was_touched(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, [SUCCESS[tool][0], NOT_REACHED[tool]], code=1)
    error = fail(tool, tmp_path)
    assert len(fakes.calls()) == 2
    assert "nothing was touched" not in error.what
    assert "may be written in part" in error.what


@pytest.mark.parametrize("tool", [tool for tool in PROGRAM_TOOLS if any(flasher(tool).proofs)])  # type: ignore[attr-defined]
def test_exit_code_0_alone_is_not_believed(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, ["shutdown command invoked"] * len(SUCCESS[tool]))
    error = fail(tool, tmp_path)
    assert f"`{tool}` ended with exit code 0, but did not say `" in error.what
    assert "| shutdown command invoked" in error.what


@pytest.mark.parametrize(("tool", "words"), [("gdb", "Section .text: MIS-MATCHED!"), ("jlink", "Verify failed @ 0x1C")])
def test_words_of_failure_beside_the_proof(tool: str, words: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, [f"{words}\n{SUCCESS[tool][0]}"])
    assert "ended with exit code 0, but says `" in fail(tool, tmp_path).what


@pytest.mark.parametrize("tool", PROGRAM_TOOLS)
def test_a_hanging_tool_is_killed(tool: str, fakes: Fakes, tmp_path: Path) -> None:
    fakes.install(tool, ["erasing"] * len(SUCCESS[tool]), then=f"echo $$ > {tmp_path}/pid; exec sleep 60")
    error = fail(tool, tmp_path, 0.5)
    assert "did not end within 0.5 s and was killed\n       | erasing" in error.what
    assert ("nothing was touched" if tool == "nrfutil" else "may be written in part") in error.what
    assert wait_until(lambda: not is_running(int((tmp_path / "pid").read_text())))


@pytest.mark.parametrize("tool", [tool for tool in PROGRAM_TOOLS if tool not in ("pyocd", "esptool")])
def test_a_missing_tool(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="is not installed, or not on PATH") as caught:
        flasher(tool).write(image(tmp_path), board(), "P")
    assert caught.value.exit_code == 3
    assert caught.value.hint == flasher(tool).available().install
    assert list(tmp_path.iterdir()) == []


def test_what_only_prepares_touches_nothing(fakes: Fakes, tmp_path: Path) -> None:
    fakes.install("nrfutil", ["no such file"], code=2)
    error = fail("nrfutil", tmp_path)
    assert len(fakes.calls()) == 1
    assert error.what.splitlines()[-1].strip() == "nothing was touched"


def test_a_refused_permission_gets_its_own_hint(fakes: Fakes, tmp_path: Path) -> None:
    fakes.install("openocd", ["Error: libusb_open() failed with LIBUSB_ERROR_ACCESS: Permission denied"], code=1)
    assert "udev" in fail("openocd", tmp_path).hint


def test_a_later_name_of_the_program_is_found(fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install("gdb", SUCCESS["gdb"])
    (fakes.bin / "gdb-multiarch").rename(fakes.bin / "arm-none-eabi-gdb")
    monkeypatch.setenv(
        "PATH", f"{fakes.bin}{os.pathsep}/bin" if not Path("/bin/gdb-multiarch").exists() else str(fakes.bin)
    )
    (fakes.bin / "wc").symlink_to("/usr/bin/wc")
    (fakes.bin / "basename").symlink_to("/usr/bin/basename")
    flasher("gdb").write(image(tmp_path), board(), "P")
    assert fakes.calls()[0].startswith("arm-none-eabi-gdb --nx")


def test_ctrl_c_says_what_was_touched(tmp_path: Path) -> None:
    """A tool is ended with tinyedge, and the user learns that the board may be half-written."""
    make_program(tmp_path, "st-flash", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    code = f"""
        import sys
        from pathlib import Path
        from kits.flash_boards import board, image
        from tinyedge.errors import Interrupted
        from tinyedge.flash import flasher
        try:
            flasher("st-flash").write(image(Path({str(tmp_path)!r})), board(), "")
        except Interrupted as error:
            print(error.what)
            sys.exit(error.exit_code)
        """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "", 30)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 130
    assert re.search(
        r"interrupted while `st-flash` ran\n\s+the flash of board `test_board` may be written in part", output
    )
    assert wait_until(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_every_program_is_a_command_flasher() -> None:
    for tool in PROGRAM_TOOLS:
        one = flasher(tool)
        assert isinstance(one, CommandFlasher)
        assert one.install
        assert len(one.proofs) <= len(one.commands(image(), board(), "P"))
