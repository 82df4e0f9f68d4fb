"""One model at one optimization on one board: what it costs, and whether its outputs are right."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Figure, Optimize, Silence
from tinyedge.generate.names import c_name
from tinyedge.graph.ir import Graph, Tensor
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.jobs.run import run as run_model
from tinyedge.measure.samples import load_inputs
from tinyedge.ops import parse_graph

LEVELS: tuple[str, ...] = get_args(Optimize)
_CONSTANT = re.compile(rb"^extern const \w+ (\w+)\[", re.MULTILINE)
_SEED = 1

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """What one run found. Instructions and cycles are of one inference, medians over the samples."""

    model: str
    board: str
    optimize: str
    macs: int
    instructions: Figure
    cycles: Figure | None
    """None where the emulator has no model of the core's timing"""
    arena_bytes: int
    code_bytes: int
    """the flash image without the constants of the plan: code, tables, protocol, board support"""
    flash_bytes: int
    samples: int
    mismatches: int
    plan_seconds: float
    """from the file to the plan; of this computer, whatever else it did"""
    build_seconds: float
    """from the file to the ELF, with what compiled objects were cached"""
    compiler: str
    emulator: str
    digests: dict[str, str]


@dataclass(frozen=True)
class Refused:
    """A model that tinyedge does not take."""

    model: str
    digest: str
    """SHA-256 of the file"""
    reason: str


def measure_model(
    path: Path, board: str, compiler: str, optimize: str, *, samples: int, structured: bool, build_dir: Path
) -> Row:
    """Build the model, run it over random samples (and structured ones), compare every output byte and measure.

    Raises: TinyEdgeError when it cannot be built or run, or nothing counts its instructions
    """
    choices = Choices(str(path), board, compiler, optimize, build_dir)
    start = time.monotonic()
    prepared = prepare(choices, Silence())
    planned = time.monotonic()
    build(choices, Silence())
    built_at = time.monotonic()
    inputs = build_dir / f"{prepared.model.name}-{samples}{'-structured' if structured else ''}.npy"
    _write_inputs(inputs, prepared.original, samples, structured)
    measured = run_model(choices, Silence(), inputs=str(inputs))
    built, run = measured.built, measured.run
    assert run.instructions is not None, f"{measured.emulator} counts no instructions"
    names = set(_CONSTANT.findall(built.project.files[f"model/{c_name(prepared.model.name)}_data.h"]))
    constants = sum(symbol.bytes for symbol in built.image.size.symbols if symbol.name.encode() in names)
    return Row(
        model=prepared.model.name,
        board=prepared.board.name,
        optimize=optimize,
        macs=sum(layer.macs for layer in parse_graph(prepared.original)),
        instructions=run.instructions,
        cycles=run.cycles,
        arena_bytes=built.project.arena_bytes,
        code_bytes=built.image.size.flash_bytes - constants,
        flash_bytes=built.image.size.flash_bytes,
        samples=run.samples,
        mismatches=run.mismatches,
        plan_seconds=planned - start,
        build_seconds=built_at - planned,
        compiler=built.image.compiler,
        emulator=measured.emulator,
        digests={
            "model": hashlib.sha256(prepared.model.tflite).hexdigest(),
            "samples": measured.samples.digest,
            "elf": built.image.digest,
        },
    )


# -- samples ---------------------------------------------------------------------------------------------------------


def _write_inputs(path: Path, graph: Graph, samples: int, structured: bool) -> None:
    """A .npy file as `--inputs` takes it: structured samples first, then random ones."""
    tensors = graph.input_tensors()
    columns = load_inputs(f"random:{_SEED}", graph, samples)
    if structured:
        columns = [
            np.concatenate([structured_values(tensor), column]) for tensor, column in zip(tensors, columns, strict=True)
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(columns) == 1:
        np.save(path, columns[0])
    else:
        flat = [np.ascontiguousarray(c).reshape(len(c), -1).view(np.uint8) for c in columns]
        np.save(path, np.concatenate(flat, axis=1))


def structured_values(tensor: Tensor) -> Array:
    """Both ends of the type, the zero point, ramps up and down over all elements, over the last axis, and two values
    in turn: [8, *shape]. A float32 input gets the values of int8."""
    dtype = tensor.dtype.numpy
    low, high = (-128, 127) if dtype.kind == "f" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    zero = tensor.zero_point if tensor.quantization is not None else 0
    ramp = np.linspace(low, high, max(tensor.elements, 2))[: tensor.elements]
    place = np.arange(tensor.elements) % (tensor.shape[-1] if tensor.shape else 1)
    channels = low + (place * 37) % (high - low + 1)
    checks = np.where(np.arange(tensor.elements) % 2, low, high)
    rows = [np.full(tensor.elements, value) for value in (low, high, zero)]
    rows += [ramp, ramp[::-1], channels, checks, low + high - checks]
    return np.stack([np.rint(row) for row in rows]).astype(dtype).reshape(len(rows), *tensor.shape)
