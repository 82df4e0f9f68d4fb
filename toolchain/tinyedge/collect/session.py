"""The collection itself: bytes in, whole recordings out, and nothing that was received is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinyedge.artifacts import Observer, Progress
from tinyedge.collect.contract import (
    BrokenCollectError,
    Collected,
    CollectSettings,
    Event,
    Lost,
    Recording,
    Row,
    Rows,
    Source,
)
from tinyedge.collect.detect import Detector
from tinyedge.collect.files import RecordingFile, check_alike, check_label, recover
from tinyedge.collect.rate import TOLERANCE, RateMeter, rounded, strays
from tinyedge.errors import CheckError, DeviceError, Interrupted, TinyEdgeError, UsageError
from tinyedge.systems import interrupts_held

_READ_S = 0.2
_QUOTED_BYTES = 40
_MOST_PIECES = 20
"""recordings cut short one after the other, before the line is given up"""


def collect(
    source: Source, settings: CollectSettings, observer: Observer, clock: Callable[[], float] = time.monotonic
) -> Collected:
    """Record until there are as many recordings as were asked for.

    A hole ends a recording: no file has one in it. What was received before the end is always kept.

    Raises: BrokenCollectError with what was kept when the board goes, changes what it sends, falls silent, or Ctrl-C
    is pressed; UsageError, CheckError before anything was written
    """
    check_label(settings.label)
    with observer.progress(f"collect `{settings.label}`") as report:
        return _Session(source, settings, clock, report).run()


def look(
    source: Source, settings: CollectSettings, observer: Observer, clock: Callable[[], float] = time.monotonic
) -> Collected:
    """What the board sends, and how fast; nothing is written. Raises: as `collect`."""
    check_label(settings.label)
    with observer.progress("look at what comes") as report:
        return _Session(source, settings, clock, report).run(only_look=True)


class _Session:
    """One collection. Samples wait in `_held` until it is known how fast they come."""

    def __init__(self, source: Source, settings: CollectSettings, clock: Callable[[], float], report: Progress) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._report = report
        self._decoder = Detector(settings.time, live=settings.live)
        self._meter = RateMeter(live=settings.live)
        self._settled = False
        self._only_look = False
        self._rate_hz: float | None = None
        self._held: list[tuple[Event, float]] = []
        """with the time of their arrival"""
        self._file: RecordingFile | None = None
        self._file_meter = self._meter
        self._recordings: list[Recording] = []
        self._complete = 0
        self._pieces = 0
        self._lost = 0
        self._first: Row = ()
        self._heard: bytes = b""
        self._recovered: list[Path] = []

    def run(self, *, only_look: bool = False) -> Collected:
        self._only_look = only_look
        try:
            self._listen()
        except KeyboardInterrupt:
            raise self._broken(Interrupted("interrupted", hint="the same command records more")) from None
        except OSError as error:
            told = TinyEdgeError(
                f"`{error.filename or self._settings.folder}`: {error.strerror or error}",
                hint="free some space, or `-o DIR` names another folder",
            )
            raise self._broken(told) from error
        except DeviceError as error:
            broken = self._broken(error)
            if not self._settings.live and self._settings.seconds is None and broken.partial.recordings:
                return broken.partial  # a log that was played to its end
            raise broken from error
        except TinyEdgeError:
            self._drop()
            raise
        return self._result()

    def _listen(self) -> None:
        heard_s = self._clock()
        while not self._is_done():
            data = self._source.read(_READ_S)
            now_s = self._clock()
            events = self._decoder.feed(data)
            if events:
                heard_s = now_s
            elif now_s - heard_s > self._settings.timeout_s:
                raise self._silent()
            self._heard = (self._heard + data)[-_QUOTED_BYTES:]
            self._take(events, now_s)

    def _is_done(self) -> bool:
        return self._settled if self._only_look else self._complete >= self._settings.count

    def _take(self, events: list[Event], now_s: float) -> None:
        for event in events:
            if isinstance(event, Rows):
                self._first = self._first or event.rows[0]
                self._meter.add(len(event.rows), now_s, event.times_s)
            else:
                self._meter.lose(event.samples)
            self._held.append((event, now_s))
        if events and not self._settled:
            self._settle(at_end=False)
        if self._settled and not self._only_look:
            held, self._held = self._held, []
            for event, arrived_s in held:
                self._write(event, arrived_s)

    def _settle(self, *, at_end: bool) -> None:
        """Settle the rate as soon as it is known, before anything is written."""
        settings, measured = self._settings, self._meter.hz
        axes = len(self._decoder.axis_names)
        if settings.kind == "audio" and axes != 1:
            raise DeviceError(
                f"the board sends {axes} numbers a sample; audio has 1 channel", hint="`--kind imu` records axes"
            )
        if settings.axis_names and len(settings.axis_names) != axes:
            raise UsageError(
                f"`--axes` names {len(settings.axis_names)}, and the board sends {axes}", hint="name each of them"
            )
        if measured is None and settings.live and not at_end:
            return
        if settings.rate_hz is not None and measured is not None and strays(measured, settings.rate_hz):
            raise self._strayed(measured, settings.rate_hz, "nothing was recorded")
        self._rate_hz = settings.rate_hz or (None if measured is None else rounded(measured))
        if settings.seconds is not None and self._rate_hz is None and not at_end:
            raise UsageError(
                "how many samples a second has cannot be known: no time stands in front of them",
                hint="`--rate HZ` says how many",
            )
        if not self._only_look:
            self._recovered = recover(settings)
            check_alike(replace(settings, rate_hz=self._rate_hz), axes)
        self._settled = True

    def _write(self, event: Event, now_s: float) -> None:
        if isinstance(event, Lost):
            self._lost += event.samples
            if self._file is not None:
                self._end_file(complete=False)
            return
        at = 0
        while at < len(event.rows) and not self._is_done():
            if self._file is None:
                names = self._settings.axis_names or self._decoder.axis_names
                self._file = RecordingFile(self._settings, names, self._rate_hz)
                self._file_meter = RateMeter(live=self._settings.live)
            wanted = self._wanted()
            rows = event.rows[at : None if wanted is None else at + wanted - self._file.samples]
            self._file.add(rows)
            self._file_meter.add(len(rows), now_s, event.times_s[at : at + len(rows)])
            at += len(rows)
            self._report(self._file.samples, wanted or 0, f"{self._complete + 1} of {self._settings.count}")
            if self._file.samples == wanted:
                self._check_rate()
                self._end_file(complete=True)

    def _wanted(self) -> int | None:
        """Samples of a recording."""
        if self._settings.seconds is None or self._rate_hz is None:
            return None
        return max(round(self._settings.seconds * self._rate_hz), 1)

    def _check_rate(self) -> None:
        """Raises: CheckError when the samples of this recording came at another rate, and leaves it out."""
        measured = self._file_meter.hz
        if measured is not None and self._rate_hz is not None and strays(measured, self._rate_hz):
            raise self._strayed(measured, self._rate_hz, f"that recording is left out; {self._kept()}")

    def _strayed(self, measured_hz: float, wanted_hz: float, touched: str) -> CheckError:
        by = self._meter.origin or "arrival"
        return CheckError(
            f"the board sends {measured_hz:,.4g} samples a second (by {by}), not {wanted_hz:,.4g}: "
            f"{100 * abs(measured_hz / wanted_hz - 1):.0f} % off, {100 * TOLERANCE:.0f} % are allowed; {touched}",
            hint=f"set the board to that rate, or `--rate {rounded(measured_hz):g}`",
        )

    def _end_file(self, *, complete: bool) -> None:
        with interrupts_held():
            assert self._file is not None
            file, self._file = self._file, None
            try:
                path = file.finish()
            except BaseException:
                file.drop()
                raise
            self._recordings.append(Recording(path, file.samples, file.rate_hz, complete))
        self._complete += complete
        self._pieces = 0 if complete else self._pieces + 1
        if self._pieces >= _MOST_PIECES:
            raise DeviceError(
                f"the line loses samples too often: {_MOST_PIECES} recordings one after the other were cut short",
                hint="a higher baud rate, a lower sample rate, or a better cable",
            )

    def _broken(self, error: TinyEdgeError) -> BrokenCollectError:
        """Keep what was received, and say so with the error."""
        with interrupts_held():
            try:
                self._take(self._decoder.finish(), self._clock())
                if not self._settled and self._held and self._decoder.axis_names and not self._only_look:
                    self._settle(at_end=True)
                    self._take([], self._clock())
                if self._file is not None and self._file.samples:
                    self._end_file(complete=self._settings.seconds is None)
            except (TinyEdgeError, OSError) as another:
                if isinstance(another, (CheckError, UsageError)):
                    error = another
            self._drop()
        error.what = f"{error.what}; {self._kept()}" if not self._only_look else error.what
        return BrokenCollectError(self._result(), error)

    def _drop(self) -> None:
        if self._file is not None:
            self._file.drop()
            self._file = None

    def _kept(self) -> str:
        if not self._recordings:
            return "nothing was recorded"
        samples = sum(recording.samples for recording in self._recordings)
        folder = self._settings.folder / self._settings.label
        files = "1 file" if len(self._recordings) == 1 else f"{len(self._recordings)} files"
        return f"{samples:,} samples are kept, {files} in `{folder}`"

    def _silent(self) -> DeviceError:
        seconds = f"{self._settings.timeout_s:g} s"
        if not self._heard:
            return DeviceError(f"nothing came in {seconds}", hint="is the board sending? `--baud` has to be its own")
        if self._decoder.axis_names:
            return DeviceError(f"no sample came in {seconds}", hint="`--timeout` waits longer")
        quoted = self._heard.decode("ascii", "backslashreplace").encode("unicode_escape").decode()
        return DeviceError(
            f"neither numbers nor frames came in {seconds}; the last bytes were `{quoted[-2 * _QUOTED_BYTES :]}`",
            hint="`--baud` has to be the board's; docs/collect.md says what it may send",
        )

    def _result(self) -> Collected:
        notes = list(self._decoder.hints)
        notes += [f"`{path}` is what an earlier collection had received when it was killed" for path in self._recovered]
        return Collected(
            kind=self._settings.kind,
            label=self._settings.label,
            format=self._decoder.format,
            axis_names=self._settings.axis_names or self._decoder.axis_names,
            rate_hz=self._rate_hz,
            measured_hz=self._meter.hz,
            rate_from=self._meter.origin,
            recordings=tuple(self._recordings),
            lost=self._lost,
            damaged=self._decoder.damaged,
            first=self._first,
            notes=tuple(notes),
        )
