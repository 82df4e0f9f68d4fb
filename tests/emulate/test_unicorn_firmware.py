"""The generated firmware, whole, on an emulated nRF52840."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from kits.hand_plan import SIZE, hand_model, hand_plan, reference, selftest_crc, start_state
from tinyedge.artifacts import FirmwareProject, Image, Samples, Target
from tinyedge.boards import load_board
from tinyedge.build import build_image, make_flags
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import DeviceError
from tinyedge.generate import generate_project
from tinyedge.measure.run import run_samples
from tinyedge.measure.session import Session

BOARD = load_board("nrf52840dk")
SAMPLES = np.random.default_rng(5).integers(-128, 128, (6, 1, SIZE)).astype(np.int8)


def make_project() -> FirmwareProject:
    return generate_project(hand_plan(), hand_model(), BOARD, selftest_crc=selftest_crc(), make_flags=make_flags(BOARD))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build_image(make_project(), tmp_path_factory.mktemp("firmware"), "zig")


@pytest.fixture
def console(image: Image) -> Iterator[UnicornConsole]:
    with UnicornEmulator(BOARD).start(image, BOARD) as console:
        yield console


def test_a_whole_run(console: UnicornConsole) -> None:
    """Every output byte is right, the firmware's ticks are the cycles modelled, and nothing is left unmodelled."""
    session = Session(console)
    hello = session.wait_for_banner()
    assert (hello.model, hello.board, hello.runtime, hello.selftest) == ("hand", "nrf52840dk", "aot", "ok")
    state, expected = start_state(), []
    for sample in SAMPLES:
        _, state = reference(state, sample[0])
        expected.append(state.reshape(1, SIZE))
    result = run_samples(
        session,
        Target("unicorn", console, UnicornEmulator(BOARD).counting),
        plan=hand_plan(),
        samples=Samples([SAMPLES]),
        expected=[np.stack(expected)],
        layer_crcs=lambda i: pytest.fail("nothing differs"),
        clock_hz=BOARD.clock_hz,
    )
    assert (result.samples, result.mismatches) == (6, 0)
    assert result.instructions is not None
    assert result.cycles is not None
    assert (result.instructions.kind, result.cycles.kind) == ("counted", "modelled")
    assert result.cycles.value > result.instructions.value > SIZE
    assert 0 < result.stack_peak_bytes < 2048
    assert not [note for note in result.notes if "ticks" in note]
    assert console.notes() == ()


def test_the_same_inference_costs_the_same_every_time(console: UnicornConsole) -> None:
    session = Session(console)
    session.wait_for_banner()
    sample = SAMPLES[0].tobytes()
    costs = set()
    for _ in range(3):
        session.reset()
        console.counter_readings()
        inference = session.infer([sample])
        first, second = console.counter_readings()
        assert inference.ticks == second.cycles - first.cycles
        costs.add((second.instructions - first.instructions, second.cycles - first.cycles))
    assert len(costs) == 1


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("*(volatile unsigned *)0x60000000u = 1;", "BusFault: write of 4 bytes at 0x60000000, pc=0x[0-9a-f]+ in main"),
        ('__asm volatile("udf #0");', "UsageFault: undefined instruction"),
        ("*(volatile unsigned *)0x100u = 1;", r"BusFault: write of 4 bytes at 0x00000100 \(flash\)"),
        (
            "depth(1);",
            "stack overflow in the emulated firmware: .* in depth",
        ),
        ("te_bsp_halt(3);", "halted: it sleeps and nothing can wake it, .* in te_bsp_halt"),
    ],
    ids=["bus", "instruction", "flash", "stack", "halt"],
)
def test_a_fault_of_the_firmware_is_named(
    tmp_path_factory: pytest.TempPathFactory, statement: str, message: str
) -> None:
    """Faults are told by the emulator, before the firmware's own handler could."""
    project = make_project()
    files = dict(project.files)
    (name,) = (name for name in files if name.endswith("main.c"))
    depth = b"""
int depth(int n);
__attribute__((noinline)) int depth(int n) {
  volatile int more = n;
  return more < 0 ? 0 : depth(more + 1) + more;
}
"""
    body = files[name].replace(
        b"int main(void) {\n  te_bsp_init();", f"int main(void) {{\n  te_bsp_init();\n  {statement}".encode()
    )
    assert body != files[name]
    files[name] = body.replace(b"\nint main(void)", depth + b"\nint main(void)")
    broken = dataclasses.replace(project, files=files)
    built = build_image(broken, tmp_path_factory.mktemp("broken"), "zig")
    with UnicornEmulator().start(built, BOARD) as console, pytest.raises(DeviceError, match=message):
        list(console.lines(20.0))
