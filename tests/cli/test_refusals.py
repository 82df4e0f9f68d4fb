"""Bad input: each kind gets its exit code, a fact and one line of help, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kits import models
from kits.cli import assert_refused, program, tinyedge


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.tflite"
    path.write_bytes(models.small_convolution())
    return path


def refuse(folder: Path, content: bytes, code: int, *words: str) -> None:
    (folder / "bad.tflite").write_bytes(content)
    outcome = tinyedge("build", "bad.tflite", "--board", "nrf52840", cwd=folder)
    assert_refused(outcome, code, *words)
    assert outcome.stdout == ""
    assert not (folder / "build" / "bad" / "nrf52840dk-zig" / "build" / "firmware.elf").exists()


def test_missing_file(tmp_path: Path) -> None:
    assert_refused(tinyedge("build", "none.tflite", "-b", "nrf52840", cwd=tmp_path), 2, "`none.tflite`")


def test_unknown_recipe_offers_the_nearest(tmp_path: Path) -> None:
    assert_refused(tinyedge("build", "digit", "-b", "nrf52840", cwd=tmp_path), 2, "`digit`", "digits")


def test_unknown_board_offers_the_nearest(good: Path) -> None:
    assert_refused(tinyedge("build", good, "-b", "nrf52480", cwd=good.parent), 2, "`nrf52480`", "nrf52840")


def test_unknown_command_and_option(tmp_path: Path) -> None:
    assert_refused(tinyedge("biuld", cwd=tmp_path), 2, "biuld", "--help")
    assert_refused(tinyedge("build", "--bord", "x", cwd=tmp_path), 2, "--bord")


def test_no_model_and_no_board(tmp_path: Path, good: Path) -> None:
    assert_refused(tinyedge("build", "-b", "nrf52840", cwd=tmp_path), 2, "no model", "tinyedge.toml")
    assert_refused(tinyedge("build", good, cwd=tmp_path), 2, "no board", "--board nrf52840")


@pytest.mark.parametrize("kept", [0, 3, 100, 1500])
def test_truncated_file(tmp_path: Path, kept: int) -> None:
    refuse(tmp_path, models.small_convolution()[:kept], 1, "bad")


def test_random_file(tmp_path: Path) -> None:
    refuse(tmp_path, bytes(range(7, 256)) * 20, 1, "bad", ".tflite")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (models.hybrid_model, ["hybrid", "`fully_connected`", "representative"]),
        (models.unknown_operator, ["`hashtable_lookup`", "operator 0", "[1, 4]", "supported"]),
        (models.too_big_for_flash, ["1,504,", "`nrf52840dk`", "flash", "too few"]),
        (models.too_big_for_ram, ["`nrf52840dk`", "262,144", "RAM", "too few", "map32"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_models_that_cannot_run(tmp_path: Path, make: Callable[[], bytes], words: list[str]) -> None:
    refuse(tmp_path, make(), 1, *words)


def test_a_float_model_asks_for_data(tmp_path: Path) -> None:
    refuse(tmp_path, models.float_model(), 2, "float .tflite", "samples of its inputs", "--data")


def test_no_compiler(good: Path) -> None:
    empty = good.parent / "bin"
    empty.mkdir()
    environment = {"PATH": str(empty), "TINYEDGE_CACHE": str(good.parent / "cache")}
    outcome = tinyedge("build", good, "-b", "nrf52840", "--compiler", "gcc", cwd=good.parent, env=environment)
    assert_refused(outcome, 3, "arm-none-eabi-gcc", "gcc-arm-none-eabi")


def test_build_folder_that_is_a_file(good: Path) -> None:
    (good.parent / "taken").write_text("")
    outcome = tinyedge("build", good, "-b", "nrf52840", "-d", "taken", cwd=good.parent)
    assert_refused(outcome, 2, "taken")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run the tests as another user")
def test_read_only_output_folder(good: Path) -> None:
    folder = good.parent / "locked"
    folder.mkdir(mode=0o555)
    assert_refused(tinyedge("build", good, "-b", "nrf52840", "-d", folder, cwd=good.parent), 2, "locked", "--build-dir")


def test_output_folder_that_refuses_writes(good: Path) -> None:
    """/proc takes no new files from anybody, root included."""
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc: any file system mounted read-only would do")
    assert_refused(tinyedge("build", good, "-b", "nrf52840", "-d", "/proc/tinyedge", cwd=good.parent), 2, "--build-dir")


def test_settings_with_an_unknown_key(good: Path) -> None:
    (good.parent / "tinyedge.toml").write_text('bord = "nrf52840"\n')
    assert_refused(tinyedge("build", good, cwd=good.parent), 2, "`bord`", "`board`")


def interrupt(arguments: list[str | Path], folder: Path, until: Callable[[], bool]) -> tuple[int, str]:
    """Start a call, press Ctrl-C once `until` holds; its exit code and what it told."""
    child = subprocess.Popen(
        program(*arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TINYEDGE_TEST_SESSION": str(folder)},
    )
    try:
        limit = time.monotonic() + 120
        while not until() and child.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
        assert child.poll() is None, child.communicate()[1]
        os.killpg(child.pid, signal.SIGINT)
        _, stderr = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    return child.returncode, stderr


def children_of(folder: Path) -> list[str]:
    """Command lines of processes that this test's call left behind: they carry its folder in their environment."""
    mark = f"TINYEDGE_TEST_SESSION={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc: left-over processes cannot be found")
@pytest.mark.train
def test_ctrl_c_in_training(tmp_path: Path) -> None:
    def training() -> bool:
        return any("train.worker" in line for line in children_of(tmp_path))

    code, stderr = interrupt(["train", "sine"], tmp_path, training)
    assert (code, "interrupted" in stderr, "Traceback" in stderr) == (130, True, False), stderr
    assert children_of(tmp_path) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc: left-over processes cannot be found")
def test_ctrl_c_in_emulation(good: Path) -> None:
    folder = good.parent
    tinyedge("build", good, "-b", "nrf52840", cwd=folder)

    def emulating() -> bool:
        return any("unicorn" in line for line in children_of(folder))

    code, stderr = interrupt(["run", good, "-b", "nrf52840", "--samples", "100000"], folder, emulating)
    assert (code, "interrupted" in stderr, "Traceback" in stderr) == (130, True, False), stderr
    assert children_of(folder) == []
    assert list(folder.rglob("*.part*")) == []
