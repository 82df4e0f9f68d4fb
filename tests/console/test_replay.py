"""Recorded logs."""

from __future__ import annotations

import io

import pytest

from kits.fake_firmware import FakeConsole, FakeFirmware, fake_layers
from tinyedge.console.replay import RecordingConsole, ReplayConsole
from tinyedge.errors import DeviceError
from tinyedge.measure.replies import Inference
from tinyedge.measure.session import Session

DATA = bytes(range(150))


def play(session: Session) -> Inference:
    session.wait_for_banner()
    return session.infer([DATA])


def record() -> bytes:
    sink = io.BytesIO()
    console = FakeConsole(FakeFirmware())
    session = Session(RecordingConsole(console, sink), clock=console.clock)
    play(session)
    return sink.getvalue()


def test_a_recorded_session_can_be_played_again() -> None:
    console = ReplayConsole(record())
    session = Session(console)
    assert session.wait_for_banner().model == "fake"
    assert session.infer([DATA]).outputs == (fake_layers([DATA])[1],)
    assert len(console.written) == 2 + 1 + 1 + 2  # in, run, tensor, out
    with pytest.raises(DeviceError, match="recorded log of"):
        session.memory()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_log_is_an_error_at_once(share: float) -> None:
    log = record()
    session = Session(ReplayConsole(log[: int(len(log) * share)]))
    with pytest.raises(DeviceError, match="is over"):
        play(session)


def test_a_garbled_log_gives_no_result() -> None:
    log = bytearray(record())
    log[len(log) // 2] ^= 4
    session = Session(ReplayConsole(bytes(log)))
    with pytest.raises(DeviceError, match="is over"):
        play(session)


def test_a_closed_log_is_over() -> None:
    console = ReplayConsole(b"a\nb\n")
    console.close()
    with pytest.raises(DeviceError):
        next(console.lines(1.0))
