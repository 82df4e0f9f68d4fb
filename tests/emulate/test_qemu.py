"""QEMU: command lines, the clock that makes ticks instructions, whole firmware, and how it ends."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kits.hand_plan import SIZE, hand_model, hand_plan, reference, selftest_crc, start_state
from kits.processes import is_running, make_program, wait_until
from kits.tiny_firmware import make_board
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import Board, list_boards, load_board
from tinyedge.build import build_image, make_flags
from tinyedge.emulate import choose
from tinyedge.emulate import qemu as module
from tinyedge.emulate.qemu import QemuEmulator, icount_shift, ticks_per_instruction
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.errors import DeviceError, ToolError, UsageError
from tinyedge.generate import generate_project
from tinyedge.measure.session import Session

BOARDS = tuple(board for board in list_boards() if not QemuEmulator(board).supports(board))
AN386 = load_board("mps2_an386")
NO_IMAGE = Image(Path("/folder/firmware.elf"), None, None, None, SizeTable(0, 0, 0, 0, (), ()), "", "", "")
needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="QEMU is not installed: `apt-get install qemu-system-arm`"
)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Image]:
    """Builds the hand-made firmware, with a statement at the start of main if one is given."""

    def build(board: Board = AN386, statement: str = "") -> Image:
        project = generate_project(
            hand_plan(), hand_model(), board, selftest_crc=selftest_crc(), make_flags=make_flags(board)
        )
        if statement:
            (name,) = (name for name in project.files if name.endswith("main.c"))
            old = b"int main(void) {\n  te_bsp_init();"
            assert project.files[name].count(old) == 1
            new = f"int main(void) {{\n  te_bsp_init();\n  {statement}".encode()
            project = dataclasses.replace(project, files={**project.files, name: project.files[name].replace(old, new)})
        return build_image(project, tmp_path_factory.mktemp("firmware"), "zig")

    return build


@pytest.mark.parametrize(
    ("board", "start"),
    [
        ("mps2_an386", ["qemu-system-arm", "-M", "mps2-an386", "-nodefaults"]),
        ("mps2_an500", ["qemu-system-arm", "-M", "mps2-an500", "-nodefaults"]),
        ("mps2_an505", ["qemu-system-arm", "-M", "mps2-an505", "-nodefaults"]),
        ("mps3_an547", ["qemu-system-arm", "-M", "mps3-an547", "-nodefaults"]),
    ],
)
def test_command_lines(board: str, start: list[str]) -> None:
    loaded = load_board(board)
    command = QemuEmulator(loaded).command(NO_IMAGE, loaded)
    assert command[:4] == start
    assert command[command.index("-icount") + 1] == f"shift={icount_shift(loaded)},sleep=off"
    assert command[-2:] == ["-kernel", "/folder/firmware.elf"]
    for word in command:
        assert "tcp" not in word
        assert "telnet" not in word


def test_risc_v_has_a_program_of_its_own() -> None:
    board = dataclasses.replace(make_board("rv32imac"), emulator_options={"qemu": "sifive_e,revb=true"})
    emulator = QemuEmulator(board)
    assert emulator.command(NO_IMAGE, board)[:5] == ["qemu-system-riscv32", "-M", "sifive_e,revb=true", "-bios", "none"]
    assert (icount_shift(board), ticks_per_instruction(board)) == (0, 1)  # mcycle is the time in ns, one each


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_board_counts_exactly(board: Board) -> None:
    ratio = ticks_per_instruction(board)
    assert ratio == 1 or ratio >= 2
    assert QemuEmulator(board).counting.ticks_per_instruction == ratio


@given(
    st.integers(1_000_000, 400_000_000),
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.fractions(0, 1, max_denominator=1000),
)
def test_rounding_is_exact_from_two_ticks_an_instruction_on(
    clock_hz: int, before: int, count: int, phase: Fraction
) -> None:
    """Two readings of a counter that was floored at any phase give back the instructions between them."""
    board = dataclasses.replace(AN386, clock_hz=clock_hz)
    ratio = ticks_per_instruction(board)
    ticks = floor((before + count) * ratio + phase) - floor(before * ratio + phase)
    if ratio >= 2:
        assert round(ticks / ratio) == count
    else:
        assert icount_shift(board) == 10, "no longer instruction was possible"
        assert abs(round(ticks / ratio) - count) <= 1


@given(st.integers(2_000_000, 400_000_000))
def test_an_instruction_lasts_no_longer_than_it_must(clock_hz: int) -> None:
    """Ticks wrap at 2^32: the fewer an instruction takes, the longer an inference may be."""
    assert 2 <= ticks_per_instruction(dataclasses.replace(AN386, clock_hz=clock_hz)) < 4 or clock_hz > 2_000_000_000


@needs_qemu
@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547"])
def test_a_whole_firmware_counts_as_unicorn_does(name: str, build: Callable[..., Image]) -> None:
    """Every byte is right; each inference, and each layer of a profile, takes as many instructions as there."""
    board = load_board(name)
    image = build(board)
    rows = np.random.default_rng(5).integers(-128, 128, (4, SIZE)).astype(np.int8)
    state, wanted = start_state(), []
    for row in rows:
        _, state = reference(state, row)
        wanted.append((state.tobytes(),))
    with_unicorn = not UnicornEmulator(board).supports(board)
    counts: dict[str, list[int]] = {}
    for emulator in [QemuEmulator(board), *([UnicornEmulator(board)] if with_unicorn else [])]:
        console = emulator.start(image, board)
        try:
            session = Session(console)
            assert session.wait_for_banner().selftest == "ok"
            taken = counts.setdefault(emulator.name, [])
            for row, right in zip(rows, wanted, strict=True):
                console.counter_readings()
                inference = session.infer([row.tobytes()], 1, 0)
                assert inference.outputs == right
                readings = console.counter_readings()
                taken.append(
                    readings[1].instructions - readings[0].instructions
                    if readings
                    else round(inference.ticks / emulator.counting.ticks_per_instruction)
                )
            console.counter_readings()
            layers = session.profile_of([rows[0].tobytes()], 2, 0)
            readings = console.counter_readings()
            for step, layer in enumerate(layers):
                taken.append(
                    readings[2 * step + 1].instructions - readings[2 * step].instructions
                    if readings
                    else round(layer.ticks / emulator.counting.ticks_per_instruction)
                )
        finally:
            console.close()
    assert min(counts["qemu"]) > 0
    if with_unicorn:
        assert counts["qemu"] == counts["unicorn"]


@needs_qemu
@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("te_bsp_halt(3);", "the emulated firmware halted with code 3"),
        ("te_bsp_halt(0);", "the emulated firmware halted with code 0"),
        (
            # A stack pointer outside of memory: the fault cannot be stacked, nor can the one this makes.
            '__asm volatile("mov sp, %0\\n\\tcpsid f\\n\\tudf #0" ::"r"(0xf0000000u));',
            "the emulated core stopped: Lockup.*, pc=0x[0-9a-f]{8}",
        ),
    ],
    ids=["halt", "end", "lockup"],
)
def test_how_it_ends(build: Callable[..., Image], statement: str, message: str) -> None:
    console = QemuEmulator(AN386).start(build(AN386, statement), AN386)
    try:
        with pytest.raises(DeviceError, match=message):
            list(console.lines(20.0))
    finally:
        console.close()


@needs_qemu
@pytest.mark.toolchain
@pytest.mark.parametrize(
    "statement", ["*(volatile unsigned *)0x60000001u = 1;", '__asm volatile("udf #0");'], ids=["bus", "instruction"]
)
def test_a_fault_is_told_by_the_firmware(build: Callable[..., Image], statement: str) -> None:
    console = QemuEmulator(AN386).start(build(AN386, statement), AN386)
    try:
        with pytest.raises(DeviceError, match="the firmware stopped with a fault: pc="):
            Session(console).wait_for_banner(20.0)
    finally:
        console.close()


@needs_qemu
@pytest.mark.toolchain
def test_firmware_that_hangs_is_given_up_and_leaves_nothing(build: Callable[..., Image]) -> None:
    console = QemuEmulator(AN386).start(build(AN386, "for (;;) {}"), AN386)
    running = console.child.pid
    with pytest.raises(DeviceError, match="did not answer"):
        Session(console, timeout_s=0.3, retries=2).wait_for_banner(1.0)
    console.close()
    console.close()
    assert wait_until(lambda: not is_running(running))
    with pytest.raises(DeviceError, match="is closed"):
        console.write(b"x")


@needs_qemu
@pytest.mark.toolchain
def test_a_killed_qemu_is_told(build: Callable[..., Image]) -> None:
    console = QemuEmulator(AN386).start(build(), AN386)
    try:
        session = Session(console)
        session.infer([bytes(SIZE)], 1, 0)
        os.kill(console.child.pid, signal.SIGKILL)
        with pytest.raises(DeviceError) as caught:
            session.infer([bytes(SIZE)], 1, 0)
        assert str(caught.value) == "`qemu-system-arm` was ended by SIGKILL"
    finally:
        console.close()


@needs_qemu
@pytest.mark.toolchain
def test_two_run_side_by_side(build: Callable[..., Image]) -> None:
    image = build()
    consoles = [QemuEmulator(AN386).start(image, AN386) for _ in range(2)]
    try:
        sessions = [Session(console) for console in consoles]
        one, two = (session.infer([bytes(SIZE)], 1, 0) for session in sessions)
        ratio = ticks_per_instruction(AN386)
        assert (one.outputs, round(one.ticks / ratio)) == (two.outputs, round(two.ticks / ratio))
        assert consoles[0].statistics()["ticks_per_instruction"] == 3.2
    finally:
        for console in consoles:
            console.close()


@needs_qemu
@pytest.mark.toolchain
@pytest.mark.parametrize("board", [AN386, load_board("mps3_an547")], ids=lambda board: board.name)
def test_every_request_is_answered_at_once(board: Board, build: Callable[..., Image]) -> None:
    """A port that is polled, and a host that waits for each reply: no byte may be left lying until something else wakes
    QEMU. Nothing is sent twice here, so a single one would fail the test."""
    console = QemuEmulator(board).start(build(board), board)
    try:
        session = Session(console, timeout_s=10.0, retries=0)
        session.wait_for_banner()
        for count in range(1, SIZE + 1):
            session.write_input(0, bytes(count))
            assert session.memory().stack_peak_bytes > 0
    finally:
        console.close()


@needs_qemu
@pytest.mark.toolchain
def test_what_qemu_refuses_is_quoted(tmp_path: Path) -> None:
    image = dataclasses.replace(NO_IMAGE, elf=tmp_path / "no.elf")
    console = QemuEmulator(AN386).start(image, AN386)
    with pytest.raises(DeviceError, match=r"`qemu-system-arm` ended with exit code 1\n(.*\n)* +. .*no\.elf"):
        list(console.lines(20.0))
    console.close()


def fake_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder = make_program(tmp_path / "bin", "qemu-system-arm", script).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_an_old_qemu_without_the_machine_is_a_tool_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        'case "$1" in --version) echo "QEMU emulator version 4.2.1 (Debian)";; *) echo "Supported machines are:"; '
        + ('echo "mps2-an386           Cortex-M4";; esac')
    )
    fake_qemu(tmp_path, monkeypatch, said)
    board = load_board("mps3_an547")
    assert QemuEmulator(board).version() == "4.2.1"
    with pytest.raises(ToolError, match=r"4\.2\.1 has no machine `mps3-an547`, which is board `mps3_an547`"):
        QemuEmulator(board).start(NO_IMAGE, board)


def test_a_missing_qemu_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    for board, package in ((AN386, "qemu-system-arm"), (make_board("rv32imc"), "qemu-system-misc")):
        with pytest.raises(ToolError, match="is not installed") as caught:
            QemuEmulator(board).version()
        assert f"apt-get install {package}" in caught.value.hint
    with pytest.raises(ToolError, match="`qemu-system-arm` is not installed"):
        choose(load_board("mps3_an547"))


def test_a_board_without_a_machine_is_refused() -> None:
    board = load_board("nrf52840dk")
    assert QemuEmulator(board).supports(board) == "`qemu` has no machine for board `nrf52840dk`"
    with pytest.raises(UsageError, match="no machine"):
        choose(board, "qemu")
    with pytest.raises((DeviceError, ToolError)):
        QemuEmulator(board).start(NO_IMAGE, board)


def test_coarse_ticks_are_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A counter too slow for the longest instruction there is counts no single ones, and says so."""
    fake_qemu(
        tmp_path,
        monkeypatch,
        'case "$1" in --version) echo "version 7.2";; *) echo "Supported"; echo "mps2-an386 x";; esac',
    )
    board = dataclasses.replace(AN386, clock_hz=1_000_000)
    assert icount_shift(board) == 10
    console = QemuEmulator(board).start(NO_IMAGE, board)
    assert console.notes() == ("instructions are rounded: the counter advances by 1.024 ticks at each",)
    console.close()
    module._machines.cache_clear()
