"""Reports as HTML: a self-contained page for a run, pieces for a notebook; no script, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from tinyedge.artifacts import Measured, Plan
from tinyedge.artifacts.exits import Exits
from tinyedge.boards import Isa
from tinyedge.report.budgets import measured_lines
from tinyedge.report.confusion import class_tables, matrix_is_shown, shown_confusion
from tinyedge.report.exits import Table, curve_table, exits_svg, said_of, ways_table
from tinyedge.report.json import run_document
from tinyedge.report.page import NARROW, WIDE, Bar, Drawn, bars, made_on, template
from tinyedge.report.svg import plan_svg
from tinyedge.report.table import Cell, format_bytes, format_share, format_time
from tinyedge.report.text import layer_table, memory_rows, run_summary
from tinyedge.report.treemap import Part, draw_treemap, flash_parts, ram_parts

_LARGEST = 20
"""symbols in the list below a map"""
_FLOAT_BYTES = 4


def run_html(measured: Measured) -> str:
    """The report of a run as a page: figures, budget, memory and its maps, layers, classes, the arena over time, what
    compression did, and what all of it was made from."""
    prepared, run = measured.built.prepared, measured.run
    headers, layers = layer_table(run)
    confusion = shown_confusion(measured)
    return template("run").render(
        title=f"{prepared.model.name} on {prepared.board.name}",
        date=made_on(),
        about=f"{measured.built.project.runtime} runtime, {measured.built.image.compiler}, {measured.emulator}",
        mismatches=run.mismatches,
        selftest_failure=run.selftest_failure,
        summary=run_summary(measured),
        budget=[
            (
                line.figure,
                f"{line.budget:,g}",
                "unknown" if line.found is None else f"{line.found:,g}",
                _kept(line.over),
            )
            for line in measured_lines(measured)
        ],
        memory_headers=("memory", "used", "of", "share", "known from"),
        memory=memory_rows(measured),
        maps=memory_maps(measured),
        layer_title="Latency of the layers" if run.latency_us is not None else "Layers",
        layer_bars=_layer_bars(measured),
        layer_headers=headers,
        layers=layers if run.layers else (),
        exits=None if run.exits is None else _exits(run.exits),
        classes=() if confusion is None else class_tables(confusion)[:1],
        confusion=run.confusion if run.confusion is not None and matrix_is_shown(run.confusion) else None,
        picture=None
        if prepared.memory is None
        else Drawn(plan_svg(prepared.memory, WIDE, numbered=True), plan_svg(prepared.memory, NARROW, numbered=True)),
        buffers=() if prepared.memory is None else buffer_rows(prepared.memory),
        sizes=_sizes(measured),
        stages=_stages(measured),
        storage=() if prepared.memory is None else storage_rows(prepared.memory),
        run_notes=run.notes,
        origin=origin_rows(measured),
    )


def html_piece(title: str, about: str, tables: Sequence[tuple[Sequence[str], Sequence[Sequence[Cell]]]]) -> str:
    """A heading and tables (headers, rows), for a page of somebody else's: a notebook's."""
    return template("piece").render(title=title, about=about, tables=tables)


def memory_maps(measured: Measured) -> list[tuple[str, Drawn, list[tuple[str, str, str]]]]:
    """(memory, its map, rows of its largest symbols)."""
    size = measured.built.image.size
    found = []
    for name, parts in (("Flash", flash_parts(size)), ("RAM", ram_parts(size))):
        drawn = draw_treemap(parts)
        if drawn is not None:
            found.append((name, drawn, _largest(parts)))
    return found


def buffer_rows(plan: Plan) -> list[tuple[Cell, ...]]:
    """Number, name, bytes, address in the arena and steps of each buffer of a plan."""
    return [
        (str(number), each.name, format_bytes(each.bytes), f"{each.offset:,}", f"{each.first} to {each.last}")
        for number, each in enumerate(plan.buffers)
    ]


def origin_rows(measured: Measured) -> list[tuple[str, str]]:
    """Board, chip, clock, versions and digests of a run."""
    prepared = measured.built.prepared
    board, library = prepared.board, measured.built.project.library
    rows = [("board", f"{board.name}: {board.title}"), ("chip", f"{board.chip}, {board.core.name}")]
    if board.core.isa is not Isa.NATIVE:
        rows.append(("clock", f"{board.clock_hz / 1e6:g} MHz"))
    rows += [
        ("compiler", measured.built.image.compiler),
        ("ran on", measured.emulator),
        ("compared with", measured.reference_name),
        ("optimized for", prepared.plan.optimize),
    ]
    if library is not None:
        rows.append(("library", library.name))
    if prepared.model.trained_by:
        rows.append(
            ("trained by", ", ".join(f"{name} {version}" for name, version in prepared.model.trained_by.items()))
        )
    return rows + [(f"digest of {name}", value) for name, value in run_document(measured)["digests"].items()]


def _largest(parts: Sequence[Part]) -> list[tuple[str, str, str]]:
    ordered = sorted(parts, key=lambda part: -part.bytes)[:_LARGEST]
    return [(part.name, part.section_name, format_bytes(part.bytes)) for part in ordered]


def _layer_bars(measured: Measured) -> list[Bar]:
    """A bar for each layer: its time where a clock is known, else cycles, else instructions."""
    run, clock_hz = measured.run, measured.built.prepared.board.clock_hz
    by_cycles = any(layer.cycles is not None for layer in run.layers)
    rows = []
    for layer in run.layers:
        spent = (layer.cycles if by_cycles else layer.instructions) or 0
        if by_cycles and run.latency_us is not None and clock_hz:
            text = format_time(spent * 1e6 / clock_hz)
        else:
            text = f"{spent:,}{' cycles' if by_cycles else ''}"
        rows.append((f"{layer.index} {layer.operator}", float(spent), text))
    return bars(rows)


def _sizes(measured: Measured) -> list[Bar]:
    """What weights take before and after, where the model was trained here."""
    model, size = measured.built.prepared.model, measured.built.image.size
    parameters = model.metrics.get("parameters")
    if parameters is None:
        return []
    rows = [
        ("weights in float32", float(parameters) * _FLOAT_BYTES),
        ("the model file", float(len(model.tflite))),
        ("constants in flash", float(size.constant_bytes)),
    ]
    return bars([(name, value, format_bytes(round(value))) for name, value in rows if value])


def storage_rows(plan: Plan) -> list[tuple[Cell, ...]]:
    """Layer, operator, form, and bytes before and after, of each layer whose weights do not lie a byte each."""
    return [
        (
            str(planned.layer.index),
            planned.layer.name,
            stored.form,
            format_bytes(stored.unpacked_bytes),
            format_bytes(stored.stored_bytes),
            format_share(stored.stored_bytes, stored.unpacked_bytes),
        )
        for planned in plan.layers
        if (stored := planned.cost.storage) is not None
    ]


def _stages(measured: Measured) -> list[tuple[str, str]]:
    """The accuracy behind each stage of the training, and on the device."""
    model, run = measured.built.prepared.model, measured.run
    ends = "_accuracy"
    found = [(name.removesuffix(ends), value) for name, value in model.metrics.items() if name.endswith(ends)]
    if run.device_accuracy is not None and not measured.samples.source:
        found.append(("device", run.device_accuracy))
    return [(name.replace("_", " "), f"{value:.4f}") for name, value in found]


def _exits(exits: Exits) -> tuple[str, Drawn | None, tuple[Table, Table]]:
    """(what the exit is, accuracy by the share that leaves, both tables)."""
    wide, narrow = exits_svg(exits, WIDE), exits_svg(exits, NARROW)
    return said_of(exits), (Drawn(wide, narrow) if wide else None), (ways_table(exits), curve_table(exits))


def _kept(over: bool) -> str:
    return "over" if over else "kept"
