"""Lines of numbers: separators, names and times, and lines that noise has damaged."""

from __future__ import annotations

import contextlib
import math
import random

import pytest

from tinyedge.collect.contract import Lost, Row, Rows, TimeUnit
from tinyedge.collect.lines import LineDecoder
from tinyedge.errors import DeviceError

TEN = [(n, n * 0.5, -n) for n in range(1, 11)]


def decoded(text: str, time: TimeUnit = "auto", *, live: bool = False) -> tuple[LineDecoder, list[Row | int]]:
    """(the decoder, samples, and for each hole the number of missing samples)."""
    decoder = LineDecoder(time, live=live)
    found: list[Row | int] = []
    for event in [*decoder.feed(text.encode("utf-8")), *decoder.finish()]:
        found += event.rows if isinstance(event, Rows) else [event.samples]
    return decoder, found


def lines(rows: list[Row], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(map(str, row)) + end for row in rows)


@pytest.mark.parametrize("separator", [",", ", ", "\t", ";", " ", "   "])
def test_separators(separator: str) -> None:
    assert decoded(lines(TEN, separator) + lines(TEN, separator, "\r\n"))[1] == TEN + TEN


def test_a_separator_at_the_end_of_lines() -> None:
    assert decoded(lines(TEN, ",", ",\n") + lines(TEN, "\t", "\t\r\n"))[1] == TEN + TEN


def test_names_and_talk_before_the_numbers() -> None:
    decoder, found = decoded("Hello from the board v1.2\n\nax,ay,az\n" + lines(TEN) + "battery low\n" + lines(TEN))
    assert decoder.axis_names == ("ax", "ay", "az")
    assert found == TEN + TEN


def test_talk_between_samples_is_no_hole_and_names_again_are_a_restart() -> None:
    names = "ax,ay,az\n"
    talk = "battery 3.7\n[info] temperature is 25\n\n"
    assert decoded(names + lines(TEN) + talk + lines(TEN))[1] == TEN + TEN
    assert decoded(names + lines(TEN) + "boot\n" + names + lines(TEN))[1] == [*TEN, 0, *TEN]


def test_the_first_line_of_a_live_board_may_be_cut() -> None:
    assert decoded("3,4,5\n" + lines(TEN), live=True)[1] == TEN
    assert decoded("23\n" + lines(TEN), live=True)[1] == TEN


@pytest.mark.parametrize(
    "damaged", ["1,2", "1,2,3,4", "1,x,3", "1,2,nan", "1,2,0x10", "1,,3", "1,2,3é", "1,2,1e999", "1,2," + "9" * 400]
)
def test_a_damaged_line_is_a_hole(damaged: str) -> None:
    decoder, found = decoded(lines(TEN) + damaged + "\n" + lines(TEN))
    assert found == [*TEN, 1, *TEN]
    assert decoder.damaged == 1


@pytest.mark.parametrize("time", ["auto", "ms"])
def test_noise_of_any_kind_is_survived(time: TimeUnit) -> None:
    lot = random.Random(7)
    signs = b"0123456789.,\t -+eE;\r\nabT\xff\x00"
    for _ in range(60):
        decoder = LineDecoder(time)
        with contextlib.suppress(DeviceError):
            for _ in range(20):
                for event in decoder.feed(bytes(lot.choice(signs) for _ in range(lot.randrange(200)))):
                    if isinstance(event, Rows):
                        assert {len(row) for row in event.rows} == {len(decoder.axis_names)}
                        assert all(math.isfinite(value) for row in event.rows for value in row)
                        assert len(event.times_s) in (0, len(event.rows))
            decoder.finish()


def test_few_damaged_lines_among_the_first_do_not_settle_the_width() -> None:
    assert decoded("1,2\n" + lines(TEN))[1] == TEN


def test_few_samples_are_not_lost_at_the_end() -> None:
    assert decoded(lines(TEN[:3]) + "4,5")[1] == TEN[:3]


def test_another_width_for_good_is_refused() -> None:
    with pytest.raises(DeviceError, match="lines of 1 number, and sent 3 numbers"):
        decoded(lines(TEN) + "1\n" * 8)


@pytest.mark.parametrize(
    ("name", "time", "step", "seconds"),
    [
        ("timestamp", "auto", 20, 0.02),
        ("time_us", "auto", 10_000, 0.01),
        ("t", "auto", 0.02, 0.02),
        ("ms", "auto", 5, 0.005),
        ("", "us", 500, 0.0005),
        ("x", "s", 1, 1.0),
    ],
)
def test_a_time_in_front(name: str, time: TimeUnit, step: float, seconds: float) -> None:
    rows: list[Row] = [(round(n * step, 6), *row) for n, row in enumerate(TEN)]
    missing = [*rows[:6], *rows[8:]]
    head = f"{name},a,b,c\n" if name else ""
    decoder = LineDecoder(time, live=False)
    events = [*decoder.feed((head + lines(missing)).encode()), *decoder.finish()]
    assert events[1] == Lost(2)
    assert isinstance(events[0], Rows)
    assert isinstance(events[2], Rows)
    assert [*events[0].rows, *events[2].rows] == [*TEN[:6], *TEN[8:]]
    assert events[0].times_s == pytest.approx([n * seconds for n in range(6)])
    assert decoder.axis_names == (("a", "b", "c") if name else ("a0", "a1", "a2"))


def test_a_time_that_goes_back_is_a_restart() -> None:
    rows: list[Row] = [(n * 10, n) for n in (5, 6, 7, 0, 1, 2, 3, 4)]
    assert decoded("t,x\n" + lines(rows))[1] == [(5,), (6,), (7,), 0, (0,), (1,), (2,), (3,), (4,)]


def test_a_column_that_may_be_a_time_is_an_axis_and_that_is_said() -> None:
    rows: list[Row] = [(n * 20, n % 3) for n in range(12)]
    decoder, found = decoded(lines(rows))
    assert found == rows
    assert "`--time ms`" in decoder.hints[0]
    assert decoded(lines(rows), "none")[0].hints == ()
