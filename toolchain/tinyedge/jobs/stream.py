"""A recording played through a firmware that listens, in an emulator or on a board."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge.artifacts import Built, Observer, Prepared, Target, model_stream
from tinyedge.artifacts.streamed import Detection, Streamed
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.errors import FitError, ModelError
from tinyedge.features.host import compute
from tinyedge.features.source import feature_source
from tinyedge.features.stream import Stream, StreamSettings
from tinyedge.graph.ir import Array
from tinyedge.jobs.board import open_board
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare_with_runtime
from tinyedge.jobs.recording import read_recording
from tinyedge.measure.labels import Label, compare, read_labels
from tinyedge.measure.patience import banner_timeout_s
from tinyedge.measure.session import Session
from tinyedge.measure.stream import Expected, Played, play


@dataclass(frozen=True)
class StreamChoices:
    """What to play and where.

    labels    what is to be heard in it; None: nothing is compared
    late_s    how long after its end a label may be detected
    emulator  None where `on_board`
    port      of the board's console; None: found by USB ids
    """

    recording: Path
    labels: Path | None = None
    late_s: float = 1.0
    emulator: str = "auto"
    on_board: bool = False
    port: str | None = None


def stream(choices: Choices, how: StreamChoices, observer: Observer) -> Streamed:
    """Build, start, play the recording, compare every row, output and result with the host's, and judge by labels.

    Raises: ModelError for a model without features, or whose settings do not fit; UsageError for a recording or
    labels that do not; FitError; DeviceError
    """
    runtime, prepared = prepare_with_runtime(choices, observer)
    listening, state_bytes = _listening(prepared)
    _check_fits(prepared, listening, state_bytes)
    samples, odd = read_recording(how.recording, listening.filled.features)
    names = _names(prepared, listening)
    labels = None if how.labels is None else read_labels(how.labels, names)
    expected = _expected(prepared, listening, samples, observer, how.recording)
    built = runtime.build(prepared, choices.compiler, choices.build_dir, observer)
    start = _starter(built, how)
    target = start()
    started_s = time.monotonic()
    try:
        played = _play(built, target, listening, samples, expected, observer)
        notes = target.console.notes()
    finally:
        target.console.close()
    wall_s = time.monotonic() - started_s
    seconds = len(samples) / listening.filled.features.rate_hz
    ticks_are_cycles = target.counting.ticks == "cycles"
    modelled = target.counting.cycles == "modelled"
    return _judged(
        Streamed(
            built=built,
            stream=listening,
            label=target.label,
            recording=str(how.recording),
            seconds=seconds,
            wall_seconds=wall_s,
            rows=played.rows,
            runs=played.runs,
            differs=_told(played, listening),
            detections=_detections(listening, expected, names),
            features=played.effort(played.features, seconds, ticks_are_cycles=ticks_are_cycles),
            network=played.effort(played.network, seconds, ticks_are_cycles=ticks_are_cycles),
            cycles_kind=target.counting.cycles,
            cycles_seconds=played.ticked / listening.filled.features.rate_hz,
            error_percent=target.counting.error_percent if modelled else None,
            ram_bytes=listening.ram_bytes(state_bytes),
            notes=(*odd, *notes, *prepared.reference.notes),
        ),
        labels,
        [names[which] for which in listening.classes],
        how.late_s,
    )


def _listening(prepared: Prepared) -> tuple[Stream, int]:
    """(how the model listens, bytes of its features' state). Raises: ModelError when it cannot."""
    model = prepared.model
    if model.features is None:
        raise ModelError(
            f"nothing says how the input of model `{model.name}` is computed of samples",
            hint="a table [features] in model.toml beside the model, or in the recipe: docs/streaming.md",
        )
    listening = model_stream(replace(model, stream=model.stream or StreamSettings()), prepared.original)
    assert listening is not None
    return listening, feature_source(listening.filled, "model", model.name, prepared.board.core.isa).state_bytes


def _check_fits(prepared: Prepared, listening: Stream, state_bytes: int) -> None:
    """Raises: FitError when what listening takes does not fit the board's RAM beside the network."""
    board, memory = prepared.board, prepared.memory
    if not board.memories or memory is None:
        return
    own = listening.ram_bytes(state_bytes)
    network = memory.arena_bytes + memory.state_bytes
    if own + network <= board.ram.size_bytes:
        return
    features = listening.filled.features
    window = features.window * listening.instant_bytes
    raise FitError(
        f"listening takes {own:,} B of RAM beside the {network:,} B of model `{prepared.model.name}`; board "
        f"`{board.name}` has {board.ram.size_bytes:,} B ({own + network - board.ram.size_bytes:,} B too few)\n"
        f"       a window of samples {window:,} B, rows {listening.filled.rows * listening.row_bytes:,} B",
        hint="`tinyedge boards` lists boards; a shorter window or fewer axes in [features] take less",
    )


def _names(prepared: Prepared, listening: Stream) -> list[str]:
    """Of the outputs; numbers where nobody named them."""
    count = listening.output.elements
    names = prepared.model.class_names
    return list(names) if len(names) == count else [str(i) for i in range(count)]


def _expected(prepared: Prepared, listening: Stream, samples: Array, observer: Observer, recording: Path) -> Expected:
    """What the host computes of the recording. Raises: ModelError when it is too short for one inference."""
    rows = compute(listening.filled, samples)
    inputs = listening.inputs(rows)
    if not len(inputs):
        needed = listening.filled.instants / listening.filled.features.rate_hz
        raise ModelError(
            f"`{recording}` lasts {len(samples) / listening.filled.features.rate_hz:.2f} s; the input of model "
            f"`{prepared.model.name}` holds {needed:.2f} s",
            hint="give a longer recording",
        )
    shape = prepared.original.input_tensors()[0].shape
    outputs = prepared.reference.outputs([inputs.reshape(len(inputs), *shape)], observer)[0]
    return Expected(rows, outputs, listening.listen(outputs))


def _starter(built: Built, how: StreamChoices) -> Callable[[], Target]:
    board = built.prepared.board
    if how.on_board:
        return functools.partial(open_board, board, how.port)
    return functools.partial(start_target, choose(board, how.emulator), built.image, board)


def _play(
    built: Built, target: Target, listening: Stream, samples: Array, expected: Expected, observer: Observer
) -> Played:
    prepared = built.prepared
    patience_s = banner_timeout_s(prepared.plan, prepared.board.clock_hz, emulated=target.emulated)
    session = Session.with_target(target, patience_s)
    session.wait_for_image(built.project.digest, patience_s)
    with observer.progress(f"{target.label}: listen") as report:
        return play(session, target, listening, samples, expected, report)


def _told(played: Played, listening: Stream) -> str:
    if not played.differs:
        return ""
    return f"{played.differs} at {played.at_instant / listening.filled.features.rate_hz:.3f} s"


def _detections(listening: Stream, expected: Expected, names: Sequence[str]) -> tuple[Detection, ...]:
    rate_hz = listening.filled.features.rate_hz
    return tuple(
        Detection(each.instant / rate_hz, names[each.detected], listening.score(each, each.detected))
        for each in expected.heard
        if each.detected >= 0
    )


def _judged(streamed: Streamed, labels: Sequence[Label] | None, heard: Sequence[str], late_s: float) -> Streamed:
    if labels is None:
        return streamed
    verdict = compare([(each.time_s, each.name) for each in streamed.detections], labels, heard, late_s)
    pairs = zip(streamed.detections, verdict.hits, strict=True)
    return replace(
        streamed,
        detections=tuple(replace(each, is_right=is_right) for each, is_right in pairs),
        false_accepts=verdict.false_accepts,
        expected=verdict.expected,
        missed=tuple((label.start_s, label.name) for label in verdict.missed),
    )
