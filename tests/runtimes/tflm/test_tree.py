"""Reading trees of TensorFlow Lite Micro, and finding in them what a model needs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from kits.tflm_tree import make_tree, real_tree
from tinyedge.errors import UsageError
from tinyedge.runtimes.tflm.operators import TFLM_OPERATORS
from tinyedge.runtimes.tflm.tree import find_tree, read_tree, select_library


def names(folder: Path, *registrations: str) -> set[str]:
    library = select_library(read_tree(folder), registrations, texts=False)
    return {name.rpartition("/")[2] for name in library.sources}


def test_what_a_reference_tree_is(tmp_path: Path) -> None:
    tree = read_tree(make_tree(tmp_path))
    assert tree.kernels == "reference"
    assert re.fullmatch(r"TensorFlow Lite Micro [0-9a-f]{12} \(flatbuffers 25\.9\.23\), reference kernels", tree.title)
    assert tree.features.registrations == {"CONV_2D", "CONV_2D_INT8", "SOFTMAX"}
    assert not tree.features.per_channel_fully_connected
    assert not tree.features.float_scale_product


def test_features_are_read_from_the_sources(tmp_path: Path) -> None:
    folder = make_tree(tmp_path, kernel_util="static_cast<double>(input->params.scale *\n    filter->params.scale)")
    (folder / "tensorflow/lite/micro/kernels/fully_connected.cc").write_text("if (is_per_channel) {}")
    features = read_tree(folder).features
    assert features.float_scale_product
    assert features.per_channel_fully_connected


def test_only_what_the_kernels_need(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)
    core = {"micro_interpreter.cc", "micro_allocator.cc", "micro_log.cc"}
    assert names(folder, "CONV_2D") == core | {"conv.cc", "conv_common.cc"}
    assert names(folder, "CONV_2D_INT8") == names(folder, "CONV_2D")  # an alias in the header
    assert names(folder, "SOFTMAX") == core | {"softmax.cc"}


def test_a_kernel_of_the_signal_library_brings_what_it_shares(tmp_path: Path) -> None:
    """`scale_kernel.h` declares what scale_common.cc defines."""
    folder = make_tree(tmp_path)
    kernels = folder / "signal/micro/kernels"
    kernels.mkdir(parents=True)
    (kernels / "scale_kernel.h").write_text("TfLiteStatus ScalePrepare(TfLiteContext*, TfLiteNode*);")
    (kernels / "scale_common.cc").write_text("TfLiteStatus ScalePrepare(TfLiteContext*, TfLiteNode*) {}")
    (kernels / "scale_kernel.cc").write_text(
        '#include "signal/micro/kernels/scale_kernel.h"\nTFLMRegistration* Register_SCALE() {}'
    )
    assert {"scale_kernel.cc", "scale_common.cc"} <= names(folder, "SCALE")


def test_cmsis_nn_brings_the_functions_that_are_called(tmp_path: Path) -> None:
    folder = make_tree(tmp_path, cmsis=True)
    library = select_library(read_tree(folder), ["CONV_2D_INT8"], texts=False)
    assert read_tree(folder).kernels == "CMSIS-NN"
    assert {"conv.cc", "arm_convolve_s8.c", "arm_help_table.c"} <= names(folder, "CONV_2D_INT8")
    assert "arm_unused.c" not in names(folder, "CONV_2D_INT8")
    assert "CMSIS_NN" in library.defines
    assert "tflm/third_party/cmsis/CMSIS/Core/Include" in library.include_dirs


def test_cmsis_nn_brings_what_is_named_whatever_it_is_called(tmp_path: Path) -> None:
    """An LSTM reads `sigmoid_table_uint16` of arm_nntables.c: no prefix tells where a table is defined."""
    folder = make_tree(tmp_path, cmsis=True)
    support = folder / "third_party/cmsis_nn/Source/Support"
    (folder / "third_party/cmsis_nn/Source/Conv/arm_convolve_s8.c").write_text(
        "int arm_convolve_s8(void)\n{\n  return sigmoid_table_uint16[1] + plain_number + wide[0] + helper(1);\n}\n"
    )
    for name, text in {
        "arm_nntables.c": "const uint16_t sigmoid_table_uint16[256] = {\n    1, 2};\n",
        "arm_numbers.c": "const int32_t plain_number = 7;\n",
        "arm_wide.c": "const int32_t wide[2]\n    =\n{1, 2};\n",
        "arm_helper.c": "int\nhelper(int x)\n{\n  return x;\n}\n",
        "arm_others_own.c": "static int helper(int x) { return x; }\nextern const int32_t plain_number;\n",
    }.items():
        (support / name).write_text(text)
    found = names(folder, "CONV_2D_INT8")
    assert {"arm_nntables.c", "arm_numbers.c", "arm_wide.c", "arm_helper.c"} <= found
    assert not found & {"arm_others_own.c", "arm_unused.c"}


def test_levels_texts_and_places(tmp_path: Path) -> None:
    tree = read_tree(make_tree(tmp_path))
    library = select_library(tree, ["CONV_2D"], texts=True)
    assert library.sources["tflm/tensorflow/lite/micro/kernels/conv.cc"] == "-O2"
    assert library.sources["tflm/tensorflow/lite/micro/micro_interpreter.cc"] == "-Os"
    assert set(library.sources) <= set(library.files)
    assert "tflm/third_party/flatbuffers/include/flatbuffers/base.h" in library.files
    assert "TF_LITE_STRIP_ERROR_STRINGS" not in library.defines
    assert "TF_LITE_STRIP_ERROR_STRINGS" in select_library(tree, ["CONV_2D"], texts=False).defines


def test_sources_renamed_to_cpp(tmp_path: Path) -> None:
    for path in sorted(make_tree(tmp_path).rglob("*.cc")):
        path.rename(path.with_suffix(".cpp"))
    assert "conv_common.cpp" in names(tmp_path, "CONV_2D")


@pytest.mark.parametrize(
    ("without", "replaced", "message"),
    [
        ("tensorflow/lite/micro/micro_mutable", {}, "is no tree of TensorFlow Lite Micro: it lacks"),
        ("third_party/gemmlowp", {}, "is incomplete: it lacks third_party/gemmlowp"),
        ("third_party/", {}, "third_party/flatbuffers, third_party/gemmlowp, third_party/ruy"),
        ("third_party/cmsis/", {}, "is incomplete: it lacks third_party/cmsis$"),
        ("third_party/cmsis_nn", {}, "is incomplete: it lacks third_party/cmsis_nn$"),
        ("", {"debug_log": "void DebugLog(const char* s);"}, r"too old: it lacks DebugLog\(format, va_list\)"),
        ("", {"micro_mutable_op_resolver": "TfLiteRegistration x;"}, "too old: it lacks TFLMRegistration"),
    ],
)
def test_bad_trees(without: str, replaced: dict[str, str], message: str, tmp_path: Path) -> None:
    folder = make_tree(tmp_path, cmsis="cmsis" in without, without=without, **replaced)
    with pytest.raises(UsageError, match=message) as caught:
        read_tree(folder)
    assert "create_tflm_tree.py" in caught.value.hint


def test_a_checkout_that_no_tree_was_made_from(tmp_path: Path) -> None:
    maker = tmp_path / "tensorflow/lite/micro/tools/project_generation/create_tflm_tree.py"
    maker.parent.mkdir(parents=True)
    maker.touch()
    with pytest.raises(UsageError, match="is a checkout of TensorFlow Lite Micro, not a tree made from it"):
        read_tree(make_tree(tmp_path, without="third_party"))


def test_no_folder_and_no_tree_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        read_tree(tmp_path / "missing")
    monkeypatch.delenv("TINYEDGE_TFLM", raising=False)
    assert find_tree(None) is None
    monkeypatch.setenv("TINYEDGE_TFLM", str(make_tree(tmp_path)))
    found = find_tree(None)
    assert found is not None
    assert found.folder == tmp_path


def test_a_registration_without_a_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="defines Register_SVDF"):
        select_library(read_tree(make_tree(tmp_path)), ["SVDF"], texts=True)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """A tree may be read-only: nothing in it is touched."""
    make_tree(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        select_library(read_tree(tmp_path), ["CONV_2D"], texts=True)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    finally:
        for path in before:
            os.chmod(path, 0o755 if path.is_dir() else 0o644)  # noqa: PTH101 - the folder has to open first


# -- with a real tree ------------------------------------------------------------------------------------------------


def test_the_table_of_operators_is_that_of_the_tree() -> None:
    tree = read_tree(real_tree())
    text = tree.files["tensorflow/lite/micro/micro_mutable_op_resolver.h"].decode()
    methods = set(re.findall(r"TfLiteStatus (Add\w+)\(", text))
    known = {entry.add for entry in TFLM_OPERATORS.values()}
    assert known <= methods
    others = {"AddCustom", "AddBuiltin", "AddEthosU", "AddDecode", "AddDetectionPostprocess"}
    assert methods - known - others <= {"AddCallOnce", "AddIf", "AddWhile"}  # they run other subgraphs
    for entry in TFLM_OPERATORS.values():
        assert tree.features.has(entry.registration), entry
        assert not entry.int8 or tree.features.has(f"{entry.registration}_INT8"), entry


def test_int8_registrations_that_the_table_leaves_out() -> None:
    """Whatever the tree registers for int8 alone is in the table, so that code is not larger than it needs to be."""
    tree = read_tree(real_tree())
    found = {name.removesuffix("_INT8") for name in tree.features.registrations or () if name.endswith("_INT8")}
    assert found == {entry.registration for entry in TFLM_OPERATORS.values() if entry.int8}


@pytest.mark.parametrize("name", sorted(TFLM_OPERATORS))
def test_every_operator_has_its_sources(name: str) -> None:
    entry = TFLM_OPERATORS[name]
    tree = read_tree(real_tree())
    library = select_library(tree, [entry.registration], texts=True)
    assert any(f"Register_{entry.registration}(".encode() in library.files[source] for source in library.sources)
    assert len(library.sources) < 100
