"""Small models of the kinds that people's converters write, run as a user runs them, with the right values.

The values are what TensorFlow Lite Micro's interpreter gives for the first samples of `random:1`, first output.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyedge.artifacts import Measured, Silence
from tinyedge.errors import ModelError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run

MODELS = Path(__file__).with_name("models")
RIGHT = {
    "stream_state": [[226], [186], [191], [246]],
    "k3_cnn_flatten": [[-81, -58, 10], [-71, -31, -27], [-81, -79, 32], [-80, -121, 73]],
    "kws16": [[10809, 10809, 11149], [10596, 10769, 11403], [10867, 10867, 11035], [10692, 10823, 11252]],
    "bilstm": [[-26, -60, -43], [-55, -40, -32], [-46, -19, -63], [-66, 3, -65]],
    "elu_k2": [[10, 127], [5, -128], [114, 127], [-109, -128]],
    "s_scale0_channel": [[-27, -46, -55], [-16, -56, -56], [-48, -36, -44], [-52, -33, -43]],
    "s_zp_one": [[-33, -45, -50], [-48, -32, -48], [-52, -35, -40], [-63, -29, -36]],
}


def measure(name: str, folder: Path, inputs: str = "random:1", samples: int | None = 4) -> Measured:
    choices = Choices(str(MODELS / f"{name}.tflite"), "nrf52840dk", "zig", None, folder)
    return run(choices, Silence(), emulator_name="unicorn", inputs=inputs, samples=samples)


@pytest.mark.parametrize("name", RIGHT)
def test_right_values(name: str, tmp_path: Path) -> None:
    measured = measure(name, tmp_path)
    assert measured.run.mismatches == 0
    found = measured.run.outputs[0].reshape(4, -1)
    wanted = np.array(RIGHT[name])
    assert found[:, : wanted.shape[1]].tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("keras3_flatten_int8", "random:1"),
        ("float_io", "random:1"),
        ("float_io", "zeros"),
        ("float_io", str(MODELS / "float_ok.npy")),
        ("embedding", "random:1"),
        ("embedding", "random:77"),
        ("many_in", "random:1"),
    ],
)
def test_runs_exactly(name: str, inputs: str, tmp_path: Path) -> None:
    measured = measure(name, tmp_path, inputs, samples=None)
    assert measured.run.samples > 0
    assert measured.run.mismatches == 0


def test_state_is_kept_between_inferences(tmp_path: Path) -> None:
    """The same sample gives another output later, and a run from the start gives the first one again."""
    zeros = measure("stream_state", tmp_path, "zeros", 3)
    again = measure("stream_state", tmp_path, "zeros", 3)
    assert len({output.tobytes() for output in zeros.run.outputs[0]}) > 1
    np.testing.assert_array_equal(zeros.run.outputs[0], again.run.outputs[0])


def test_real_numbers_far_beyond_int32_are_refused_as_inputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="float_huge") as caught:
        measure("float_io", tmp_path, str(MODELS / "float_huge.npy"), samples=None)
    assert "kernel" not in f"{caught.value.what}{caught.value.hint}"


def test_a_token_beyond_the_table_is_refused_with_its_limit(tmp_path: Path) -> None:
    default = measure("embedding", tmp_path, samples=1)
    tensor = default.built.prepared.original.input_tensors()[0]
    tokens = np.zeros((2, *tensor.shape), np.int32)
    tokens.reshape(-1)[-1] = 1_000_000
    np.save(tmp_path / "tokens.npy", tokens)
    with pytest.raises(UsageError, match="is 1000000, but it picks from a table of 20 rows"):
        measure("embedding", tmp_path, str(tmp_path / "tokens.npy"), samples=None)


def test_what_tflm_lacks_too_is_said_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="TensorFlow Lite Micro has no kernel either") as caught:
        measure("gelu", tmp_path)
    assert "elu`" not in caught.value.hint.replace("gelu`", "")
