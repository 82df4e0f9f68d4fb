"""What the tests of compression look at, worked out in a process that may import TensorFlow: JSON on standard output.

Run by test_compress.py; its functions are named after the keys of that JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.quantize_aware import QuantizeAware, calibrate_ranges
from tinyedge.train.convert import convert_model
from tinyedge.train.fit import Training
from tinyedge.train.heads import Head
from tinyedge.train.matching import Matched, match_data
from tinyedge.train.rewrite import flatten_model
from tinyedge.train.splits import Splits


def splits() -> Splits:
    """Two classes of 6x6 images; the values reach 20, far beyond the library's first range of [-6, 6]."""
    random = np.random.default_rng(5)
    classes = random.integers(0, 2, 160)
    images = random.uniform(0, 10, (160, 6, 6, 1)).astype(np.float32)
    images[:, :3] += 10 * classes[:, None, None, None]
    return Splits(images[:128], classes[:128], images[128:], classes[128:])


def training(steps: list[Any] | None = None) -> Training:
    seen = steps if steps is not None else []
    data = splits()
    head = Head("classes", "classes", (2,))
    matched = Matched((data.train_inputs,), (data.train_targets,), (data.test_inputs,), (data.test_targets,), (head,))
    return Training(matched, 32, lambda *step: seen.append(step))


def model(*, relu_apart: bool = False, normalized: bool = False) -> Any:
    from tf_keras import Input, Sequential, layers

    return Sequential(
        [
            Input((6, 6, 1)),
            layers.Conv2D(8, 3, activation=None if relu_apart or normalized else "relu", name="conv"),
            *([layers.BatchNormalization(momentum=0.9, name="norm")] if normalized else []),
            *([layers.ReLU(name="relu")] if relu_apart or normalized else []),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.Flatten(name="flatten"),
            layers.Dense(2, activation="softmax", name="classes"),
        ]
    )


def zeros(trained: Any) -> dict[str, float]:
    return {
        variable.name: float(np.mean(variable.numpy() == 0))
        for variable in trained.weights
        if variable.name.endswith("kernel:0")
    }


def prune() -> dict[str, Any]:
    """The zeros of each kernel, and the steps that were told."""
    steps: list[Any] = []
    pruned = Prune(sparsity=0.75, epochs=3, learning_rate=0.001).apply(model(), training(steps))
    return {"zeros": zeros(pruned), "layers": [layer.name for layer in pruned.layers], "steps": steps}


def quantize_aware() -> dict[str, Any]:
    """The zeros of a pruned model before and after, the int8 kernels of its .tflite, and the activation ranges."""
    context = training()
    pruned = Prune(sparsity=0.75, epochs=2).apply(model(), context)
    # An emptied channel whose bias does not vanish: int32 must be able to hold it.
    conv = pruned.get_layer("conv")
    kernel, bias = conv.get_weights()
    kernel[..., 0], bias[0] = 0.0, 3.0
    conv.set_weights([kernel, bias])
    before = zeros(pruned)
    aware = QuantizeAware(epochs=1, learning_rate=1e-5).apply(pruned, context)
    graph = read_model(convert_model(aware, context.data.train_inputs, 64), "m")
    first = graph.operators[0]
    weights, biases = (graph.tensor(key) for key in first.inputs[1:3])
    assert weights.quantization is not None
    assert weights.data is not None
    assert biases.quantization is not None
    assert biases.data is not None
    real_bias = biases.data[0] * biases.quantization.scale[0]
    return {
        "before": before,
        "after": zeros(aware),
        "operators": [operator.name for operator in graph.operators],
        "types": sorted({tensor.dtype.value for tensor in graph.tensors.values()}),
        "all_int": all(tensor.dtype in (DType.INT8, DType.INT32) for tensor in graph.tensors.values()),
        "batch": [tensor.shape[0] for tensor in (*graph.input_tensors(), *graph.output_tensors())],
        "channel_scales": len(weights.quantization.scale),
        "empty_channel_weights": int(np.abs(weights.data[0]).sum()),
        "empty_channel_bias": float(real_bias),
        "input_range": [
            float(graph.input_tensors()[0].scale * (edge - graph.input_tensors()[0].zero_point)) for edge in (-128, 127)
        ],
    }


def ranges() -> dict[str, Any]:
    """The ranges before and after calibration, the largest activations of the float model, and what else changed."""
    import tensorflow_model_optimization as tfmot
    from tf_keras import Model

    data = splits().train_inputs
    plain = model(normalized=True)
    outputs = Model(plain.input, [plain.get_layer(name).output for name in ("relu", "depthwise")])
    aware = tfmot.quantization.keras.quantize_apply(
        tfmot.quantization.keras.quantize_annotate_model(plain),
        tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme(),
    )
    averages = [variable for variable in aware.weights if "moving" in variable.name]
    before = {variable.name: float(variable.numpy()) for variable in aware.weights if _is_range(variable)}
    calibrate_ranges(aware, data)
    return {
        "before": before,
        "after": {variable.name: float(variable.numpy()) for variable in aware.weights if _is_range(variable)},
        "float_maxima": [float(np.max(output)) for output in outputs(data, training=True)],
        "averages": len(averages),
        "averages_kept": all(float(variable.numpy().max()) in (0.0, 1.0) for variable in averages),
    }


def _is_range(variable: Any) -> bool:
    names = ("activation_min", "activation_max", "output_min", "output_max", "layer_min", "layer_max")
    return variable.shape.rank == 0 and any(part in variable.name for part in names)


def refused(action: Any) -> list[str]:
    """(what, hint) of the refusal."""
    try:
        action()
    except ModelError as error:
        return [error.what, error.hint]
    return ["not refused", ""]


def refusals() -> dict[str, list[str]]:
    from tf_keras import Input, Model, Sequential, layers

    images, classes = splits().train_inputs, splits().train_targets
    tokens = np.arange(160).reshape(40, 4) % 9

    def softmax() -> Any:
        return layers.Dense(2, activation="softmax")

    def of(*parts: Any, shape: tuple[int, ...] = (6, 6, 1), **options: Any) -> Any:
        return Sequential([Input(shape, **options), *parts])

    def ask(model: Any, x: Any = images, y: Any = classes, task: Any = "classification") -> list[str]:
        return refused(lambda: match_data(model, Splits(x, y, x, y), task))

    first, second = Input((6, 6, 1), name="camera"), Input((3,), name="angle")
    two = Model([first, second], softmax()(layers.Concatenate()([layers.Flatten()(first), second])))

    def embedding(**options: Any) -> Any:
        return of(layers.Embedding(8, 3, name="words"), layers.Flatten(), softmax(), shape=(4,), **options)

    lstm = of(layers.LSTM(4), layers.Dense(2, activation="softmax"), shape=(6, 6))
    root = layers.Activation(lambda x: x**0.5, name="root")
    return {
        "lstm": refused(lambda: QuantizeAware(epochs=1).rehearse(of(layers.LSTM(4), shape=(6, 6)))),
        "lstm_and_dense": [QuantizeAware(epochs=1).rehearse(lstm)[1][0], ""],
        "no_kernels": refused(lambda: Prune(0.5, epochs=1).rehearse(of(layers.BatchNormalization(name="norm")))),
        "logits": ask(of(layers.Flatten(), layers.Dense(2))),
        "one_value": ask(of(layers.Flatten(), layers.Dense(1, activation="relu"))),
        "narrow": ask(of(layers.Flatten(), layers.Dense(2, activation="softmax")), y=classes * 2),
        "three_for_a_sigmoid": ask(of(layers.Flatten(), layers.Dense(1, activation="sigmoid")), y=classes * 2),
        "other_shape": ask(of(layers.Flatten(), softmax(), shape=(5, 5, 1))),
        "one_input_of_two": ask(two),
        "wrong_name": ask(two, x={"camera": images, "angel": images.reshape(128, -1)[:, :3]}),
        "two_targets": ask(of(layers.Flatten(), softmax()), y=(classes, classes)),
        "two_tasks": ask(of(layers.Flatten(), softmax()), task=("classification", "regression")),
        "real_tokens": ask(embedding(), x=tokens.astype(np.float32), y=classes[:40]),
        "token_outside": ask(embedding(dtype="int32"), x=tokens, y=classes[:40]),
        "tokens_for_values": ask(of(layers.Flatten(), softmax()), x=images.astype(np.int32)),
        "not_finite": ask(of(layers.Flatten(), root, layers.Dense(1)), x=images - 30, task="regression"),
        "good": ask(model()),
        "good_by_name": ask(two, x={"angle": images.reshape(128, -1)[:, :3], "camera": images}),
        "good_tokens": ask(embedding(dtype="int32"), x=tokens % 8, y=classes[:40]),
    }


def kinds() -> dict[str, Any]:
    """Kind of each output, and what was said of how the data was read."""
    from tf_keras import Input, Model, layers

    images, classes = splits().train_inputs, splits().train_targets
    source = Input((6, 6, 1))
    pixels = layers.Conv2D(3, 1, activation="softmax", name="pixels")(source)
    flat = layers.Flatten()(source)
    binary = layers.Dense(1, activation="sigmoid", name="binary")(flat)
    labels = layers.Reshape((3,))(layers.Dense(3, activation="sigmoid")(flat))
    size = layers.Dense(1, name="size")(flat)
    whole = Model(source, [pixels, binary, labels, size, layers.Dense(5, name="spare")(flat)])
    several = np.stack([classes, 1 - classes, classes], axis=1)
    targets = (classes, classes[:, None], several, classes.astype(np.float32))
    tasks = ("classification", "classification", "classification", "regression")
    data = match_data(whole, Splits(images, targets, images, targets), tasks)
    return {
        "kinds": [head.kind for head in data.heads],
        "metrics": list(data.score([np.zeros((128, *head.shape)) for head in data.heads])),
        "notes": data.notes,
    }


def opened() -> dict[str, Any]:
    """What becomes of nested models and of ReLUs that stand apart."""
    import tf_keras
    from tf_keras import Input, Model, Sequential, layers

    backbone = Sequential(
        [
            Input((6, 6, 1)),
            layers.Conv2D(4, 3, name="conv"),
            layers.ReLU(),
            layers.Conv2D(4, 3, name="other", use_bias=False),
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(name="behind_norm"),
        ],
        name="backbone",
    )
    shared = layers.Dense(3, name="shared")
    left, right = Input((6, 6, 1), name="left"), Input((6, 6, 1), name="right")
    seen = [shared(layers.Flatten()(backbone(each))) for each in (left, right)]
    head = layers.Dense(2, name="conv", activation="softmax")(layers.Add()([layers.ReLU()(one) for one in seen]))
    nested = Model([left, right], [head, layers.Activation("relu")(seen[0])])
    random = np.random.default_rng(2)
    nested.set_weights([random.uniform(0.5, 1, weight.shape) for weight in nested.get_weights()])
    images = [random.normal(size=(5, 6, 6, 1)).astype(np.float32) for _ in range(2)]
    flat = flatten_model(nested)
    pairs = zip(nested(images), flat(images), strict=True)
    return {
        "layers": sorted(layer.name for layer in flat.layers if layer.weights),
        "relus": sorted(layer.name for layer in flat.layers if isinstance(layer, layers.ReLU)),
        "activation": flat.get_layer("conv").activation.__name__,
        "nested": any(isinstance(layer, tf_keras.Model) for layer in flat.layers),
        "difference": max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs),
        "nothing_to_do": flatten_model(flat) is flat,
    }


def left() -> dict[str, Any]:
    """What quantization-aware training leaves to calibration, and pruning as it is, and that both train on."""
    from tf_keras import Input, Sequential, layers

    class Scale(layers.Layer):
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale

    mixed = Sequential(
        [
            Input((6, 6, 1)),
            layers.Rescaling(0.1, name="rescaling"),
            layers.RandomFlip(name="flip"),
            layers.Conv2D(8, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="behind_relu"),
            Scale(name="scale"),
            layers.Conv2D(8, 1, activation="relu6", name="six"),
            layers.Reshape((16, 8)),
            layers.Conv1D(8, 3, activation="relu", name="conv1d"),
            layers.MaxPooling1D(name="pool1d"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax", name="classes"),
        ]
    )
    context = training()
    _, pruned_notes = Prune(0.5, epochs=1).rehearse(mixed)
    _, notes = QuantizeAware(epochs=1).rehearse(mixed)
    aware = QuantizeAware(epochs=1).apply(Prune(0.5, epochs=1).apply(mixed, context), context)
    graph = read_model(convert_model(aware, context.data.train_inputs, 64), "m")
    return {
        "pruned": pruned_notes,
        "notes": notes,
        "types": sorted({tensor.dtype.value for tensor in graph.tensors.values()}),
    }


def diverged() -> dict[str, list[str]]:
    """What is said when the loss is no number."""
    from tf_keras import Input, Sequential, layers

    def of(first: Any) -> Any:
        return Sequential(
            [Input((6, 6, 1)), layers.Flatten(), first, layers.Dense(2, activation="softmax", name="classes")]
        )

    wild = of(layers.Dense(4, name="wide"))
    root = of(layers.Activation(lambda x: (x - 0.5) ** 0.5, name="root"))
    return {
        "rate": refused(lambda: training().fit(wild, "fit", epochs=3, learning_rate=1e38)),
        "layer": refused(lambda: training().fit(root, "prune", epochs=3, learning_rate=0.01)),
    }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import tf_keras

    results = {}
    for check in (prune, quantize_aware, ranges, refusals, kinds, opened, left, diverged):
        tf_keras.utils.set_random_seed(1)
        results[check.__name__] = check()
    json.dump(results, answers)
    answers.close()


if __name__ == "__main__":
    sys.exit(main())
