"""Forms in which weights are stored, on layers of the same shapes as int8: what each takes of time, flash and scratch.

The layers and the emulated cores are those of the kernels' tests, so this runs from a checkout.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.boards import CORES
from tinyedge.kernels import KERNELS
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer
from tinyedge.report.table import render_table

_TESTS = Path(__file__).resolve().parents[1] / "tests"
_SEED = 1
_BY_NAME = {kernel.name: kernel for kernel in KERNELS}
_POINTWISE, _WINDOWS, _WIDE, _SQUARE = "1x1 64 -> 64, 25x5", "3x3 16 -> 16, 32x32", "FC 640 -> 128", "FC 128 -> 128"
_SHAPES: Mapping[str, Mapping[str, Any]] = {
    _POINTWISE: {"size": (25, 5), "kernel": (1, 1), "input_channels": 64, "output_channels": 64},
    _WINDOWS: {"size": (32, 32), "kernel": (3, 3), "input_channels": 16, "output_channels": 16},
    _WIDE: {"inputs": 640, "outputs": 128},
    _SQUARE: {"inputs": 128, "outputs": 128},
}
_CONVOLUTIONS, _CONNECTED = (_POINTWISE, _WINDOWS), (_WIDE, _SQUARE)

_FORMS: Mapping[str, tuple[tuple[str, str, str, tuple[str, ...]], ...]] = {
    "cortex-m4f": (
        ("int8", "dense", "armv7em/conv_2d_4x2", _CONVOLUTIONS),
        ("int4", "bits 4", "armv7em/conv_2d_4x2_int4", _CONVOLUTIONS),
        ("int2", "bits 2", "armv7em/conv_2d_4x2_int2", _CONVOLUTIONS),
        ("16 values", "shared 16", "armv7em/conv_2d_4x2_clusters", _CONVOLUTIONS),
        ("16 values, tiles", "shared 16", "armv7em/conv_2d_4x2_clusters_tiled", _CONVOLUTIONS),
        ("8 values", "shared 8", "armv7em/conv_2d_4x2_clusters", _CONVOLUTIONS),
        ("4 values", "shared 4", "armv7em/conv_2d_4x2_clusters", _CONVOLUTIONS),
        ("nonzeros, 75 % zeros", "pruned 0.75", "armv7em/conv_2d_nonzeros", (_POINTWISE,)),
        ("nonzeros, 90 % zeros", "pruned 0.9", "armv7em/conv_2d_nonzeros", (_POINTWISE,)),
        ("bitmap, 75 % zeros", "pruned 0.75", "armv7em/conv_2d_4x2_bitmap", (_WINDOWS,)),
        ("bitmap, 90 % zeros", "pruned 0.9", "armv7em/conv_2d_4x2_bitmap", (_WINDOWS,)),
        ("int8", "dense", "armv7em/fully_connected_pairs", _CONNECTED),
        ("int4", "bits 4", "armv7em/fully_connected_int4", _CONNECTED),
    ),
    "cortex-m0plus": (
        ("int8", "dense", "armv6m/conv_2d_stream", (_POINTWISE,)),
        ("int4", "bits 4", "portable/conv_2d_int4", (_POINTWISE,)),
        ("int4, ahead", "bits 4", "armv6m/conv_2d_stream_clusters", (_POINTWISE,)),
        ("16 values", "shared 16", "armv6m/conv_2d_stream_clusters", (_POINTWISE,)),
        ("bitmap, 75 % zeros", "pruned 0.75", "armv6m/conv_2d_stream_bitmap", (_POINTWISE,)),
        ("int8", "dense", "armv6m/fully_connected", (_SQUARE,)),
        ("int4", "bits 4", "portable/fully_connected_int4", (_SQUARE,)),
    ),
    "rv32imc": (
        ("int8", "dense", "portable/conv_2d_blocks_4x2", (_POINTWISE,)),
        ("int4", "bits 4", "portable/conv_2d_int4", (_POINTWISE,)),
        ("16 values", "shared 16", "portable/conv_2d_clusters", (_POINTWISE,)),
        ("bitmap, 75 % zeros", "pruned 0.75", "portable/conv_2d_bitmap", (_POINTWISE,)),
        ("int8", "dense", "portable/fully_connected_blocks", (_SQUARE,)),
        ("int4", "bits 4", "portable/fully_connected_int4", (_SQUARE,)),
    ),
}
"""by core: what is measured, the weights, the kernel, the layers; int8 stands in front of what it is compared to"""


@dataclass(frozen=True)
class Subject:
    """A form of weights of a layer, by a kernel of a core."""

    core: str
    shape: str
    form: str
    kernel: Kernel
    layer: Layer

    @property
    def constant_bytes(self) -> int:
        """Of the layer in flash: weights, biases, factors, parameters."""
        return self.kernel.cost(self.layer, CORES[self.core]).constant_bytes

    @property
    def scratch_bytes(self) -> int:
        return self.kernel.scratch_bytes(self.layer, CORES[self.core])


@dataclass(frozen=True)
class Row:
    """What a subject takes."""

    subject: Subject
    instructions: int
    cycles: int


@cache
def _kits() -> Mapping[str, Any]:
    """What of the tests' kits is used."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    from kits import core_kernels, kernel_cases, stored_weights
    from ops.conv_2d import relu_layer
    from ops.fully_connected import connected_blocks_layer

    return {
        "runner": core_kernels.CoreRunner,
        "cases": kernel_cases,
        "weights": stored_weights,
        "conv": relu_layer,
        "connected": connected_blocks_layer,
    }


def _draw(name: str) -> Callable[[np.random.Generator, int], Any]:
    weights = _kits()["weights"]
    kind, _, number = name.partition(" ")
    if kind == "dense":
        found: Callable[[np.random.Generator, int], Any] = weights.dense
        return found
    made: Callable[[np.random.Generator, int], Any] = getattr(weights, kind)(
        float(number) if "." in number else int(number)
    )
    return made


def subjects() -> Iterator[Subject]:
    """All of them; the layers of one shape are the same but for the weights."""
    kits = _kits()
    for core, forms in _FORMS.items():
        for shape, given in _SHAPES.items():
            for form, weights, kernel, shapes in forms:
                if shape not in shapes:
                    continue
                rng = np.random.default_rng(_SEED)
                if "kernel" in given:
                    base = kits["conv"](rng, **given, stride=(1, 1), dilation=(1, 1), padding="same")
                else:
                    base = kits["connected"](rng, **given, batches=1, per_output=False, corners=False)
                layer = kits["weights"].with_weights(rng, base, _draw(weights), healthy=True)
                yield Subject(core, shape, form, _BY_NAME[kernel], layer)


def measure(subject: Subject, folder: Path) -> Row:
    """One run on the emulated core, compared with the reference."""
    kits, core = _kits(), CORES[subject.core]
    case = kits["cases"].make_case(subject.layer, subject.kernel, core)
    runner = kits["runner"](folder, core)
    kits["cases"].check_exact([case], runner, np.random.default_rng(_SEED), samples=1)
    return Row(subject, runner.counts[0].instructions, runner.counts[0].cycles)


def measure_all() -> list[Row]:
    """All subjects, one after the other."""
    with tempfile.TemporaryDirectory(prefix="tinyedge-storage-") as folder:
        return [measure(subject, Path(folder)) for subject in subjects()]


_HEADERS = (
    *(
        "core",
        "layer",
        "weights",
        "instructions",
        "of int8's",
        "cycles",
        "of its cycles",
        "constants",
        "of its constants",
    ),
    "scratch",
)


def _cells(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    plain = rows[0]
    for row in rows:
        subject = row.subject
        if subject.form == "int8":
            plain = row
        constants = (subject.constant_bytes, plain.subject.constant_bytes)
        pairs = ((row.instructions, plain.instructions), (row.cycles, plain.cycles), constants)
        figures = [text for value, whole in pairs for text in (f"{value:,}", f"{value / whole:.3f}")]
        yield (subject.core, subject.shape, subject.form, *figures, f"{subject.scratch_bytes:,}")


def render(rows: list[Row]) -> str:
    """For a terminal."""
    return render_table(_HEADERS, list(_cells(rows)))


def render_markdown(rows: list[Row]) -> str:
    """For docs/compression.md."""
    lines = [" | ".join(_HEADERS), " | ".join(["---"] * len(_HEADERS)), *(" | ".join(cells) for cells in _cells(rows))]
    return "\n".join(f"| {line} |" for line in lines)


def document(rows: list[Row]) -> dict[str, Any]:
    """`tinyedge.storage/1`."""
    return {
        "schema": "tinyedge.storage/1",
        "rows": [
            {
                "core": row.subject.core,
                "layer": row.subject.shape,
                "weights": row.subject.form,
                "kernel": row.subject.kernel.name,
                "instructions": row.instructions,
                "cycles": row.cycles,
                "constant_bytes": row.subject.constant_bytes,
                "scratch_bytes": row.subject.scratch_bytes,
            }
            for row in rows
        ],
    }
