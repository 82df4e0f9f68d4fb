"""The energy of a cycle against energies that were published, one network left out at a time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from benchmarks.calibration import FOLDER

from tinyedge.boards import list_boards
from tinyedge.tables import read_toml

PUBLISHED = read_toml(FOLDER.parent / "energies.toml")


def nj_per_cycle(ratios: npt.NDArray[np.float64]) -> float:
    """The one with the smallest sum of squares of relative errors; `ratios` are cycles for a nanojoule."""
    return float(ratios.sum() / (ratios**2).sum())


def ratios_of(name: str) -> npt.NDArray[np.float64]:
    board = PUBLISHED[name]
    return np.array(board["latency_ms"]) * board["clock_hz"] / (np.array(board["energy_uj"]) * 1e6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_energy_of_a_network_left_out_is_within_10_percent(name: str) -> None:
    ratios = ratios_of(name)
    for i, ratio in enumerate(ratios):
        assert abs(nj_per_cycle(np.delete(ratios, i)) * ratio - 1) <= 0.10


def test_the_docs_state_them(root: Path) -> None:
    text = (root / "docs" / "latency.md").read_text(encoding="utf-8")
    for name in PUBLISHED:
        ratios = ratios_of(name)
        left_out = [nj_per_cycle(np.delete(ratios, i)) * ratio - 1 for i, ratio in enumerate(ratios)]
        (row,) = re.findall(rf"^\| `{name}` \| .* \| ([\d.]+) \| (.*) \|$", text, re.MULTILINE)
        assert row[0] == f"{nj_per_cycle(ratios):.3f}"
        assert row[1] == " | ".join(f"{100 * error:+.1f} %" for error in left_out)


def test_boards_hold_what_was_published() -> None:
    stated = {board.name: board.energy for board in list_boards() if board.energy is not None}
    assert set(stated) == set(PUBLISHED) - {"nucleo_h7a3zi_q"}
    for name, energy in stated.items():
        assert energy.nj_per_cycle == pytest.approx(nj_per_cycle(ratios_of(name)), rel=0.01)
