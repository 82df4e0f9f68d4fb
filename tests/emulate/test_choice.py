"""Which emulator runs a board."""

from __future__ import annotations

import dataclasses
from importlib import metadata

import pytest

from tinyedge.boards import CORES, load_board
from tinyedge.emulate import EMULATORS, choose, emulator
from tinyedge.emulate.cycles import MODELS
from tinyedge.errors import ToolError, UsageError
from tinyedge.install import package_command


def test_auto_takes_the_boards_first() -> None:
    assert choose(load_board("nrf52840")).name == "unicorn"
    assert choose(load_board("host")).name == "native"


def test_the_error_stated_is_of_the_boards_core() -> None:
    assert choose(load_board("bluepill")).counting.error_percent == MODELS["cortex-m3"].error_percent
    assert emulator("unicorn").counting.error_percent == max(model.error_percent for model in MODELS.values())


def test_a_calibrated_board_states_the_error_of_its_calibration() -> None:
    board = load_board("nucleo_l4r5zi")
    assert board.calibration is not None
    counting = choose(board).counting
    assert (counting.error_percent, counting.calibration) == (board.calibration.error_percent, board.calibration)


def test_bounds_have_no_error() -> None:
    assert choose(load_board("nrf52840")).counting.error_percent is None


@pytest.mark.parametrize("name", EMULATORS)
def test_every_emulator_has_its_own_name_and_a_version(name: str) -> None:
    made = emulator(name)
    assert made.name == name
    try:
        version = made.version()
    except ToolError as missing:
        pytest.skip(f"{missing}: {missing.hint}")
    assert version


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="no emulator `unicron`") as caught:
        choose(load_board("nrf52840"), "unicron")
    assert caught.value.hint == "did you mean `unicorn`?"


def test_an_emulator_that_cannot_run_the_board_says_why() -> None:
    with pytest.raises(UsageError, match="has a cortex-m4f") as caught:
        choose(load_board("nrf52840"), "native")
    assert "`unicorn`" in caught.value.hint
    odd = dataclasses.replace(load_board("nrf52840"), family="z80")
    assert "no peripherals of family `z80`" in emulator("unicorn").supports(odd)
    m55 = dataclasses.replace(load_board("nrf52840"), core=CORES["cortex-m55"])
    assert "has no cortex-m55" in emulator("unicorn").supports(m55)
    with pytest.raises(UsageError, match="no emulator can run"):
        choose(dataclasses.replace(m55, family="z80"))


def test_a_missing_emulator_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ToolError, match="`unicorn` is not installed") as caught:
        choose(load_board("nrf52840"))
    assert caught.value.hint == f"`{package_command('unicorn')}` installs it"
