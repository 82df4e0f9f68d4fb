"""What a firmware's replies say, as typed data, with every word of them checked."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge import wire
from tinyedge.artifacts import Hello
from tinyedge.errors import DeviceError

MOST_TENSORS = 64
MOST_TENSOR_BYTES = 16 * 1024 * 1024
MOST_LAYERS = 65_535
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_CRC32 = re.compile(r"[0-9A-Fa-f]{8}")
_OTHER_VERSION = "build and start the firmware again with this version of tinyedge"


class DeviceRestarted(DeviceError):  # noqa: N818 - what happened, as `Interrupted`
    """The firmware started anew in the middle of an exchange: what it was told before is gone."""


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of the model, as the firmware describes it."""

    bytes: int
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int


@dataclass(frozen=True)
class Ran:
    """One inference: its ticks (modulo 2^32) and the CRC-32 of what went in and came out."""

    ticks: int
    in_crc: int
    out_crc: int


@dataclass(frozen=True)
class LayerTicks:
    """One layer of a profile. `crc` is CRC-32 over its outputs; None where the runtime cannot tell."""

    index: int
    ticks: int
    crc: int | None


@dataclass(frozen=True)
class Memory:
    """Memory figures of a firmware that has run."""

    stack_peak_bytes: int
    stack_size_bytes: int
    ram_static_bytes: int
    arena_bytes: int


@dataclass(frozen=True)
class Streaming:
    """A piece of a signal that completed a row: what there was since it began, and ticks since the last such piece.

    row_crc, out_crc, heard_crc  CRC-32 over all rows of features, all outputs, and all results
    """

    rows: int
    runs: int
    row_crc: int
    out_crc: int
    heard_crc: int
    ticks: int
    network_ticks: int


@dataclass(frozen=True)
class Inference:
    """One inference whose inputs and outputs are known to have come over unharmed."""

    outputs: tuple[bytes, ...]
    ticks: int
    features: bytes | None = None
    """what the device computed of samples, where that is not what was expected"""
    feature_ticks: int = 0
    """of all rows of it"""


class Fields:
    """The `key=value` words of a reply, read with their types checked."""

    def __init__(self, request: str, values: Mapping[str, str]) -> None:
        self._request = request
        self._values = values

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._values)

    def text(self, key: str) -> str:
        """The value of `key`. Raises: DeviceError when it is missing."""
        if key not in self._values:
            raise DeviceError(f"the firmware's reply to `{self._request}` lacks `{key}`", hint=_OTHER_VERSION)
        return self._values[key]

    def number(self, key: str, *, least: int = 0, most: int = 2**32 - 1) -> int:
        """A decimal number. Raises: DeviceError when it is none or out of range."""
        text = self.text(key)
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise self._wrong(key, f"a whole number from {least:,} to {most:,}")
        return int(text)

    def crc(self, key: str) -> int:
        """A CRC-32. Raises: DeviceError when it is none."""
        text = self.text(key)
        if not _CRC32.fullmatch(text):
            raise self._wrong(key, "eight hexadecimal digits")
        return int(text, 16)

    def data(self, key: str, count: int) -> bytes:
        """Exactly `count` bytes. Raises: DeviceError when they are not base64 or not as many."""
        try:
            data = base64.b64decode(self.text(key), validate=True)
        except binascii.Error:
            data = b""
        if len(data) != count:
            raise self._wrong(key, f"{count} bytes in base64")
        return data

    def _wrong(self, key: str, wanted: str) -> DeviceError:
        return DeviceError(
            f"the firmware's reply to `{self._request}` has `{key}={self._values[key][:40]}`, which is not {wanted}",
            hint=_OTHER_VERSION,
        )


def parse_reply(request: str, reply: str) -> Fields:
    """The fields of an `ok` reply. Raises: DeviceError for `err` or neither."""
    status, *words = reply.split(" ")
    verb = " ".join(request.split()[:3])
    if status == wire.ERR:
        code = words[0] if words else ""
        meaning = wire.ERRORS.get(code, "an error this version of tinyedge does not know")
        kind = DeviceRestarted if code == "order" else DeviceError
        raise kind(f"the firmware refused `{verb}` with `err {code}`: {meaning}", hint=_OTHER_VERSION)
    if status != wire.OK:
        raise DeviceError(f"the firmware answered `{verb}` with `{reply[:40]}`", hint=_OTHER_VERSION)
    return Fields(verb, {key: value for key, _, value in (word.partition("=") for word in words)})


def parse_hello(fields: Fields) -> Hello:
    """The reply to `hello`. Raises: DeviceError when it is of another protocol or holds what cannot be."""
    protocol = fields.number("protocol")
    if protocol != wire.PROTOCOL:
        raise DeviceError(
            f"the firmware speaks protocol {protocol}, this version of tinyedge speaks {wire.PROTOCOL}",
            hint=_OTHER_VERSION,
        )
    return Hello(
        protocol=protocol,
        model=fields.text("model"),
        board=fields.text("board"),
        runtime=fields.text("runtime"),
        image=fields.text("image"),
        ticks_hz=fields.number("ticks_hz"),
        inputs=fields.number("inputs", least=1, most=MOST_TENSORS),
        outputs=fields.number("outputs", least=1, most=MOST_TENSORS),
        layers=fields.number("layers", most=MOST_LAYERS),
        arena_bytes=fields.number("arena"),
        selftest=fields.text("selftest"),
    )


def parse_streaming(fields: Fields) -> Streaming | None:
    """The reply to `stream`; None when no row was completed. Raises: DeviceError when it holds what cannot be."""
    if not fields:
        return None
    return Streaming(
        *(fields.number(key) for key in ("rows", "runs")),
        *(fields.crc(key) for key in ("row_crc", "out_crc", "heard_crc")),
        *(fields.number(key) for key in ("ticks", "network")),
    )


def parse_tensor(fields: Fields) -> TensorInfo:
    """The reply to `tensor`. Raises: DeviceError when it holds what cannot be."""
    shape = fields.text("shape")
    if shape and not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,7}", shape):
        raise DeviceError(f"the firmware describes a tensor of shape `{shape[:40]}`", hint=_OTHER_VERSION)
    scale = fields.text("scale")
    try:
        scale_value = float(scale) if scale else None
    except ValueError:
        raise DeviceError(f"the firmware describes a tensor of scale `{scale[:40]}`", hint=_OTHER_VERSION) from None
    return TensorInfo(
        bytes=fields.number("bytes", most=MOST_TENSOR_BYTES),
        type=fields.text("type"),
        shape=tuple(int(size) for size in shape.split("x")) if shape else (),
        scale=scale_value,
        zero_point=fields.number("zero_point", least=-(2**31), most=2**31 - 1),
    )
