"""Reports for a terminal. Pure functions from artifacts to text; no figure stands without its kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyedge.artifacts import (
    ArenaProof,
    FirmwareProject,
    FlashReads,
    Image,
    Measured,
    QuantizedModel,
    Run,
    SizeTable,
    TracedEnergy,
)
from tinyedge.boards import Board, Isa
from tinyedge.report.confusion import render_confusion, shown_confusion
from tinyedge.report.energy import Duty, energy_pairs
from tinyedge.report.exits import render_exits
from tinyedge.report.picture import render_plan
from tinyedge.report.table import (
    Cell,
    format_bytes,
    format_kind,
    format_pairs,
    format_range,
    format_share,
    format_time,
    render_table,
)
from tinyedge.report.weights import weights_table

__all__ = [
    "render_board",
    "render_boards",
    "render_build",
    "render_plan",
    "render_run",
    "render_size",
    "render_table",
    "render_training",
]

_TRAINERS = ("tensorflow", "tf-keras", "numpy")
"""packages that the figures of a training depend on most"""
_LARGEST = 10
"""symbols in a size report"""
_CACHED = {"code": "code", "data": "data", "shared": "flash"}


def render_run(measured: Measured, duty: Duty | None = None, traced: TracedEnergy | None = None) -> str:
    """The report of a run: accuracy, verification, latency, instructions, cycles, energy, memory, layers.

    Raises: UsageError when the board cannot do as many inferences as `duty` wants
    """
    built, run = measured.built, measured.run
    prepared = built.prepared
    title = (
        f"{prepared.model.name} on {prepared.board.name}: {built.project.runtime} runtime, optimized for "
        f"{prepared.plan.optimize}, {built.image.compiler}, {measured.emulator}"
    )
    if built.project.library is not None:
        title += f"\n{built.project.library.name}"
    if run.selftest_failure:
        title = f"SELF-TEST FAILED: {run.selftest_failure}\n{title}"
    parts = [
        title,
        format_pairs(run_summary(measured) + energy_pairs(measured, duty, traced)),
        render_table(("memory", "used", "of", "share", "known from"), memory_rows(measured)),
    ]
    if run.layers:
        parts.append(_render_layers(run))
        if run.reads is not None:
            parts.append(render_table(*flash_table(run)))
    if prepared.memory is not None and (stored := weights_table(prepared.memory.layers)):
        parts.append(stored)
    if run.exits is not None:
        parts.append(render_exits(run.exits))
    if (confusion := shown_confusion(measured)) is not None:
        parts.append(render_confusion(confusion))
    if run.notes:
        parts.append("\n".join(f"note: {note}" for note in run.notes))
    return "\n\n".join(parts) + "\n"


def run_summary(measured: Measured) -> list[tuple[str, str]]:
    """(name, text) of what a run is about."""
    run, model = measured.run, measured.built.prepared.model
    per_sample = f"of one inference, median of {run.samples:,}"
    accuracies = _accuracies(model.float_accuracy, model.int8_accuracy, run.device_accuracy)
    if measured.samples.source:  # the others are of the model's own test set
        accuracies = _accuracies(None, None, run.device_accuracy)
        accuracies = f"{accuracies} on {measured.samples.source}" if accuracies else ""
    unknown = "none of the first output: it has values" if model.further_labels else "unknown: no labelled samples"
    labels = measured.samples.labels
    if labels is not None and labels.dtype.kind == "f":
        unknown = f"none: the labels of {measured.samples.source or 'the samples'} are values"
    pairs = [("accuracy", accuracies or unknown)]
    if model.made_up:
        pairs.append(("data", f"made up: {model.made_up}"))
    for head in model.further_labels:
        device = run.further_accuracies.get(head.name)
        pairs.append((f"  `{head.name}`", _accuracies(head.float_accuracy, head.int8_accuracy, device)))
    pairs.append(("verify", _verify_line(measured)))
    if run.latency_us is not None:
        where = "on this computer, " if measured.built.prepared.board.core.isa is Isa.NATIVE else ""
        latency = f"{format_range(run.latency_us, format_time)} {format_kind(run.latency_us)} {where}{per_sample}"
        pairs.append(("latency", latency))
    elif run.cycles is not None:
        pairs.append(("latency", "unknown: nobody measured how long this board waits for its memory"))
    for name, figure, spread in (
        ("instructions", run.instructions, run.instructions_spread),
        ("cycles", run.cycles, run.cycles_spread),
    ):
        text = "unknown: nothing counts them here"
        if figure is not None:
            text = f"{format_range(figure, '{:,.0f}'.format)} {format_kind(figure, spread)} {per_sample}"
        pairs.append((name, text))
    if run.reads is not None:
        pairs.append(("flash reads", _flash_line(run.reads)))
    if run.calibration is not None:
        pairs.append(("memory model", run.calibration.conditions))
    if run.rows:
        pairs.append(("features", _features_line(measured)))
    return pairs


def _features_line(measured: Measured) -> str:
    """What the device computed of samples, and what that took."""
    run, features = measured.run, measured.built.prepared.model.features
    kind = "" if features is None else f"`{features.kind}`, "
    if run.row_instructions is None:
        return f"{kind}{run.rows:,} rows an inference; nothing counts their instructions here"
    figure = run.row_instructions
    return f"{kind}{figure.value:,.0f} instructions {format_kind(figure)} a row, {run.rows:,} rows an inference"


def _flash_line(reads: FlashReads) -> str:
    waits = f", {reads.stall_cycles:,} cycles of waiting (modelled)" if reads.stall_cycles else ""
    return f"{reads.code_misses:,} misses of code, {reads.data_misses:,} of data (counted){waits}"


def memory_rows(measured: Measured) -> list[tuple[Cell, ...]]:
    """(memory, used, limit, share, how it is known)."""
    size, run = measured.built.image.size, measured.run
    stack = format_bytes(run.stack_peak_bytes) if run.stack_peak_bytes else "unknown"
    return [
        (*_limit_row("flash", size.flash_bytes, size.flash_limit_bytes), "linked image"),
        (*_limit_row("RAM", size.ram_bytes, size.ram_limit_bytes), "linked image, with the stack reserved"),
        ("  arena", format_bytes(measured.built.project.arena_bytes), "", "", _arena_source(measured.built.arena)),
        *_state_rows(measured),
        ("  stack peak", stack, "", "", "painted stack, after all samples"),
    ]


def _state_rows(measured: Measured) -> list[tuple[Cell, ...]]:
    """What inferences leave for the next, where they leave something."""
    state = measured.built.project.state_bytes
    return [("  state", format_bytes(state), "", "", "plan")] if state else []


def _arena_source(proof: ArenaProof | None) -> str:
    """How the size of the arena is known; None: tinyedge planned it."""
    if proof is None:
        return "plan"
    if proof.fails_bytes is None:
        return "host interpreter and a margin"
    return f"searched on the target; {format_bytes(proof.fails_bytes)} fails"


def layer_table(run: Run) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Headers and rows of the layers, with a total. The share is of cycles, else of instructions."""
    cycles_kind = run.cycles.kind if run.cycles is not None else "unknown"
    headers = (
        "layer",
        "operator",
        "output",
        "MACs",
        "instructions (counted)",
        f"cycles ({cycles_kind})",
        "share",
        "kernel",
    )
    by_cycles = any(layer.cycles is not None for layer in run.layers)
    spent = [(layer.cycles if by_cycles else layer.instructions) or 0 for layer in run.layers]
    rows: list[tuple[Cell, ...]] = [
        (
            str(layer.index),
            layer.operator,
            "x".join(map(str, layer.output_shape)) or "scalar",
            layer.macs,
            layer.instructions,
            layer.cycles,
            format_share(part, sum(spent)),
            layer.kernel,
        )
        for layer, part in zip(run.layers, spent, strict=True)
    ]
    rows.append(
        (
            "",
            "all",
            "",
            sum(layer.macs for layer in run.layers),
            _sum([layer.instructions for layer in run.layers]),
            _sum([layer.cycles for layer in run.layers]),
            format_share(1, 1) if sum(spent) else "-",
            "",
        )
    )
    return headers, rows


def flash_table(run: Run) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Headers and rows of what the layers read from flash: cycles of the pipeline alone, and misses of caches."""
    known = [(layer, layer.reads) for layer in run.layers if layer.reads is not None]
    rows: list[tuple[Cell, ...]] = [
        (
            str(layer.index),
            layer.operator,
            None if layer.cycles is None else layer.cycles - reads.stall_cycles,
            reads.code_misses,
            reads.data_misses,
            reads.stall_cycles if run.calibration is not None and not run.calibration.gives_range else "unknown",
        )
        for layer, reads in known
    ]
    return ("layer", "operator", "pipeline cycles", "code misses", "data misses", "waiting, cycles"), rows


def render_size(size: SizeTable) -> str:
    """Flash and RAM against the limits, the sections, and the largest symbols."""
    symbols = [(symbol.name, symbol.section, format_bytes(symbol.bytes)) for symbol in size.symbols[:_LARGEST]]
    sections = [(name, format_bytes(flash), format_bytes(ram)) for name, flash, ram in size.sections]
    return "\n\n".join(
        (
            render_table(("memory", "used", "of", "share"), size_rows(size)),
            render_table(("section", "flash", "RAM"), sections),
            render_table(("largest symbols", "section", "size"), symbols),
        )
    )


def size_rows(size: SizeTable) -> list[tuple[str, str, str, str]]:
    """(memory, used, limit, share) of flash and RAM."""
    return [
        _limit_row("flash", size.flash_bytes, size.flash_limit_bytes),
        _limit_row("RAM", size.ram_bytes, size.ram_limit_bytes),
    ]


def render_build(project: FirmwareProject, image: Image, folder: Path, arena: ArenaProof | None = None) -> str:
    """The size of a firmware and the files it became."""
    title = f"{project.model} for {project.board.name}: {project.runtime} runtime, {image.compiler}"
    files = [path for path in (image.elf, image.hex, image.bin, image.uf2) if path is not None]
    written = "\n".join(f"  {path}" for path in files)
    known = "" if arena is None else f"  {_arena_source(arena)}"
    known += f", and {format_bytes(project.state_bytes)} of state" if project.state_bytes else ""
    return (
        f"{title}\n\n{render_size(image.size)}\n\narena  {format_bytes(project.arena_bytes)}{known}\n"
        f"\nproject (`make` there builds it by hand)\n  {folder}\nimages\n{written}\n"
    )


def _accuracies(of_float: float | None, of_int8: float | None, of_device: float | None) -> str:
    """Those that are known of one output."""
    named = (("float", of_float), ("int8", of_int8), ("device", of_device))
    return "   ".join(f"{name} {value:.4f}" for name, value in named if value is not None)


def render_training(model: QuantizedModel) -> str:
    """What a training gave: accuracies, sparsity, size, and its further figures."""
    return f"{model.name}\n\n{format_pairs(model_summary(model))}\n"


def model_summary(model: QuantizedModel) -> list[tuple[str, str]]:
    """(name, text) of what is known of a model before it is on a board."""
    pairs = [
        (name, f"{value:.4f} on the test set")
        for name, value in (("float accuracy", model.float_accuracy), ("int8 accuracy", model.int8_accuracy))
        if value is not None
    ]
    if model.made_up:
        pairs.insert(0, ("data", f"made up: {model.made_up}"))
    if model.sparsity is not None:
        pairs.append(("sparsity", f"{100 * model.sparsity:.1f} % of the weights are zero"))
    pairs.append(("model", f"{format_bytes(len(model.tflite))}, {model.digest[:16]}"))
    if model.class_names:
        pairs.append(("classes", ", ".join(model.class_names)))
    told = {"float_accuracy", "int8_accuracy"}
    pairs += [
        (name.replace("_", " "), f"{value:,.6g}") for name, value in sorted(model.metrics.items()) if name not in told
    ]
    if model.trained_by:
        versions = ", ".join(f"{name} {model.trained_by[name]}" for name in _TRAINERS if name in model.trained_by)
        pairs.append(("trained on", f"{model.trained_by.get('processor', 'unknown')}, with {versions}"))
    return pairs


def render_boards(boards: Sequence[Board]) -> str:
    """The boards, one a line."""
    rows: list[tuple[Cell, ...]] = [
        (
            board.name,
            ", ".join(board.aliases),
            board.chip,
            board.core.name,
            "-" if board.core.isa is Isa.NATIVE else f"{board.clock_hz / 1e6:g} MHz",
            _memory_size(board, "flash"),
            _memory_size(board, "ram"),
            ", ".join(board.emulators) or "-",
        )
        for board in boards
    ]
    return render_table(("board", "alias", "chip", "core", "clock", "flash", "RAM", "emulators"), rows) + "\n"


def render_board(board: Board) -> str:
    """Everything the file of a board says."""
    pairs = [
        ("chip", f"{board.chip} ({board.core.name}, {board.clock_hz / 1e6:g} MHz)"),
        ("also called", ", ".join(board.aliases)),
    ]
    for memory in board.memories:
        pairs.append((memory.name, f"{format_bytes(memory.size_bytes)} at 0x{memory.start:08X}"))
    if board.memories and board.flash_start != board.flash.start:
        pairs.append(("image starts", f"0x{board.flash_start:08X}, behind the bootloader"))
    for name, cache in board.caches.items():
        pairs.append(
            (
                f"cache of {_CACHED[name]}",
                f"{format_bytes(cache.size_bytes)}, {cache.ways} ways of lines of {cache.line_bytes} B",
            )
        )
    pairs.append(("latency", _latency_of(board)))
    console = {key: f"0x{value:08X}" if key == "base" else str(value) for key, value in board.console.items()}
    pairs.append(("console", ", ".join(f"{key} {value}" for key, value in console.items())))
    pairs.append(("emulators", ", ".join(board.emulators)))
    pairs.append(("flashing", ", ".join(board.flashers)))
    pairs.append(("USB", ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in board.usb_ids)))
    sources = [(f"  {what}", source) for what, source in board.sources.items()]
    facts = format_pairs([(name, text or "-") for name, text in pairs])
    return f"{board.name}: {board.title}\n\n{facts}\n\nsources\n{format_pairs(sources)}\n"


def _latency_of(board: Board) -> str:
    """Whether emulated cycles of a board become milliseconds."""
    calibration = board.calibration
    if board.core.isa is Isa.NATIVE:
        return "measured on this computer"
    if calibration is None:
        return "cycles at zero wait states: its memory was not compared with silicon"
    if calibration.gives_range:
        return f"bounds: {calibration.conditions}"
    return f"calibrated, error {calibration.error_percent:g} %: {calibration.conditions}"


def _verify_line(measured: Measured) -> str:
    run = measured.run
    if not run.samples:
        return "no sample was compared"
    if not run.mismatches:
        return f"{run.samples:,} samples, 0 mismatches: every output byte equals {measured.reference_owner}"
    text = f"{run.samples:,} samples, {run.mismatches:,} MISMATCHES"
    first = run.first_mismatch
    if first is None:
        return text
    if first.in_features:
        return f"{text}; the first is sample {first.sample}, byte {first.output_byte} of its features"
    where = "" if first.layer is None else f"; the first layer that differs is {first.layer} `{first.operator}`"
    return f"{text}; the first is sample {first.sample}, output byte {first.output_byte}{where}"


def _render_layers(run: Run) -> str:
    headers, rows = layer_table(run)
    return render_table(headers, rows)


def _limit_row(name: str, used: int, limit: int) -> tuple[str, str, str, str]:
    """(name, used, limit, share); a host has no limit."""
    return name, format_bytes(used), format_bytes(limit) if limit else "no limit", format_share(used, limit)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _memory_size(board: Board, name: str) -> str:
    return next((format_bytes(memory.size_bytes) for memory in board.memories if memory.name == name), "-")
