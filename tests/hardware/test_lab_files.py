"""The files that describe a lab, checked without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.lab import LabBoard, lab_files, read_lab_board
from tinyedge.boards import load_board

EXAMPLE = Path(__file__).parent / "lab.example.toml"


def test_the_example_shows_every_key() -> None:
    example = read_lab_board(EXAMPLE)
    assert load_board(example.board).name == example.board
    assert None not in vars(example).values()
    assert example.flash_options == [
        "--tool",
        "pyocd",
        "--probe",
        "000683012345",
        "--port",
        "/dev/serial/by-id/usb-SEGGER_J-Link_000683012345-if00",
    ]


def test_only_the_board_is_needed(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text('board = "rpi_pico"\n')
    assert read_lab_board(tmp_path / "kit.toml") == LabBoard("rpi_pico")
    assert LabBoard("rpi_pico").flash_options == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('bord = "rpi_pico"', "unknown key `bord`; did you mean `board`?"),
        ('board = "rpi_pico"\nsamples = "20"', "`samples` is '20', not of type int"),
        ('port = "COM3"', "key `board` is missing"),
    ],
)
def test_a_file_that_is_wrong(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text(text)
    with pytest.raises(ValueError, match="kit") as caught:
        read_lab_board(tmp_path / "kit.toml")
    assert words in str(caught.value)


def test_the_folder_of_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYEDGE_LAB", raising=False)
    assert lab_files() == []
    (tmp_path / "b.toml").touch()
    (tmp_path / "a.toml").touch()
    monkeypatch.setenv("TINYEDGE_LAB", str(tmp_path))
    assert [file.name for file in lab_files()] == ["a.toml", "b.toml"]
