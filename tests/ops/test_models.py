"""Real models: the reference equals TensorFlow Lite Micro on whole networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits import tflm
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph

MODELS = {
    "ad01_int8": 264_192,
    "hello_world_int8": 288,
    "kws_ref_model": 2_656_768,
    "pretrainedResnet_quant": 12_501_632,
    "vww_96_int8": 7_489_664,
}
"""model -> multiply-accumulates"""


@pytest.mark.parametrize("name", MODELS)
def test_equals_tflm(shared_models: Path, name: str) -> None:
    path = shared_models / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"no {path.name} in ../shared/models")
    tflite = path.read_bytes()
    for seed in range(1, 5):
        tflm.assert_bit_exact(tflite, seed)
    assert sum(layer.macs for layer in parse_graph(read_model(tflite, name))) == MODELS[name]
