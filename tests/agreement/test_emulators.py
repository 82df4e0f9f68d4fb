"""One firmware image in every emulator that is installed and has its board: every byte right, and the same counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kits.models import small_convolution
from tinyedge.artifacts import Progress, Run
from tinyedge.boards import Board, list_boards, load_board
from tinyedge.emulate import EMULATORS, emulator
from tinyedge.emulate.contract import Emulator
from tinyedge.errors import ToolError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run as run_model
from tinyedge.measure.oracle import oracle_available

FAST_BOARDS = ("nrf52840dk", "mps2_an386", "mps2_an505", "mps3_an547", "hifive1_revb")
ALL_BOARDS = tuple(board.name for board in list_boards() if "native" not in board.emulators)

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
    ),
]


class Silent:
    """Who is told what goes on, and keeps quiet."""

    def note(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        yield lambda done, total, stage="": None


@dataclass(frozen=True)
class Ran:
    """What one emulator made of an image."""

    emulator: str
    image: str
    run: Run


Runs = Callable[[Path, str, int], list[Ran]]


def emulators_of(board: Board) -> Iterator[Emulator]:
    """Those that have the board, installed or not."""
    for name in EMULATORS:
        made = emulator(name, board)
        if not made.supports(board):
            yield made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs a model on a board in all its emulators that are installed; skips when there is none."""
    folder = tmp_path_factory.mktemp("build")

    def runs(model: Path, board_name: str, samples: int) -> list[Ran]:
        found, missing = [], []
        for each in emulators_of(load_board(board_name)):
            try:
                each.version()
            except ToolError as error:
                missing.append(f"{error.what}: {error.hint}")
                continue
            choices = Choices(str(model), board_name, "zig", None, folder)
            measured = run_model(choices, Silent(), emulator_name=each.name, samples=samples)
            found.append(Ran(each.name, measured.built.image.digest, measured.run))
        if not found:
            pytest.skip(
                "; ".join(missing) or f"no emulator has board `{board_name}`: link and size are tested elsewhere"
            )
        return found

    return runs


def check(found: list[Ran], samples: int) -> None:
    """Every byte equals the oracle's, and all counts equal those of the first, the most exact of them."""
    assert len({ran.image for ran in found}) == 1, "all ran one image"
    first = found[0].run
    for ran in found:
        assert (ran.run.samples, ran.run.mismatches) == (samples, 0), ran.emulator
        for mine, firsts in zip(ran.run.outputs, first.outputs, strict=True):
            np.testing.assert_array_equal(mine, firsts)
        assert ran.run.stack_peak_bytes == first.stack_peak_bytes
        assert not [note for note in ran.run.notes if "ticks" in note and ran.emulator == "unicorn"]
        assert ran.run.instructions is not None
        assert first.instructions is not None
        assert ran.run.instructions.kind == "counted"
        assert ran.run.instructions.value == first.instructions.value, ran.emulator
        assert ran.run.instructions_spread == first.instructions_spread, ran.emulator
        for layer, other in zip(ran.run.layers, first.layers, strict=True):
            assert layer.instructions is not None
            assert other.instructions is not None
            assert layer.instructions == other.instructions, (ran.emulator, layer.operator)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(small_convolution())
    return path


@pytest.mark.parametrize("board", FAST_BOARDS)
def test_emulators_agree(board: str, small: Path, runs: Runs) -> None:
    check(runs(small, board, 3), 3)


@pytest.mark.parametrize("board", ["mps2_an386", "hifive1_revb"])
def test_unicorn_and_qemu_are_held_together(board: str, small: Path, runs: Runs) -> None:
    """Both count every instruction of one image, and so agree to the last one."""
    found = {ran.emulator: ran.run for ran in runs(small, board, 3)}
    if "qemu" not in found:
        pytest.skip("QEMU is not installed: `apt-get install qemu-system-arm`")
    assert found["qemu"].instructions == found["unicorn"].instructions
    assert found["qemu"].instructions_spread == found["unicorn"].instructions_spread
    layers = [[layer.instructions for layer in found[name].layers] for name in ("qemu", "unicorn")]
    assert layers[0] == layers[1]


@pytest.mark.slow
@pytest.mark.parametrize("board", [name for name in ALL_BOARDS if name not in FAST_BOARDS])
def test_emulators_agree_on_every_board(board: str, small: Path, runs: Runs) -> None:
    check(runs(small, board, 2), 2)


@pytest.mark.slow
@pytest.mark.parametrize("board", [name for name in FAST_BOARDS if load_board(name).ram.size_bytes > 32_768])
def test_emulators_agree_on_keyword_spotting(board: str, shared_models: Path, runs: Runs) -> None:
    check(runs(shared_models / "kws_ref_model.tflite", board, 2), 2)
