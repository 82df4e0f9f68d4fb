"""What a firmware did in an emulator or on a board, and what was done to a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy.typing as npt

from tinyedge.artifacts.confusion import Confusion
from tinyedge.artifacts.display import Displayed
from tinyedge.artifacts.exits import Exits
from tinyedge.artifacts.image import Built
from tinyedge.artifacts.model import Labelled
from tinyedge.chip import Calibration
from tinyedge.console.contract import CountedConsole
from tinyedge.digests import digest

Array = npt.NDArray[Any]
Kind = Literal["counted", "modelled", "predicted", "measured"]


@dataclass(frozen=True)
class Figure:
    """A number that says how it was got. Never printed without its kind."""

    kind: Kind
    value: float
    error_percent: float | None = None
    """of a modelled figure"""
    upper: float | None = None
    """where nobody knows more than bounds: the upper one, and `value` is the lower"""
    at_zero_wait_states: bool = False
    """memory is taken as if it answered at once, which it does on few boards"""

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": self.kind, "value": self.value}
        if self.error_percent is not None:
            body["error_percent"] = self.error_percent
        if self.upper is not None:
            body["upper"] = self.upper
        return body


@dataclass(frozen=True)
class Counting:
    """What the numbers of a firmware's counter mean where it runs.

    ticks                  what its ticks are; `time` is a clock of this computer
    cycles                 the kind of figure that ticks of cycles are
    error_percent          stated error of modelled cycles; None where they are not modelled
    calibration            what modelled cycles hold of the waits for memory; None: nothing
    reads_flash            whether misses of the caches in front of flash are counted
    ticks_per_instruction  where ticks are instructions: what the counter advances by at each of them
    """

    ticks: Literal["instructions", "cycles", "time"]
    cycles: Kind = "modelled"
    error_percent: float | None = None
    ticks_per_instruction: Fraction = Fraction(1)
    calibration: Calibration | None = None
    reads_flash: bool = False


@dataclass(frozen=True, eq=False)
class Target:
    """A firmware that was started: on what, how to talk to it, and what its counter says."""

    label: str
    """name and version of the emulator, or the port of the board"""
    console: CountedConsole
    counting: Counting
    emulated: bool = False
    """whether there is no board that could be reset, powered or wired"""


@dataclass(frozen=True)
class Hello:
    """Who the firmware says it is."""

    protocol: int
    model: str
    board: str
    runtime: str
    image: str
    """first digits of the digest of the firmware project"""
    ticks_hz: int
    """rate of the cycle counter that ticks are of"""
    inputs: int
    outputs: int
    layers: int
    arena_bytes: int
    selftest: str
    """what the inference of the embedded sample gave, `ok` if it was right"""


@dataclass(frozen=True)
class FlashReads:
    """What a piece of a run read from flash, as the caches of the board file have it."""

    code_misses: int
    data_misses: int
    """of the cache of data; without one, loads from flash"""
    code_lines: int
    """of code that would be fetched without a cache"""
    stall_cycles: int
    """cycles that the core waited for that; 0 where nobody knows how long a miss takes"""


@dataclass(frozen=True)
class LayerResult:
    """One layer of a profile."""

    index: int
    operator: str
    output_shape: tuple[int, ...]
    macs: int
    instructions: int | None
    cycles: int | None
    """of the pipeline and of stalls"""
    kernel: str = ""
    reads: FlashReads | None = None


FEATURES = "features"
"""in the place of an operator: what a device computed of samples"""


@dataclass(frozen=True)
class Mismatch:
    """The first sample whose output differs, and the first layer that does."""

    sample: int
    layer: int | None
    operator: str
    output_byte: int

    @property
    def in_features(self) -> bool:
        """Whether it is the features that the device computed that differ, and the byte is one of them."""
        return self.operator == FEATURES


@dataclass(frozen=True, eq=False)
class Run:
    """What one firmware did over a set of samples. Per inference figures are medians over the samples."""

    samples: int
    mismatches: int
    first_mismatch: Mismatch | None
    device_accuracy: float | None
    instructions: Figure | None
    instructions_spread: tuple[int, int] | None
    """smallest and largest over the samples"""
    cycles: Figure | None
    cycles_spread: tuple[int, int] | None
    latency_us: Figure | None
    layers: tuple[LayerResult, ...]
    stack_peak_bytes: int
    outputs: tuple[npt.NDArray[Any], ...]
    """[N, *output shape] as the device computed them, one for each output of the model"""
    emulator: str
    notes: tuple[str, ...] = ()
    ticks: tuple[int, ...] = ()
    """of each inference in order, as the firmware counted them (modulo 2^32)"""
    selftest: str = "ok"
    """what the firmware said of its self-test"""
    further_accuracies: Mapping[str, float] = field(default_factory=dict)
    """of the outputs behind the first that have classes, by their names"""
    confusion: Confusion | None = None
    """of the first output; None where it has no labelled classes, or one at each of many places"""
    row_instructions: Figure | None = None
    """of one row of features; None where none are computed, or nothing counts them"""
    rows: int = 0
    """of features that an input is made of, where the device computes them"""
    reads: FlashReads | None = None
    """of the inference whose cycles are the median; None where they are not counted"""
    calibration: Calibration | None = None
    """what modelled cycles hold of the waits for memory"""
    counted: tuple[int, ...] = ()
    """instructions of each inference in order; empty where nothing counts them"""
    exits: Exits | None = None
    """of a network that may answer before its end"""

    @property
    def pipeline_cycles(self) -> int | None:
        """The cycles without waits for memory."""
        if self.cycles is None:
            return None
        return int(self.cycles.value) - (self.reads.stall_cycles if self.reads is not None else 0)

    @property
    def selftest_failure(self) -> str:
        """Why nothing that the firmware computes can be trusted; empty when its self-test was passed."""
        if self.selftest == "ok":
            return ""
        return f"the firmware's self-test gave `{self.selftest}`"


@dataclass(frozen=True, eq=False)
class Samples:
    """What a run feeds a model with.

    arrays          one [N, *shape] for each input
    labels          of the first output and as many samples or more: classes [N, *places]; None where there are none
    further_labels  of other outputs that have classes
    class_names     of the labels; empty where nobody names them
    source          the path of the data that a user gave; empty for the model's own test set and made-up inputs
    raw             what the device computes the features in `arrays` of, [N, instants, axes]; None: it is fed with
                    `arrays` themselves
    """

    arrays: Sequence[Array]
    labels: Array | None = None
    further_labels: Sequence[Labelled] = ()
    class_names: Sequence[str] = ()
    source: str = ""
    raw: Array | None = None

    def __len__(self) -> int:
        return len(self.arrays[0])

    @property
    def digest(self) -> str:
        """Of the arrays' bytes."""
        return digest(*(array.tobytes() for array in self.arrays))


@dataclass(frozen=True, eq=False, repr=False)
class Measured(Displayed):
    """What ran, where, and what came out."""

    built: Built
    emulator: str
    """name and version, or the port of the board"""
    run: Run
    statistics: dict[str, float]
    samples: Samples

    def __repr__(self) -> str:
        model, run = self.built.prepared.model, self.run
        return f"<{type(self).__name__} {model.name} on {self.emulator}: {run.mismatches:,} of {run.samples:,} differ>"

    @property
    def reference_name(self) -> str:
        """Whose outputs those of the device were compared with."""
        return self.built.prepared.reference.name

    @property
    def reference_owner(self) -> str:
        """The same, as what outputs equal: `TensorFlow Lite Micro's`, or `tinyedge's reference`."""
        name = self.reference_name
        return name if name.endswith("reference") else f"{name}'s"


@dataclass(frozen=True, eq=False)
class FlashPlan:
    """What flashing would do; nothing was touched."""

    built: Built
    tool: str
    steps: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Flashed:
    """An image that was written, and what is known of it."""

    built: Built
    tool: str
    version: str
    verified: bool
    """the tool compared every byte"""
    port: str | None
    hello: Hello | None
    """the banner that proves that this image runs; None when it was not read"""
    why_unproved: str = ""


@dataclass(frozen=True)
class TracedEnergy:
    """What a recording says of an inference: the median of all it holds whole."""

    inferences: int
    energy_uj: float
    smallest_uj: float
    largest_uj: float
    duration_us: float
