"""The session against the C firmware itself, run by this computer, over a good line and a bad one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from kits.fake_firmware import Noise
from kits.hand_plan import SIZE, hand_model, hand_plan, reference, selftest_crc, start_state
from tinyedge.artifacts import Image, Samples, Target
from tinyedge.boards import load_board
from tinyedge.build import build_image, make_flags
from tinyedge.console.buffer import LineBuffer
from tinyedge.console.contract import Console, CountedConsole
from tinyedge.emulate.native import NativeEmulator
from tinyedge.errors import DeviceError
from tinyedge.generate import generate_project
from tinyedge.measure.run import run_samples
from tinyedge.measure.session import Session

SAMPLES = np.random.default_rng(11).integers(-128, 128, (12, 1, SIZE)).astype(np.int8)


class NoisyConsole:
    """Another console, over a bad line."""

    def __init__(self, console: Console, noise: Noise) -> None:
        self._console = console
        self._noise = noise
        self._buffer = LineBuffer()

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        for line in self._console.lines(timeout_s):
            self._buffer.feed(self._noise.mangle(line + b"\n"))
            while (arrived := self._buffer.pop()) is not None:
                yield arrived

    def write(self, data: bytes) -> None:
        self._console.write(self._noise.mangle(data))

    def close(self) -> None:
        self._console.close()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    board = load_board("host")
    project = generate_project(
        hand_plan(), hand_model(), board, selftest_crc=selftest_crc(), make_flags=make_flags(board)
    )
    return build_image(project, tmp_path_factory.mktemp("native"), "zig")


@pytest.fixture
def console(image: Image) -> Iterator[CountedConsole]:
    console = NativeEmulator().start(image, load_board("host"))
    yield console
    console.close()


def test_a_whole_run_of_a_model_with_state(console: CountedConsole) -> None:
    session = Session(console)
    hello = session.wait_for_banner()
    assert (hello.model, hello.board, hello.runtime, hello.selftest) == ("hand", "host", "aot", "ok")
    state, expected = start_state(), []
    for sample in SAMPLES:
        _, state = reference(state, sample[0])
        expected.append(state.reshape(1, SIZE))
    result = run_samples(
        session,
        Target("native", console, NativeEmulator.counting),
        plan=hand_plan(),
        samples=Samples([SAMPLES]),
        expected=[np.stack(expected)],
        layer_crcs=lambda i: pytest.fail("nothing differs"),
        clock_hz=load_board("host").clock_hz,
    )
    assert (result.samples, result.mismatches) == (12, 0)
    assert result.latency_us is not None
    assert result.latency_us.kind == "measured"
    assert [layer.operator for layer in result.layers] == ["add", "svdf"]


def test_the_checksums_of_a_profile(console: Console) -> None:
    session = Session(console)
    session.wait_for_banner()
    profile = session.profile_of([SAMPLES[0].tobytes()], 2)
    assert [layer.crc for layer in profile] == [
        zlib.crc32(layer.tobytes()) for layer in reference(start_state(), SAMPLES[0][0])
    ]
    assert session.memory().arena_bytes == hand_plan().arena_bytes


@pytest.mark.parametrize("seed", range(3))
def test_nothing_wrong_comes_over_a_bad_line(console: Console, seed: int) -> None:
    noisy = NoisyConsole(console, Noise(seed, lose=0.001, double=0.001, flip=0.001))
    session = Session(noisy, timeout_s=0.05, retries=20, run_timeout_s=5.0)
    good = 0
    for sample in SAMPLES:
        try:
            session.reset()
            result = session.infer([sample.tobytes()], repeats=0)
        except DeviceError:
            continue
        assert result.outputs == (reference(start_state(), sample[0])[1].tobytes(),)
        good += 1
    assert good >= len(SAMPLES) // 2
