"""Startup of a Cortex-M under QEMU: memory, FPU, painted stack, and every way to break, reported over the console."""

from __future__ import annotations

import dataclasses
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.firmware_pipe import FirmwarePipe, in_requests
from kits.hand_plan import SIZE, hand_model, hand_plan, selftest_crc
from tinyedge import wire
from tinyedge.artifacts import FirmwareProject, Image
from tinyedge.boards import Memory, load_board
from tinyedge.build import build_image, make_flags
from tinyedge.generate import generate_project

QEMU = "qemu-system-arm"
STACK_BYTES = 1024
CFSR_UNDEFINED = 1 << 16
CFSR_BUS = 1 << 9
"""precise data bus error"""

pytestmark = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"no {QEMU}: `apt-get install qemu-system-arm`")


def qemu_project() -> FirmwareProject:
    """The project for QEMU's netduinoplus2, an STM32F405 (Cortex-M4F), with the board support of this folder.

    Below its RAM is nothing, as on the boards, so that a stack overflow faults.
    """
    board = dataclasses.replace(
        load_board("nrf52840dk"),
        memories=(Memory("flash", 0x08000000, 1 << 20), Memory("ram", 0x20000000, 128 << 10)),
        flash_start=0x08000000,
        console={"kind": "uarte", "base": 0x40011000, "baud": 115200, "tx_pin": "P0.00", "rx_pin": "P0.01"},
    )
    project = generate_project(
        hand_plan(),
        hand_model(),
        board,
        selftest_crc=selftest_crc(),
        make_flags=make_flags(board),
        stack_bytes=STACK_BYTES,
    )
    kits = Path(__file__).with_name("stm32.c").read_bytes()
    gone = {f"bsp/te_{name}.c" for name in ("dwt", "sleep", "uarte")}
    files = {name: content for name, content in project.files.items() if name not in gone}
    sources = tuple(name for name in project.sources if name not in gone)
    return dataclasses.replace(project, files={**files, "bsp/nrf52.c": kits}, sources=sources)


@pytest.fixture(scope="module", params=["zig", "gcc"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    if request.param == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    return build_image(qemu_project(), tmp_path_factory.mktemp("startup"), request.param)


@pytest.fixture
def firmware(image: Image) -> Iterator[FirmwarePipe]:
    options = ("-machine", "netduinoplus2", "-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel")
    with FirmwarePipe(QEMU, *options, image.elf, ends_with_stdin=False) as pipe:
        yield pipe


def test_it_starts_and_answers(firmware: FirmwarePipe) -> None:
    mark, _, words = firmware.decoded()
    assert (mark, words.split()[0], words.split()[-1]) == (wire.MARK_RECORD, "hello", "selftest=ok")
    for number, request in enumerate(in_requests(0, bytes(SIZE)), start=1):
        assert firmware.ask(number, request) == wire.OK
    assert firmware.values(100, "run")["in_crc"] == f"{zlib.crc32(bytes(SIZE)):08x}"


def test_the_stack_is_painted(firmware: FirmwarePipe, image: Image) -> None:
    firmware.decoded()
    first = firmware.values(1, "mem")
    assert first["stack_size"] == str(STACK_BYTES)
    assert 16 <= int(first["stack_peak"]) < STACK_BYTES
    assert int(first["stack_peak"]) % 4 == 0
    sections = {name: ram for name, _, ram in image.size.sections}
    assert sections[".data"] == 8, "the two volatile variables of stm32.c"
    assert int(first["ram_static"]) == sections[".data"] + sections[".bss"]
    firmware.values(2, "run")
    assert int(firmware.values(3, "mem")["stack_peak"]) >= int(first["stack_peak"])


@pytest.mark.parametrize(
    ("poke", "cfsr", "knows_pc"),
    [(b"\x01", 0, False), (b"\x02", CFSR_UNDEFINED, True), (b"\x03", CFSR_BUS, True)],
    ids=["stack overflow", "undefined instruction", "bus error"],
)
def test_faults_are_reported(firmware: FirmwarePipe, image: Image, poke: bytes, cfsr: int, knows_pc: bool) -> None:
    firmware.decoded()
    firmware.send(b">1 he" + poke)
    mark, sequence, words = firmware.decoded()
    assert (mark, sequence) == (wire.MARK_RECORD, 0)
    verb, *pairs = words.split(" ")
    assert verb == "fault"
    values = {key: int(value, 16) for key, value in (pair.split("=") for pair in pairs)}
    assert list(values) == ["pc", "lr", "cfsr"]
    assert (values["pc"] != 0) == knows_pc
    assert values["pc"] == 0 or 0x08000000 <= values["pc"] < 0x08000000 + image.size.flash_bytes
    assert values["cfsr"] & cfsr == cfsr
    assert values["cfsr"] != 0
    firmware.send(wire.encode_line(wire.MARK_REQUEST, 2, "hello"))
    assert firmware.silent(), "it has stopped"
