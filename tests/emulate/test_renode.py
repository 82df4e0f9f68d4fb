"""Renode's driver: a whole firmware behind it, and every way in which Renode is known to fail.

A fake that speaks its monitor stands in for it; where `renode` is on PATH, it runs the same firmware.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kits import fake_renode
from kits.fake_renode import LATE_S
from kits.hand_plan import SIZE, hand_model, hand_plan, reference, selftest_crc, start_state
from kits.processes import is_running, make_program, wait_until
from tinyedge import paths
from tinyedge.artifacts import Image
from tinyedge.boards import load_board
from tinyedge.build import build_image, make_flags
from tinyedge.emulate import choose
from tinyedge.emulate.contract import Emulator
from tinyedge.emulate.renode import host
from tinyedge.emulate.renode.host import RenodeEmulator
from tinyedge.errors import DeviceError, ToolError
from tinyedge.generate import generate_project
from tinyedge.measure.session import IN_AN_EMULATOR, Session

BOARD = load_board("nrf52840dk")
REAL = shutil.which("renode")
Fake = Callable[..., RenodeEmulator]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    project = generate_project(
        hand_plan(), hand_model(), BOARD, selftest_crc=selftest_crc(), make_flags=make_flags(BOARD)
    )
    return build_image(project, tmp_path_factory.mktemp("firm ware"), "zig")  # a path with a blank in it


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens, no temporary folder stays, of ours or of Renode's."""
    (tmp_path / "temporary files").mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path / "temporary files"))
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path / "temporary files"))
    yield
    assert list((tmp_path / "temporary files").iterdir()) == []


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes an emulator whose Renode is the fake, which fails as asked for."""
    tests = Path(fake_renode.__file__).parent.parent
    tools = make_program(
        tmp_path / "bin",
        "renode",
        f'echo $$ > "{tmp_path}/pid"\n'
        f'PYTHONPATH="{tests}:$PYTHONPATH" exec "{sys.executable}" "{fake_renode.__file__}" "$@"',
    ).parent
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_RENODE_FOLDER", os.fspath(tmp_path))
    host._version.cache_clear()

    def make(failure: str = "", start_timeout_s: float = 30.0) -> RenodeEmulator:
        monkeypatch.setenv("FAKE_RENODE", failure)
        return RenodeEmulator(BOARD, start_timeout_s=start_timeout_s)

    return make


def pid(tmp_path: Path) -> int:
    return int((tmp_path / "pid").read_text())


@pytest.fixture(params=["fake", "real"])
def either(request: pytest.FixtureRequest) -> Emulator:
    """The driver in front of the fake, and in front of the real one."""
    if request.param == "fake":
        return request.getfixturevalue("fake")("")  # type: ignore[no-any-return]
    if REAL is None:
        pytest.skip("`renode` is not installed: get it from renode.io (1.16 or newer) and put it on PATH")
    host._version.cache_clear()
    return RenodeEmulator(BOARD)


def test_a_whole_firmware_runs(either: Emulator, image: Image, tmp_path: Path) -> None:
    samples = np.random.default_rng(5).integers(-128, 128, (4, SIZE)).astype(np.int8)
    console = either.start(image, BOARD)
    try:
        session = Session(console)
        hello = session.wait_for_banner()
        assert (hello.board, hello.selftest) == ("nrf52840dk", "ok")
        state = start_state()
        for sample in samples:
            _, state = reference(state, sample)
            assert session.infer([sample.tobytes()], 1, 0).outputs == (state.tobytes(),)
        assert console.counter_readings() == []
        assert console.statistics()["seconds"] > 0
        assert not any("off by" in note or "Unhandled" in note for note in console.notes())
    finally:
        console.close()
        console.close()
    with pytest.raises(DeviceError, match="is closed"):
        console.write(b"x")
    with pytest.raises(DeviceError, match="is closed"):
        next(console.lines(1.0))
    assert either.version()


def test_its_version_and_its_warnings_are_told(fake: Fake, image: Image, tmp_path: Path) -> None:
    emulator = fake("")
    assert emulator.version() == "1.16.1.12345"
    with emulator.start(image, BOARD) as console:
        next(console.lines(20.0))
        assert any("non existing peripheral at 0x40000558" in note for note in console.notes())
        running = pid(tmp_path)
        assert is_running(running)
    assert wait_until(lambda: not is_running(running))


def test_what_a_kill_leaves_can_be_told_from_what_is_in_use(fake: Fake, image: Image, tmp_path: Path) -> None:
    """Its folder carries its owner's name, so that the next start sweeps it once the owner is gone."""
    with fake("").start(image, BOARD):
        (folder,) = (tmp_path / "temporary files").iterdir()
        assert folder.name.startswith("tinyedge-renode-")
        assert f"-{os.getpid()}-" in folder.name
        paths.sweep(folder.parent)
        assert folder.is_dir()


def test_two_run_side_by_side(fake: Fake, image: Image) -> None:
    emulator = fake("")
    with emulator.start(image, BOARD) as one, emulator.start(image, BOARD) as two:
        sessions = [Session(one), Session(two)]
        assert [session.wait_for_banner().board for session in sessions] == ["nrf52840dk"] * 2
        sample = bytes(SIZE)
        results = [session.infer([sample], 1, 0).outputs for session in sessions]
        assert results[0] == results[1]


def test_a_line_that_opens_late_loses_nothing(fake: Fake, image: Image) -> None:
    started = time.monotonic()
    with fake("late").start(image, BOARD) as console:
        assert time.monotonic() - started > LATE_S
        lines = console.lines(20.0)
        assert next(line for line in lines if line).startswith(b"#0 hello ")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("hang", "`renode` did not make the serial line within 4 s\n.*Loaded monitor commands"),
        ("script-exits", "could not set up the machine\n +. There was an error executing command '.*\n +. Error E36"),
        ("script-hangs", "could not set up the machine\n +. There was an error executing command '.*\n +. Error E36"),
        ("crash", "`renode` was ended by SIGKILL"),
        ("fatal", r"`renode` ended with exit code 1\n +. Fatal error:\n +. Could not add reference to [\w .]+$"),
    ],
)
def test_a_failed_start_is_an_error_whatever_the_exit_status(
    fake: Fake, image: Image, tmp_path: Path, failure: str, message: str
) -> None:
    with pytest.raises(DeviceError, match=message) as caught:
        fake(failure, 4.0 if failure == "hang" else 30.0).start(image, BOARD)
    assert caught.value.hint
    assert wait_until(lambda: not is_running(pid(tmp_path)))


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("abort", r"the emulated core stopped\n +. .*CPU abort \[PC=0x1234\]"),
        ("die", "`renode` ended with exit code 0"),
    ],
)
def test_an_end_in_the_middle_is_told(fake: Fake, image: Image, tmp_path: Path, failure: str, message: str) -> None:
    with fake(failure).start(image, BOARD) as console:
        session = Session(console, timeout_s=5.0)
        session.wait_for_banner()
        with pytest.raises(DeviceError, match=message):
            [session.infer([bytes(SIZE)], 1, 0) for _ in range(20)]
    assert wait_until(lambda: not is_running(pid(tmp_path)))


def test_a_silent_firmware_is_told_with_what_renode_said(fake: Fake, image: Image) -> None:
    with fake("silent").start(image, BOARD) as console:
        session = Session(console, timeout_s=0.2, retries=1, advice=IN_AN_EMULATOR, beside=console.last_words)
        with pytest.raises(DeviceError, match="did not answer `hello`") as caught:
            session.wait_for_banner(1.0)
    assert "| 21:04:05.4310 [WARNING] sysbus: WriteDoubleWord" in caught.value.what
    assert "reset" not in caught.value.hint


def test_a_missing_renode_says_how_to_get_it(image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    for call in (lambda: choose(BOARD, "renode"), lambda: RenodeEmulator(BOARD).start(image, BOARD)):
        with pytest.raises(ToolError, match="`renode` is not installed") as caught:
            call()
        assert "renode.io" in caught.value.hint


def test_a_board_without_a_platform_is_refused(fake: Fake, image: Image) -> None:
    with pytest.raises(DeviceError, match="no platform for board `nrf52840dk`"):
        fake("").start(image, dataclasses.replace(BOARD, family="none"))
