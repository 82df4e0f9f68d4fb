"""Lines of the serial protocol: what is a good one, and what is noise."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyedge import wire


def line_of(length: int) -> bytes:
    """A line, good but for its length, of so many bytes without its line feed."""
    bare = wire.encode_line(wire.MARK_REPLY, 7, "")
    return wire.encode_line(wire.MARK_REPLY, 7, "x" * (length - len(bare) + 1))


def test_the_longest_line_is_good_and_one_byte_more_is_noise() -> None:
    longest, longer = line_of(wire.LINE_BYTES), line_of(wire.LINE_BYTES + 1)
    assert (len(longest), len(longer)) == (wire.LINE_BYTES + 1, wire.LINE_BYTES + 2)
    assert wire.decode_line(longest) is not None
    assert wire.decode_line(longer) is None


def test_line_ends_do_not_count() -> None:
    assert wire.decode_line(line_of(wire.LINE_BYTES).rstrip(b"\n") + b"\r\n") is not None


@given(
    mark=st.sampled_from([wire.MARK_REQUEST, wire.MARK_REPLY, wire.MARK_RECORD]),
    sequence=st.integers(0, 65_535),
    words=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
)
def test_what_is_encoded_is_decoded(mark: str, sequence: int, words: str) -> None:
    assert wire.decode_line(wire.encode_line(mark, sequence, words)) == (mark, sequence, words)


@given(data=st.data())
def test_one_changed_byte_is_noise(data: st.DataObject) -> None:
    line = bytearray(wire.encode_line(wire.MARK_REPLY, 12, "ok ticks=123 in_crc=0011aaff").rstrip(b"\n"))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    assert wire.decode_line(bytes(line)) is None


def checked(body: str) -> bytes:
    """A line with a good checksum, whatever its body is."""
    return body.encode() + b" ~%08X" % zlib.crc32(body.encode())


@pytest.mark.parametrize("body", ["?7 ok", "7 ok", "<x ok", "< ok", "<-1 ok", "<123456 ok", ""])
def test_a_good_checksum_does_not_make_a_bad_head_good(body: str) -> None:
    assert wire.decode_line(checked("<12345 ok")) == ("<", 12_345, "ok")
    assert wire.decode_line(checked(body)) is None


def test_a_checksum_is_eight_upper_case_digits() -> None:
    good = checked("<1 ok")
    assert wire.decode_line(good) == ("<", 1, "ok")
    for bad in (good.lower(), good + b"0", good[:-1], good.replace(b" ~", b"~"), b""):
        assert wire.decode_line(bad) is None
