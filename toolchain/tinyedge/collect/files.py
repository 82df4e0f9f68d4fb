"""A recording as a file that recipes read: CSV of axes, or wav. It grows under another name, and appears whole."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyedge.collect.contract import CollectSettings, Kind, Row
from tinyedge.errors import DeviceError, UsageError
from tinyedge.paths import is_abandoned, partial_of

SUFFIXES: dict[Kind, str] = {"imu": ".csv", "audio": ".wav"}
TIME_NAME = "timestamp"
"""first column of a CSV, in ms: as Edge Impulse's exports have it"""
_WAV_HEAD_BYTES = 44
_MOST_WAV_SAMPLES = (0xFFFF_FFFF - _WAV_HEAD_BYTES) // 2
_MOST_RECORDINGS = 1_000_000
_NO_LABEL = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]|^[.\-]|[. ]$|^ ")


def check_label(label: str) -> None:
    """Raises: UsageError for a label that is no name of a folder."""
    if not label or len(label.encode()) > 100 or _NO_LABEL.search(label) or not label.isprintable():
        raise UsageError(
            f"`{label}` cannot be a label: it is the name of a folder",
            hint="use letters, digits, `_` and blanks, as in `--label wave_left`",
        )


def check_alike(settings: CollectSettings, axes: int) -> None:
    """Raises: UsageError when recordings are there already that no recipe could read together with these."""
    for path in _others(settings):
        if settings.kind == "audio":
            with contextlib.suppress(OSError, EOFError, wave.Error), wave.open(str(path), "rb") as opened:
                if settings.rate_hz is not None and opened.getframerate() != round(settings.rate_hz):
                    raise UsageError(
                        f"`{path}` has {opened.getframerate():,} Hz; these would have {settings.rate_hz:,.0f} Hz",
                        hint="`-o DIR` names another folder",
                    )
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as stream:
            names = stream.readline(4096).strip().split(",")
            there = len(names) - (names[0] == TIME_NAME)
            if there != axes:
                raise UsageError(
                    f"`{path}` has {there} axes; the board sends {axes}", hint="`-o DIR` names another folder"
                )


def _others(settings: CollectSettings) -> Iterator[Path]:
    """The first recording of each label."""
    if not settings.folder.is_dir():
        return
    for folder in sorted(path for path in settings.folder.iterdir() if path.is_dir()):
        first = min((path for path in folder.iterdir() if path.suffix == SUFFIXES[settings.kind]), default=None)
        if first is not None:
            yield first


class RecordingFile:
    """A recording that grows. `finish` gives it its name, `drop` removes it.

    Raises: DeviceError for samples that are no audio
    """

    def __init__(self, settings: CollectSettings, axis_names: Sequence[str], rate_hz: float | None) -> None:
        self.rate_hz = rate_hz
        self.samples = 0
        self._kind = settings.kind
        self._folder = settings.folder / settings.label
        self._label = settings.label
        self._folder.mkdir(parents=True, exist_ok=True)
        self._partial = partial_of(self._folder / f"{settings.label}{SUFFIXES[settings.kind]}")
        self._stream = self._partial.open("xb")
        self._whole_bytes = self._write(self._head(axis_names))

    def add(self, rows: Sequence[Row]) -> None:
        """Append samples."""
        content = _wav_bytes(rows) if self._kind == "audio" else self._csv_bytes(rows)
        self._whole_bytes += self._write(content)
        self.samples += len(rows)

    def finish(self) -> Path:
        """The recording under the first name that is free."""
        self._stream.truncate(self._whole_bytes)
        if self._kind == "audio":
            self._stream.seek(0)
            self._stream.write(_wav_head(self.rate_hz or 0, self.samples))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        return _named(self._partial, self._folder, self._label, SUFFIXES[self._kind])

    def drop(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._partial.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()  # unless it holds others

    def _write(self, content: bytes) -> int:
        try:
            self._stream.write(content)
            self._stream.flush()
        except OSError as error:
            error.filename = os.fspath(self._folder)
            raise
        return len(content)

    def _head(self, axis_names: Sequence[str]) -> bytes:
        if self._kind == "audio":
            return _wav_head(self.rate_hz or 0, 0)
        names = [TIME_NAME, *axis_names] if self.rate_hz else list(axis_names)
        return f"{','.join(names)}\n".encode()

    def _csv_bytes(self, rows: Sequence[Row]) -> bytes:
        lines = []
        for number, row in enumerate(rows, self.samples):
            cells = [repr(value) for value in row]
            if self.rate_hz:
                cells.insert(0, f"{number * 1e3 / self.rate_hz:.3f}")
            lines.append(",".join(cells) + "\n")
        return "".join(lines).encode()


def recover(settings: CollectSettings) -> list[Path]:
    """Finish what an earlier collection of this label had received when it was killed; the recordings."""
    folder, suffix = settings.folder / settings.label, SUFFIXES[settings.kind]
    found = []
    for partial in sorted(folder.glob(f"*{suffix}.*.part")):
        if not partial.name.startswith(f"{settings.label}{suffix}.") or not is_abandoned(partial):
            continue
        if _finish_wav(partial) if settings.kind == "audio" else _finish_csv(partial):
            found.append(_named(partial, folder, settings.label, suffix))
        else:
            partial.unlink(missing_ok=True)
    return found


def _finish_csv(path: Path) -> bool:
    """Cut a line that is not whole; whether a sample is left."""
    with path.open("r+b") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        stream.truncate(whole)
    return content[:whole].count(b"\n") > 1


def _finish_wav(path: Path) -> bool:
    """Put the length into the head; whether a sample is there."""
    samples = (path.stat().st_size - _WAV_HEAD_BYTES) // 2
    if samples < 1:
        return False
    with path.open("r+b") as stream:
        (rate,) = struct.unpack_from("<I", stream.read(_WAV_HEAD_BYTES), 24)
        stream.truncate(_WAV_HEAD_BYTES + 2 * samples)
        stream.seek(0)
        stream.write(_wav_head(rate, samples))
    return True


def _named(partial: Path, folder: Path, label: str, suffix: str) -> Path:
    """A finished file under the first name that is free."""
    for number in range(1, _MOST_RECORDINGS):
        path = folder / f"{label}.{number:04}{suffix}"
        if not path.exists() and _give_name(partial, path):
            return path
    raise UsageError(f"`{folder}` is full: {_MOST_RECORDINGS:,} recordings", hint="`-o DIR` names another")


def _give_name(partial: Path, path: Path) -> bool:
    """Rename unless something has that name; whether it was free."""
    try:
        if hasattr(os, "link"):
            with contextlib.suppress(PermissionError, NotImplementedError):  # FAT has no links
                os.link(partial, path)
                partial.unlink()
                return True
        if path.exists():
            return False
        partial.rename(path)
    except FileExistsError:
        return False
    return True


def _wav_head(rate_hz: float, samples: int) -> bytes:
    """Of 16 bit PCM, one channel."""
    rate, data = round(rate_hz), 2 * min(samples, _MOST_WAV_SAMPLES)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _WAV_HEAD_BYTES - 8 + data, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", data),
    )


def _wav_bytes(rows: Sequence[Row]) -> bytes:
    values = [row[0] for row in rows]
    for value in values:
        if not (isinstance(value, int) and -32768 <= value <= 32767):
            raise DeviceError(
                f"the board sends {value}; a sample of audio is a whole number from -32,768 to 32,767",
                hint="send int16, or record it with `--kind imu`",
            )
    return struct.pack(f"<{len(values)}h", *values)
