"""Projects for TensorFlow Lite Micro: what is generated, without any of its sources."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.licence import has_licence
from kits.models import small_convolution
from kits.recipes import needs_tensorflow
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import FirmwareProject, Library, QuantizedModel
from tinyedge.boards import load_board
from tinyedge.build import make_library_flags
from tinyedge.digests import digest
from tinyedge.errors import InternalError, ModelError
from tinyedge.generate.part import ModelPart
from tinyedge.graph.reader import read_model
from tinyedge.runtimes.tflm.operators import NEWEST
from tinyedge.runtimes.tflm.project import generate_arena_probe, generate_tflm, generate_tflm_project, registrations
from tinyedge.train import find_recipe, load_trained, training_digest

RENDERED = ("Makefile", "README.md", "model/small.h", "model/small.c", "model/small_info.c", "model/te_tflm.cc")
SHARED_MODELS = ("ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")


def make_part(
    tflite: bytes, name: str = "small", board: str = "nrf52840dk", library: Library | None = None
) -> ModelPart:
    return generate_tflm(
        read_model(tflite, name),
        QuantizedModel(name, tflite, digest(tflite)),
        load_board(board),
        NEWEST,
        library,
        arena_bytes=4096,
        arena_origin="Settled by a test.",
        selftest_crc=0x12345678,
    )


def make_project(
    tflite: bytes, name: str = "small", board: str = "nrf52840dk", library: Library | None = None
) -> FirmwareProject:
    flags = make_library_flags(load_board(board))
    return generate_tflm_project(make_part(tflite, name, board, library), load_board(board), make_flags=flags)


def small_library() -> Library:
    return Library(
        name="a library 1.0",
        files={"tflm/a.cc": b"#include <a.h>\n", "tflm/b.c": b"", "tflm/include/a.h": b"", "tflm/k/c.cpp": b""},
        sources={"tflm/a.cc": "-Os", "tflm/b.c": "-O2", "tflm/k/c.cpp": "-O2"},
        include_dirs=("tflm", "tflm/include"),
        defines=("NDEBUG", "SIZE=1"),
    )


@pytest.mark.parametrize(("name", "library"), [("tflm_small", None), ("tflm_small_library", small_library())])
def test_golden(name: str, library: Library | None, root: Path, update_golden: bool) -> None:
    """Every file that is rendered for the runtime, with its sources and without."""
    project = make_project(small_convolution(), library=library)
    compare(root / "tests" / "golden" / name, {path: project.files[path] for path in RENDERED}, update_golden)


@pytest.mark.parametrize("name", SHARED_MODELS)
def test_golden_of_real_models(name: str, shared_models: Path, root: Path, update_golden: bool) -> None:
    project = make_project((shared_models / f"{name}.tflite").read_bytes(), name)
    files = {path: project.files[f"model/{path}"] for path in ("te_tflm.cc", f"{name}_info.c", "te_model_data.h")}
    compare(root / "tests" / "golden" / "tflm_models" / name, files, update_golden)


@pytest.mark.train
@needs_tensorflow
@pytest.mark.xdist_group("digits")
@pytest.mark.parametrize("name", ["digits", pytest.param("sine", marks=pytest.mark.slow)])
def test_golden_of_recipes(name: str, root: Path, update_golden: bool) -> None:
    """What depends on the layers alone: training differs in the last digits between processors."""
    outcome = tinyedge("train", name, cwd=root)  # quick when another test, or `make demo`, has done it
    assert outcome.code == 0, outcome.stderr
    trained = load_trained(root / "build" / name / "trained" / training_digest(find_recipe(name))[:16])
    assert trained is not None
    files = make_project(trained.tflite, name).files
    table = without_training(files[f"model/{name}_info.c"].decode())
    made = {"te_tflm.cc": files["model/te_tflm.cc"], f"{name}_info.c": table.encode()}
    compare(root / "tests" / "golden" / "tflm_models" / name, made, update_golden)


def without_training(table: str) -> str:
    """The tables of a model without its scales, zero points and digest, and without the names Keras gave tensors."""
    rows = re.sub(r'("\w+", "[\dx]+", )"[^"]+", -?\d+, (\d+\},).*', r'\1"SCALE", ZERO, \2', table)
    return re.sub(r'digest = "\w+"', 'digest = "DIGEST"', rows)


def compare(folder: Path, files: dict[str, bytes], update_golden: bool) -> None:
    if update_golden:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    for name, content in files.items():
        assert content.decode() == (folder / name).read_text(), f"{folder.name}/{name}: --update-golden writes it anew"


def test_the_array_holds_the_bytes_of_the_file() -> None:
    tflite = small_convolution()
    text = make_project(tflite).files["model/te_model_data.c"].decode()
    body = text[text.index("{") : text.index("}")]
    assert bytes(int(word) for word in re.findall(r"\d+", body)) == tflite


def test_the_same_model_gives_the_same_bytes() -> None:
    one, two = make_project(small_convolution()), make_project(small_convolution())
    assert one.files == two.files
    assert one.digest == two.digest


def test_a_library_is_compiled_but_not_listed_as_the_projects_own() -> None:
    project = make_project(small_convolution(), library=small_library())
    assert {"tflm/a.cc", "tflm/b.c", "tflm/k/c.cpp"} <= set(project.sources)
    assert project.include_dirs == ("app", "bsp", "model")
    assert "compat/string.h" not in project.files  # it would hide the C library's from C++
    assert project.digest != make_project(small_convolution()).digest


def test_every_file_but_the_librarys_names_its_licence() -> None:
    library = small_library()
    board = load_board("nrf52840dk")
    part, flags = make_part(small_convolution()), make_library_flags(board)
    for project in (
        make_project(small_convolution(), library=library),
        generate_arena_probe(part, board, make_flags=flags),
    ):
        for name, content in project.files.items():
            assert name in library.files or has_licence(content), name


def test_a_board_that_only_zig_builds_for() -> None:
    files = make_project(small_convolution(), board="esp32c3_devkitm", library=small_library()).files
    assert b"which takes zig (`pip install ziglang`) and nothing else." in files["README.md"]
    assert b"only zig builds for this board" in files["Makefile"]
    assert b"riscv32-linux-musl" in files["Makefile"]


def test_the_probe_has_its_own_main_and_nothing_of_the_protocol() -> None:
    board = load_board("nrf52840dk")
    probe = generate_arena_probe(make_part(small_convolution()), board, make_flags=make_library_flags(board))
    assert "app/te_arena_probe.c" in probe.sources
    assert not {"app/main.c", "app/te_wire.c", "app/te_models.c", "model/small.c"} & set(probe.files)
    assert b"0x20040000u" in probe.files["app/te_probe_memory.h"]


@pytest.mark.parametrize(
    ("kept", "error", "message"),
    [(0, ModelError, "has no operator to run"), (1, InternalError, "would miscount layers")],
)
def test_graphs_that_lost_operators(kept: int, error: type[Exception], message: str) -> None:
    tflite = small_convolution()
    graph = read_model(tflite, "small")
    with pytest.raises(error, match=message):
        generate_tflm(
            graph.evolve(operators=graph.operators[len(graph.operators) - kept :]),
            QuantizedModel("small", tflite, ""),
            load_board("nrf52840dk"),
            NEWEST,
            None,
            arena_bytes=16,
            arena_origin="",
            selftest_crc=0,
        )


def test_the_order_of_operators_is_that_of_their_names() -> None:
    builder = TfliteBuilder()
    tensors = [builder.tensor([1, 4], scale=1 / 256, zero_point=-128) for _ in range(4)]
    builder.operator("softmax", [tensors[0]], [tensors[1]], beta=1.0)
    builder.operator("add", [tensors[1], tensors[1]], [tensors[2]])
    builder.operator("softmax", [tensors[2]], [tensors[3]], beta=1.0)
    found = registrations(read_model(builder.build([tensors[0]], [tensors[3]]), "order"), NEWEST)
    assert [operator.add for operator in found] == [
        "AddAdd(tflite::Register_ADD_INT8())",
        "AddSoftmax(tflite::Register_SOFTMAX_INT8())",
    ]


def test_an_empty_name_of_a_tensor_and_odd_ones_are_safe_in_comments() -> None:
    builder = TfliteBuilder()
    source = builder.tensor([1, 4], scale=0.1, name='x */ #error "no" \n')
    target = builder.tensor([1, 4], scale=0.1)
    weights = builder.tensor([4, 4], scale=0.1, data=np.ones((4, 4), np.int8))
    builder.operator("fully_connected", [source, weights, -1], [target])
    text = make_project(builder.build([source], [target])).files["model/small_info.c"].decode()
    assert "/* x _/ _error _no_ _ */" in text
