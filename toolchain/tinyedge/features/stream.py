"""A network that listens: how its rows, inferences and averages follow each other; te_stream.c in Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.features.contract import Array
from tinyedge.features.quantize import FeatureInput
from tinyedge.graph.ir import DType, Tensor
from tinyedge.paths import templates_dir
from tinyedge.tables import nearest, require_range
from tinyedge.templates import environment

_TYPES = {DType.INT8: "TE_STREAM_S8", DType.UINT8: "TE_STREAM_U8", DType.INT16: "TE_STREAM_S16"}
_WORD = 8
_MEMORY_BYTES = 48
"""of a te_stream_memory, with pointers of 32 bits"""
_QUARTERS = 4
"""of the network's input, after one of which it runs again unless it is told"""
RUNTIME = ("te_stream",)
_MOST_SUM = 1 << 31
_ROUNDED = 1e-9
"""of products of a scale"""


@dataclass(frozen=True)
class StreamSettings:
    """A table [stream]: when a network that listens runs, and what counts as heard."""

    stride_ms: float | None = None
    """from one inference to the next; left out: a quarter of the network's input, or all where the model keeps state"""
    average: int = 3
    """inferences whose outputs are averaged"""
    threshold: float = 0.5
    """of the average of an output, in real terms, from which on its class is detected"""
    suppress_ms: float = 1000.0
    """after a detection, in which there is no other"""
    classes: tuple[str, ...] = ()
    """what can be detected, by names or numbers of outputs; empty: every output"""

    def __post_init__(self) -> None:
        require_range("average", self.average, 1, 1000)
        require_range("suppress_ms", self.suppress_ms, 0, 3.6e6)
        if self.stride_ms is not None:
            require_range("stride_ms", self.stride_ms, 0.001, 3.6e6)
        if not math.isfinite(self.threshold):
            raise ValueError(f"`threshold` is {self.threshold}, which is no number")


@dataclass(frozen=True)
class Stream:
    """The same for one model, in instants, rows and integers.

    threshold  of the sum of `average` outputs, each less its zero point
    """

    filled: FeatureInput
    run_rows: int
    average: int
    threshold: int
    suppress: int
    classes: tuple[int, ...]
    output: Tensor
    settings: StreamSettings

    @property
    def instant_bytes(self) -> int:
        features = self.filled.features
        return features.axes * features.sample_dtype.bytes

    @property
    def row_bytes(self) -> int:
        return self.filled.features.channels * self.filled.dtype.bytes

    def ram_bytes(self, feature_state_bytes: int) -> int:
        """Beside the arena, on a 32-bit core."""
        window = -(-self.filled.features.window * self.instant_bytes // _WORD) * _WORD
        sums = 4 * (self.average + 1) * self.output.elements
        return window + self.filled.rows * self.row_bytes + sums + feature_state_bytes + _MEMORY_BYTES

    def runs(self, rows: int) -> int:
        """How many inferences so many rows give."""
        return 0 if rows < self.filled.rows else 1 + (rows - self.filled.rows) // self.run_rows

    def instant_of(self, run: int) -> int:
        """How many instants were fed when inference `run` began."""
        return self.filled.features.instants(self.filled.rows + run * self.run_rows)

    def inputs(self, rows: Array) -> Array:
        """What the network is given. Shape: [rows, channels] -> [runs, rows of the input, channels]."""
        starts = np.arange(self.runs(len(rows))) * self.run_rows
        found: Array = rows[starts[:, None] + np.arange(self.filled.rows)]
        return found

    def listen(self, outputs: Array) -> list[Heard]:
        """What is heard in the outputs of inferences. Shape: [runs, ...]."""
        values = outputs.reshape(len(outputs), -1).astype(np.int64) - self.output.zero_point
        sums = np.cumsum(values, axis=0)
        sums[self.average :] -= np.cumsum(values, axis=0)[: -self.average]
        found: list[Heard] = []
        last: int | None = None
        for run, row in enumerate(sums):
            instant = self.instant_of(run)
            detected = -1
            if run + 1 >= self.average and (last is None or instant - last >= self.suppress):
                best = max(self.classes, key=lambda which: int(row[which]))
                if row[best] >= self.threshold:
                    detected, last = best, instant
            found.append(Heard(run, instant, tuple(int(value) for value in row), detected))
        return found

    def score(self, heard: Heard, which: int) -> float:
        """The average of an output, in real terms."""
        return heard.sums[which] * self.output.scale / min(self.average, heard.run + 1)


@dataclass(frozen=True)
class Heard:
    """What an inference gave: as te_stream_result."""

    run: int
    instant: int
    sums: tuple[int, ...]
    detected: int


def can_listen(filled: FeatureInput, output: Tensor) -> bool:
    """Whether there is a signal in time to listen to, and an output that can be averaged."""
    return filled.features.rate_hz > 0 and _can_be_averaged(output)


def _can_be_averaged(output: Tensor) -> bool:
    quantization = output.quantization
    return output.dtype in _TYPES and quantization is not None and not quantization.per_channel and output.scale > 0


def fit_stream(
    settings: StreamSettings,
    filled: FeatureInput,
    model: str,
    output: Tensor,
    names: Sequence[str],
    *,
    keeps_state: bool,
) -> Stream:
    """How a model listens. Raises: ModelError when the settings do not fit it, with the numbers that do."""
    features = filled.features
    if features.rate_hz == 0:
        raise ModelError(
            f"the features `{features.kind}` of model `{model}` take pictures, not a signal in time",
            hint="leave out the table [stream]",
        )
    if not _can_be_averaged(output):
        raise ModelError(
            f"output `{output.name}` of model `{model}` is {output.dtype.value}: averages are of int8, uint8 or int16",
            hint="convert the model with a quantized output",
        )
    average, scale = settings.average, output.scale
    most = (np.iinfo(output.dtype.numpy).max - output.zero_point) * scale
    asked = settings.threshold
    if asked == StreamSettings.threshold:  # nobody said it: what is no probability is heard at its most
        asked = min(asked, most)
    threshold = math.ceil(asked / scale * average - 1e-6)
    if threshold * scale > most * average * (1 + _ROUNDED) or abs(threshold) >= _MOST_SUM:
        raise ModelError(
            f"the threshold {settings.threshold:g} is beyond what output `{output.name}` of model `{model}` can be, "
            f"{most:g} at most: nothing would ever be heard",
            hint="`threshold` of [stream] is of the average of an output, in real terms",
        )
    return Stream(
        filled=filled,
        run_rows=_run_rows(settings, filled, model, keeps_state=keeps_state),
        average=average,
        threshold=threshold,
        suppress=round(settings.suppress_ms * features.rate_hz / 1000),
        classes=_classes(settings, model, output, names),
        output=output,
        settings=settings,
    )


def _run_rows(settings: StreamSettings, filled: FeatureInput, model: str, *, keeps_state: bool) -> int:
    features, rows = filled.features, filled.rows
    if settings.stride_ms is None:
        return rows if keeps_state else max(rows // _QUARTERS, 1)
    row_ms = features.stride * 1000 / features.rate_hz
    found = round(settings.stride_ms / row_ms)
    if not math.isclose(found * row_ms, settings.stride_ms, rel_tol=1e-6) or found < 1:
        low = max(math.floor(settings.stride_ms / row_ms), 1)
        raise ModelError(
            f"`stride_ms` of [stream] is {settings.stride_ms:g}, no multiple of {row_ms:g} ms, in which the features "
            f"of model `{model}` give a row",
            hint=f"`stride_ms = {low * row_ms:g}` or `{(low + 1) * row_ms:g}`",
        )
    if found > rows or (keeps_state and found != rows):
        why = "the model keeps state: each inference goes on behind the one before" if keeps_state else "it hears all"
        raise ModelError(
            f"`stride_ms` of [stream] is {found} rows; the input of model `{model}` holds {rows}, and {why}",
            hint=f"`stride_ms = {rows * row_ms:g}`{'' if keeps_state else ' or less'}",
        )
    return found


def _classes(settings: StreamSettings, model: str, output: Tensor, names: Sequence[str]) -> tuple[int, ...]:
    if not settings.classes:
        return tuple(range(output.elements))
    known = {**{str(i): i for i in range(output.elements)}, **{name: i for i, name in enumerate(names)}}
    for name in settings.classes:
        if name not in known:
            raise ModelError(
                f"`classes` of [stream] has `{name}`, which is no output of model `{model}`",
                hint=nearest(name, names or list(known)),
            )
    return tuple(sorted({known[name] for name in settings.classes}))


def stream_source(stream: Stream, c: str, title: str, feature_state_bytes: int) -> dict[str, bytes]:
    """`<c>_stream.h` and `.c`; they need the files of `RUNTIME`."""
    features = stream.filled.features
    row_ms = f"{features.stride * 1000 / features.rate_hz:g}" if features.rate_hz else ""
    values = {
        "c": c,
        "C": c.upper(),
        "title": title,
        "window": features.window,
        "stride": features.stride,
        "row_ms": row_ms,
        "run_ms": f"{stream.run_rows * features.stride * 1000 / features.rate_hz:g}" if row_ms else "",
        "rows": stream.filled.rows,
        "row_bytes": stream.row_bytes,
        "run_rows": stream.run_rows,
        "instant_bytes": stream.instant_bytes,
        "sample_words": -(-features.window * stream.instant_bytes // _WORD),
        "outputs": stream.output.elements,
        "output_type": _TYPES[stream.output.dtype],
        "output_bytes": stream.output.bytes,
        "zero_point": stream.output.zero_point,
        "average": stream.average,
        "threshold": stream.threshold,
        "threshold_text": f"{stream.settings.threshold:g}",
        "suppress": stream.suppress,
        "classes": list(stream.classes),
        "ram_bytes": stream.ram_bytes(feature_state_bytes),
    }
    templates = environment(templates_dir() / "features")
    return {
        f"{c}_stream.{suffix}": templates.get_template(f"stream.{suffix}.j2").render(**values).encode()
        for suffix in "ch"
    }
