"""What a model holds: counted by hand, of models that run and of those that do not."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from kits.models import float_model, small_convolution
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import Silence
from tinyedge.artifacts.inspection import Inspection
from tinyedge.errors import ModelError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.inspect import inspect
from tinyedge.report.graph_picture import activations_svg, graph_svg
from tinyedge.report.inspect import inspection_document, render_inspection
from tinyedge.report.inspect_page import inspection_html
from tinyedge.report.table import fitted


def inspected(content: bytes, folder: Path, board: str | None = None) -> Inspection:
    path = folder / "net.tflite"
    path.write_bytes(content)
    return inspect(Choices(str(path), board or "host", "zig", None, folder), Silence(), board)


def with_dead_channels() -> bytes:
    """A 1x1 convolution [1,2,2,3] -> [1,2,2,4], of which channels 1 and 3 are zeros; then a reshape, a dense layer."""
    builder = TfliteBuilder()
    image = builder.tensor([1, 2, 2, 3], scale=0.1, name="image")
    values = np.array([[1, 2, 0], [0, 0, 0], [3, 3, 3], [0, 0, 0]], np.int8).reshape(4, 1, 1, 3)
    weights = builder.tensor([4, 1, 1, 3], scale=0.01, data=values)
    out = builder.tensor([1, 2, 2, 4], scale=0.1, name="out")
    options = {"padding": "same", "stride_w": 1, "stride_h": 1, "fused_activation_function": "relu"}
    builder.operator("conv_2d", [image, weights, -1], [out], **options)
    flat = builder.tensor([1, 16], scale=0.1, name="flat")
    shape = builder.tensor([2], "int32", data=np.array([1, 16], np.int32))
    builder.operator("reshape", [out, shape], [flat], new_shape=[1, 16])
    dense = builder.tensor([3, 16], scale=0.01, data=np.ones((3, 16), np.int8))
    logits = builder.tensor([1, 3], scale=0.1, name="logits")
    builder.operator("fully_connected", [flat, dense, -1], [logits])
    return builder.build([image], [logits])


def test_weights_macs_and_what_is_alive(tmp_path: Path) -> None:
    found = inspected(with_dead_channels(), tmp_path)
    conv, reshape, _ = found.operators
    assert conv.weights is not None
    assert (conv.macs, conv.activation) == (2 * 2 * 3 * 4, "relu")
    assert (conv.weights.count, conv.weights.zeros, conv.weights.distinct) == (12, 7, 4)
    assert (conv.weights.channels, conv.weights.dead_channels) == (4, 2)
    assert (conv.alive_bytes, reshape.alive_bytes) == (12 + 16, 16 + 16)
    assert (reshape.macs, reshape.weights) == (0, None)
    assert not found.problems
    removed = {name for effect in found.passes for name, _ in effect.gone}
    assert "reshape" in removed


def test_a_float_model_is_shown_with_the_reason(tmp_path: Path) -> None:
    found = inspected(float_model(), tmp_path, "nrf52840")
    assert found.problems
    assert found.layers == ()
    text = render_inspection(found)
    assert "no: " in text
    assert "float32" in text
    assert inspection_document(found)["runs"] is False


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        inspected(small_convolution()[:200], tmp_path)


def test_layers_of_a_board(tmp_path: Path) -> None:
    found = inspected(small_convolution(), tmp_path, "nrf52840")
    assert found.board == "nrf52840dk"
    assert [layer.operator for layer in found.layers if layer.operator is not None] == [0, 1]
    assert all(layer.instructions > 0 for layer in found.layers)
    document = inspection_document(found)
    assert document["schema"] == "tinyedge.inspect/1"
    assert document["layers"][0]["operator"] == 0


def test_text_fits_80_columns_and_pictures_are_well_formed(tmp_path: Path) -> None:
    found = inspected(small_convolution(), tmp_path, "nrf52840")
    with fitted(80):
        text = render_inspection(found, tensors=True)
    assert max(map(len, text.splitlines())) <= 80
    assert "conv_2d + relu" in text
    for picture in (graph_svg(found, 920), graph_svg(found, 320), activations_svg(found, 920)):
        ElementTree.fromstring(picture)
    page = inspection_html(found)
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "instructions" in page
