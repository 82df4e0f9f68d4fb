"""The search for the smallest arena, as the host sees it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from kits.fake_firmware import BANNER, FakeConsole, FakeFirmware
from tinyedge import wire
from tinyedge.console.replay import ReplayConsole
from tinyedge.errors import CheckError, DeviceError
from tinyedge.runtimes.tflm.arena import LoggedConsole, search_arena, start_failure

_END = b"the emulator ends the firmware"


class FakeProbe:
    """A probe in memory. Sizes in `breaks` end in a fault; `deaf`: it never answers."""

    def __init__(
        self, need: int, most: int = 16384, breaks: range = range(0), deaf: bool = False, ends: bool = False
    ) -> None:
        self.need, self.most, self.breaks, self.deaf, self.ends = need, most, breaks, deaf, ends
        self.starts = 0
        self.tried: list[int] = []
        self._waiting: list[bytes] = []

    def start(self) -> FakeProbe:
        self.starts += 1
        self._waiting = [] if self.deaf else [b"", b"noise \x7f", b"arena most %d" % self.most]
        return self

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        if not self._waiting:
            time.sleep(timeout_s)
        while self._waiting:
            line = self._waiting.pop(0)
            if line is _END:
                raise DeviceError("BusFault: write of 4 bytes at 0x00000000")
            yield line

    def write(self, data: bytes) -> None:
        size = int(data)
        self.tried.append(size)
        assert size % 16 == 0
        if size in self.breaks:
            self._waiting = [_END if self.ends else b"arena fault 500"]
        elif size >= self.need:
            self._waiting = [b"arena works %d" % size]
        else:
            self._waiting = [
                b"tflm: Missing: %d" % (self.need - size),
                b"tflm: at 3",
                b"tflm: at 3",
                b"arena fails %d" % size,
            ]

    def close(self) -> None:
        self._waiting = []


@pytest.mark.parametrize("need", [1, 16, 1072, 1080, 16384])
def test_the_smallest_size_that_works(need: int) -> None:
    fake = FakeProbe(need)
    assert search_arena(fake.start, "small") == -(-need // 16) * 16
    assert fake.starts == 1
    assert len(fake.tried) <= 12


def test_sizes_that_break_the_interpreter_do_not_work() -> None:
    fake = FakeProbe(1072, breaks=range(900, 1072))
    assert search_arena(fake.start, "small") == 1072
    assert fake.starts > 1


def test_not_even_all_of_the_memory_is_enough() -> None:
    with pytest.raises(CheckError) as caught:
        search_arena(FakeProbe(20000).start, "small")
    assert caught.value.what == (
        "TensorFlow Lite Micro cannot start model `small` in the 16,384 B of RAM that are free\n"
        "       | Missing: 3616\n       | at 3"
    )


def test_a_probe_that_says_nothing() -> None:
    with pytest.raises(DeviceError, match="said nothing for"):
        search_arena(FakeProbe(1072, deaf=True).start, "small", timeout_s=0.1)


def test_a_probe_that_tries_another_size() -> None:
    class Wrong(FakeProbe):
        def write(self, data: bytes) -> None:
            super().write(b"%d" % (int(data) - 16))

    with pytest.raises(DeviceError, match=r"tried an arena of 16,368 B where 16,384 B were asked for"):
        search_arena(Wrong(1072).start, "small")


def probe(*lines: str) -> ReplayConsole:
    return ReplayConsole("".join(f"{line}\n" for line in lines).encode())


def banner(selftest: str) -> str:
    words = BANNER.format(model="fake", inputs=1).replace("selftest=ok", f"selftest={selftest}")
    return wire.encode_line(wire.MARK_RECORD, 0, f"hello {words}").decode().rstrip()


def answer(words: str) -> str:
    return wire.encode_line(wire.MARK_REPLY, 1, words).decode().rstrip()


def test_a_firmware_that_works() -> None:
    assert start_failure(probe(banner("ok"))) is None


def test_what_the_interpreter_says_when_it_does_not_start() -> None:
    console = FakeConsole(FakeFirmware())
    assert start_failure(console) is None
    said = probe("tflm: Too many buffers (max is 3)", banner("fail"), answer("err model"))
    assert start_failure(said) == "Too many buffers (max is 3)"


def test_a_build_without_texts_says_that_it_failed() -> None:
    failure = start_failure(probe(banner("fail"), answer("err model")))
    assert failure is not None
    assert "err model" in failure


def test_a_firmware_that_breaks() -> None:
    fault = wire.encode_line(wire.MARK_RECORD, 0, "fault pc=00000010 lr=0 cfsr=0").decode().rstrip()
    failure = start_failure(probe(fault))
    assert failure is not None
    assert "pc=00000010" in failure


def test_an_interpreter_that_computes_something_else() -> None:
    ran = answer("ok ticks=1 in_crc=00000000 out_crc=00000000")
    with pytest.raises(CheckError, match="self-test failed"):
        start_failure(probe(banner("fail"), ran))


def test_messages_are_kept_once() -> None:
    console = LoggedConsole(probe("tflm: a", "tflm: b", "tflm: a", "other"))
    assert list(itertools.islice(console.lines(0.1), 4)) == [b"tflm: a", b"tflm: b", b"tflm: a", b"other"]
    assert console.log == ["a", "b"]


def test_an_emulator_that_ends_a_broken_interpreter() -> None:
    """As where it writes through a null pointer: the size is too small, and the search goes on."""
    fake = FakeProbe(4096, breaks=range(1024, 3072), ends=True)
    assert search_arena(fake.start, "small") == 4096
    assert fake.starts > 1
    with pytest.raises(CheckError, match="BusFault: write of 4 bytes"):
        search_arena(FakeProbe(1, breaks=range(16, 16400), ends=True).start, "small")
