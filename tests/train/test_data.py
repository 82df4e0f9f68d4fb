"""The data of the recipes that come with tinyedge, and the checks every data.py passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.recipes import write_recipe
from tinyedge.errors import ModelError, ToolError, UsageError
from tinyedge.train import find_recipe, load_recipe
from tinyedge.train.author import load_splits
from tinyedge.train.splits import Splits


def test_digits_are_split_once_and_for_all() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is missing: the extra `train` brings it")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    splits = load_splits(find_recipe("digits"))
    pixels, classes = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(pixels, classes, test_size=0.25, random_state=0)
    assert splits.test_inputs.shape == (450, 8, 8, 1)
    np.testing.assert_array_equal(splits.test_inputs.reshape(450, 64) * 16, test_x)
    np.testing.assert_array_equal(splits.test_targets, test_y)
    assert splits.train_inputs.shape == (5 * 1347, 8, 8, 1)
    np.testing.assert_array_equal(splits.train_inputs[:1347].reshape(1347, 64) * 16, train_x)
    np.testing.assert_array_equal(splits.train_targets, np.tile(train_y, 5))
    # The third copy is moved up by one: its first row is the original's second.
    np.testing.assert_array_equal(splits.train_inputs[2 * 1347][:7], splits.train_inputs[0][1:])
    assert not splits.train_inputs[2 * 1347][7].any()


def test_sines_are_sines() -> None:
    splits = load_splits(find_recipe("sine"))
    assert splits.train_inputs.shape[1:] == (1,)
    assert len(splits.test_inputs) == 200
    np.testing.assert_array_equal(splits.test_targets, np.sin(splits.test_inputs))
    assert splits.train_inputs.min() == 0
    assert splits.train_inputs.max() == np.float32(2 * np.pi)


GOOD = np.zeros((4, 2), np.float32)


@pytest.mark.parametrize(
    ("inputs", "targets", "said"),
    [
        (GOOD.astype(np.float64), np.zeros(4), "float64 .4, 2., not float32"),
        (GOOD[:, 0], np.zeros(4), "float32 .4., not float32"),
        (
            GOOD,
            np.array(["cat", "dog", "cat", "cow"]),
            "train_targets are strings, as `cat`, not numbers; .*return_inverse",
        ),
        (GOOD, np.array([None] * 4), "train_targets are objects"),
        ((GOOD, GOOD[:3]), np.zeros(4), r"4 train_inputs.0. have 3 train_inputs.1."),
        (GOOD, {"a": np.zeros(4), "b": np.zeros(3)}, r"4 train_inputs have 3 train_targets.'b'."),
        (GOOD, [np.zeros(4), np.full(4, np.inf)], "not finite"),
        ((GOOD, GOOD), np.zeros(4), r"training inputs are ..2., .2.., test inputs .2."),
        (GOOD, np.zeros((4, 2)), r"training targets are .2., test targets ..$"),
        (GOOD, np.zeros(3), "4 train_inputs have 3 train_targets"),
        (GOOD[:0], np.zeros(0), "0 train_inputs"),
        (np.full((4, 2), np.nan, np.float32), np.zeros(4), "not finite"),
        (np.zeros((4, 3), np.float32), np.zeros(4), "training inputs are .3., test inputs .2."),
    ],
)
def test_splits_of_wrong_shape_or_type_are_refused(inputs: np.ndarray, targets: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Splits(inputs, targets, GOOD, np.zeros(4))


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        ("def load(points):\n    return 1\n", ModelError, "returned a int"),
        ("def read(points):\n    return 1\n", ModelError, "has no function `load`"),
        ("def load(points):\n    x = 1\n    return x / 0\n", ModelError, "line 3: ZeroDivisionError"),
        ("def load(:\n", ModelError, "SyntaxError"),
        ("def load(amount):\n    return 1\n", UsageError, r"\[data\] in recipe.toml does not fit .*'points'"),
        ("import no_such_package\n", ToolError, "needs the Python package `no_such_package`"),
    ],
)
def test_errors_in_data_files_are_errors_of_the_recipe(
    tmp_path: Path, data: str, kind: type[Exception], said: str
) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds", data=data))
    with pytest.raises(kind, match=said):
        load_splits(recipe)


def test_a_data_file_may_import_a_module_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    text = "import clouds_helper\n\n\ndef load(points):\n    return clouds_helper.make()\n"
    folder = write_recipe(tmp_path / "clouds", data=text)
    (folder / "clouds_helper.py").write_text(
        "import numpy as np\nfrom tinyedge.train.splits import Splits\n\n\ndef make():\n"
        "    x = np.zeros((2, 1), np.float32)\n    return Splits(x, x, x, x)\n"
    )
    assert load_splits(load_recipe(folder)).train_inputs.shape == (2, 1)
