"""The firmware of the host board over its pipe: every request, and everything that can go wrong on a line."""

from __future__ import annotations

import base64
import dataclasses
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kits.firmware_pipe import FirmwarePipe, in_requests, out_requests
from kits.hand_plan import SIZE, reference, start_state
from tinyedge import wire
from tinyedge.artifacts import FirmwareProject
from tinyedge.build import build_image

MakeProject = Callable[[str], FirmwareProject]


@pytest.fixture(scope="module")
def program(make_project: MakeProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With ASan and UBSan where the system has a compiler of its own, else built by zig without."""
    project = make_project("host")
    folder = tmp_path_factory.mktemp("firmware")
    if shutil.which("cc") is not None:
        return build_image(project, folder, "gcc", sanitize=True).elf
    return build_image(project, folder, "zig").elf


@pytest.fixture
def firmware(program: Path) -> Iterator[FirmwarePipe]:
    with FirmwarePipe(program) as pipe:
        yield pipe
        assert pipe.process.poll() is None, "it has ended by itself"


@pytest.fixture
def started(firmware: FirmwarePipe) -> FirmwarePipe:
    """Behind its banner."""
    assert firmware.decoded()[0] == wire.MARK_RECORD
    return firmware


def samples(count: int) -> npt.NDArray[np.int8]:
    return np.random.default_rng(7).integers(-128, 128, (count, SIZE)).astype(np.int8)


def write_input(firmware: FirmwarePipe, sequence: int, value: npt.NDArray[np.int8]) -> int:
    """Write the input; the next number of a request."""
    for words in in_requests(0, value.tobytes()):
        assert firmware.ask(sequence, words) == wire.OK
        sequence += 1
    return sequence


def read_output(firmware: FirmwarePipe, sequence: int) -> tuple[bytes, int]:
    data = b""
    for words in out_requests(0, SIZE):
        data += base64.b64decode(firmware.values(sequence, words)["data"], validate=True)
        sequence += 1
    return data, sequence


def test_banner_and_hello(firmware: FirmwarePipe, make_project: MakeProject) -> None:
    mark, sequence, words = firmware.decoded()
    assert (mark, sequence) == (wire.MARK_RECORD, 0)
    verb, _, description = words.partition(" ")
    assert verb == "hello"
    assert firmware.ask(1, "hello") == f"{wire.OK} {description}"
    assert dict(pair.split("=") for pair in description.split(" ")) == {
        "protocol": str(wire.PROTOCOL),
        "model": "hand",
        "board": "host",
        "runtime": "aot",
        "image": make_project("host").digest[:16],
        "ticks_hz": "100000000",
        "inputs": "1",
        "outputs": "1",
        "layers": "2",
        "arena": "912",
        "selftest": "ok",
    }


def test_a_wrong_result_fails_the_self_test(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project("host")
    broken = project.files["model/hand_info.c"].replace(b".selftest_crc = 0x", b".selftest_crc = 1u + 0x")
    assert broken != project.files["model/hand_info.c"]
    files = {**project.files, "model/hand_info.c": broken}
    image = build_image(dataclasses.replace(project, files=files), tmp_path, "zig")
    with FirmwarePipe(image.elf) as firmware:
        assert firmware.decoded()[2].endswith(" selftest=fail")


def test_tensors(started: FirmwarePipe) -> None:
    expected = {"bytes": str(SIZE), "type": "int8", "shape": f"1x{SIZE}", "scale": "0.5", "zero_point": "-3"}
    assert started.values(1, "tensor in 0") == expected
    assert started.values(2, "tensor out 0") == expected


def test_inference_equals_the_reference(started: FirmwarePipe) -> None:
    state, sequence = start_state(), 1
    for value in samples(3):
        sequence = write_input(started, sequence, value)
        reply = started.values(sequence, "run")
        _, state = reference(state, value)
        data, sequence = read_output(started, sequence + 1)
        assert data == state.tobytes()
        assert int(reply["in_crc"], 16) == zlib.crc32(value.tobytes())
        assert int(reply["out_crc"], 16) == zlib.crc32(data)
        assert int(reply["ticks"]) >= 0


def test_reset_starts_variables_anew(started: FirmwarePipe) -> None:
    value = samples(1)[0]
    expected = zlib.crc32(reference(start_state(), value)[1].tobytes())
    sequence = write_input(started, 1, value)
    assert int(started.values(sequence, "run")["out_crc"], 16) == expected
    sequence = write_input(started, sequence + 1, value)
    assert int(started.values(sequence, "run")["out_crc"], 16) != expected
    assert started.ask(sequence + 1, "reset") == wire.OK
    sequence = write_input(started, sequence + 2, value)
    assert int(started.values(sequence, "run")["out_crc"], 16) == expected


def test_profile(started: FirmwarePipe) -> None:
    value = samples(1)[0]
    middle, state = reference(start_state(), value)
    assert started.ask(1, "layer 0") == "err order"
    sequence = write_input(started, 2, value)
    reply = started.values(sequence, "profile")
    layers = [started.values(sequence + 1 + step, f"layer {step}") for step in range(2)]
    assert reply["layers"] == "2"
    assert int(reply["in_crc"], 16) == zlib.crc32(value.tobytes())
    assert int(reply["out_crc"], 16) == zlib.crc32(state.tobytes())
    assert [int(layer["crc"], 16) for layer in layers] == [zlib.crc32(t.tobytes()) for t in (middle, state)]
    assert [layer["index"] for layer in layers] == ["0", "1"]
    assert {layer["in_crc"] for layer in layers} == {reply["in_crc"]}
    assert int(reply["ticks"]) == sum(int(layer["ticks"]) for layer in layers)


def test_mem(started: FirmwarePipe) -> None:
    assert started.values(1, "mem") == {"stack_peak": "0", "stack_size": "0", "ram_static": "0", "arena": "912"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("", "verb"),
        ("helloo", "verb"),
        ("hell", "verb"),
        ("HELLO", "verb"),
        ("hello again", "args"),
        ("hello ", "args"),
        ("run 1", "args"),
        ("profile x", "args"),
        ("mem 1", "args"),
        ("reset 1", "args"),
        ("tensor", "args"),
        ("tensor in", "args"),
        ("tensor in 1", "args"),
        ("tensor both 0", "args"),
        ("tensor in 0 0", "args"),
        ("tensor in -1", "args"),
        ("layer", "args"),
        ("layer 2", "args"),
        ("layer 4294967296", "args"),
        ("out 0 0 97", "args"),
        ("out 0 0 0", "args"),
        ("out 0 0", "args"),
        (f"out 0 {SIZE - 1} 2", "args"),
        (f"out 0 {SIZE} 1", "args"),
        ("out 0 4294967295 2", "args"),
        ("out 1 0 1", "args"),
        ("in 0 0", "args"),
        ("in 0 0 ", "args"),
        ("in 0 0 A", "args"),
        ("in 0 0 AA", "args"),
        ("in 0 0 AAA", "args"),
        ("in 0 0 A===", "args"),
        ("in 0 0 AA=A", "args"),
        ("in 0 0 AA==AAAA", "args"),
        ("in 0 0 AA*=", "args"),
        ("in 0 0 AAAA more", "args"),
        ("in 1 0 AAAA", "args"),
        (f"in 0 {SIZE - 2} AAAA", "args"),
        ("in 0 4294967295 AAAA", "args"),
        ("in 0 0  AAAA", "args"),
        (f"in 0 0 {base64.b64encode(bytes(97)).decode()}", "args"),
    ],
)
def test_malformed_requests_are_refused(started: FirmwarePipe, words: str, error: str) -> None:
    assert started.ask(9, words) == f"{wire.ERR} {error}"


def test_a_refused_write_changes_nothing(started: FirmwarePipe) -> None:
    value = samples(1)[0]
    sequence = write_input(started, 1, value)
    for words in (f"in 0 {SIZE - 2} AAAA", "in 0 0 AAAA*AAA", f"in 0 0 {'AAAA' * 32}AAAA"):
        assert started.ask(sequence, words) == "err args"
        sequence += 1
    assert int(started.values(sequence, "run")["in_crc"], 16) == zlib.crc32(value.tobytes())


@pytest.mark.parametrize("length", [1, 2, 3, 95, 96])
def test_chunks_of_every_padding(started: FirmwarePipe, length: int) -> None:
    value = samples(1)[0].copy()
    sequence = write_input(started, 1, value)
    value[5 : 5 + length] = np.arange(length)
    chunk = base64.b64encode(value[5 : 5 + length].tobytes()).decode()
    assert started.ask(sequence, f"in 0 5 {chunk}") == wire.OK
    assert int(started.values(sequence + 1, "run")["in_crc"], 16) == zlib.crc32(value.tobytes())
    expected = reference(start_state(), value)[1].tobytes()
    reply = started.values(sequence + 2, f"out 0 5 {length}")
    assert base64.b64decode(reply["data"], validate=True) == expected[5 : 5 + length]


def request(sequence: int, words: str) -> bytes:
    return wire.encode_line(wire.MARK_REQUEST, sequence, words)


def flipped(line: bytes, at: int) -> bytes:
    return line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]


def test_a_repeated_request_is_not_executed_again(started: FirmwarePipe) -> None:
    value = samples(1)[0]
    sequence = write_input(started, 1, value)
    first = started.ask(sequence, "run")
    for _ in range(3):
        assert started.ask(sequence, "run") == first
    data, _ = read_output(started, sequence + 1)
    assert data == reference(start_state(), value)[1].tobytes(), "the variable has moved on once only"


def test_a_reused_number_is_a_new_request(started: FirmwarePipe) -> None:
    """A host that starts anew counts from 1 again, where the last one may have stopped."""
    assert started.ask(1, "mem").startswith("ok stack_peak=")
    assert started.ask(1, "tensor in 0").startswith("ok bytes=")


@pytest.mark.parametrize("at", range(len(b">7 run ~93B67104")))
def test_a_flipped_bit_is_noise(started: FirmwarePipe, at: int) -> None:
    started.send(flipped(request(7, "run"), at))
    assert started.ask(8, "reset") == wire.OK, "the reply to the next request comes first"


@pytest.mark.parametrize(
    "noise",
    [
        b"\n",
        b"\r\n",
        b"\n\n\n",
        b"garbage\n",
        bytes(range(128, 256)) + b"\n",
        b"\x00" * 50 + b"\n",
        b"~\n",
        b" ~FFFF\n",
        b">\n",
        wire.encode_line(wire.MARK_REPLY, 3, "ok"),
        wire.encode_line(wire.MARK_RECORD, 0, "hello"),
        request(0, "run"),
        request(65536, "run"),
        request(99999999999, "run"),
        b">7 run ~93b67104\n",  # lower case
        b">7 run 93B67104\n",
        b">7 run ~93B67104 \n",
        b"x>7 run ~93B67104\n",
        b">7 run ~93B6710\n",
        b"x" * 5000 + b"\n",
        b"x" * 5000 + request(7, "run"),
        request(7, "run " + "x" * wire.LINE_BYTES),
    ],
)
def test_noise_is_dropped(started: FirmwarePipe, noise: bytes) -> None:
    started.send(noise)
    assert started.ask(8, "reset") == wire.OK, "the reply to the next request comes first"


def test_the_longest_line_is_taken_and_one_byte_more_is_not(started: FirmwarePipe) -> None:
    room = wire.LINE_BYTES - len(request(7, "run ")) + 1
    assert started.ask(7, "run " + "x" * room) == "err args"
    started.send(request(8, "run " + "x" * (room + 1)))
    assert started.ask(9, "reset") == wire.OK


def test_line_ends_of_either_kind(started: FirmwarePipe) -> None:
    started.send(request(7, "reset").replace(b"\n", b"\r\n"))
    assert started.decoded() == (wire.MARK_REPLY, 7, wire.OK)


def test_two_requests_at_once_are_both_answered(started: FirmwarePipe) -> None:
    started.send(request(7, "reset") + request(8, "bad"))
    assert [started.decoded()[1:] for _ in range(2)] == [(7, "ok"), (8, "err verb")]


def test_a_broken_line_costs_itself_only(started: FirmwarePipe) -> None:
    started.send(request(7, "reset")[:-4])
    started.send(b"\n" + request(7, "reset"))
    assert started.decoded() == (wire.MARK_REPLY, 7, wire.OK)
    assert started.silent()


def test_the_end_of_the_line_ends_the_process(program: Path) -> None:
    with FirmwarePipe(program) as firmware:
        firmware.decoded()
    assert firmware.process.returncode == 0


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([b">", b" ~", b"\n", b"7 in 0 0 AAAA"]))))
def test_nothing_on_the_line_breaks_it(shared: FirmwarePipe, pieces: list[bytes]) -> None:
    """Whatever came before, behind a line feed the next request is understood (ASan and UBSan watch)."""
    shared.send(b"".join(pieces) + b"\n")
    assert shared.ask(8, "reset") == wire.OK


@pytest.fixture(scope="module")
def shared(program: Path) -> Iterator[FirmwarePipe]:
    """One process for all examples of a property."""
    with FirmwarePipe(program) as pipe:
        pipe.decoded()
        yield pipe


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_any_words_get_a_short_answer(shared: FirmwarePipe, words: str) -> None:
    """Well-formed lines of any content: the answer is ok or a known error."""
    reply = shared.ask(9, words)
    assert reply == wire.OK or reply.startswith((f"{wire.OK} ", *(f"{wire.ERR} {code}" for code in wire.ERRORS)))
