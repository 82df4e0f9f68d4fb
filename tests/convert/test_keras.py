"""Keras 2 and 3 files and SavedModels: told apart by content, converted, compared; and what is refused in words."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kits.once import made_once
from kits.recipes import needs_tensorflow
from tinyedge.artifacts import Conversion, Silence
from tinyedge.convert import DEFAULTS, convert, front_of, recognize
from tinyedge.errors import ModelError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.train, needs_tensorflow]
SHAPES = {"cnn": (8, 8, 1), "lstm": (6, 4), "gru": (6, 4), "residual": (8, 8, 1)}
MODELS = """
import sys, os
os.environ["KERAS_BACKEND"] = "tensorflow"
from pathlib import Path
import keras, tf_keras
out = Path(sys.argv[1])
for K, version in ((keras, 3), (tf_keras, 2)):
    K.utils.set_random_seed(1)
    L = K.layers
    x = K.Input((8, 8, 1))
    y = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(y))
    residual = K.Model(x, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(L.ReLU()(L.Add()([y, z])))))
    start = [K.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu")]
    cnn = K.Sequential([*start, L.MaxPooling2D(), L.Flatten(), L.Dense(3)])
    nets = {"cnn": cnn, "residual": residual}
    for name, layer in (("lstm", L.LSTM), ("gru", L.GRU)):
        nets[name] = K.Sequential([K.Input((6, 4)), layer(5), L.Dense(3, activation="softmax")])
    for name, net in nets.items():
        net.save(out / f"{name}{version}.keras")
    cnn.save(out / f"cnn{version}.h5")
    (cnn.export if K is keras else cnn.save)(str(out / f"saved{version}"))
    class Own(L.Layer):
        def call(self, x): return x * 2
    K.Sequential([K.Input((4,)), Own(), L.Dense(2)]).save(out / f"own{version}.keras")
    K.Sequential([K.Input((4,)), L.Lambda(lambda x: x * 2), L.Dense(2)]).save(out / f"lambda{version}.keras")
    cnn.save_weights(out / f"only{version}.weights.h5")
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that another process made: Keras and TensorFlow stay out of this one."""

    def make(folder: Path) -> None:
        from tinyedge import process

        script = folder.with_suffix(".py")
        script.write_text(MODELS)
        folder.mkdir(exist_ok=True)
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        process.run([*process.python_module("runpy")[:-2], str(script), str(folder)], timeout_s=300, env=environment)

    return made_once(tmp_path_factory, "keras_models", make)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))


def data_for(name: str, folder: Path) -> Path:
    shape = SHAPES[name]
    samples = np.random.default_rng(2).normal(size=(24, *shape)).astype(np.float32)
    np.savez(folder / "d.npz", x=samples, labels=np.arange(24) % 3)
    return folder / "d.npz"


def converted(source: Path, kind: str, folder: Path) -> Conversion:
    return convert(source, data_for(kind, folder), DEFAULTS, Silence())


@pytest.mark.parametrize(
    ("file", "version"),
    [
        *(("cnn{}.keras", version) for version in (2, 3)),
        *(("saved{}", version) for version in (2, 3)),
        ("cnn{}.h5", 3),
        ("residual{}.keras", 3),
        ("lstm{}.keras", 2),
        ("gru{}.keras", 3),
    ],
)
def test_every_kind_of_file(file: str, version: int, models: Path, tmp_path: Path) -> None:
    source = models / file.format(version)
    kind = next((name for name in SHAPES if file.startswith(name)), "cnn")
    conversion = converted(source, kind, tmp_path)
    assert conversion.source == ("SavedModel" if file.startswith("saved") else f"Keras {version}")
    assert conversion.agreement is not None
    assert conversion.agreement >= 0.8
    assert conversion.largest_difference <= 0.05 * max(1.0, conversion.largest_value)
    assert all(layer.dtype == "int8" for layer in conversion.layers)


@pytest.mark.parametrize("version", [2, 3])
def test_code_in_files_is_not_run(version: int, models: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((4, 4), np.float32))
    with pytest.raises(ModelError, match="is a Lambda: its Python code is in the file, and was not run"):
        convert(models / f"lambda{version}.keras", tmp_path / "d.npz", DEFAULTS, Silence())
    with pytest.raises(ModelError, match="a layer of the class `Own`, which is not one of Keras's own") as caught:
        convert(models / f"own{version}.keras", tmp_path / "d.npz", DEFAULTS, Silence())
    assert 'format="litert"' in caught.value.hint


def test_damaged_files_are_refused_in_words(models: Path, tmp_path: Path) -> None:
    for name in ("cnn3.keras", "cnn2.h5"):
        whole = (models / name).read_bytes()
        damaged = tmp_path / name
        damaged.write_bytes(whole[: len(whole) // 2])
        with pytest.raises((UsageError, ModelError)) as caught:
            converted(damaged, "cnn", tmp_path)
        assert caught.value.hint
    with pytest.raises(ModelError, match="holds weights without their model"):
        converted(models / "only2.weights.h5", "cnn", tmp_path)


def test_a_version_is_told_by_the_file(models: Path, tmp_path: Path) -> None:
    for version in (2, 3):
        for suffix in ("keras", "h5"):
            copy = tmp_path / "model.bin"
            copy.write_bytes((models / f"cnn{version}.{suffix}").read_bytes())
            assert front_of(copy).title == f"Keras {version}"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("config.json", json.dumps({}))
    assert recognize(tmp_path / "other.zip") is None
