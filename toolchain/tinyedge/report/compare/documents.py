"""Documents of `--json` read back: what other programs may have written or changed, so checked as any input is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tinyedge.artifacts import Measured
from tinyedge.errors import UsageError
from tinyedge.report.compare.subject import Known, LayerFigures, Subject
from tinyedge.report.measured import measured_document

T = TypeVar("T")
MOST_BYTES = 64 << 20
"""far more than any document has"""
_TAKEN = "what `tinyedge run`, `verify`, `bench` and `build` print with `--json`"


@dataclass(frozen=True)
class _Figure:
    kind: str | None = None
    value: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class _Accuracy:
    device: float | None = None


@dataclass(frozen=True)
class _Verify:
    samples: int = 0
    mismatches: int = 0


@dataclass(frozen=True)
class _Memory:
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    state_bytes: int = 0
    stack_peak_bytes: int | None = None


@dataclass(frozen=True)
class _Layer:
    index: int
    operator: str
    output_shape: tuple[int, ...]
    instructions: float | None = None
    cycles: float | None = None
    kernel: str = ""


@dataclass(frozen=True)
class _Run:
    """What is read of `tinyedge.run/2`, and of `tinyedge.build/1`."""

    model: str
    board: str
    runtime: str
    memory: _Memory
    compiler: str = ""
    optimize: str = ""
    emulator: str = ""
    accuracy: _Accuracy = _Accuracy()
    verify: _Verify | None = None
    instructions: _Figure = _Figure()
    cycles: _Figure = _Figure()
    latency_us: _Figure = _Figure()
    energy_uj: _Figure = _Figure()
    layers: tuple[_Layer, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Runs:
    """`tinyedge.runs/2` and `tinyedge.bench/2`."""

    runs: tuple[dict[str, Any], ...]


def read_subjects(path: Path) -> tuple[Subject, ...]:
    """The runs in a document, or in all `*.json` of a folder that are documents of runs.

    Raises: UsageError when there are none, or a file is none of them
    """
    if path.is_dir():
        found = [subject for file in sorted(path.glob("*.json")) for subject in _subjects_in(file, within=path)]
        if not found:
            raise UsageError(f"the folder `{path}` holds no document of a run", hint=f"it takes {_TAKEN}, as *.json")
        return tuple(found)
    return tuple(_subjects_in(path))


def subjects_of(measured: Measured, label: str) -> tuple[Subject, ...]:
    """A run that was made now."""
    return tuple(_subjects(measured_document(measured), label, label))


def _subjects_in(path: Path, within: Path | None = None) -> Iterator[Subject]:
    """Those of a file; in a folder other documents are passed over."""
    document = _load(path)
    label = path.stem if within is None else f"{within.name}/{path.stem}"
    schema = document.get("schema") if isinstance(document, dict) else None
    if within is not None and (not isinstance(schema, str) or _family(schema) not in _FAMILIES):
        return
    yield from _subjects(document, label, str(path))


def _load(path: Path) -> Any:
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"`{path}` is not a file: a pipe or a device cannot be read", hint=f"it takes {_TAKEN}")
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"`{path}` has {path.stat().st_size:,} B: no document of a run is as large")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror or error}", hint=f"it takes {_TAKEN}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is no JSON document: {error}", hint=f"it takes {_TAKEN}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_FAMILIES = {
    "tinyedge.run": ("tinyedge.run/2",),
    "tinyedge.runs": ("tinyedge.runs/2",),
    "tinyedge.bench": ("tinyedge.bench/2",),
    "tinyedge.build": ("tinyedge.build/1",),
}


def _family(schema: str) -> str:
    return schema.partition("/")[0]


def _subjects(document: Any, label: str, where: str) -> Iterator[Subject]:
    """Raises: UsageError for a document of another schema, or one that breaks its own."""
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or schema not in _FAMILIES.get(_family(schema), ()):
        what = f"is a document `{schema}`" if isinstance(schema, str) else "names no schema"
        raise UsageError(f"`{where}` {what}, which cannot be compared", hint=f"it takes {_TAKEN}")
    if _family(schema) in ("tinyedge.run", "tinyedge.build"):
        yield _subject(_convert(_Run, document, where), label)
        return
    each = _convert(_Runs, document, where).runs
    for number, inner in enumerate(each):
        run = _convert(_Run, inner, f"{where}: run {number}")
        further = f" {run.model if _family(schema) == 'tinyedge.runs' else run.runtime}" if len(each) > 1 else ""
        yield _subject(run, label + further)


def _convert(kind: type[T], document: Any, where: str) -> T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"`{where}` breaks its schema: {error}", hint=f"it takes {_TAKEN}") from error


def _subject(run: _Run, label: str) -> Subject:
    sizes = {name: getattr(run.memory, name) for name in ("flash_bytes", "ram_bytes", "arena_bytes", "state_bytes")}
    figures = {name: Known(value, "linked") for name, value in sizes.items()}
    if run.memory.stack_peak_bytes:
        figures["stack_peak_bytes"] = Known(run.memory.stack_peak_bytes, "painted")
    for name in ("instructions", "cycles", "latency_us", "energy_uj"):
        found: _Figure = getattr(run, name)
        if found.value is not None:
            figures[name] = Known(found.value, found.kind or "unknown", found.upper)
    if run.accuracy.device is not None:
        figures["accuracy"] = Known(run.accuracy.device, "verified")
    if run.verify is not None:
        figures["mismatches"] = Known(run.verify.mismatches, "verified")
    layers = tuple(
        LayerFigures(
            layer.index,
            layer.operator,
            layer.output_shape,
            {
                name: value
                for name, value in (("instructions", layer.instructions), ("cycles", layer.cycles))
                if value is not None
            },
            layer.kernel,
        )
        for layer in run.layers
    )
    return Subject(
        label,
        run.model,
        run.board,
        run.runtime,
        run.compiler,
        run.optimize,
        run.emulator.partition(" ")[0],
        figures,
        layers,
        run.digests,
    )


def with_distinct_labels(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """The same, those of the same label numbered."""
    counts: Mapping[str, int] = {
        subject.label: sum(each.label == subject.label for each in subjects) for subject in subjects
    }
    seen: dict[str, int] = {}
    named = []
    for subject in subjects:
        if counts[subject.label] > 1:
            seen[subject.label] = seen.get(subject.label, 0) + 1
            subject = changed(subject, label=f"{subject.label} ({seen[subject.label]})")  # noqa: PLW2901
        named.append(subject)
    return tuple(named)
