"""ONNX models: the node tests of ONNX itself, whole networks against its reference evaluator, scales, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.onnx_models import OnnxNet, drawn, onnx, onnx_cnn, onnx_mobile, onnx_qdq, onnx_sequence
from kits.tflm import interpret
from tinyedge.convert import DEFAULTS, front_of, recognize
from tinyedge.convert.interpret import Interpreter, run_all
from tinyedge.convert.onnx.convert_model import handlers, import_model
from tinyedge.convert.onnx.front import FRONT
from tinyedge.convert.onnx.load import evaluate, fix_batch, input_specs, load_model
from tinyedge.convert.onnx.qdq import with_own_scales
from tinyedge.convert.onnx.values import with_channels_last
from tinyedge.data import Arrays
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.optimize import settle_graph

NETWORKS = {"cnn": (onnx_cnn, (2, 8, 8)), "mobile": (onnx_mobile, (3, 8, 8)), "sequence": (onnx_sequence, (3, 20))}


def saved(model: Any, folder: Path, name: str = "net.onnx") -> Path:
    onnx.save_model(model, str(folder / name))
    return folder / name


def operators(tflite: bytes) -> list[str]:
    return [operator.name for operator in read_model(tflite, "m").operators]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_as_the_reference_does(name: str, tmp_path: Path) -> None:
    make, shape = NETWORKS[name]
    path = saved(make(), tmp_path)
    assert front_of(path).title == "ONNX"
    data = drawn(5, *shape, seed=9)
    brought = FRONT.bring(path, Arrays({"data": data}), DEFAULTS, tmp_path)
    np.testing.assert_array_equal(brought.inputs[0], np.stack([with_channels_last(x[None])[0] for x in data]))
    (answers,) = run_all(brought.tflite, brought.inputs)
    np.testing.assert_allclose(answers, brought.outputs[0], rtol=1e-4, atol=1e-5)


def test_channels_go_last_without_a_transposition(tmp_path: Path) -> None:
    for name, (make, _) in NETWORKS.items():
        imported = import_model(load_model(saved(make(), tmp_path)))
        assert "transpose" not in operators(imported.tflite), name
    cnn = import_model(load_model(saved(onnx_cnn(), tmp_path)))
    assert operators(cnn.tflite) == ["conv_2d", "max_pool_2d", "reshape", "fully_connected", "softmax"]


def node_cases() -> list[Any]:
    from onnx.backend.test import loader

    return [
        case
        for case in loader.load_node_model_tests()
        if _kinds(case.model) <= {*handlers(), "Constant"} and case.data_sets
    ]


def _kinds(model: Any) -> set[str]:
    return {node.op_type for node in model.graph.node}


def imported_or_refused(model: Any) -> tuple[bytes, ModelError | None]:
    try:
        return import_model(model, channels_last=False).tflite, None
    except ModelError as error:
        return b"", error


PASSED, REFUSED = 302, 71
"""of ONNX's own tests of these operators, those with float inputs"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_node_tests_of_onnx() -> None:
    """Each is right or refused in words; what docs/bring-your-own.md says of their number is counted here."""
    passed, refused, wrong = 0, 0, []
    for case in node_cases():
        inputs, outputs = case.data_sets[0]
        arrays = [*inputs, *outputs]
        if not inputs or not all(isinstance(array, np.ndarray) for array in arrays) or inputs[0].dtype.kind != "f":
            continue
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        for entry, array in list(zip(model.graph.input, inputs, strict=False))[1:]:
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, entry.name))
        tflite, error = imported_or_refused(model)
        if error is not None:
            assert error.what.startswith("node "), case.name
            assert error.hint
            refused += 1
            continue
        interpreter = Interpreter(tflite)
        interpreter.fix_batch(keep=True)
        found = interpreter.run([inputs[0].astype(np.float32)])
        right = all(
            a.shape == b.shape and np.allclose(a, b.astype(np.float32), rtol=1e-3, atol=1e-4)
            for a, b in zip(found, outputs, strict=True)
        )
        passed, wrong = passed + right, wrong if right else [*wrong, case.name]
    assert not wrong
    assert (passed, refused) == (PASSED, REFUSED)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet"])
def test_light_models_of_onnx(name: str) -> None:
    """Real networks with constant weights: imported, or refused at a node; what is imported is right."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    model = load_model(folder / f"light_{name}.onnx")
    imported = import_model(model)
    ((_, shape, _),) = input_specs(model)
    sample = drawn(*shape, seed=3)
    (wanted,) = evaluate(model, [sample]).values()
    (found,) = run_all(imported.tflite, [with_channels_last(sample)])
    np.testing.assert_allclose(found.ravel(), np.ravel(wanted), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_own_scales_are_kept_exactly(kind: type[np.generic]) -> None:
    model = onnx_qdq(kind)
    imported = import_model(model)
    tflite = with_own_scales(imported.tflite, imported.scales)
    graph = read_model(tflite, "m")
    check(settle_graph(graph))
    assert operators(tflite) == ["conv_2d", "max_pool_2d", "reshape", "fully_connected"]
    (source,), (target,) = graph.input_tensors(), graph.output_tensors()
    assert (source.dtype.value, source.scale, source.zero_point) == ("int8", float(np.float32(0.03)), 3)
    assert (target.dtype.value, target.scale, target.zero_point) == ("int8", float(np.float32(0.05)), 0)
    weights = next(graph.tensors[op.inputs[1]] for op in graph.operators if op.name == "conv_2d")
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    own = next(data for data in stored.values() if data.shape == (4, 2, 3, 3))
    np.testing.assert_array_equal(weights.data, own.transpose(0, 2, 3, 1))
    for seed in range(5):
        sample = drawn(1, 2, 6, 6, seed=seed)
        steps = np.clip(np.rint(sample / np.float32(0.03)) + 3, -128, 127)
        (wanted,) = evaluate(model, [((steps - 3) * np.float32(0.03)).astype(np.float32)]).values()
        (found,) = interpret(tflite, [with_channels_last(steps).astype(np.int8)])
        np.testing.assert_allclose(found * np.float32(0.05), wanted, atol=0.0501)


def test_scales_that_are_not_all_there_are_named() -> None:
    net = OnnxNet(1, 2, 6, 6).scaled(0.03)
    weights = net.scaled_weights(drawn(4, 2, 3, 3), 0)
    net.put("Conv", weights, source=net.nodes[1].output[0]).put("Sigmoid").scaled(0.1)
    imported = import_model(net.model())
    with pytest.raises(ModelError, match=r"but not all: `conv_2d` that makes `v\d+`: its result `v\d+` has no scale"):
        with_own_scales(imported.tflite, imported.scales)


def test_unknown_operators_are_named_with_their_node() -> None:
    net = OnnxNet(1, 3).put("Relu").put("Fancy", domain="com.own").put("Erf").put("Erf")
    with pytest.raises(
        ModelError, match=r"node 1 `n1` \(Fancy\): ONNX operator `Fancy` is not imported; nor are `Erf` \(2\)"
    ):
        import_model(net.model())
    recurrent = OnnxNet(4, 1, 3)
    recurrent.put("RNN", recurrent.constant(drawn(1, 2, 3)), recurrent.constant(drawn(1, 2, 2)), hidden_size=2)
    with pytest.raises(ModelError, match="`RNN` is not imported") as caught:
        import_model(recurrent.model())
    assert "use an LSTM or a GRU, which are written out step by step" in caught.value.hint


def test_an_unknown_operator_is_named_though_nobody_knows_its_shape(tmp_path: Path) -> None:
    path = saved(OnnxNet(1, 3).put("Fancy", domain="com.own").model(), tmp_path)
    with pytest.raises(ModelError, match="ONNX operator `Fancy` is not imported"):
        import_model(load_model(path))


def test_weights_in_a_file_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save_model(onnx_cnn(), str(path), save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    import_model(load_model(path))
    before = FRONT.surroundings(path, DEFAULTS)
    weights = bytearray((tmp_path / "net.onnx.data").read_bytes())
    weights[0] ^= 1
    (tmp_path / "net.onnx.data").write_bytes(weights)
    assert FRONT.surroundings(path, DEFAULTS) != before
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(ModelError, match=r"its weights lie in `net\.onnx\.data` beside it, which is not there"):
        load_model(path)


def test_weights_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "net.onnx"
    onnx.save_model(onnx_cnn(), str(path), save_as_external_data=True, location="net.data", size_threshold=0)
    model = onnx.load_model(str(path), load_external_data=False)
    (tmp_path / "inner" / "net.data").rename(tmp_path / "net.data")
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../net.data"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"`\.\./net\.data` beside it, which is not there"):
        load_model(path)


def test_every_shorter_file_is_refused(tmp_path: Path) -> None:
    whole = onnx_mobile().SerializeToString()
    path = tmp_path / "net.onnx"
    for size in range(0, len(whole) - 40, 61):
        path.write_bytes(whole[:size])
        recognize(path)
        with pytest.raises(ModelError) as caught:
            import_model(load_model(path))
        assert caught.value.what
    path.rename(tmp_path / "net.bin")
    (tmp_path / "net.bin").write_bytes(whole)
    assert front_of(tmp_path / "net.bin").title == "ONNX"


def test_open_shapes_are_named(tmp_path: Path) -> None:
    net = OnnxNet("n", 2, "height", 8).put("Relu")
    with pytest.raises(ModelError, match=r"input `x` has the open shape \['n', 2, 'height', 8\]"):
        fix_batch(net.model())
    huge = OnnxNet(1, 2, 1 << 20, 1 << 20)
    huge.nodes.append(onnx.helper.make_node("Relu", ["x"], ["y"]))
    with pytest.raises(ModelError, match=r"has 2,199,023,255,552 elements; at most 67,108,864 are taken"):
        fix_batch(huge.model(["y"]))


def test_terms_and_activations_go_into_the_operator_in_front(tmp_path: Path) -> None:
    net = OnnxNet(1, 6)
    net.put("MatMul", net.constant(drawn(6, 4))).put("Add", net.constant(drawn(4))).put("Relu")
    imported = import_model(net.model())
    assert operators(imported.tflite) == ["fully_connected"]
    sample = drawn(1, 6, seed=3)
    (wanted,) = evaluate(net.model(), [sample]).values()
    np.testing.assert_allclose(run_all(imported.tflite, [sample])[0], wanted, rtol=1e-5, atol=1e-6)
    sequence = import_model(load_model(saved(onnx_sequence(), tmp_path)))
    assert "relu" not in operators(sequence.tflite)


def test_a_term_that_another_node_must_not_see_stays_apart() -> None:
    net = OnnxNet(1, 6).put("MatMul", "w")
    net.constants.append(onnx.numpy_helper.from_array(drawn(6, 4), "w"))
    product = net.last
    net.put("Add", net.constant(drawn(4))).put("Mul", product)
    imported = import_model(net.model())
    assert operators(imported.tflite) == ["fully_connected", "add", "mul"]


def test_the_page_tells_what_is_imported(root: Path) -> None:
    page = (root / "docs" / "bring-your-own.md").read_text(encoding="utf-8")
    section = page.split("## ONNX")[1].split("\n## ")[0]
    words = set(section.replace(",", " ").replace(";", " ").replace(".", " ").split())
    assert set(handlers()) <= words
    assert f"{PASSED} pass and {REFUSED} are refused" in " ".join(section.split())
