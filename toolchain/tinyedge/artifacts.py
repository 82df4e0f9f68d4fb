"""The frozen artifacts that the stages hand on. Each has `to_json`; the digests name what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from tinyedge.boards import Board
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer
from tinyedge.paths import write_whole

Optimize = Literal["size", "balanced", "speed"]
Runtime = Literal["aot", "tflm"]
Kind = Literal["counted", "modelled", "measured"]


def digest(*parts: bytes | str) -> str:
    """SHA-256 over length-prefixed parts, as 64 hex digits."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no white space: the text that digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Figure:
    """A number that says how it was got. Never printed without its kind."""

    kind: Kind
    value: float
    error_percent: float | None = None
    """of a modelled figure"""

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": self.kind, "value": self.value}
        if self.error_percent is not None:
            body["error_percent"] = self.error_percent
        return body


@dataclass(frozen=True)
class QuantizedModel:
    """A full-int8 .tflite, and, when tinyedge trained it, its accuracies and its test set.

    `samples` int8 [N, *input shape] with `labels` [N], or None for a model that came without data.
    """

    name: str
    tflite: bytes
    digest: str
    float_accuracy: float | None = None
    int8_accuracy: float | None = None
    sparsity: float | None = None
    """share of zero weights"""
    samples: npt.NDArray[Any] | None = None
    labels: npt.NDArray[Any] | None = None
    """None for a regression too, which has no accuracy"""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """further figures of the training by name, e.g. `int8_mean_absolute_error`, `parameters`, `train_seconds`"""

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "digest": self.digest,
            "tflite_bytes": len(self.tflite),
            "accuracy": {"float": self.float_accuracy, "int8": self.int8_accuracy},
            "sparsity": self.sparsity,
            "metrics": dict(self.metrics),
        }


@dataclass(frozen=True)
class Buffer:
    """A piece of the arena: a tensor or the scratch of a layer, alive from step `first` to step `last` inclusive."""

    name: str
    tensor: int | None
    """key in `Graph.tensors`; None for scratch"""
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class PlannedLayer:
    """A layer, the kernel that won, and why."""

    layer: Layer
    kernel: Kernel
    cost: Cost
    considered: tuple[tuple[str, str], ...]
    """(kernel name, its cost or the reason it does not fit), for `build -v`"""
    scratch: Buffer | None
    in_place_offsets: tuple[int | None, ...] = ()
    """per input what `Kernel.in_place_offset` said; without an entry the output may not overlap that input"""


@dataclass(frozen=True, eq=False)
class Plan:
    """Kernels, order of execution and the arena for one graph on one core."""

    graph: Graph
    layers: tuple[PlannedLayer, ...]
    """in order of execution"""
    buffers: tuple[Buffer, ...]
    arena_bytes: int
    lower_bound_bytes: int
    """what the tensors alive at the worst step need at least, overlap allowed for"""
    optimize: Optimize

    def buffer_of(self, key: int) -> Buffer:
        """The buffer of tensor `key`; KeyError when it is a constant."""
        for buffer in self.buffers:
            if buffer.tensor == key:
                return buffer
        raise KeyError(key)


@dataclass(frozen=True)
class NamedKernel:
    """A kernel of which tinyedge knows the name alone."""

    name: str


@dataclass(frozen=True, eq=False)
class ProgramLayer:
    layer: Layer
    kernel: NamedKernel


@dataclass(frozen=True, eq=False)
class Program:
    """What an interpreter on the device runs: the layers of the file in its order, with memory it plans itself."""

    graph: Graph
    layers: tuple[ProgramLayer, ...]
    arena_bytes: int
    """0 until it is known"""
    optimize: Optimize


@dataclass(frozen=True, eq=False)
class Library:
    """Sources of others that a project carries and compiles: files in a folder of their own below the project."""

    name: str
    """with its version, for reports"""
    files: Mapping[str, bytes]
    """path within the project -> content"""
    sources: Mapping[str, str]
    """C and C++ files to compile -> optimization, e.g. `-Os`"""
    include_dirs: tuple[str, ...]
    """within the project; what they include gives no warnings"""
    defines: tuple[str, ...]
    """for the library and for what includes its headers, e.g. `NDEBUG`"""


@dataclass(frozen=True)
class FirmwareProject:
    """All files of a firmware project, complete enough for `make` in its folder."""

    model: str
    board: Board
    runtime: Runtime
    files: Mapping[str, bytes]
    """path within the project, with `/`, -> content"""
    sources: tuple[str, ...]
    """the C, C++ and assembler files to compile, keys of `files`; those of the library too"""
    include_dirs: tuple[str, ...]
    linker_script: str
    """key of `files`; empty for the host board"""
    arena_bytes: int
    digest: str
    """over all files; the firmware's banner carries its first 16 digits"""
    library: Library | None = None
    """its files are among `files`"""

    def write(self, folder: Path) -> None:
        """Write every file below `folder`; files that already hold the same bytes are left untouched.

        What another version of the library left in its folder is removed: a header of it might be found first.
        """
        if self.library is not None:
            self._remove_stale(folder, self.library.include_dirs[0])
        for name, content in sorted(self.files.items()):
            path = folder / name
            if path.is_file() and path.read_bytes() == content:
                continue
            write_whole(path, content)

    def _remove_stale(self, folder: Path, library: str) -> None:
        for path in sorted((folder / library).rglob("*")):
            if path.is_file() and path.relative_to(folder).as_posix() not in self.files:
                path.unlink()


@dataclass(frozen=True)
class SymbolSize:
    name: str
    section: str
    bytes: int


@dataclass(frozen=True)
class SizeTable:
    """Flash and RAM of an image, by section and by symbol."""

    flash_bytes: int
    ram_bytes: int
    flash_limit_bytes: int
    ram_limit_bytes: int
    sections: tuple[tuple[str, int, int], ...]
    """(name, flash bytes, RAM bytes); .data counts in both"""
    symbols: tuple[SymbolSize, ...]
    """largest first"""
    constant_bytes: int = 0
    """of flash: named data that stays there, as weights, tables or a model file"""


@dataclass(frozen=True)
class Image:
    """A linked firmware: the files on disk, their sizes, and what they were made by."""

    elf: Path
    hex: Path | None
    bin: Path | None
    uf2: Path | None
    size: SizeTable
    compiler: str
    """name and version, e.g. `zig 0.17.0`"""
    project_digest: str
    digest: str
    """SHA-256 of the ELF"""


@dataclass(frozen=True)
class LayerResult:
    index: int
    operator: str
    output_shape: tuple[int, ...]
    macs: int
    instructions: int | None
    cycles: int | None
    kernel: str = ""


@dataclass(frozen=True)
class Mismatch:
    """The first sample whose output differs, and the first layer that does."""

    sample: int
    layer: int | None
    operator: str
    output_byte: int


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
    outputs: npt.NDArray[Any]
    """[N, *output shape] as the device computed them (first output of the model)"""
    emulator: str
    notes: tuple[str, ...] = ()
    ticks: tuple[int, ...] = ()
    """of each inference in order, as the firmware counted them (modulo 2^32)"""


def file_digest(paths: Iterable[Path]) -> str:
    """Digest of the names and contents of files."""
    return digest(*(part for path in sorted(paths) for part in (path.name, path.read_bytes())))
