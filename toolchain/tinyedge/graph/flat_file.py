"""What every reader of a .tflite file does with its bytes: none is believed before it was compared with what is there,
and nothing is copied that can be viewed in place."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tinyedge.errors import ModelError
from tinyedge.graph.option_fields import option_fields, option_words, words_of

TABLE_BYTES = 32
"""what a tensor or an operator takes in a file at the very least"""
OUT_OF_FILE = (struct.error, ValueError, TypeError, IndexError, OverflowError)
"""what flatbuffers and numpy raise for offsets, lengths and vtables that point out of the file"""
_MAGIC = b"TFL3"
_CUSTOM_NAMES = {
    "CIRCULAR_BUFFER": "circular_buffer",
    "SignalEnergy": "signal_energy",
    "SignalFftAutoScale": "signal_fft_auto_scale",
    "SignalFilterBank": "signal_filter_bank",
    "SignalFilterBankLog": "signal_filter_bank_log",
    "SignalFilterBankSpectralSubtraction": "signal_filter_bank_spectral_subtraction",
    "SignalFilterBankSquareRoot": "signal_filter_bank_square_root",
    "SignalPCAN": "signal_pcan",
    "SignalRfft": "signal_rfft",
    "SignalWindow": "signal_window",
}
"""custom operators that tinyedge knows, by the file's name; others keep theirs"""
DAMAGED = "the file is damaged or cut short: export or download it again"


class FlatFile:
    """One file being read. `place` is where the reader is, for errors."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.place = "the header"
        self.budget = len(data)
        self.vectors: dict[tuple[int, int], tuple[Any, ...]] = {}
        self.unpacked: dict[tuple[int, int], npt.NDArray[Any]] = {}
        self.options: dict[tuple[int, int], Mapping[str, Any]] = {}

    def fail(self, what: str, hint: str = DAMAGED, code: str = "") -> ModelError:
        return ModelError(f"model `{self.name}`, {self.place}: {what}", hint=hint, code=code)

    def spend(self, size: int) -> None:
        """Account for bytes of the file that become Python objects; a sound file holds each of them once."""
        self.budget -= size
        if self.budget < 0:
            raise self.fail("its parts overlap: they claim more bytes than the file has")

    def vector(self, accessor: Callable[[], Any]) -> tuple[Any, ...]:
        """A vector of scalars as a tuple; empty when absent. Vectors that several tables share are read once."""
        view = accessor()
        if not isinstance(view, np.ndarray):
            return ()
        key = (view.__array_interface__["data"][0], view.nbytes)
        if key not in self.vectors:
            self.spend(view.nbytes)
            self.vectors[key] = tuple(view.tolist())
        return self.vectors[key]

    def text(self, raw: bytes | None) -> str:
        self.spend(len(raw or b""))
        return (raw or b"").decode("utf-8", "replace")

    def out_of_file(self, error: Exception) -> ModelError:
        """The error for one of `OUT_OF_FILE`."""
        return self.fail(f"an offset points out of the file's {len(self.data):,} bytes ({error})")

    def check_magic(self) -> None:
        hint = "give a .tflite file, e.g. what tf.lite.TFLiteConverter.convert() returns"
        if len(self.data) < 8:
            raise self.fail(f"the file has {len(self.data)} bytes, too few for a .tflite", hint)
        if self.data[4:8] != _MAGIC:
            found = self.data[4:8]
            raise self.fail(f"this is not a .tflite file: bytes 4 to 7 are {found!r} and should be {_MAGIC!r}", hint)

    def operator_names(self, model: Any) -> list[str]:
        known = words_of(schema.BuiltinOperator)
        names = []
        for index in range(model.OperatorCodesLength()):
            self.place = f"operator code {index}"
            self.spend(TABLE_BYTES // 2)
            code = model.OperatorCodes(index)
            # Old files hold the code in a byte; new ones repeat 127 there and hold it in 32 bits.
            builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            if builtin == schema.BuiltinOperator.CUSTOM:
                name = self.text(code.CustomCode()) or "custom"
                names.append(_CUSTOM_NAMES.get(name, name))
            elif builtin in known:
                names.append(known[builtin])
            else:
                names.append(self.unknown_builtin(builtin))
        return names

    def unknown_builtin(self, builtin: int) -> str:
        """What an operator is called that the schema has no name for. Raises: ModelError where it must have one"""
        raise self.fail(
            f"builtin operator {builtin} is unknown to the schema tinyedge was built with",
            "the file is newer than this tinyedge, or damaged: update tinyedge, or export it again",
            "TE206",
        )

    def offset_of(self, view: npt.NDArray[Any]) -> int:
        """Where in the file a view of it starts."""
        whole = np.frombuffer(self.data, np.uint8)
        return int(view.__array_interface__["data"][0] - whole.__array_interface__["data"][0])

    def unpack_int4(self, packed: npt.NDArray[Any], elements: int) -> npt.NDArray[Any]:
        """int4 values as int8; the low half of a byte comes first."""
        key = (self.offset_of(packed), elements)
        if key not in self.unpacked:
            values = np.empty(packed.size * 2, np.int8)
            values[0::2] = packed.astype(np.int8) << 4
            values[1::2] = packed.astype(np.int8)
            values >>= 4
            values.flags.writeable = False
            self.unpacked[key] = values[:elements]
        return self.unpacked[key]

    def operator_options(self, table: Any) -> Mapping[str, Any]:
        if not table.CustomOptionsIsNone():
            raw = table.CustomOptionsAsNumpy()
            self.spend(raw.nbytes)
            return MappingProxyType({"custom_options": raw.tobytes()})
        for enum, number, union in (
            (schema.BuiltinOptions, table.BuiltinOptionsType(), table.BuiltinOptions()),
            (schema.BuiltinOptions2, table.BuiltinOptions2Type(), table.BuiltinOptions2()),
        ):
            if number == 0 or union is None:
                continue
            kind = next((key for key, value in vars(enum).items() if value == number), None)
            if kind is None:
                raise self.fail(f"its options are of the unknown kind {number}")
            key = (union.Pos, number)
            if key not in self.options:
                self.options[key] = self.convert_options(getattr(schema, kind), union)
            return self.options[key]
        return MappingProxyType({})

    def convert_options(self, kind: type, union: Any) -> Mapping[str, Any]:
        """Options by their schema names; enumerations as lower-case words."""
        table = kind()
        table.Init(union.Bytes, union.Pos)
        options: dict[str, Any] = {}
        for key, accessor in option_fields(kind):
            value: Any
            if accessor.endswith("AsNumpy"):
                value = self.vector(getattr(table, accessor))
            else:
                value = getattr(table, accessor)()
            if isinstance(value, bytes):
                value = self.text(value)
            if words := option_words(key):
                if value not in words:
                    raise self.fail(f"its option {key} has the unknown value {value}")
                value = words[value]
            if value is None or isinstance(value, bool | int | float | str | tuple):
                options[key] = value
        return MappingProxyType(options)
