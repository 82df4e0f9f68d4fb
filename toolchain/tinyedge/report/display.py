"""What artifacts show of themselves when they are printed, asked for a document, or looked at in a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from tinyedge.artifacts import Built, Measured, QuantizedModel
from tinyedge.artifacts.display import Forms, register_forms
from tinyedge.report import diagnosis  # noqa: F401 - registers how a diagnosis is shown
from tinyedge.report.confusion import class_tables, shown_confusion
from tinyedge.report.html import html_piece
from tinyedge.report.json import build_document, train_document
from tinyedge.report.measured import measured_document, render_measured
from tinyedge.report.table import Cell, format_bytes
from tinyedge.report.text import (
    layer_table,
    memory_rows,
    model_summary,
    render_build,
    render_training,
    run_summary,
    size_rows,
)


def _model_html(model: QuantizedModel) -> str:
    return html_piece(model.name, "", [((), model_summary(model))])


def _build_html(built: Built) -> str:
    project, image = built.project, built.image
    rows = [*size_rows(image.size), ("  arena", format_bytes(project.arena_bytes), "", "")]
    about = f"{project.runtime} runtime, {image.compiler}, in {built.folder}"
    return html_piece(f"{project.model} for {project.board.name}", about, [(("memory", "used", "of", "share"), rows)])


def _run_html(measured: Measured) -> str:
    run, built = measured.run, measured.built
    tables: list[tuple[Sequence[str], Sequence[Sequence[Cell]]]] = [
        ((), run_summary(measured)),
        (("memory", "used", "of", "share", "known from"), memory_rows(measured)),
    ]
    if run.layers:
        tables.append(layer_table(run))
    if (confusion := shown_confusion(measured)) is not None:
        tables += class_tables(confusion)
    tables.append(((), [("note", note) for note in run.notes]))
    about = f"{built.project.runtime} runtime, {built.image.compiler}, {measured.emulator}"
    title = f"{built.prepared.model.name} on {built.prepared.board.name}"
    if run.selftest_failure:
        title += f": {run.selftest_failure}"
    return html_piece(title, about, [table for table in tables if table[1]])


register_forms(QuantizedModel, Forms(train_document, render_training, _model_html))
register_forms(
    Built,
    Forms(
        lambda built: build_document(built.project, built.image, built.arena),
        lambda built: render_build(built.project, built.image, built.folder, built.arena),
        _build_html,
    ),
)
register_forms(
    Measured,
    Forms(measured_document, render_measured, _run_html),
)
