"""A CNN from PyTorch runs as fast as the same network from Keras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kits.float_models import drawn
from kits.torch_forms import IMAGE, TORCH_SCRIPT, Weights, drawn_weights, keras_form, torch_form
from tinyedge.artifacts import Silence
from tinyedge.convert import flatbuffer
from tinyedge.convert.interpret import run_all
from tinyedge.convert.torch import VARIABLE
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run

MOST = 1.1
"""instructions, of those of the same network from Keras"""
SAMPLES = drawn(20, *IMAGE, seed=3)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return drawn_weights()


def instructions(source: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], folder: Path) -> int:
    """Of one inference on an emulated nrf52840, whose outputs are the oracle's."""
    np.savez(folder / "d.npz", x=samples)
    choices = Choices(str(source), "nrf52840", "zig", None, folder / "build", data=folder / "d.npz")
    measured = run(choices, Silence(), samples=3).run
    assert measured.mismatches == 0
    assert measured.instructions is not None
    return int(measured.instructions.value)


@pytest.fixture(scope="module")
def of_keras(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """What the network of Keras takes; while it is there, conversions are kept in a folder of their own."""
    folder = tmp_path_factory.mktemp("keras")
    (folder / "keras.tflite").write_bytes(keras_form(weights, same=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYEDGE_CACHE", str(folder / "cache"))
        yield instructions(folder / "keras.tflite", SAMPLES, folder)


def test_both_forms_are_the_same_network(weights: Weights) -> None:
    form = torch_form(weights)
    for found, wanted in zip(
        run_all(form, [SAMPLES]), run_all(keras_form(weights, same=False), [SAMPLES]), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    model = flatbuffer.unpack(form)
    names = [flatbuffer.operator_name(model, operator) for operator in model.subgraphs[0].operators]
    assert (names.count("pad"), names.count("depthwise_conv_2d"), names.count("transpose")) == (2, 2, 1)


@pytest.mark.slow
def test_what_litert_torch_writes_takes_no_longer(weights: Weights, of_keras: int, tmp_path: Path) -> None:
    (tmp_path / "torch.tflite").write_bytes(torch_form(weights))
    assert instructions(tmp_path / "torch.tflite", SAMPLES, tmp_path) <= MOST * of_keras


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"set {VARIABLE} to a Python with litert-torch")
def test_a_real_model_takes_no_longer(weights: Weights, of_keras: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", **weights)
    (tmp_path / "net.py").write_text(f"WEIGHTS = {str(tmp_path / 'weights.npz')!r}\n{TORCH_SCRIPT}")
    first = SAMPLES.transpose(0, 3, 1, 2)
    assert instructions(Path(f"{tmp_path / 'net.py'}:build"), first, tmp_path) <= MOST * of_keras
