"""A firmware in Python behind a console in memory: the protocol of tinyedge.wire, a clock of its own, and noise.

Its model adds up its inputs: output byte j = 3 * (sum of byte j of all inputs) + 7; layer 0 is the sum, layer 1 the
output.
"""

from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tinyedge import wire
from tinyedge.console.buffer import READ_BYTES, LineBuffer, read_lines
from tinyedge.console.contract import CounterReading, Uncounted
from tinyedge.errors import DeviceError

TICKS = 12_345
LAYER_TICKS = (2_000, 10_000)
BANNER = (
    "protocol=2 model=fake board=host runtime=aot image=0123456789abcdef ticks_hz=64000000 "
    "inputs={inputs} outputs=1 layers=2 arena=2048 selftest=ok"
)


class FakeClock:
    """Seconds that pass when a console waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fake_layers(inputs: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The outputs of the two layers for these inputs, which are of one size."""
    summed = bytes(sum(column) & 255 for column in zip(*inputs, strict=True))
    return summed, bytes((3 * value + 7) & 255 for value in summed)


@dataclass
class FakeFirmware:
    """The firmware's side: bytes in, bytes out.

    output_filter  what a broken kernel makes of the right output
    fault_at       number of the inference that ends in a fault
    """

    sizes: tuple[int, ...] = (150,)
    output_filter: Callable[[bytes], bytes] = lambda output: output
    fault_at: int | None = None
    has_crcs: bool = True
    readings: list[CounterReading] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        self.counted = CounterReading(1000, 2000)
        self.halted = False
        self._power_up()

    def _power_up(self) -> None:
        self._line = LineBuffer(wire.LINE_BYTES)
        self._last: tuple[int, bytes] | None = None
        self._reply = b""
        self._inputs = [bytearray(size) for size in self.sizes]
        self._output = bytes(self.sizes[0])
        self._profile: list[tuple[int, int, bytes]] = []

    def reset(self) -> bytes:
        """Power off and on: everything is forgotten, and the banner is sent."""
        self._power_up()
        return b"\n" + wire.encode_line(wire.MARK_RECORD, 0, f"hello {self._about()}")

    def receive(self, data: bytes) -> bytes:
        """What it sends back for these bytes."""
        self._line.feed(data)
        sent = b""
        while not self.halted and (line := self._line.pop()) is not None:
            decoded = wire.decode_line(line)
            if decoded is None or decoded[0] != wire.MARK_REQUEST or not decoded[1]:
                continue
            if (decoded[1], line[-wire.CHECK_DIGITS :]) != self._last:
                words = self._answer(decoded[2].split(" "))
                if self.halted:
                    return b"\n" + wire.encode_line(wire.MARK_RECORD, 0, words)
                self._reply = wire.encode_line(wire.MARK_REPLY, decoded[1], words)
                self._last = (decoded[1], line[-wire.CHECK_DIGITS :])
            sent += self._reply
        return sent

    def _about(self) -> str:
        return BANNER.format(inputs=len(self.sizes))

    def _answer(self, words: list[str]) -> str:
        verb, *arguments = words
        try:
            return getattr(self, f"_do_{verb}")(*arguments) if verb in wire.VERBS else "err verb"
        except (TypeError, ValueError, IndexError):
            return "err args"

    def _do_hello(self) -> str:
        return f"ok {self._about()}"

    def _do_tensor(self, kind: str, i: str) -> str:
        size = self.sizes[int(i)] if kind == "in" else self.sizes[0]
        return f"ok bytes={size} type=int8 shape=1x{size} scale=0.5 zero_point=-3"

    def _do_in(self, i: str, offset: str, data: str) -> str:
        piece, start = base64.b64decode(data, validate=True), int(offset)
        if start + len(piece) > self.sizes[int(i)]:
            return "err args"
        self._inputs[int(i)][start : start + len(piece)] = piece
        return "ok"

    def _do_run(self) -> str:
        return self._infer([(0, TICKS)])

    def _do_profile(self) -> str:
        reply = self._infer(list(enumerate(LAYER_TICKS)))
        return f"{reply} layers=2"

    def _infer(self, parts: list[tuple[int, int]]) -> str:
        self.runs += 1
        if self.runs == self.fault_at:
            self.halted = True
            return "fault pc=000004d2 lr=00000100 cfsr=00008200"
        in_crc = zlib.crc32(b"".join(self._inputs))
        layers = fake_layers(self._inputs)
        self._output = self.output_filter(layers[1])
        results = (layers[0], self._output)
        self._count(0)
        for _, ticks in parts:
            self._count(ticks)
            if len(parts) > 1:
                self._count(777)  # the checksum of a profile
        if len(parts) > 1:
            self._profile_in_crc = in_crc
            self._profile = [(i, ticks, result) for (i, ticks), result in zip(parts, results, strict=True)]
        for data in self._inputs:
            data[:] = b"\xee" * len(data)  # an inference may overwrite its inputs
        ticks = sum(ticks for _, ticks in parts)
        return f"ok ticks={ticks} in_crc={in_crc:08x} out_crc={zlib.crc32(self._output):08x}"

    def _count(self, ticks: int) -> None:
        self.counted = CounterReading(self.counted.instructions + ticks // 2, self.counted.cycles + ticks)
        self.readings.append(self.counted)

    def take_readings(self) -> list[CounterReading]:
        """Readings since the last call."""
        taken, self.readings = self.readings, []
        return taken

    def _do_layer(self, i: str) -> str:
        if not self._profile:
            return "err order"
        index, ticks, result = self._profile[int(i)]
        crc = f"{zlib.crc32(result):08x}" if self.has_crcs else "-"
        return f"ok index={index} ticks={ticks} crc={crc} in_crc={self._profile_in_crc:08x}"

    def _do_out(self, i: str, offset: str, count: str) -> str:
        if int(i) or not 0 < int(count) <= wire.CHUNK_BYTES or int(offset) + int(count) > len(self._output):
            return "err args"
        piece = self._output[int(offset) : int(offset) + int(count)]
        return f"ok data={base64.b64encode(piece).decode()}"

    def _do_mem(self) -> str:
        return "ok stack_peak=612 stack_size=4096 ram_static=3000 arena=2048"

    def _do_reset(self) -> str:
        return "ok"


@dataclass
class Noise:
    """What a bad line does to bytes, each with some probability.

    A byte is lost, doubled, has a bit flipped, or gets a stranger before it; or the end of a line is lost.
    """

    seed: int = 0
    lose: float = 0.0
    double: float = 0.0
    flip: float = 0.0
    insert: float = 0.0
    merge: float = 0.0
    reset: float = 0.0
    """probability that the device restarts at a write"""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def mangle(self, data: bytes) -> bytes:
        """The bytes as they arrive."""
        if not (self.lose or self.double or self.flip or self.insert or self.merge):
            return data
        result = bytearray()
        for value in data:
            if self.random.random() < self.lose:
                continue
            if self.insert and self.random.random() < self.insert:
                result.append(self.random.randrange(256))
            if self.merge and value == ord("\n") and self.random.random() < self.merge:
                continue
            arrived = value ^ (1 << self.random.randrange(8)) if self.random.random() < self.flip else value
            result += bytes([arrived]) * (2 if self.random.random() < self.double else 1)
        return bytes(result)


class FakeConsole(Uncounted):
    """Console to a fake firmware; time passes when it waits, and a little with every byte read or written."""

    def __init__(self, firmware: FakeFirmware, noise: Noise | None = None, *, late: bool = False) -> None:
        self.firmware = firmware
        self.clock = FakeClock()
        self.gone = ""
        self._noise = noise or Noise()
        self._buffer = LineBuffer()
        banner = firmware.reset()
        self._sent = b"" if late else self._noise.mangle(banner)

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        return read_lines(self._read, self._buffer, timeout_s, self.clock)

    def write(self, data: bytes) -> None:
        self._check()
        self.clock.now += len(data) / 11_520
        noise = self._noise
        if noise.reset and noise.random.random() < noise.reset:
            cut = noise.random.randrange(len(data) + 1)
            before = self.firmware.receive(noise.mangle(data[:cut]))
            self._sent += noise.mangle(before + self.firmware.reset())
            data = data[cut:]
        self._sent += noise.mangle(self.firmware.receive(noise.mangle(data)))

    def close(self) -> None:
        self.gone = "closed"

    def unplug(self) -> None:
        """From now on the other side is gone."""
        self.gone = "lost the connection to the fake"

    def _check(self) -> None:
        if self.gone:
            raise DeviceError(self.gone, hint="plug it in")

    def _read(self, timeout_s: float) -> bytes:
        self._check()
        if not self._sent:
            self.clock.now += timeout_s
            return b""
        piece, self._sent = self._sent[:READ_BYTES], self._sent[READ_BYTES:]
        self.clock.now += len(piece) / 11_520
        return piece


class HostileConsole:
    """A device that answers what it wants: `answer(sequence, words)` gives the bytes for each request."""

    def __init__(self, answer: Callable[[int, str], bytes], babble: bytes = b"") -> None:
        self.clock = FakeClock()
        self.bytes_read = 0
        self._answer = answer
        self._babble = babble
        self._buffer = LineBuffer()
        self._sent = b""

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        return read_lines(self._read, self._buffer, timeout_s, self.clock)

    def write(self, data: bytes) -> None:
        decoded = wire.decode_line(data)
        assert decoded is not None
        self._sent += self._answer(decoded[1], decoded[2])

    def close(self) -> None:
        return

    def _read(self, timeout_s: float) -> bytes:
        if not self._sent:
            if not self._babble:
                self.clock.now += timeout_s
                return b""
            self._sent = self._babble
        piece, self._sent = self._sent[:READ_BYTES], self._sent[READ_BYTES:]
        self.clock.now += max(len(piece) / 100_000, 1e-4)
        self.bytes_read += len(piece)
        return piece
