"""The runtime `tflm`: TensorFlow Lite Micro's interpreter with exactly the operators and the arena a model needs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tinyedge.artifacts import Built, Observer, Optimize, Prepared, Program, Protocols, QuantizedModel
from tinyedge.boards import Board
from tinyedge.emulate import choose
from tinyedge.emulate.contract import Emulator
from tinyedge.errors import InternalError, ModelError, ToolError, UsageError
from tinyedge.graph.reader import read_model
from tinyedge.measure.reference import choose_reference, selftest_crc, selftest_inputs
from tinyedge.ops import check
from tinyedge.plan import check_sizes
from tinyedge.runtimes.contract import expected_folder
from tinyedge.runtimes.tflm.build import TflmBuild
from tinyedge.runtimes.tflm.operators import NEWEST, TflmFeatures
from tinyedge.runtimes.tflm.program import OlderTreeReference, make_program
from tinyedge.runtimes.tflm.tree import TflmTree, find_tree


class TflmRuntime:
    """The runtime `tflm`.

    folder  a source tree of TensorFlow Lite Micro; None: TINYEDGE_TFLM names it
    """

    name: ClassVar[str] = "tflm"
    has_budgets: ClassVar[bool] = False

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @cached_property
    def tree(self) -> TflmTree | None:
        """The sources; None when nobody names any. Raises: UsageError when there are none where they were named."""
        return find_tree(self._folder)

    @property
    def features(self) -> TflmFeatures:
        """Of the tree, or what is assumed without one."""
        return NEWEST if self.tree is None else self.tree.features

    def prepare(
        self,
        model: QuantizedModel,
        board: Board,
        optimize: Optimize,
        build_dir: Path,
        observer: Observer,
        *,
        keep_inputs: bool = False,
        max_ram_bytes: int | None = None,
        input_rows: bool = False,
    ) -> Prepared:
        """The program; its memory is planned on the device. Raises: ModelError, UsageError."""
        if keep_inputs:
            raise UsageError(
                "TensorFlow Lite Micro's interpreter reuses the memory of inputs", hint="leave out `--keep-inputs`"
            )
        if input_rows:
            raise UsageError(
                "TensorFlow Lite Micro's interpreter wants its whole input in memory", hint="leave out `--input rows`"
            )
        if max_ram_bytes is not None:
            raise UsageError(
                "TensorFlow Lite Micro's interpreter plans its memory itself and cannot trade time for it",
                hint="leave out `--max-ram`, or `--runtime tflm`",
            )
        original = read_model(model.tflite, model.name)
        check_sizes(original, board)
        program = make_program(original, optimize, self.features)
        reference = OlderTreeReference.where_it_differs(original, self.features) or choose_reference(
            model, original, original, expected_folder(build_dir, model)
        )
        return Prepared(model, board, self.name, original, program, None, reference)

    def build(
        self,
        prepared: Prepared,
        compiler: str,
        build_dir: Path,
        observer: Observer,
        *,
        protocol: Protocols = "tinyedge",
    ) -> Built:
        """In `<model>/<board>-<compiler>-tflm`; emulated, to size the arena and to prove it.

        Raises: ToolError, FitError, CheckError; UsageError too for another protocol than tinyedge's
        """
        if protocol != "tinyedge":
            raise UsageError(f"`--protocol {protocol}` is for the runtime `aot`", hint="leave `--runtime tflm` out")
        board, model = prepared.board, prepared.model
        emulator = _emulator(board)
        folder = build_dir / model.name / f"{board.name}-{compiler}-{self.name}"
        job = TflmBuild(
            _program(prepared),
            model,
            board,
            self.tree,
            compiler,
            _selftest_crc(prepared, observer),
            folder,
            None if emulator is None else lambda image: emulator.start(image, board),
            observer,
        )
        project, image, arena = job.run()
        sized = replace(prepared, plan=replace(job.program, arena_bytes=arena.bytes))
        return Built(sized, project, folder, image, arena)

    def build_joint(
        self, prepared: Sequence[Prepared], compiler: str, build_dir: Path, observer: Observer, *, shared_arena: bool
    ) -> tuple[Built, ...]:
        """Raises: UsageError."""
        names = ", ".join(f"`{each.model.name}`" for each in prepared)
        raise UsageError(
            f"TensorFlow Lite Micro's interpreter keeps its state in the arena, which models {names} cannot share",
            hint="leave out `--runtime tflm`, or build one firmware for each",
        )


def _program(prepared: Prepared) -> Program:
    if not isinstance(prepared.plan, Program):
        raise InternalError(f"model `{prepared.model.name}` was prepared for the runtime `{prepared.runtime}`")
    return prepared.plan


def _emulator(board: Board) -> Emulator | None:
    """The board's first that is installed; None where none has the core: the arena is sized without, and says so."""
    try:
        return choose(board, "auto")
    except (ToolError, UsageError):
        return None


def _selftest_crc(prepared: Prepared, observer: Observer) -> int:
    """The self-test's checksum of a model that may hold operators tinyedge has no reference for."""
    graph, reference = prepared.original, prepared.reference
    if not isinstance(reference, OlderTreeReference):
        try:
            check(graph)
        except ModelError:
            pass
        else:
            return selftest_crc(graph)
    outputs = reference.outputs(selftest_inputs(graph), observer)
    return zlib.crc32(b"".join(output[0].tobytes() for output in outputs))
