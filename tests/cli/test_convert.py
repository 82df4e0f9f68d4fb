"""`tinyedge convert`, and sources given to other commands."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kits.cli import tinyedge
from kits.float_models import float_cnn, write_data

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a float model and data, and a cache of its own."""
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "net.tflite").write_bytes(float_cnn())
    write_data(tmp_path / "d.npz")
    return tmp_path


def test_a_conversion_is_told_and_written(folder: Path) -> None:
    told = tinyedge("convert", "net.tflite", "--data", "d.npz", "--svg", "noise.svg", "--json", cwd=folder)
    assert told.code == 0, told.stderr
    document = json.loads(told.stdout)
    assert (document["schema"], document["source"], document["file"]) == (
        "tinyedge.convert/1", "float .tflite", "net_int8.tflite",
    )  # fmt: skip
    assert [layer["operator"] for layer in document["layers"]] == ["conv_2d", "reshape", "fully_connected", "softmax"]
    assert (folder / "net_int8.tflite").stat().st_size == document["tflite_bytes"]
    assert len(ElementTree.parse(folder / "noise.svg").findall(".//{*}rect")) == 4
    text = tinyedge("convert", "net.tflite", "--data", "d.npz", "-o", "m.tflite", cwd=folder)
    assert "kept from an earlier conversion" in text.stderr
    assert "SNR dB" in text.stdout
    assert all(len(line) <= 80 for line in text.stdout.splitlines() if not line.startswith("note"))


def test_commands_take_a_source(folder: Path) -> None:
    options = ("--data", "d.npz", "--board", "nrf52840", "--json", "-d", "build")
    told = tinyedge("run", "net.tflite", *options, "--samples", "5", cwd=folder)
    assert told.code == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["verify"] == {"samples": 5, "mismatches": 0, "first_mismatch": None}
    assert document["accuracy"]["float"] is not None
    (folder / "tinyedge.toml").write_text('model = "net.tflite"\nboard = "nrf52840"\ndata = "d.npz"\n')
    planned = tinyedge("plan", "--json", cwd=folder)
    assert json.loads(planned.stdout)["model"] == "net"
    assert "kept from an earlier conversion" in planned.stderr


def test_what_is_wrong_is_told(folder: Path) -> None:
    for arguments, code, words in (
        (("convert", "net.tflite"), 2, "no data given"),
        (("convert", "net.tflite", "--data", "no.npz"), 2, "there is no data `no.npz`"),
        (("convert", "net.tflite", "--data", "d.npz", "-o", "net.tflite"), 2, "is the source itself"),
        (("convert", "net.tflite", "--data", "d.npz", "--layer", "x"), 2, "names no layer and type"),
        (("convert", "net.tflite", "--data", "d.npz", "--qat", "2"), 2, "a float .tflite model cannot be trained on"),
        (("convert", "d.npz", "--data", "d.npz"), 2, "is nothing that tinyedge converts"),
        (("run", "net.tflite", "-b", "nrf52840"), 2, "is a float .tflite model: to quantize it"),
    ):
        told = tinyedge(*arguments, cwd=folder)
        assert told.code == code, told.stderr
        assert words in told.stderr
        assert "\nhint: " in told.stderr
    assert (folder / "net.tflite").read_bytes() == float_cnn()
