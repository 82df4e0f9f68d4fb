"""Twenty thousand exchanges over bad lines: of every kind of reply, no wrong number is taken for a right one."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from kits.fake_firmware import LAYER_TICKS, TICKS, FakeConsole, FakeFirmware, Noise, fake_layers
from tinyedge.errors import DeviceError
from tinyedge.measure.replies import LayerTicks, Memory, Ran, TensorInfo
from tinyedge.measure.session import Session

EXCHANGES = 20_000
SIZE = 150
"""bytes of the input and of the output: two messages each"""
LINES: dict[str, Callable[[int], Noise]] = {
    "a bit flipped": lambda seed: Noise(seed, flip=0.003),
    "lost": lambda seed: Noise(seed, lose=0.003),
    "doubled": lambda seed: Noise(seed, double=0.003),
    "inserted": lambda seed: Noise(seed, insert=0.003),
    "lines merged": lambda seed: Noise(seed, merge=0.15),
    "all at once": lambda seed: Noise(seed, flip=0.001, lose=0.001, double=0.001, insert=0.001, merge=0.1),
}


def exchanges(session: Session, firmware: FakeFirmware, data: bytes) -> Iterator[tuple[str, Callable[[], bool]]]:
    """(kind of reply, what asks and says whether the answer is right), in an order that makes each mean something."""
    summed, output = fake_layers([data])
    in_crc, out_crc = zlib.crc32(data), zlib.crc32(output)
    layers = tuple(
        LayerTicks(i, ticks, zlib.crc32(result))
        for i, (ticks, result) in enumerate(zip(LAYER_TICKS, (summed, output), strict=True))
    )

    def write() -> bool:
        session.write_input(0, data)
        return bytes(firmware._inputs[0]) == data

    def ask_tensor() -> bool:
        session._tensors.clear()
        return session.tensor("out", 0) == TensorInfo(SIZE, "int8", (1, SIZE), 0.5, -3)

    yield "hello", lambda: (session.hello().image, session.hello().arena_bytes) == ("0123456789abcdef", 2048)
    yield "tensor", ask_tensor
    yield "in", write
    yield "run", lambda: session.run() == Ran(TICKS, in_crc, out_crc)
    yield "out", lambda: session.read_output(0) == output
    yield "mem", lambda: session.memory() == Memory(612, 4096, 3000, 2048)
    yield "in", write
    yield "profile, layer", lambda: session.profile() == layers


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_no_wrong_number_is_accepted(line: str) -> None:
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    draw = random.Random(line)
    begun = 0
    while taken.total() + refused.total() < EXCHANGES / len(LINES):
        begun += 1
        firmware = FakeFirmware(sizes=(SIZE,))
        console = FakeConsole(firmware, LINES[line](begun), late=begun % 2 == 0)
        session = Session(console, timeout_s=0.1, retries=10, run_timeout_s=2.0, clock=console.clock)
        for kind, is_right in exchanges(session, firmware, draw.randbytes(SIZE)):
            try:
                right = is_right()
            except DeviceError:
                refused[kind] += 1
                break
            taken[kind] += 1
            wrong[kind] += not right
    print(f"{line}: {dict(taken)} taken, {dict(refused)} refused, {wrong.total()} wrong")  # `-rP` shows it
    assert wrong.total() == 0
    assert min(taken.values()) > EXCHANGES / len(LINES) / 20, "most of it comes through"
