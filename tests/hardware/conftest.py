"""One test for each board of the lab."""

from __future__ import annotations

import pytest

from kits.lab import LabBoard, lab_files, read_lab_board


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each board of the lab; without a lab one that says how to set it up."""
    if "lab_board" in metafunc.fixturenames:
        files = lab_files()
        metafunc.parametrize(
            "lab_board", files or [None], ids=[file.stem for file in files] or ["no lab"], indirect=True
        )


@pytest.fixture
def lab_board(request: pytest.FixtureRequest) -> LabBoard:
    """A board that is connected to this computer."""
    if request.param is None:
        pytest.skip("no lab: TINYEDGE_LAB names a folder of .toml files as tests/hardware/lab.example.toml")
    return read_lab_board(request.param)
