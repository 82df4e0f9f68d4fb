"""The ESP32-C3: its image starts by the ROM directly; one for a bootloader of the same ELF is read by esptool."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kits.models import small_convolution
from tinyedge.artifacts import Image, Silence
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(importlib.util.find_spec("esptool") is None, reason="no esptool: the extra `flash` brings it"),
]


def esptool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "esptool", "--chip", "esp32c3", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_convolution())
    return build(Choices(str(model), "esp32c3", "zig", None, tmp_path / "build"), Silence()).image


def test_esptool_makes_and_accepts_an_image_of_the_elf(image: Image, tmp_path: Path) -> None:
    made = tmp_path / "image.bin"
    done = esptool("elf2image", "--flash-mode", "dio", "--flash-size", "4MB", "-o", made, image.elf)
    assert done.returncode == 0, done.stdout + done.stderr
    told = esptool("image-info", made)
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"Chip ID: 5 \(ESP32-C3\)", told.stdout)
    assert re.search(r"Checksum: 0x\w\w \(valid\)", told.stdout)
    assert re.search(r"Validation hash: \w{64} \(valid\)", told.stdout)
    assert {"DROM", "IROM"} <= set(re.findall(r"\b[DI]ROM\b", told.stdout)), (
        "constants and code where the cache maps them"
    )


def test_what_is_flashed_is_for_the_rom_and_not_for_the_bootloader(image: Image) -> None:
    """Direct boot has another magic number, so that neither esptool nor a bootloader takes it for one of theirs."""
    assert image.bin is not None
    told = esptool("image-info", image.bin)
    assert told.returncode != 0
    assert "invalid magic number: 0x1d" in told.stdout + told.stderr
