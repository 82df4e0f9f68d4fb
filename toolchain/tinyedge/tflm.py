"""A firmware with TensorFlow Lite Micro, step by step: project, search for the arena, image, proof.

The arena is what the target itself needs: the size that the interpreter reports is too small for most models, and a
computer's is another, as its pointers are longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tinyedge.artifacts import (
    FirmwareProject,
    Image,
    NamedKernel,
    Optimize,
    Program,
    ProgramLayer,
    QuantizedModel,
    digest,
)
from tinyedge.boards import Board, Isa
from tinyedge.build import build_image, check_cxx, check_tflm_image, make_library_flags, select_compiler
from tinyedge.build.tflm_tree import TflmTree, missing_tree, select_library
from tinyedge.console.contract import Console
from tinyedge.errors import CheckError, InternalError, ToolError
from tinyedge.generate import generate_arena_probe, generate_tflm, generate_tflm_project, registrations
from tinyedge.generate.part import ModelPart
from tinyedge.graph.ir import Array, Graph
from tinyedge.measure.arena import STEP_BYTES, ArenaProof, search_arena, start_failure
from tinyedge.measure.oracle import host_arena_bytes
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.ops.tflm import NEWEST, check_tflm, list_layers, older_layers, tflm_operator
from tinyedge.paths import write_whole

OLDER_NOTE = (
    "this tree rounds scales in fully_connected to float32, which newer versions do not: outputs are held against "
    "tinyedge's reference of its arithmetic, not against the host's interpreter"
)
HOST_MARGIN_BYTES = 1024
"""beyond what the interpreter on this computer needs, where no emulator has the board's core"""


class Progress(Protocol):
    """Takes how much of the work is done."""

    def __call__(self, done: int, total: int) -> None: ...


class Observer(Protocol):
    """Who is told what goes on."""

    def note(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def progress(self, label: str) -> AbstractContextManager[Progress]: ...


def make_program(graph: Graph, optimize: Optimize, tree: TflmTree | None) -> Program:
    """The layers of a model as TensorFlow Lite Micro runs them. Raises: ModelError when it cannot."""
    features = NEWEST if tree is None else tree.features
    check_tflm(graph, features)
    names = {operator.name: operator.registered for operator in registrations(graph, features)}
    layers = []
    for layer in list_layers(graph):
        entry = tflm_operator(layer.operator)
        layers.append(ProgramLayer(layer, NamedKernel(names[entry.name] if entry else layer.name)))
    return Program(graph, tuple(layers), 0, optimize)


def differs(graph: Graph, tree: TflmTree | None) -> bool:
    """Whether the tree is older than the host's interpreter and computes this model otherwise."""
    return tree is not None and older_layers(graph, tree.features) is not None


def older_outputs(graph: Graph, tree: TflmTree | None, arrays: Sequence[Array]) -> list[Array]:
    """What such a tree computes, by the numpy reference: one array [N, *shape] for each output of the model.

    Shape:  arrays as for the oracle: one [N, *shape] for each input
    """
    layers = None if tree is None else older_layers(graph, tree.features)
    state = initial_state(graph)
    runs = [run_graph(graph, list(sample), layers, state) for sample in zip(*arrays, strict=True)]
    return [np.stack([values[key] for values in runs]) for key in graph.outputs]


@dataclass(frozen=True, eq=False)
class TflmBuild:
    """What is to be built, and with what.

    start  starts an image on the board's core; None where no emulator has it
    """

    program: Program
    model: QuantizedModel
    board: Board
    tree: TflmTree | None
    compiler: str
    selftest_crc: int
    folder: Path
    start: Callable[[Image], Console] | None
    observer: Observer

    @property
    def side_folder(self) -> Path:
        """For the firmwares that search and prove."""
        return self.folder.with_name(f"{self.folder.name}-arena")

    def run(self) -> tuple[FirmwareProject, Image, ArenaProof]:
        """Build the firmware with the smallest arena.

        Raises: ToolError without a tree, when the project is written all the same; CheckError when the board's memory
        is too small; UsageError for a compiler that does not know the core
        """
        if self.tree is None:
            proof = self.host_figure()
            self.project(proof.bytes, proof.origin).write(self.folder)
            self.observer.note(f"project written to {self.folder}")
            raise missing_tree()
        self.observer.note(self.tree.title)
        driver = select_compiler(self.compiler, self.board.core)
        check_cxx(driver)
        if self.start is None:
            proof = self.host_figure()
            project, image = self.build(proof)
            return project, image, proof
        probe = generate_arena_probe(self.part(STEP_BYTES, ""), self.model, self.board, make_flags=self.flags)
        key = digest(probe.digest, driver.identity)
        kept = self.folder / "arena.json"
        proof_kept = _load(kept, key)
        proof = proof_kept or self.search(probe)
        project, image = self.build(proof)
        if proof_kept is None:
            proof = self.prove(image, proof)
            write_whole(kept, json.dumps({"key": key, **asdict(proof)}, indent=2).encode())
        return project, image, proof

    # -- projects ------------------------------------------------------------------------------------------------

    @property
    def flags(self) -> dict[str, str]:
        return make_library_flags(self.board)

    def part(self, arena_bytes: int, origin: str) -> ModelPart:
        graph = self.program.graph
        features = NEWEST if self.tree is None else self.tree.features
        library = None
        if self.tree is not None:
            names = [operator.registered for operator in registrations(graph, features)]
            library = select_library(self.tree, names, texts=self.program.optimize != "size")
        return generate_tflm(
            graph,
            self.model,
            self.board,
            features,
            library,
            arena_bytes=arena_bytes,
            arena_origin=origin,
            selftest_crc=self.selftest_crc,
        )

    def project(self, arena_bytes: int, origin: str) -> FirmwareProject:
        return generate_tflm_project(self.part(arena_bytes, origin), self.model, self.board, make_flags=self.flags)

    def image(self, project: FirmwareProject, folder: Path, label: str) -> Image:
        with self.observer.progress(label) as report:
            return build_image(project, folder, self.compiler, progress=report)

    def build(self, proof: ArenaProof) -> tuple[FirmwareProject, Image]:
        project = self.project(proof.bytes, proof.origin)
        image = self.image(project, self.folder, "compile")
        check_tflm_image(image.elf, self.model.tflite, bare=self.board.core.isa is not Isa.NATIVE)
        return project, image

    # -- the arena -----------------------------------------------------------------------------------------------

    def host_figure(self) -> ArenaProof:
        """What the interpreter needs on this computer, and a margin."""
        try:
            host = host_arena_bytes(self.model.tflite)
        except ToolError as error:
            raise ToolError(
                f"the arena of `{self.model.name}` cannot be sized on this computer: {error.what}",
                hint=error.hint,
            ) from error
        aligned = -(-(host + HOST_MARGIN_BYTES) // STEP_BYTES) * STEP_BYTES
        return ArenaProof(
            aligned,
            f"Not measured on the target: the host's interpreter needs {host:,} bytes, and {HOST_MARGIN_BYTES:,} are "
            "added for safety.",
        )

    def search(self, probe: FirmwareProject) -> ArenaProof:
        image = self.image(probe, self.side_folder, "compile (first the firmware that finds the arena)")
        with self.observer.progress("search the smallest arena"):
            found = search_arena(lambda: self._started(image), self.model.name)
        origin = f"The smallest that works, searched on {self.board.core.name} in steps of {STEP_BYTES} bytes."
        return ArenaProof(found, origin)

    def prove(self, image: Image, proof: ArenaProof) -> ArenaProof:
        """Show that the image works and that one with the next smaller arena does not."""
        with self.observer.progress("prove the arena"):
            if failure := self._failure(image):
                raise CheckError(
                    f"model `{self.model.name}` does not work in the arena it starts in ({proof.bytes:,} B): {failure}",
                    hint="please report the model and the tree of TensorFlow Lite Micro",
                )
            smaller = proof.bytes - STEP_BYTES
            message = self._failure(
                build_image(self.project(smaller, "Too small, to prove it."), self.side_folder, self.compiler)
            )
        if message is None:
            raise InternalError(f"an arena of {smaller:,} B works too, so {proof.bytes:,} B is not the smallest")
        self.observer.note(f"arena {proof.bytes:,} B; {smaller:,} B is too small: {message}")
        return ArenaProof(proof.bytes, proof.origin, smaller, message)

    def _failure(self, image: Image) -> str | None:
        console = self._started(image)
        try:
            return start_failure(console)
        finally:
            console.close()

    def _started(self, image: Image) -> Console:
        assert self.start is not None
        return self.start(image)


def _load(path: Path, key: str) -> ArenaProof | None:
    """The proof of an earlier build of the same; None when there is none."""
    try:
        stored = json.loads(path.read_bytes())
        if stored.pop("key") == key:
            return ArenaProof(**stored)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
