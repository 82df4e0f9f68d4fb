"""Quantization-aware training of models of Keras: rebuilt in Keras 2, compared, trained; and refusals."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kits.float_models import SHAPE, float_cnn
from kits.once import made_once
from kits.recipes import needs_tensorflow
from tinyedge import process
from tinyedge.artifacts import Conversion, Silence
from tinyedge.convert import Settings, convert
from tinyedge.convert.aware import parts
from tinyedge.convert.keep import conversion_digest
from tinyedge.convert.layer_settings import settings_for_keras_2
from tinyedge.data import Arrays
from tinyedge.errors import ModelError, UsageError

DATA = Arrays({"x": np.zeros((20, *SHAPE), np.float32)}, np.arange(20) % 3)
MODELS = """
import os, sys
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import keras, tf_keras
out = sys.argv[1]
random = np.random.default_rng(3)
y = random.integers(0, 3, 240)
x = random.normal(0, 0.4, (240, 6, 6, 1)).astype(np.float32)
for label in range(3):
    x[y == label, label * 2 : label * 2 + 2] += 1
np.savez(f"{out}/data.npz", x=x, labels=y)
for K, version in ((keras, 3), (tf_keras, 2)):
    K.utils.set_random_seed(1)
    L = K.layers
    net = K.Sequential([
        K.Input((6, 6, 1)), L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(),
        L.Flatten(), L.Dense(3),
    ])
    net.compile(K.optimizers.Adam(1e-2), K.losses.SparseCategoricalCrossentropy(from_logits=True))
    net.fit(x, y, epochs=3, verbose=0)
    net.save(f"{out}/net{version}.keras")
L = keras.layers
def sequential(*layers):
    return keras.Sequential([keras.Input((6, 6, 1)), L.Flatten(), *layers, L.Dense(3, activation="softmax")])
sequential(L.Dense(4), L.Activation("hard_sigmoid", name="gate")).save(f"{out}/other.keras")
sequential(L.RMSNormalization(name="rms")).save(f"{out}/unknown.keras")
"""
REBUILT = """
import json, os, sys
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras, numpy as np
from tinyedge.convert.rebuild import rebuild
from tinyedge.errors import ModelError
L, Input, Model, Sequential = keras.layers, keras.Input, keras.Model, keras.Sequential
x, image, steps = Input((4,)), Input((8, 8, 3)), Input((5, 4))
tokens, second = Input((4,), dtype="int32"), Input((3,), name="second")
inner = Sequential([Input((4,)), L.Dense(4), L.ReLU(6.0)], name="inner")
dense, shared = L.Dense(4)(x), L.Dense(4)
models = {
    "activations": Sequential([x, L.Dense(4, activation="silu", kernel_regularizer="l2"), L.LeakyReLU(), L.PReLU()]),
    "images": Sequential([image, L.SeparableConv2D(4, 3), L.DepthwiseConv2D(3), L.BatchNormalization(),
                          L.Conv2DTranspose(3, 3), L.UpSampling2D(), L.RandomFlip(), L.SpatialDropout2D(0.1),
                          L.AveragePooling2D(2), L.ZeroPadding2D(), L.GlobalAveragePooling2D(), L.Rescaling(0.1)]),
    "steps": Sequential([steps, L.Conv1D(4, 3), L.Bidirectional(L.LSTM(3, return_sequences=True)),
                         L.LayerNormalization(), L.TimeDistributed(L.Dense(2)), L.GRU(3)]),
    "attention": Model(steps, L.Add()([steps, L.MultiHeadAttention(2, 3)(steps, steps)])),
    "tokens": Model(tokens, L.Embedding(9, 3)(tokens)),
    "graph": Model([x, second], [L.Concatenate()([inner(dense) * dense, second]), shared(shared(x))]),
    "function": Model(x, keras.ops.sin(dense)),
    "constant": Model(x, dense * 2.0),
    "attentive": Model(steps, L.GroupNormalization(1)(steps)),
}
found = {}
for name, model in models.items():
    samples = [np.random.default_rng(1).integers(0, 9, (3, *tensor.shape[1:])).astype(tensor.dtype)
               for tensor in model.inputs]
    try:
        found[name] = type(rebuild(model, samples)).__module__.split(".")[0]
    except ModelError as error:
        found[name] = error.what
print("FOUND " + json.dumps(found))
"""


def python(program: str, *arguments: str, folder: Path) -> str:
    """What a program printed that imports Keras: this process does not."""
    script = folder / "program.py"
    script.write_text(program)
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    argv = [*process.python_module("runpy")[:-2], str(script), *arguments]
    return process.run(argv, timeout_s=300, env=environment).stdout


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "qat_models", lambda folder: python(MODELS, str(folder), folder=folder))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))


def trained(models: Path, file: str, *, again: bool = False) -> Conversion:
    return convert(models / file, models / "data.npz", Settings(qat=1), Silence(), again=again)


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_model_is_trained_on_and_compared_on_samples_that_were_kept_apart(models: Path) -> None:
    first = trained(models, "net3.keras")
    assert (first.source, first.samples, first.layers) == ("Keras 3", 48, ())
    assert first.model.samples is not None
    assert first.model.samples[0].shape == (48, 1, 6, 6, 1)
    before, after = first.model.float_accuracy, first.model.int8_accuracy
    assert before is not None
    assert after is not None
    assert after >= before - 0.05
    assert 0 <= first.model.metrics["int8_accuracy_without_training"] <= 1
    assert trained(models, "net3.keras", again=True).model.tflite == first.model.tflite
    plain = convert(models / "net3.keras", models / "data.npz", Settings(), Silence())
    assert plain.model.tflite != first.model.tflite
    assert "int8_accuracy_without_training" not in plain.model.metrics


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_model_of_keras_2_is_trained_as_it_is(models: Path) -> None:
    conversion = trained(models, "net2.keras")
    assert conversion.source == "Keras 2"
    assert conversion.model.int8_accuracy is not None
    assert conversion.notes == ()


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_what_cannot_be_rebuilt_is_named_before_training(models: Path) -> None:
    with pytest.raises(ModelError, match=r"layer `gate` \(Activation\) does something else in Keras 2") as caught:
        trained(models, "other.keras")
    assert "without `--qat` it is converted as it is" in caught.value.hint
    with pytest.raises(ModelError, match=r"Keras 2, which does not have `rms` \(RMSNormalization\)"):
        trained(models, "unknown.keras")


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_layers_are_rebuilt_one_by_one(tmp_path: Path) -> None:
    printed = python(REBUILT, folder=tmp_path)
    found = json.loads(next(line for line in printed.splitlines() if line.startswith("FOUND "))[6:])
    refused = {name: what for name, what in found.items() if what != "tf_keras"}
    assert set(refused) == {"function", "constant"}
    assert "which does not have `sin` (keras.ops Sin)" in refused["function"]
    assert "(keras.ops Multiply) takes a constant" in refused["constant"]


def refusal(source: Path, data: Arrays, settings: Settings) -> UsageError:
    with pytest.raises(UsageError) as caught:
        convert(source, data, settings, Silence())
    assert caught.value.hint
    return caught.value


def test_what_has_no_layers_cannot_be_trained(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(float_cnn())
    error = refusal(tmp_path / "net.tflite", DATA, Settings(qat=1))
    assert "a float .tflite model cannot be trained on" in error.what
    assert refusal(tmp_path / "net.tflite", DATA, Settings(qat=-1)).what == "-1 epochs of training cannot be"


@needs_tensorflow
def test_training_needs_labels_and_int8(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.1.0"}))
    source = tmp_path / "net.keras"
    assert "needs labels" in refusal(source, Arrays(DATA.inputs), Settings(qat=1)).what
    few = Arrays({"x": DATA.inputs["x"][:5]}, np.arange(5))
    assert "needs 10 samples at least, the data has 5" in refusal(source, few, Settings(qat=1)).what
    for settings in (Settings(types="int16x8", qat=1), Settings(layers=(("a", "int4"),), qat=1)):
        assert "is for int8 in all layers" in refusal(source, DATA, settings).what


def test_epochs_and_labels_are_part_of_the_digest(tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(b"a model")
    other = Arrays(DATA.inputs, (np.arange(20) + 1) % 3)
    cases = ((DATA, Settings()), (DATA, Settings(qat=1)), (DATA, Settings(qat=2)), (other, Settings(qat=1)))
    digests = {conversion_digest(tmp_path / "net", "net", data, settings, {}, "") for data, settings in cases}
    assert len(digests) == len(cases)


def test_a_fifth_of_the_samples_is_kept_apart() -> None:
    training, compared = parts(100)
    assert len(compared) == 20
    assert sorted([*training, *compared]) == list(range(100))
    np.testing.assert_array_equal(parts(100)[1], compared)


class Dense:
    def __init__(self, units: int, activation: Any = None, alpha: float = 0.0, **options: Any) -> None: ...


class LeakyReLU:
    def __init__(self, alpha: float = 0.3, **options: Any) -> None: ...


class Wrapper:
    def __init__(self, layer: Any, **options: Any) -> None: ...


def test_settings_of_keras_3_in_the_words_of_keras_2() -> None:
    keras_2 = SimpleNamespace(layers=SimpleNamespace(Dense=Dense, LeakyReLU=LeakyReLU, Wrapper=Wrapper))
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    config = {
        "name": "d", "dtype": policy, "units": 3, "activation": "silu", "quantization_config": None,
        "kernel_initializer": {"class_name": "Zeros", "config": {}},
    }  # fmt: skip
    dense = {"name": "d", "dtype": "float32", "units": 3, "activation": "swish"}
    assert settings_for_keras_2(keras_2, "Dense", config) == dense
    assert settings_for_keras_2(keras_2, "LeakyReLU", {"negative_slope": 0.2}) == {"alpha": 0.2}
    wrapped = settings_for_keras_2(keras_2, "Wrapper", {"layer": {"class_name": "Dense", "config": config}})
    assert wrapped == {"layer": {"class_name": "Dense", "config": dense}}
    with pytest.raises(ValueError, match=r"its setting `rms_scaling`, True, does not exist in Keras 2"):
        settings_for_keras_2(keras_2, "Dense", {"units": 3, "rms_scaling": True})
