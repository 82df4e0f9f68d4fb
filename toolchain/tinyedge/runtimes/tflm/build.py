"""A firmware with TensorFlow Lite Micro, step by step: project, search for the arena, image, proof.

The arena is what the target itself needs: the size that the interpreter reports is too small for most models, and a
computer's is another, as its pointers are longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyedge import __version__
from tinyedge.artifacts import ArenaProof, FirmwareProject, Image, Observer, Program, QuantizedModel
from tinyedge.boards import Board, Isa
from tinyedge.build import build_image, check_cxx, make_library_flags, select_compiler
from tinyedge.cache import Store
from tinyedge.console.contract import Console
from tinyedge.digests import digest
from tinyedge.errors import CheckError, InternalError, ToolError
from tinyedge.generate.part import ModelPart
from tinyedge.measure.oracle import host_arena_bytes
from tinyedge.measure.patience import banner_timeout_s
from tinyedge.runtimes.tflm.arena import STEP_BYTES, search_arena, start_failure
from tinyedge.runtimes.tflm.image import check_tflm_image
from tinyedge.runtimes.tflm.operators import NEWEST
from tinyedge.runtimes.tflm.project import generate_arena_probe, generate_tflm, generate_tflm_project, registrations
from tinyedge.runtimes.tflm.tree import TflmTree, missing_tree, select_library

_ARENA = "arena"
HOST_MARGIN_BYTES = 1024
"""beyond what the interpreter on this computer needs, where no emulator has the board's core"""


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
        probe = generate_arena_probe(self.part(STEP_BYTES, ""), self.board, make_flags=self.flags)
        key = digest(probe.digest, driver.identity, __version__)
        store = Store(self.folder, ".entry")
        proof_kept = _load(store, key)
        proof = proof_kept or self.search(probe)
        project, image = self.build(proof)
        if proof_kept is None:
            proof = self.prove(image, proof)
            store.put(_ARENA, json.dumps({"key": key, **asdict(proof)}, indent=2).encode())
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
        return generate_tflm_project(self.part(arena_bytes, origin), self.board, make_flags=self.flags)

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
            return start_failure(console, banner_timeout_s(self.program, self.board.clock_hz, emulated=True))
        finally:
            console.close()

    def _started(self, image: Image) -> Console:
        assert self.start is not None
        return self.start(image)


def _load(store: Store, key: str) -> ArenaProof | None:
    """The proof of an earlier build of the same; None when there is none, or it is damaged."""
    try:
        stored = json.loads(store.get(_ARENA) or b"{}")
        if stored.pop("key") == key:
            return ArenaProof(**stored)
    except (ValueError, KeyError, TypeError):
        pass
    return None
