"""The search for the smallest arena, as the host sees it."""

from __future__ import annotations

import itertools

import pytest

from support.fake_firmware import BANNER, FakeConsole, FakeFirmware
from tinyedge import wire
from tinyedge.console.replay import ReplayConsole
from tinyedge.errors import CheckError, DeviceError
from tinyedge.measure.arena import LoggedConsole, search_arena, start_failure


def probe(*lines: str) -> ReplayConsole:
    return ReplayConsole("".join(f"{line}\n" for line in lines).encode())


def test_the_size_the_probe_found() -> None:
    console = probe("", "arena most 257744", "", "tflm: Too many buffers (max is 2)", "noise \x7f", "arena 1072")
    assert search_arena(console, "small") == 1072


def test_not_even_all_of_the_memory_is_enough() -> None:
    console = probe(
        "arena most 16384", "tflm: Failed to allocate", "tflm: Failed to allocate", "tflm: at 3", "arena none"
    )
    with pytest.raises(CheckError) as caught:
        search_arena(console, "small")
    assert caught.value.what == (
        "TensorFlow Lite Micro cannot start model `small` in the 16,384 B of RAM that are free\n"
        "       | Failed to allocate\n       | at 3"
    )


def test_a_fault_of_the_probe() -> None:
    with pytest.raises(DeviceError, match="stopped with a fault at 0x1f4 while the arena was searched"):
        search_arena(probe("arena most 16384", "arena fault 500"), "small")


@pytest.mark.parametrize("lines", [(), ("arena most 16384",), ("arena ", "arena x", "arena most", "arena 12345678901")])
def test_a_probe_that_does_not_end(lines: tuple[str, ...]) -> None:
    with pytest.raises(DeviceError):
        search_arena(probe(*lines), "small", timeout_s=0.2)


def banner(selftest: str) -> str:
    words = BANNER.format(inputs=1).replace("selftest=ok", f"selftest={selftest}")
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


def test_an_interpreter_that_computes_something_else() -> None:
    ran = answer("ok ticks=1 in_crc=00000000 out_crc=00000000")
    with pytest.raises(CheckError, match="self-test failed"):
        start_failure(probe(banner("fail"), ran))


def test_messages_are_kept_once() -> None:
    console = LoggedConsole(probe("tflm: a", "tflm: b", "tflm: a", "other"))
    assert list(itertools.islice(console.lines(0.1), 4)) == [b"tflm: a", b"tflm: b", b"tflm: a", b"other"]
    assert console.log == ["a", "b"]
