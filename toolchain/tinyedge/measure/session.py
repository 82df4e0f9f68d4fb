"""The host side of the serial protocol: typed requests to a firmware, over any console, in bounded time.

Nothing a device sends can hang the host or fill its memory: every exchange has a number of attempts and an end, every
length is checked before it is used, and only lines with a good checksum and printable ASCII are looked at.
"""

from __future__ import annotations

import base64
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tinyedge import wire
from tinyedge.artifacts import Hello, Target
from tinyedge.console.contract import Console
from tinyedge.errors import DeviceError, TinyEdgeError
from tinyedge.measure.replies import (
    MOST_LAYERS,
    DeviceRestarted,
    Fields,
    Inference,
    LayerTicks,
    Memory,
    Ran,
    Streaming,
    TensorInfo,
    parse_hello,
    parse_reply,
    parse_streaming,
    parse_tensor,
)
from tinyedge.process import quote_log

_T = TypeVar("_T")
_NOISE_WAIT = 0.1
"""share of the time-out to wait on after noise: the reply was in it, most likely"""
_MOST_ATTEMPTS = 64
_LEAST_RUN_S = 20.0
_RUNS_IN_TIME = 100.0
"""once an inference is known, a further one may take that many times as long before it is given up, or _LEAST_RUN_S"""
_LAST_SEQUENCE = 65_535
_RUN_TIMEOUT_S = 120.0
_AHEAD = 16
"""requests under way at once, where a busy firmware loses none of them: together well below what a pipe holds"""
BANNER_TIMEOUT_S = 30.0
"""how long a firmware may take to start, without the inference of its self-test"""


@dataclass(frozen=True)
class Advice:
    """What a user can do about a firmware that does not do its part.

    silent     it says nothing
    fault      it stopped with a fault
    restarted  it started again, or its memory was harmed
    """

    silent: str
    fault: str
    restarted: str


ON_A_BOARD = Advice(
    "reset the board, or see with `tinyedge monitor` what it sends",
    "reset it; `tinyedge run -v` shows the log",
    "check the power supply and the wiring of the board",
)
IN_AN_EMULATOR = Advice(
    "the emulated firmware hangs, or takes longer than it was waited for; `--emulator` chooses another emulator",
    "no hardware was touched; `--emulator` chooses another emulator",
    "no hardware was touched; `--emulator` chooses another emulator",
)


class Session:
    """Requests to one firmware, one at a time.

    timeout_s      how long a reply may take before the request is repeated
    retries        how often it is repeated
    run_timeout_s  how long one inference may take in all; less once one has shown that it is fast
    advice         what a user can do when it fails
    beside         the last lines that were printed beside the line, which an error of a silent firmware quotes
    keeps_input    the firmware gets whatever is sent while it is busy
    """

    def __init__(
        self,
        console: Console,
        *,
        timeout_s: float = 2.0,
        retries: int = 5,
        run_timeout_s: float = _RUN_TIMEOUT_S,
        advice: Advice = ON_A_BOARD,
        beside: Callable[[], Sequence[str]] = tuple,
        keeps_input: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._timeout_s = timeout_s
        self._retries = retries
        self._run_timeout_s = run_timeout_s
        self._advice = advice
        self._beside = beside
        self._keeps_input = keeps_input
        self._clock = clock
        self._sequence = 0
        self._in_touch = False
        self._banner: str | None = None
        self._tensors: dict[tuple[str, int], TensorInfo] = {}
        self._longest_run_s: float | None = None
        self._model: int | None = None
        self._model_name = ""

    @classmethod
    def with_target(cls, target: Target, inference_s: float) -> Session:
        """The session with a firmware that was started, whose inference may take that long in all."""
        run_timeout_s = max(_RUN_TIMEOUT_S, inference_s)
        if not target.emulated:
            return cls(target.console, run_timeout_s=run_timeout_s)
        return cls(
            target.console,
            run_timeout_s=run_timeout_s,
            advice=IN_AN_EMULATOR,
            beside=target.console.last_words,
            keeps_input=target.console.keeps_input,
        )

    def wait_for_banner(self, timeout_s: float = BANNER_TIMEOUT_S) -> Hello:
        """Who is there: the record sent after reset or, for a host that came late, the answer to `hello`.

        Raises: DeviceError when nothing that speaks the protocol was heard in `timeout_s`.
        """
        self._await_reply(None, min(self._timeout_s, timeout_s))
        if self._banner is None:
            self._get_in_touch(timeout_s)
        if self._banner is None:
            return self.hello()
        self._in_touch = True
        return parse_hello(parse_reply("hello", self._banner))

    def wait_for_image(self, project_digest: str, timeout_s: float = BANNER_TIMEOUT_S) -> Hello:
        """The same, of the firmware of this very project.

        Raises: DeviceError as `wait_for_banner`; TinyEdgeError when another image runs
        """
        hello = self.wait_for_banner(timeout_s)
        if not hello.image or hello.image != project_digest[: len(hello.image)]:
            raise TinyEdgeError(
                f"the firmware says it is image `{hello.image}`, but `{project_digest[:16]}` was built",
                hint="build again, and flash the image that was built",
            )
        return hello

    def hello(self) -> Hello:
        """Who the firmware says it is. Raises: DeviceError when it speaks another version of the protocol."""
        return parse_hello(self._request("hello"))

    def choose_model(self, index: int) -> Hello:
        """Make all that follows be about that model of the firmware, and say who it is."""
        self._model = index
        self._tensors.clear()
        hello = parse_hello(self._request(f"model {index}"))
        self._model_name = hello.model
        return hello

    def tensor(self, kind: str, i: int) -> TensorInfo:
        """Input (`in`) or output (`out`) number `i`; asked once, then remembered."""
        if (kind, i) not in self._tensors:
            self._tensors[kind, i] = parse_tensor(self._request(f"tensor {kind} {i}"))
        return self._tensors[kind, i]

    def write_input(self, i: int, data: bytes) -> None:
        """Write all bytes of input `i`."""
        for offset in range(0, len(data), wire.CHUNK_BYTES):
            chunk = base64.b64encode(data[offset : offset + wire.CHUNK_BYTES]).decode("ascii")
            self._request(f"in {i} {offset} {chunk}")

    def feed(self, samples: bytes) -> int:
        """Have input 0 computed of samples, from the beginning of a signal. Returns the ticks of all its rows."""
        ticks = 0
        for offset in range(0, len(samples), wire.CHUNK_BYTES):
            chunk = base64.b64encode(samples[offset : offset + wire.CHUNK_BYTES]).decode("ascii")
            ticks = self._request(f"feed {offset} {chunk}").number("ticks")
        return ticks

    def read_features(self, size: int) -> bytes:
        """The first `size` bytes of input 0, which an inference may overwrite."""
        data = bytearray()
        while len(data) < size:
            count = min(wire.CHUNK_BYTES, size - len(data))
            data += self._request(f"features {len(data)} {count}").data("data", count)
        return bytes(data)

    def run(self) -> Ran:
        """One inference over what the inputs hold."""
        fields = self._request_inference("run")
        return Ran(fields.number("ticks"), fields.crc("in_crc"), fields.crc("out_crc"))

    def profile(self) -> tuple[LayerTicks, ...]:
        """One inference with ticks and CRC of every layer, in order of execution."""
        fields = self._request_inference("profile")
        return self._read_profile(fields.number("layers", most=MOST_LAYERS), fields.crc("in_crc"))

    def profile_of(self, inputs: Sequence[bytes], layers: int, repeats: int = 2) -> tuple[LayerTicks, ...]:
        """A profile with these inputs, taken again when the firmware restarted or lost an input on the way.

        Raises: DeviceError when the firmware has another number of layers than `layers`.
        """

        def take() -> tuple[LayerTicks, ...]:
            self._write_inputs(inputs)
            fields = self._request_inference("profile")
            self._check_crc("inputs", inputs, fields.crc("in_crc"))
            if (count := fields.number("layers", most=MOST_LAYERS)) != layers:
                raise DeviceError(
                    f"the firmware profiled {count:,} layers, the plan has {layers:,}", hint="build and start it again"
                )
            layers_taken = self._read_profile(count, fields.crc("in_crc"))
            self._check_model()
            return layers_taken

        return self._repeated(take, repeats)

    def read_output(self, i: int) -> bytes:
        """All bytes of output `i`."""
        size = self.tensor("out", i).bytes
        data = bytearray()
        while len(data) < size:
            count = min(wire.CHUNK_BYTES, size - len(data))
            data += self._request(f"out {i} {len(data)} {count}").data("data", count)
        return bytes(data)

    def infer(
        self, inputs: Sequence[bytes], outputs: int = 1, repeats: int = 2, samples: bytes | None = None
    ) -> Inference:
        """Write all inputs, run, read all outputs; again, at most `repeats` times, when either was harmed.

        samples  what the device shall compute the only input of, which is given to compare with

        Raises: DeviceError when it was harmed every time, or at once on a fault.
        """

        def take() -> Inference:
            feature_ticks = 0
            if samples is None:
                self._write_inputs(inputs)
            else:
                feature_ticks = self.feed(samples)
            ran = self.run()
            if samples is None:
                self._check_crc("inputs", inputs, ran.in_crc)
            results = tuple(self.read_output(i) for i in range(outputs))
            self._check_crc("outputs", results, ran.out_crc)
            features = None
            if samples is not None and ran.in_crc != zlib.crc32(inputs[0]):
                self.feed(samples)
                features = self.read_features(len(inputs[0]))
                self._check_crc("features", [features], ran.in_crc)
            self._check_model()
            return Inference(results, ran.ticks, features, feature_ticks)

        return self._repeated(take, repeats)

    def stream(self, data: bytes, piece_bytes: int, start: int = 0) -> Iterator[Streaming | None]:
        """Feed a signal in pieces to the model that listens, from byte `start` on, before which all of it was fed:
        what each gave, None for no row.

        Raises: DeviceRestarted when the pieces before one are gone
        """
        offsets = range(start, len(data), piece_bytes)
        pieces = ((offset, base64.b64encode(data[offset : offset + piece_bytes])) for offset in offsets)
        requests = (f"stream {offset} {piece.decode('ascii')}" for offset, piece in pieces)
        for fields in self._requests_ahead(requests) if self._keeps_input else map(self._request_inference, requests):
            yield parse_streaming(fields)

    def memory(self) -> Memory:
        """The memory figures; the stack's peak is of everything done since reset."""
        fields = self._request("mem")
        return Memory(*(fields.number(key) for key in ("stack_peak", "stack_size", "ram_static", "arena")))

    def reset(self) -> None:
        """Set the model's variables back to their start values."""
        self._request("reset")

    def _write_inputs(self, inputs: Sequence[bytes]) -> None:
        for i, data in enumerate(inputs):
            self.write_input(i, data)

    def _read_profile(self, count: int, in_crc: int) -> tuple[LayerTicks, ...]:
        """The layers of the last profile, which must be the one of inputs with checksum `in_crc`."""
        layers = []
        for i in range(count):
            fields = self._request(f"layer {i}")
            if fields.crc("in_crc") != in_crc:
                raise DeviceRestarted("the firmware restarted while its profile was read", hint=self._advice.restarted)
            crc = None if fields.text("crc") == "-" else fields.crc("crc")
            layers.append(LayerTicks(fields.number("index"), fields.number("ticks"), crc))
        return tuple(layers)

    def _check_crc(self, what: str, pieces: Sequence[bytes], crc: int) -> None:
        if crc != (wanted := zlib.crc32(b"".join(pieces))):
            raise DeviceRestarted(
                f"the {what} have CRC {wanted:08X} on the host and {crc:08X} on the device", hint=self._advice.restarted
            )

    def _check_model(self) -> None:
        """Raises: DeviceRestarted when another model answers than the one that was chosen."""
        if self._model is not None and self.hello().model != self._model_name:
            raise DeviceRestarted(
                f"the firmware restarted: it no longer answers for `{self._model_name}`", hint=self._advice.restarted
            )

    def _request_inference(self, verb: str) -> Fields:
        """A request that runs the model: it takes the time it takes, but not much longer than the ones before it."""
        longest = self._longest_run_s
        least = self._run_timeout_s if longest is None else max(_LEAST_RUN_S, longest * _RUNS_IN_TIME)
        start = self._clock()
        fields = self._request(verb, budget_s=min(least, self._run_timeout_s))
        self._longest_run_s = max(longest or 0.0, self._clock() - start)
        return fields

    def _request(self, words: str, budget_s: float | None = None) -> Fields:
        """The fields of a good reply. Raises: DeviceError when there was none, or when it was `err`."""
        if not self._in_touch:
            self._get_in_touch(self._timeout_s * (self._retries + 1))
        return parse_reply(words, self._exchange(words, budget_s))

    def _requests_ahead(self, requests: Iterable[str]) -> Iterator[Fields]:
        """The fields of good replies, one for each request; the next ones are sent before it comes. None is repeated.

        Raises: as `_request`
        """
        under_way: deque[tuple[int, str]] = deque()
        for words in requests:
            self._console.write(self._next_line(words))
            under_way.append((self._sequence, words))
            if len(under_way) == _AHEAD:
                yield self._reply_to(*under_way.popleft())
        while under_way:
            yield self._reply_to(*under_way.popleft())

    def _reply_to(self, sequence: int, words: str) -> Fields:
        reply = self._await_reply(sequence, self._run_timeout_s)
        if reply is None:
            raise self._no_answer(words, self._run_timeout_s, attempts=1)
        return parse_reply(words, reply)

    def _next_line(self, words: str) -> bytes:
        """A request with a number of its own."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return wire.encode_line(wire.MARK_REQUEST, self._sequence, words)

    def _no_answer(self, words: str, seconds: float, attempts: int) -> DeviceError:
        verb = words.split(maxsplit=1)[0]
        return DeviceError(
            f"the firmware did not answer `{verb}` in {seconds:.1f} s ({attempts} attempts)"
            + quote_log(self._beside()),
            hint=self._advice.silent,
        )

    def _get_in_touch(self, timeout_s: float) -> None:
        """An exchange whose content is thrown away: it leaves behind what an earlier host was told.

        Its number is drawn by lot, so that no answer to an earlier host, still under way, can pass for one to us.
        """
        self._sequence = secrets.randbelow(_LAST_SEQUENCE)
        self._exchange("hello", timeout_s, first=True)
        self._in_touch = True

    def _exchange(self, words: str, budget_s: float | None, *, first: bool = False) -> str:
        """Send a request until its reply came. With `first`, a banner will do as well: then the reply is empty."""
        line = self._next_line(words)
        start = self._clock()
        attempts = 0
        for wait_s in self._waits(start, budget_s):
            attempts += 1
            self._console.write(line)
            reply = self._await_reply(self._sequence, wait_s)
            if reply is not None:
                return reply
            if first and self._banner is not None:
                return ""
        raise self._no_answer(words, self._clock() - start, attempts)

    def _waits(self, start: float, budget_s: float | None) -> Iterator[float]:
        """How long to wait for each attempt: always the same, or, within a budget, twice as long each time."""
        if budget_s is None:
            yield from [self._timeout_s] * (self._retries + 1)
            return
        wait_s = self._timeout_s
        for _ in range(_MOST_ATTEMPTS):
            left = start + budget_s - self._clock()
            if left <= 0:
                return
            yield min(wait_s, left)
            if self._clock() - start >= wait_s:
                wait_s *= 2

    def _await_reply(self, sequence: int | None, wait_s: float) -> str | None:
        """The words of the reply to `sequence`; None when it did not come in time or a banner came first."""
        end = self._clock() + wait_s
        while (left := end - self._clock()) > 0:
            line = next(iter(self._console.lines(left)), None)
            if line is None:
                return None
            decoded = wire.decode_line(line)
            if decoded is None or not (decoded[2].isascii() and decoded[2].isprintable()):
                if sequence is not None and line:
                    end = min(end, self._clock() + self._timeout_s * _NOISE_WAIT)
                continue
            mark, number, words = decoded
            if mark == wire.MARK_RECORD:
                self._take_record(words)
                if not self._in_touch and self._banner is not None:
                    return None
            elif mark == wire.MARK_REPLY and number == sequence:
                return words
        return None

    def _take_record(self, words: str) -> None:
        kind, _, rest = words.partition(" ")
        if kind == "fault":
            raise DeviceError(f"the firmware stopped with a fault: {rest}", hint=self._advice.fault)
        if kind != "hello":
            return
        if self._in_touch:
            raise DeviceRestarted("the firmware restarted in the middle of an exchange", hint=self._advice.restarted)
        self._banner = f"{wire.OK} {rest}"

    def _repeated(self, take: Callable[[], _T], repeats: int) -> _T:
        """What `take` returns, called again when the firmware restarted under it."""
        for _ in range(repeats):
            try:
                return take()
            except DeviceRestarted:
                if self._model is not None:
                    self._request(f"model {self._model}")
        return take()
