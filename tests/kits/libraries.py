"""Models as C libraries in a folder, and programs of one's own that use them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tinyedge.artifacts import CLibrary, QuantizedModel
from tinyedge.boards import Board, load_board
from tinyedge.build import make_flags
from tinyedge.generate.joint import PlannedModel
from tinyedge.generate.project import generate_joint_project
from tinyedge.generate.standalone import generate_library
from tinyedge.graph.reader import read_model
from tinyedge.measure.reference import selftest_crc
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")


def planned(
    path: Path, board: Board, *, keep_inputs: bool = False, name: str = "", input_rows: bool = False
) -> PlannedModel:
    """The model of a file, for a board's core."""
    model = QuantizedModel(name or path.stem, path.read_bytes(), "")
    graph = optimize_graph(settle_graph(read_model(model.tflite, model.name)))
    plan = make_plan(graph, board.core, "balanced", keep_inputs=keep_inputs, input_rows=input_rows)
    return PlannedModel(plan, model, selftest_crc(plan.graph))


def library_of(
    models: Sequence[PlannedModel], board: str = "host", name: str = "nets", *, shared_arena: bool = False
) -> CLibrary:
    found = load_board(board)
    project = generate_joint_project(models, found, make_flags=make_flags(found), shared_arena=shared_arena)
    return generate_library(name, models, found.core, project, shared_arena=shared_arena)


def write_files(files: dict[str, bytes] | CLibrary, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files.files if isinstance(files, CLibrary) else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def run(command: Sequence[str | Path], folder: Path, timeout_s: float = 300) -> str:
    """What a program prints; it must end well and say nothing else."""
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def compiler(language: str = "c") -> str:
    """The system's compiler. Skips where there is none."""
    name = {"c": "cc", "c++": "c++"}[language]
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: `apt-get install g++`")
    return found


def zig(language: str = "c") -> list[str]:
    """clang, as tinyedge brings it."""
    pytest.importorskip("ziglang", reason="needs the compiler: pip install ziglang")
    return [sys.executable, "-m", "ziglang", {"c": "cc", "c++": "c++"}[language], "-g0", "-fno-sanitize=undefined"]


def build_program(folder: Path, main: str, library: CLibrary, flags: Sequence[str] = (), *, cxx: bool = False) -> Path:
    """A program of the system's compilers: `main` in C or C++, the library in C99."""
    (folder / ("main.cc" if cxx else "main.c")).write_text(main)
    cc, language = compiler(), ("-std=c++17" if cxx else "-std=c99")
    driver = compiler("c++") if cxx else cc
    source = "main.cc" if cxx else "main.c"
    objects = ["main.o"]
    run([driver, language, *WARNINGS, "-O1", *flags, "-c", source, "-o", "main.o"], folder)
    for name in library.sources:
        run([cc, "-std=c99", *WARNINGS, "-O1", "-ffp-contract=off", *flags, "-c", name, "-o", f"{name}.o"], folder)
        objects.append(f"{name}.o")
    run([driver, *flags, *objects, "-lpthread", "-o", "program"], folder)
    return folder / "program"


def c_array(name: str, values: npt.NDArray[np.generic]) -> str:
    """An array of bytes in C."""
    data = np.frombuffer(values.tobytes(), np.uint8)
    return f"static const unsigned char {name}[{len(data)}] = {{{','.join(map(str, data))}}};\n"
