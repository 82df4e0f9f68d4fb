"""The host side of the protocol against a firmware in Python: good lines, bad lines, hostile devices."""

from __future__ import annotations

import contextlib
import random
import zlib
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.fake_firmware import (
    LAYER_TICKS,
    TICKS,
    FakeConsole,
    FakeFirmware,
    HostileConsole,
    Noise,
    fake_layers,
)
from tinyedge import wire
from tinyedge.artifacts import NamedKernel, Program, ProgramLayer
from tinyedge.errors import DeviceError
from tinyedge.graph.ir import Graph
from tinyedge.measure.patience import banner_timeout_s
from tinyedge.measure.replies import DeviceRestarted, Inference, LayerTicks, Memory, TensorInfo
from tinyedge.measure.session import BANNER_TIMEOUT_S, IN_AN_EMULATOR, Session
from tinyedge.ops.contract import Layer

REQUESTS: dict[str, Callable[[Session], Any]] = {
    "hello": Session.hello,
    "tensor": lambda s: s.tensor("out", 0),
    "write_input": lambda s: s.write_input(0, bytes(100)),
    "run": Session.run,
    "profile": Session.profile,
    "read_output": lambda s: s.read_output(0),
    "memory": Session.memory,
    "reset": Session.reset,
    "infer": lambda s: s.infer([bytes(100)]),
    "wait_for_banner": lambda s: s.wait_for_banner(5.0),
}


def session_on(console: Any, **options: Any) -> Session:
    return Session(console, clock=console.clock, **options)


def sample(seed: int, size: int = 150) -> bytes:
    return random.Random(seed).randbytes(size)


def test_every_request() -> None:
    session = session_on(FakeConsole(FakeFirmware()))
    hello = session.wait_for_banner()
    assert (hello.model, hello.image, hello.layers, hello.arena_bytes) == ("fake", "0123456789abcdef", 2, 2048)
    assert session.hello() == hello
    assert session.tensor("in", 0) == TensorInfo(150, "int8", (1, 150), 0.5, -3)
    session.write_input(0, sample(1))
    assert session.run().ticks == TICKS
    assert session.read_output(0) == fake_layers([sample(1)])[1]
    session.write_input(0, sample(2))
    layers = session.profile()
    assert [(layer.index, layer.ticks) for layer in layers] == list(enumerate(LAYER_TICKS))
    assert session.memory() == Memory(612, 4096, 3000, 2048)
    session.reset()


def test_several_inputs_and_the_layers_without_checksums() -> None:
    firmware = FakeFirmware(sizes=(97, 97), has_crcs=False)
    session = session_on(FakeConsole(firmware))
    inputs = [sample(1, 97), sample(2, 97)]
    assert session.infer(inputs) == Inference((fake_layers(inputs)[1],), TICKS)
    assert session.profile_of(inputs, 2) == tuple(LayerTicks(i, ticks, None) for i, ticks in enumerate(LAYER_TICKS))


def test_a_late_reader_asks_who_is_there() -> None:
    session = session_on(FakeConsole(FakeFirmware(), late=True))
    assert session.wait_for_banner().model == "fake"


def test_what_an_earlier_host_asked_is_not_mistaken_for_an_answer() -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware, late=True)
    for number in (1, 2):  # an earlier host got this far, and its last answer is still under way
        console.write(wire.encode_line(wire.MARK_REQUEST, number, "mem"))
    assert session_on(console).hello().model == "fake"


def test_requests_are_numbered_past_the_largest_number() -> None:
    session = session_on(FakeConsole(FakeFirmware()))
    session.wait_for_banner()
    session._sequence = 65_530
    for _ in range(10):
        assert session.memory().arena_bytes == 2048
    assert session._sequence < 10


def test_a_lost_reply_is_sent_again_without_a_second_inference() -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware)
    session = session_on(console)
    session.wait_for_banner()
    session.write_input(0, sample(1))
    lost = iter((True, True, False))
    receive = firmware.receive
    firmware.receive = lambda data: b"" if receive(data) and next(lost, False) else receive(data)  # type: ignore[method-assign]
    assert session.run().ticks == TICKS
    assert firmware.runs == 1


def test_a_silent_device_is_given_up_in_time() -> None:
    console = HostileConsole(lambda number, words: b"")
    session = session_on(console, timeout_s=1.0, retries=3, run_timeout_s=20.0)
    with pytest.raises(DeviceError, match="did not answer `hello`") as caught:
        session.memory()
    assert caught.value.exit_code == 4
    assert caught.value.hint
    assert console.clock.now <= 5


def test_a_banner_is_awaited_for_half_a_minute_and_no_longer() -> None:
    console = HostileConsole(lambda number, words: b"")
    with pytest.raises(DeviceError, match=r"did not answer `hello` in 30\.0 s"):
        session_on(console).wait_for_banner()
    assert console.clock.now < 35


def test_a_hanging_inference_is_given_up_in_time() -> None:
    def answer(number: int, words: str) -> bytes:
        return b"" if words == "run" else wire.encode_line("<", number, "ok")

    console = HostileConsole(answer)
    session = session_on(console, timeout_s=1.0, run_timeout_s=20.0)
    with pytest.raises(DeviceError, match="did not answer `run` in 20"):
        session.run()
    assert console.clock.now <= 22


def test_an_inference_that_takes_far_longer_than_those_before_is_given_up_sooner() -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware)
    session = session_on(console, run_timeout_s=120.0)
    session.infer([sample(1)])
    firmware.receive = lambda data: b""  # type: ignore[method-assign]
    start = console.clock.now
    with pytest.raises(DeviceError, match="did not answer `run` in 2"):
        session.run()
    assert console.clock.now - start <= 25


def test_a_fault_is_an_error_at_once() -> None:
    console = FakeConsole(FakeFirmware(fault_at=1))
    session = session_on(console)
    session.wait_for_banner()
    before = console.clock.now
    with pytest.raises(DeviceError, match="fault: pc=000004d2"):
        session.infer([sample(1)])
    assert console.clock.now - before < 1


def test_a_restart_in_the_middle_is_noticed_and_the_inference_done_again() -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware)
    session = session_on(console)
    session.wait_for_banner()
    session.write_input(0, sample(1))
    console._sent += firmware.reset()
    with pytest.raises(DeviceRestarted, match="restarted"):
        session.run()
    console._sent += firmware.reset()
    assert session.infer([sample(1)]).outputs == (fake_layers([sample(1)])[1],)


@pytest.mark.parametrize("repeats", [0, 2])
def test_a_restart_whose_banner_was_lost_is_noticed_by_the_inputs(repeats: int) -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware)
    session = session_on(console)
    session.wait_for_banner()
    write = session.write_input
    resets = iter((True,))

    def write_then_reset(i: int, data: bytes) -> None:
        write(i, data)
        if next(resets, False):
            firmware.reset()

    session.write_input = write_then_reset  # type: ignore[method-assign]
    if repeats:
        assert session.infer([sample(1)], repeats=repeats).outputs == (fake_layers([sample(1)])[1],)
    else:
        with pytest.raises(DeviceRestarted, match="CRC"):
            session.infer([sample(1)], repeats=repeats)


def test_a_profile_of_another_model_is_refused() -> None:
    with pytest.raises(DeviceError, match="profiled 2 layers, the plan has 5"):
        session_on(FakeConsole(FakeFirmware())).profile_of([sample(1)], 5)


def test_an_unplugged_device_is_an_error() -> None:
    console = FakeConsole(FakeFirmware())
    session = session_on(console)
    session.wait_for_banner()
    console.unplug()
    with pytest.raises(DeviceError, match="lost the connection"):
        session.run()


rates = st.sampled_from([0.0, 0.0005, 0.002, 0.01, 0.1])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    noise=st.builds(
        Noise,
        seed=st.integers(0, 2**32),
        lose=rates,
        double=rates,
        flip=rates,
        reset=st.sampled_from([0, 0, 0.02, 0.2]),
    ),
    late=st.booleans(),
    sizes=st.sampled_from([(1,), (96,), (150,), (97, 97)]),
)
def test_no_wrong_result_is_ever_accepted_over_a_noisy_line(noise: Noise, late: bool, sizes: tuple[int, ...]) -> None:
    console = FakeConsole(FakeFirmware(sizes=sizes), noise, late=late)
    session = session_on(console, timeout_s=1.0, retries=5, run_timeout_s=30.0)
    for number in range(3):
        inputs = [sample(number + 10 * i, size) for i, size in enumerate(sizes)]
        summed, output = fake_layers(inputs)
        start = console.clock.now
        try:
            assert session.infer(inputs) == Inference((output,), TICKS)
            found = session.profile_of(inputs, 2)
        except DeviceError:
            pass
        else:
            assert [layer.crc for layer in found] == [zlib.crc32(summed), zlib.crc32(output)]
        # 3 tries of up to 13 exchanges of 6 s and one of 30 s, for the inference and the profile
        assert console.clock.now - start <= 2 * 3 * (13 * 7 + 40)


def test_a_little_noise_is_overcome() -> None:
    failures = 0
    for seed in range(40):
        console = FakeConsole(FakeFirmware(), Noise(seed, lose=0.0005, double=0.0005, flip=0.001))
        try:
            assert session_on(console).infer([sample(seed)]).outputs == (fake_layers([sample(seed)])[1],)
        except DeviceError:
            failures += 1
    assert failures == 0


BABBLE = {
    "an endless line": b"A" * 4096,
    "endless empty lines": b"\n" * 4096,
    "replies to other requests": wire.encode_line("<", 9999, "ok ticks=1 in_crc=00000000 out_crc=00000000") * 50,
    "not even text": bytes(range(256)) * 16,
    "long lines": (b"B" * 5000 + b"\n") * 2,
    "records nobody knows": wire.encode_line("#", 0, "weather sunny") * 100,
}


@pytest.mark.parametrize("babble", BABBLE.values(), ids=BABBLE)
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_babbling_device_cannot_hang_the_host(request_: Callable[[Session], Any], babble: bytes) -> None:
    console = HostileConsole(lambda number, words: b"", babble)
    session = session_on(console, timeout_s=1.0, retries=2, run_timeout_s=10.0)
    with pytest.raises(DeviceError):
        request_(session)
    assert console.clock.now < 45
    assert console.bytes_read < 45 * 100_000


@pytest.mark.parametrize("banner", [True, False])
def test_the_chosen_model_stays_chosen_over_a_restart(banner: bool) -> None:
    """After a reset the firmware is about its first model; a banner may be lost, and the inputs be of one size."""
    firmware = FakeFirmware((4,), models=2)
    console = FakeConsole(firmware)
    session = Session(console, clock=console.clock)
    session.wait_for_banner()
    assert session.choose_model(1).model == "fake1"
    wanted = bytes(value + 1 for value in fake_layers([b"abcd"])[1])
    assert session.infer([b"abcd"]).outputs == (wanted,)
    write, resets = session.write_input, iter((True,))

    def reset_then_write(i: int, data: bytes) -> None:
        if next(resets, False):
            sent = firmware.reset()
            console._sent += sent if banner else b""
        write(i, data)

    session.write_input = reset_then_write  # type: ignore[method-assign]
    assert session.infer([b"abcd"]).outputs == (wanted,)


def test_a_model_that_is_not_there() -> None:
    console = FakeConsole(FakeFirmware((4,), models=2))
    with pytest.raises(DeviceError, match="refused `model 2`"):
        Session(console, clock=console.clock).choose_model(2)


def test_an_endless_restart_is_given_up() -> None:
    banner = FakeFirmware().reset()
    console = HostileConsole(lambda number, words: b"", banner)
    session = session_on(console)
    session.wait_for_banner()
    with pytest.raises(DeviceRestarted):
        session.infer([bytes(10)])
    assert console.clock.now < 10


KEYS = (
    *("protocol", "model", "board", "runtime", "image", "ticks_hz", "inputs", "outputs", "layers", "arena", "selftest"),
    *("bytes", "type", "shape", "scale", "zero_point", "ticks", "in_crc", "out_crc", "index", "crc", "data"),
    *("stack_peak", "stack_size", "ram_static"),
)
VALUES = (
    *(
        "1",
        "0",
        "-1",
        "2147483648",
        "4294967295",
        "99999999999999999999",
        "",
        "00000000",
        "AAAA",
        "1x2",
        "nan",
        "1e999",
    ),
    *("inf", "x", "=", "0x10", "12345678", "\N{SUPERSCRIPT TWO}"),
)
WORDS = st.one_of(
    st.text(max_size=60),
    st.builds(
        lambda pairs: "ok " + " ".join(f"{key}={value}" for key, value in pairs),
        st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=14),
    ),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(replies=st.lists(WORDS, min_size=1, max_size=5), name=st.sampled_from(sorted(REQUESTS)))
def test_a_lying_device_gives_typed_errors_and_nothing_else(replies: list[str], name: str) -> None:
    count = 0

    def answer(number: int, _: str) -> bytes:
        nonlocal count
        count += 1
        body = f"<{number} {replies[count % len(replies)]}".encode()
        return body + b" ~%08X\n" % zlib.crc32(body)

    console = HostileConsole(answer)
    session = session_on(console, timeout_s=0.5, retries=2, run_timeout_s=5.0)
    with contextlib.suppress(DeviceError):  # anything else is a defect
        REQUESTS[name](session)
    assert count < 3000
    assert console.clock.now < 60


def test_control_characters_never_reach_the_terminal() -> None:
    def answer(number: int, _: str) -> bytes:
        body = f"<{number} ok \x1b[2J".encode()
        return body + b" ~%08X\n" % zlib.crc32(body)

    with pytest.raises(DeviceError, match="did not answer"):
        session_on(HostileConsole(answer)).hello()


def test_a_tensor_of_two_gigabytes_is_refused() -> None:
    def answer(number: int, _: str) -> bytes:
        return wire.encode_line("<", number, "ok bytes=2147483647 type=int8 shape=1 scale= zero_point=0")

    console = HostileConsole(answer)
    with pytest.raises(DeviceError, match="bytes=2147483647"):
        session_on(console).read_output(0)


def test_another_version_of_the_protocol_is_refused() -> None:
    def answer(number: int, _: str) -> bytes:
        return wire.encode_line("<", number, "ok protocol=1")

    with pytest.raises(DeviceError, match="speaks protocol 1"):
        session_on(HostileConsole(answer)).hello()


def test_a_profile_taken_anew_after_a_restart_is_not_mistaken_for_the_one_asked_for() -> None:
    firmware = FakeFirmware()
    session = session_on(FakeConsole(firmware))
    read_layer = firmware._do_layer
    restarts = iter((True,))

    def layer_of_a_repeated_request(i: str) -> str:
        if next(restarts, False):  # the banner got lost, and a repeated `profile` found the inputs wiped
            firmware.reset()
            firmware._do_profile()
        return read_layer(i)

    firmware._do_layer = layer_of_a_repeated_request  # type: ignore[method-assign]
    profile = session.profile_of([sample(1)], 2)
    assert [layer.crc for layer in profile] == [zlib.crc32(layer) for layer in fake_layers([sample(1)])]
    assert firmware.runs == 3


def test_a_silent_firmware_in_an_emulator_is_not_told_to_be_reset() -> None:
    """What the emulator printed is quoted; what only a board has is not named."""
    said = ["[WARNING] sysbus: ReadDoubleWord from non existing peripheral"]
    console = HostileConsole(lambda number, words: b"")
    emulated = session_on(console, advice=IN_AN_EMULATOR, beside=lambda: said)
    with pytest.raises(DeviceError, match=r"did not answer `hello`.*\n +\| \[WARNING\] sysbus: ReadDouble") as caught:
        emulated.wait_for_banner()
    assert "reset" not in caught.value.hint
    with pytest.raises(DeviceError) as on_a_board:
        session_on(HostileConsole(lambda number, words: b"")).wait_for_banner()
    assert "reset the board" in on_a_board.value.hint


def test_a_large_model_is_waited_for_longer() -> None:
    small = Program(cast(Graph, None), (layer_of(macs=1000),), 0, "balanced")
    large = Program(cast(Graph, None), (layer_of(macs=500_000_000),), 0, "balanced")
    assert banner_timeout_s(small, 64_000_000, emulated=True) == pytest.approx(BANNER_TIMEOUT_S, rel=0.1)
    emulated, board = (banner_timeout_s(large, 64_000_000, emulated=where) for where in (True, False))
    assert emulated == 3600, "an hour at most"
    assert 10 * BANNER_TIMEOUT_S < board < emulated


def layer_of(macs: int) -> ProgramLayer:
    return ProgramLayer(Layer(cast(Any, None), None, (), (), macs), NamedKernel("k"))
