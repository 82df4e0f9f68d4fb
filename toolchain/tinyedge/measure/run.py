"""Streams samples through a firmware, holds every output byte against the oracle's, and measures each inference.

What counts (an emulator, or nobody) is behind the console, so this package knows no emulator.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import (
    Counting,
    Figure,
    FlashReads,
    Kind,
    LayerResult,
    Mismatch,
    Run,
    Samples,
    Schedule,
    Target,
    call_steps,
)
from tinyedge.artifacts.run import FEATURES
from tinyedge.console.contract import CounterReading
from tinyedge.errors import DeviceError
from tinyedge.measure.answers import accuracy, confusion, half_of
from tinyedge.measure.replies import LayerTicks
from tinyedge.measure.session import Session

Array = npt.NDArray[Any]
_TICKS = 1 << 32
"""ticks wrap here"""


class RunFailedError(DeviceError):
    """The device failed before all samples were through. `partial` is what is known of the others."""

    def __init__(self, what: str, *, partial: Run, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.partial = partial


@dataclass
class _Tally:
    """What a run has shown so far."""

    outputs: list[tuple[bytes, ...]] = field(default_factory=list)
    """those of each sample"""
    mismatches: int = 0
    first_mismatch: Mismatch | None = None
    instructions: list[int] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    reads: list[FlashReads] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    feature_instructions: list[int] = field(default_factory=list)
    """of all rows of an input"""
    disagreements: int = 0
    """counter readings whose difference is not what the firmware says"""
    layers: tuple[LayerResult, ...] = ()
    stack_peak_bytes: int = 0
    notes: list[str] = field(default_factory=list)
    selftest: str = "ok"


def run_samples(
    session: Session,
    target: Target,
    *,
    plan: Schedule,
    samples: Samples,
    expected: Sequence[Array],
    layer_crcs: Callable[[int], Sequence[int]],
    clock_hz: int,
    rows: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """One inference for each sample, and one profile: of the first sample that differs, else of the first.

    target      what `session` talks to; a `run` makes two readings of its counter, a `profile` one and two per layer
    expected    one array [N, ...] for each output: what the oracle computed
    layer_crcs  sample -> CRC-32 of each layer's outputs in order of execution; asked for a sample that differs only
    rows        of features that an input is made of, where the samples are raw

    Where ticks are of instructions and there are no readings, they are divided by the ticks of an instruction and
    rounded, which is exact from 2 upwards, as a difference of two readings is less than one tick off.

    Raises: RunFailedError with what is known when the device fails in the middle; DeviceError when the firmware is
    not of this plan
    """
    total = len(samples)
    tally = _Tally(selftest=_check_firmware(session, plan))
    if tally.selftest != "ok":
        tally.notes.append(f"the firmware's self-test gave `{tally.selftest}`")
    job = _Job(session, target, plan, samples.arrays, expected, layer_crcs, samples.raw, rows)

    def result() -> Run:
        return _conclude(tally, plan, samples, target, clock_hz, rows)

    try:
        for i in range(total):
            job.measure(i, tally)
            progress(i + 1, total)
        if not tally.layers:
            tally.layers, _ = job.profile(0, tally)
        tally.stack_peak_bytes = session.memory().stack_peak_bytes
    except DeviceError as error:
        done = len(tally.outputs)
        tally.notes.append(f"partial: the device failed after {done:,} of {total:,} samples")
        raise RunFailedError(
            f"{error.what}\n       the device failed after {done:,} of {total:,} samples; {tally.mismatches:,} of "
            f"these {done:,} differ from what was expected",
            hint=error.hint,
            partial=result(),
        ) from error
    return result()


@dataclass(frozen=True, eq=False)
class _Job:
    """What one run works on."""

    session: Session
    target: Target
    plan: Schedule
    samples: Sequence[Array]
    expected: Sequence[Array]
    layer_crcs: Callable[[int], Sequence[int]]
    raw: Array | None = None
    rows: int = 0

    @property
    def counting(self) -> Counting:
        return self.target.counting

    def readings(self) -> Sequence[CounterReading]:
        """Those since the last call."""
        return self.target.console.counter_readings()

    @property
    def keeps_state(self) -> bool:
        """Whether each inference depends on those before it."""
        return any(tensor.is_variable for tensor in self.plan.graph.tensors.values())

    @property
    def repeats(self) -> int:
        """How often a harmed inference may be done again."""
        return 0 if self.keeps_state else 2

    def measure(self, i: int, tally: _Tally) -> None:
        """One inference of sample `i`."""
        self.readings()
        wanted = _bytes_of(self.expected, i)
        inputs = _bytes_of(self.samples, i)
        raw = None if self.raw is None else self.raw[i].tobytes()
        inference = self.session.infer(inputs, len(wanted), self.repeats, raw)
        taken = self.readings()
        tally.outputs.append(inference.outputs)
        if inference.features is not None:
            self._take_features(i, inference.features, inputs[0], tally)
            return
        self._count(inference.ticks, taken, tally)
        if self.rows:
            self._count_features(inference.feature_ticks, taken[:-2], tally)
        if inference.outputs != wanted:
            tally.mismatches += 1
            if tally.first_mismatch is None:
                byte = _first_difference(b"".join(inference.outputs), b"".join(wanted))
                tally.first_mismatch = Mismatch(i, None, "", byte)  # kept even if the profile fails
                self._look_into(i, byte, tally)

    def _take_features(self, i: int, found: bytes, wanted: bytes, tally: _Tally) -> None:
        """Features that are not the host's, whatever the outputs."""
        tally.mismatches += 1
        if tally.first_mismatch is None:
            byte = _first_difference(found, wanted)
            tally.first_mismatch = Mismatch(i, None, FEATURES, byte)
            tally.notes.append(
                f"the features of sample {i} differ from the host's from byte {byte:,} of {len(wanted):,} on"
            )

    def _count_features(self, ticks: int, taken: Sequence[CounterReading], tally: _Tally) -> None:
        """The firmware reads the counter before and after each row."""
        pairs = list(zip(taken[-2 * self.rows :: 2], taken[1 - 2 * self.rows :: 2], strict=False))
        if len(pairs) == self.rows:
            tally.feature_instructions.append(sum(end.instructions - start.instructions for start, end in pairs))
        elif self.counting.ticks == "instructions":
            tally.feature_instructions.append(round(ticks / self.counting.ticks_per_instruction))

    def profile(self, i: int, tally: _Tally) -> tuple[tuple[LayerResult, ...], tuple[LayerTicks, ...]]:
        """The table of layers, with the inputs of sample `i`."""
        self.readings()
        planned = self.plan.layers
        profile = self.session.profile_of(_bytes_of(self.samples, i), len(planned), self.repeats)
        pairs = self._pairs_of_steps()
        rows = []
        for step, (layer, ticks) in enumerate(zip(planned, profile, strict=True)):
            if ticks.index != layer.layer.index:
                raise DeviceError(
                    f"step {step} of the firmware is operator {ticks.index}, the plan has operator {layer.layer.index}",
                    hint="build and start the firmware again",
                )
            pair = pairs.get(step)
            instructions, cycles = self._figures(ticks.ticks, pair, tally)
            reads = _reads(*pair) if pair and self.counting.reads_flash else None
            shape = layer.layer.outputs[0].shape
            rows.append(
                LayerResult(
                    layer.layer.index,
                    layer.layer.name,
                    shape,
                    layer.layer.macs,
                    instructions,
                    cycles,
                    layer.kernel.name,
                    reads,
                )
            )
        return tuple(rows), profile

    def _pairs_of_steps(self) -> dict[int, tuple[CounterReading, CounterReading]]:
        """For each step what all its calls took, as two readings; empty when the counter was not read.

        The firmware reads it at the start of a profile, then after each call and again when its checksum is made.
        """
        steps = call_steps(self.plan)
        taken = self.readings()[-(2 * len(steps) + 1) :]
        if len(taken) != 2 * len(steps) + 1:
            return {}
        sums: dict[int, tuple[CounterReading, CounterReading]] = {}
        for number, step in enumerate(steps):
            begin, end = taken[2 * number], taken[2 * number + 1]
            if step in sums:
                first, last = sums[step]
                begin, end = first, last.after(begin, end)
            sums[step] = begin, end
        return sums

    def _count(self, ticks: int, taken: Sequence[CounterReading], tally: _Tally) -> None:
        pair = (taken[-2], taken[-1]) if len(taken) > 1 else None
        instructions, cycles = self._figures(ticks, pair, tally)
        if pair is not None and self.counting.reads_flash:
            tally.reads.append(_reads(*pair))
        tally.ticks.append(ticks)
        if instructions is not None:
            tally.instructions.append(instructions)
        if cycles is not None:
            tally.cycles.append(cycles)

    def _figures(
        self, ticks: int, pair: tuple[CounterReading, CounterReading] | None, tally: _Tally
    ) -> tuple[int | None, int | None]:
        """(instructions, cycles) between two readings of the counter; without them, what the ticks are."""
        if pair is None:
            of_instructions = self.counting.ticks == "instructions"
            counted = round(ticks / self.counting.ticks_per_instruction) if of_instructions else None
            return counted, (ticks if self.counting.ticks == "cycles" else None)
        instructions = pair[1].instructions - pair[0].instructions
        cycles = pair[1].cycles - pair[0].cycles
        of_cycles = self.counting.ticks == "cycles"
        if self.counting.ticks != "time" and (cycles if of_cycles else instructions) % _TICKS != ticks:
            tally.disagreements += 1
        return instructions, (cycles if of_cycles else None)

    def _look_into(self, i: int, byte: int, tally: _Tally) -> None:
        """Find the first layer whose outputs differ from the reference's, by a profile of sample `i`."""
        if self.keeps_state:
            tally.notes.append("the model keeps state between inferences: which layer differs cannot be told")
            return
        tally.layers, profile = self.profile(i, tally)
        if all(ticks.crc is None for ticks in profile):
            tally.notes.append("the runtime cannot tell the outputs of single layers")
            return
        for layer, ticks, wanted in zip(self.plan.layers, profile, self.layer_crcs(i), strict=True):
            if ticks.crc is not None and ticks.crc != wanted:
                tally.first_mismatch = Mismatch(i, layer.layer.index, layer.layer.name, byte)
                return
        tally.notes.append(f"in a second inference of sample {i} no layer differs from the reference")


def _conclude(tally: _Tally, plan: Schedule, samples: Samples, target: Target, clock_hz: int, rows: int) -> Run:
    counting = target.counting
    done = len(tally.outputs)
    tensors = plan.graph.output_tensors()
    outputs = tuple(
        np.frombuffer(b"".join(row[at] for row in tally.outputs), tensor.dtype.numpy).reshape(done, *tensor.shape)
        for at, tensor in enumerate(tensors)
    )
    instructions = _median("counted", tally.instructions, None)
    cycles, latency = _cycles(tally, counting), None
    if counting.ticks == "time" and tally.ticks:
        latency = Figure("measured", statistics.median_low(tally.ticks) * 1e6 / clock_hz)
    elif cycles is not None and not cycles.at_zero_wait_states:
        upper = None if cycles.upper is None else cycles.upper * 1e6 / clock_hz
        latency = Figure(cycles.kind, cycles.value * 1e6 / clock_hz, cycles.error_percent, upper)
    notes = list(tally.notes)
    if tally.disagreements:
        notes.append(f"{tally.disagreements:,} times the firmware's ticks are not what the emulator counted")

    def accuracy_of(output: int, right: Array | None) -> float | None:
        return None if right is None or not done else accuracy(outputs[output], right, half_of(tensors[output]))

    further = {head.name: accuracy_of(head.output, head.labels) for head in samples.further_labels}
    return Run(
        samples=done,
        mismatches=tally.mismatches,
        first_mismatch=tally.first_mismatch,
        device_accuracy=accuracy_of(0, samples.labels),
        instructions=instructions,
        instructions_spread=_spread(tally.instructions),
        cycles=cycles,
        cycles_spread=_spread(tally.cycles),
        latency_us=latency,
        layers=tally.layers,
        stack_peak_bytes=tally.stack_peak_bytes,
        outputs=outputs,
        emulator=target.label,
        notes=tuple(notes),
        ticks=tuple(tally.ticks),
        selftest=tally.selftest,
        confusion=None
        if samples.labels is None or not done
        else confusion(outputs[0], samples.labels, samples.class_names, half_of(tensors[0])),
        further_accuracies={name: value for name, value in further.items() if value is not None},
        row_instructions=_median("counted", [count // rows for count in tally.feature_instructions], None),
        rows=rows,
        reads=_median_reads(tally),
        calibration=counting.calibration,
        counted=tuple(tally.instructions),
    )


def _check_firmware(session: Session, plan: Schedule) -> str:
    """What the firmware says of its self-test.

    Raises: DeviceError when its tensors, layers or arena are not the plan's
    """
    hello = session.hello()
    graph = plan.graph
    facts = [
        ("inputs", hello.inputs, len(graph.inputs)),
        ("outputs", hello.outputs, len(graph.outputs)),
        ("layers", hello.layers, len(plan.layers)),
        ("bytes of arena", hello.arena_bytes, plan.arena_bytes),
    ]
    if hello.inputs == len(graph.inputs) and hello.outputs == len(graph.outputs):
        for kind, tensors in (("in", graph.input_tensors()), ("out", graph.output_tensors())):
            for i, tensor in enumerate(tensors):
                facts.append((f"bytes in `{tensor.name}`", session.tensor(kind, i).bytes, tensor.bytes))
    for what, found, wanted in facts:
        if found != wanted:
            raise DeviceError(
                f"the firmware has {found:,} {what}, the plan has {wanted:,}", hint="build and start the firmware again"
            )
    return hello.selftest


def _bytes_of(arrays: Sequence[Array], i: int) -> tuple[bytes, ...]:
    """The bytes of sample `i` in each array."""
    return tuple(array[i].tobytes() for array in arrays)


def _first_difference(found: bytes, wanted: bytes) -> int:
    pairs = enumerate(zip(found, wanted, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(found), len(wanted)))


def _reads(before: CounterReading, after: CounterReading) -> FlashReads:
    return FlashReads(
        code_misses=after.code_misses - before.code_misses,
        data_misses=after.data_misses - before.data_misses,
        code_lines=after.code_lines - before.code_lines,
        stall_cycles=after.stall_cycles - before.stall_cycles,
    )


def _cycles(tally: _Tally, counting: Counting) -> Figure | None:
    """Cycles of one inference. Modelled ones are of the pipeline alone unless the board was compared with silicon."""
    if counting.cycles == "measured":
        return _median("measured", tally.cycles, None)
    calibration = counting.calibration
    figure = _median(counting.cycles, tally.cycles, counting.error_percent)
    if figure is None or (calibration is not None and calibration.code_line_cycles is None):
        return figure
    if calibration is None or not tally.reads:
        return dataclasses.replace(figure, at_zero_wait_states=True)
    lines = statistics.median_low([reads.code_lines for reads in tally.reads])
    return dataclasses.replace(figure, upper=figure.value + (calibration.code_line_cycles or 0.0) * lines)


def _median_reads(tally: _Tally) -> FlashReads | None:
    """The reads of the inference that took the median of cycles."""
    if not tally.reads or len(tally.reads) != len(tally.cycles):
        return None
    return tally.reads[tally.cycles.index(statistics.median_low(tally.cycles))]


def _median(kind: Kind, values: list[int], error_percent: float | None) -> Figure | None:
    return Figure(kind, statistics.median_low(values), error_percent) if values else None


def _spread(values: list[int]) -> tuple[int, int] | None:
    return (min(values), max(values)) if values else None
