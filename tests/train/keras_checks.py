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
from tinyedge.train.author import check_model
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.quantize_aware import QuantizeAware, calibrate_ranges
from tinyedge.train.convert import convert_model
from tinyedge.train.fit import Training
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
    return Training(splits(), "classification", 32, lambda *step: seen.append(step))


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
    graph = read_model(convert_model(aware, context.splits.train_inputs, 64), "m")
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


def refusals() -> dict[str, list[str]]:
    """(what, hint) of each refusal."""
    from tf_keras import Input, Sequential, layers

    def refused(action: Any) -> list[str]:
        try:
            action()
        except ModelError as error:
            return [error.what, error.hint]
        return ["not refused", ""]

    logits = Sequential([Input((6, 6, 1)), layers.Flatten(), layers.Dense(2)])
    narrow = Sequential([Input((6, 6, 1)), layers.Flatten(), layers.Dense(1, activation="softmax")])
    other = Sequential([Input((5, 5, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    lstm = Sequential([Input((6, 6)), layers.LSTM(4), layers.Dense(2, activation="softmax")])
    return {
        "relu_apart": refused(lambda: QuantizeAware(epochs=1).apply(model(relu_apart=True), training())),
        "lstm": refused(lambda: QuantizeAware(epochs=1).apply(lstm, training())),
        "logits": refused(lambda: check_model(logits, splits(), "classification")),
        "narrow": refused(lambda: check_model(narrow, splits(), "classification")),
        "other_shape": refused(lambda: check_model(other, splits(), "classification")),
        "good": refused(lambda: check_model(model(), splits(), "classification")),
    }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import tf_keras

    results = {}
    for check in (prune, quantize_aware, ranges, refusals):
        tf_keras.utils.set_random_seed(1)
        results[check.__name__] = check()
    json.dump(results, answers)
    answers.close()


if __name__ == "__main__":
    sys.exit(main())
