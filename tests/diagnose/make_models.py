"""Makes the broken models of this folder: real conversions of small networks, and edits of what converters never write.

    python tests/diagnose/make_models.py [NAME]...

writes models/NAME.tflite; edits are made from `sound` and `softmax_at_the_end` as they lie there.
Made with Python 3.11, tensorflow 2.21.0, keras 3.15.1, tf-keras 2.21.0,
tensorflow-model-optimization 0.8.1 and ai-edge-quantizer 0.10.0; what is diagnosed of each stands in test_rules.py.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from kits.tflite_builder import TfliteBuilder

keras = tf.keras
layers = keras.layers
FOLDER = Path(__file__).parent / "models"
MODELS: dict[str, Callable[[], bytes]] = {}
SHAPE = (8, 8, 2)


def model(make: Callable[[], bytes]) -> Callable[[], bytes]:
    MODELS[make.__name__] = make
    return make


# -- conversions -----------------------------------------------------------------------------------------------------


def samples(*shapes: tuple[int, ...], count: int = 20, scale: float = 1.0) -> Callable[[], Iterator[list[Any]]]:
    """A representative data set: normal numbers from a fixed seed."""
    random = np.random.default_rng(1)
    rows = [[(random.normal(size=(1, *shape)) * scale).astype(np.float32) for shape in shapes] for _ in range(count)]
    return lambda: iter(rows)


def convert(net: Any, data: Any, *, borders: Any = tf.int8, batch: int = 1, **settings: Any) -> bytes:
    """Full int8 with a fixed batch, unless `settings` of the converter or its target say otherwise."""
    specs = [tf.TensorSpec((batch, *each.shape[1:]), each.dtype) for each in net.inputs]
    function = tf.function(lambda *inputs: net(list(inputs) if len(inputs) > 1 else inputs[0], training=False))
    return finish(converter_of(function, *specs), data, borders=borders, **settings)


def converter_of(function: Any, *specs: Any) -> Any:
    """A converter of a function whose variables have become constants."""
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(*specs))
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen])


def finish(converter: Any, data: Any, *, borders: Any = tf.int8, ops: Any = None, **settings: Any) -> bytes:
    if data is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = data
        converter.target_spec.supported_ops = ops or [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = borders
    elif ops:
        converter.target_spec.supported_ops = ops
    for name, value in settings.items():
        setattr(converter, name, value)
    return bytes(converter.convert())


def network(*stack: Any, shape: tuple[int, ...] = SHAPE) -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input(shape), *stack])


def conv(channels: int = 4, activation: str | None = "relu", **options: Any) -> Any:
    return layers.Conv2D(channels, 3, activation=activation, bias_initializer="random_normal", **options)


def flat() -> Any:
    return layers.GlobalAveragePooling2D()


def small(*, batch: int = 1, data: Any = None, classes: int = 3, **settings: Any) -> bytes:
    net = network(conv(), flat(), layers.Dense(classes))
    return convert(net, samples(SHAPE) if data is None else data, batch=batch, **settings)


OLD_DENSE = {"_experimental_disable_per_channel_quantization_for_dense_layers": True}


@model
def sound() -> bytes:
    return small(**OLD_DENSE)


@model
def float_model() -> bytes:
    net = network(conv(), flat(), layers.Dense(3))
    return convert(net, None)


@model
def dynamic_range() -> bytes:
    net = network(conv(16), layers.Conv2D(16, 3), flat(), layers.Dense(3))
    return convert(net, None, optimizations=[tf.lite.Optimize.DEFAULT])


@model
def float16_weights() -> bytes:
    net = network(conv(), flat(), layers.Dense(3))
    converter = converter_of(tf.function(net.call), tf.TensorSpec((1, *SHAPE)))
    converter.target_spec.supported_types = [tf.float16]
    return finish(converter, None, optimizations=[tf.lite.Optimize.DEFAULT])


@model
def float_borders() -> bytes:
    return small(borders=tf.float32, **OLD_DENSE)


@model
def elu_island() -> bytes:
    net = network(conv(activation="elu"), flat(), layers.Dense(3))
    return convert(
        net, samples(SHAPE), ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS], **OLD_DENSE
    )


@model
def float_island_refused() -> bytes:
    inputs = keras.Input((16,))
    x = keras.ops.power(layers.Dense(8, "sigmoid")(inputs), layers.Dense(8, "sigmoid")(inputs))
    net = keras.Model(inputs, layers.Dense(3)(x))
    either = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    return convert(net, samples((16,)), ops=either, **OLD_DENSE)


@model
def argmax_int64() -> bytes:
    net = network(conv(), flat(), layers.Dense(3))
    function = tf.function(lambda x: tf.argmax(net(x), axis=1, output_type=tf.int64))
    converter = converter_of(function, tf.TensorSpec((1, *SHAPE)))
    converter.optimizations, converter.representative_dataset = [tf.lite.Optimize.DEFAULT], samples(SHAPE)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return bytes(converter.convert())


@model
def float64_input() -> bytes:
    function = tf.function(lambda x: tf.cast(x, tf.float32) * 2.0)
    made = function.get_concrete_function(tf.TensorSpec((1, 8), tf.float64))
    return finish(tf.lite.TFLiteConverter.from_concrete_functions([made]), None)


@model
def gelu() -> bytes:
    inputs = keras.Input((8,))
    x = keras.activations.gelu(layers.Dense(4)(inputs), approximate=False)
    return convert(keras.Model(inputs, layers.Dense(2)(x)), samples((8,)), **OLD_DENSE)


@model
def flex() -> bytes:
    function = tf.function(lambda x: tf.linalg.inv(x + tf.eye(4)))
    made = function.get_concrete_function(tf.TensorSpec((1, 4, 4)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([made])
    return finish(converter, None, ops=[tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS])


@model
def custom_operator() -> bytes:
    function = tf.function(lambda x: tf.linalg.inv(x + tf.eye(4)))
    made = function.get_concrete_function(tf.TensorSpec((1, 4, 4)))
    return finish(tf.lite.TFLiteConverter.from_concrete_functions([made]), None, allow_custom_ops=True)


@model
def batch_norm_behind_relu() -> bytes:
    norm = layers.BatchNormalization()
    net = network(conv(6), norm, conv(4), flat(), layers.Dense(3))
    norm.set_weights([np.linspace(0.5, 2, 6), np.linspace(-1, 1, 6), np.linspace(0, 1, 6), np.linspace(1, 2, 6)])
    return convert(net, samples(SHAPE), **OLD_DENSE)


@model
def lstm_loop() -> bytes:
    net = network(layers.LSTM(4), layers.Dense(2), shape=(6, 3))
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter._experimental_lower_tensor_list_ops = True
    both = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return finish(converter, None, ops=both)


@model
def gru_loop() -> bytes:
    net = network(layers.GRU(4), layers.Dense(2), shape=(6, 3))
    return convert(net, None)


@model
def lstm_unrolled() -> bytes:
    net = network(layers.LSTM(4, unroll=True), layers.Dense(2), shape=(6, 3))
    return convert(net, samples((6, 3)), **OLD_DENSE)


@model
def keras3_flatten() -> bytes:
    net = network(conv(), layers.Flatten(), layers.Dense(3))
    return finish(tf.lite.TFLiteConverter.from_keras_model(net), samples(SHAPE), **OLD_DENSE)


@model
def open_image_size() -> bytes:
    net = network(conv(), conv(), flat(), layers.Dense(3), shape=(None, None, 2))
    return finish(tf.lite.TFLiteConverter.from_keras_model(net), samples(SHAPE), **OLD_DENSE)


@model
def batch_of_four() -> bytes:
    net = network(conv(), flat(), layers.Dense(3))
    batches = [[np.concatenate([row[0]] * 4)] for row in samples(SHAPE)()]
    return convert(net, lambda: iter(batches), batch=4, **OLD_DENSE)


@model
def channels_first() -> bytes:
    inputs = keras.Input((2, 8, 8))
    x = layers.Permute((2, 3, 1))(inputs)
    x = layers.Permute((3, 1, 2))(conv(4, activation=None)(x))
    x = keras.ops.tanh(x)
    x = conv(3)(layers.Permute((2, 3, 1))(x))
    net = keras.Model(inputs, layers.Permute((3, 1, 2))(x))
    return convert(net, samples((2, 8, 8)))


@model
def softmax_at_the_end() -> bytes:
    return convert(network(conv(), flat(), layers.Dense(3, activation="softmax")), samples(SHAPE), **OLD_DENSE)


@model
def constant_output() -> bytes:
    net = network(conv(), flat(), layers.Dense(3, kernel_initializer="zeros", bias_initializer="ones"))
    return convert(net, samples(SHAPE), **OLD_DENSE)


@model
def unused_input() -> bytes:
    image, other = keras.Input(SHAPE), keras.Input((4,))
    net = keras.Model([image, other], layers.Dense(3)(flat()(conv()(image))))
    return convert(net, samples(SHAPE, (4,)), **OLD_DENSE)


@model
def huge_first_layer() -> bytes:
    net = network(conv(16, padding="same"), layers.MaxPool2D(8), conv(4), flat(), layers.Dense(3), shape=(64, 64, 1))
    return convert(net, samples((64, 64, 1), count=4), **OLD_DENSE)


@model
def per_tensor_convolution() -> bytes:
    net = network(conv(), conv(6), flat(), layers.Dense(3))
    return convert(net, samples(SHAPE), _experimental_disable_per_channel=True)


@model
def per_channel_dense() -> bytes:
    return small()


@model
def one_loud_row() -> bytes:
    net = network(layers.Dense(8), layers.Dense(3), shape=(16,))
    kernel, bias = net.layers[0].get_weights()
    kernel[:, 0] *= 40
    net.layers[0].set_weights([kernel, bias])
    return convert(net, samples((16,)), **OLD_DENSE)


def loud_biases() -> Any:
    net = network(layers.Dense(4), layers.Dense(2), shape=(8,))
    kernel, _ = net.layers[0].get_weights()
    net.layers[0].set_weights([kernel * 1e-4, np.array([3e4, -3e4, 1, 2], np.float32)])
    return net


@model
def weights_dwarfed_by_bias() -> bytes:
    """TensorFlow's converter makes the weights' scale larger until the bias fits: nothing is left of the weights."""
    return convert(loud_biases(), samples((8,), scale=1e-3), **OLD_DENSE)


@model
def bias_beyond_int32() -> bytes:
    """ai-edge-quantizer cuts the bias off."""
    from ai_edge_quantizer import quantizer, recipe

    data = convert(loud_biases(), None)
    made = quantizer.Quantizer(bytearray(with_signature(data)), recipe.static_wi8_ai8())
    rows = [{"x": row[0]} for row in samples((8,), scale=1e-3)()]
    return bytes(made.quantize(made.calibrate({"serving_default": rows})).quantized_model)


def with_signature(data: bytes) -> bytes:
    def change(file: Any) -> None:
        graph, signature = file.subgraphs[0], schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
        signature.inputs[0].name, signature.inputs[0].tensorIndex = "x", graph.inputs[0]
        signature.outputs[0].name, signature.outputs[0].tensorIndex = "y", graph.outputs[0]
        file.signatureDefs = [signature]

    return edited(data, change)


@model
def pruned_channels() -> bytes:
    net = network(conv(8), conv(4), flat(), layers.Dense(3))
    kernel, bias = net.layers[0].get_weights()
    kernel[..., :3] = 0
    bias[:3] = [0.5, 0, 0.25]
    net.layers[0].set_weights([kernel, bias])
    return convert(net, samples(SHAPE), **OLD_DENSE)


@model
def one_weak_sample() -> bytes:
    """One sample of noise near zero: the input's range is then mended, as people do who know that of their sensor."""
    weak = convert(network(conv(), conv(), flat(), layers.Dense(3)), samples(SHAPE, count=1, scale=0.01), **OLD_DENSE)
    return edited(weak, lambda file: _widen_input(file, 100))


@model
def one_black_image() -> bytes:
    black = lambda: iter([[np.zeros((1, *SHAPE), np.float32)]])  # noqa: E731
    return convert(network(conv(), conv(), flat(), layers.Dense(3)), black, **OLD_DENSE)


@model
def two_signatures() -> bytes:
    random = np.random.default_rng(2)
    kernels = [tf.constant(random.normal(size=(8, 4)).astype(np.float32)) for _ in range(2)]
    spec = tf.TensorSpec((1, 8), name="x")
    functions = {
        "encode": tf.function(lambda x: {"y": tf.nn.relu(x @ kernels[0])}, input_signature=[spec]),
        "decode": tf.function(lambda x: {"y": x @ kernels[1]}, input_signature=[spec]),
    }
    rows = [row[0] for row in samples((8,))()]

    def data() -> Iterator[Any]:
        for name in functions:
            for row in rows:
                yield name, {"x": row}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, {name: f.get_concrete_function() for name, f in functions.items()})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        return finish(converter, data, **OLD_DENSE)


@model
def sparse_weights() -> bytes:
    net = network(layers.Dense(32, activation="relu"), layers.Dense(3), shape=(32,))
    for layer in net.layers[:1]:
        kernel, bias = layer.get_weights()
        kernel[np.random.default_rng(0).random(kernel.shape) < 0.9] = 0
        layer.set_weights([kernel, bias])
    converter_options = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    return convert(net, None, optimizations=converter_options)


# -- quantization-aware training -------------------------------------------------------------------------------------


def aware(*, separate: bool) -> bytes:
    import tensorflow_model_optimization as tfmot
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    old = tf_keras.layers
    first = [old.Conv2D(4, 3), old.ReLU()] if separate else [old.Conv2D(4, 3, activation="relu")]
    pooled = [old.Conv2D(4, 3, activation="relu"), old.GlobalAveragePooling2D(), old.Dense(3)]
    net = tf_keras.Sequential([tf_keras.Input(SHAPE), *first, *pooled])
    if not separate:  # weights that reach a twentieth of what the quantizers begin with
        net.layers[0].set_weights([array * 0.05 for array in net.layers[0].get_weights()])
    net = tfmot.quantization.keras.quantize_model(net)
    net.compile(loss="mse", optimizer=tf_keras.optimizers.SGD(1e-3))
    rows = np.concatenate([row[0] for row in samples(SHAPE, count=64)()])
    net.fit(rows, np.zeros((64, 3)), epochs=40 if separate else 1, verbose=0)
    return finish(tf.lite.TFLiteConverter.from_keras_model(net), samples(SHAPE))


@model
def aware_but_untrained() -> bytes:
    return aware(separate=False)


@model
def aware_with_separate_relu() -> bytes:
    return aware(separate=True)


# -- edits -----------------------------------------------------------------------------------------------------------


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The file with its tables changed, packed again."""
    file = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
    change(file)
    builder = flatbuffers.Builder(len(data))
    builder.Finish(file.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def base() -> bytes:
    return (FOLDER / "sound.tflite").read_bytes()


def _widen_input(file: Any, factor: float) -> None:
    graph = file.subgraphs[0]
    graph.tensors[graph.inputs[0]].quantization.scale[0] *= factor
    # Biases are in steps of input times weight.
    (first,) = [op for op in graph.operators if graph.inputs[0] in op.inputs]
    bias = graph.tensors[first.inputs[2]]
    bias.quantization.scale = [scale * factor for scale in bias.quantization.scale]


@model
def uint8_network() -> bytes:
    def change(file: Any) -> None:
        for tensor in file.subgraphs[0].tensors:
            if tensor.type == schema.TensorType.INT8:
                tensor.type = schema.TensorType.UINT8
                tensor.quantization.zeroPoint = [min(zero + 128, 255) for zero in tensor.quantization.zeroPoint]

    return edited(base(), change)


@model
def separate_relu() -> bytes:
    """What a converter writes that fuses nothing."""
    random = np.random.default_rng(3)
    builder = TfliteBuilder()
    image = builder.tensor([1, 6, 6, 2], scale=0.02, name="image")
    filters = builder.tensor([4, 3, 3, 2], scale=[0.01] * 4, data=random.integers(-127, 128, (4, 3, 3, 2), np.int8))
    plain = builder.tensor([1, 4, 4, 4], scale=0.2, name="plain")
    target = builder.tensor([1, 4, 4, 4], scale=0.1, zero_point=-128, name="rectified")
    builder.operator("conv_2d", [image, filters, -1], [plain], padding="valid", stride_w=1, stride_h=1)
    builder.operator("relu", [plain], [target])
    return builder.build([image], [target])


@model
def dead_branch() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOGISTIC
        file.operatorCodes.append(code)
        extra = schema.OperatorT()
        extra.opcodeIndex = len(file.operatorCodes) - 1
        source = graph.tensors[graph.operators[0].outputs[0]]
        copied = schema.TensorT()
        copied.name, copied.shape, copied.type, copied.buffer = "side", list(source.shape), source.type, 0
        copied.quantization = schema.QuantizationParametersT()
        copied.quantization.scale, copied.quantization.zeroPoint = [1 / 256], [-128]
        graph.tensors.append(copied)
        extra.inputs, extra.outputs = [graph.operators[0].outputs[0]], [len(graph.tensors) - 1]
        graph.operators.insert(1, extra)

    return edited(base(), change)


@model
def broken_rule() -> bytes:
    """A softmax whose output has another scale than the one there is."""

    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.outputs[0]].quantization.scale = [0.01]

    return edited((FOLDER / "softmax_at_the_end.tflite").read_bytes(), change)


@model
def newer_operator() -> bytes:
    def change(file: Any) -> None:
        file.operatorCodes[1].builtinCode, file.operatorCodes[1].deprecatedBuiltinCode = 4321, 127

    return edited(base(), change)


@model
def no_operators() -> bytes:
    def change(file: Any) -> None:
        file.subgraphs[0].operators = []

    return edited(base(), change)


@model
def zero_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.operators[0].outputs[0]].quantization.scale = [0.0]

    return edited(base(), change)


@model
def nan_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.operators[0].inputs[1]].quantization.scale[1] = float("nan")

    return edited(base(), change)


@model
def bias_of_another_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        scales = graph.tensors[graph.operators[0].inputs[2]].quantization
        scales.scale = [scale * 1.5 for scale in scales.scale]

    return edited(base(), change)


@model
def asymmetric_weights() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        weights = graph.tensors[graph.operators[0].inputs[1]].quantization
        weights.zeroPoint = [5] * len(weights.scale)

    return edited(base(), change)


@model
def compressed() -> bytes:
    def change(file: Any) -> None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = "COMPRESSION_METADATA", 0
        file.metadata.append(entry)

    return edited(base(), change)


@model
def twice_the_same_weights() -> bytes:
    random = np.random.default_rng(5)
    builder = TfliteBuilder()
    data = random.integers(-127, 128, (16, 16), np.int8)
    key = first = builder.tensor([1, 16], scale=0.1, name="x")
    for name in ("a", "b"):
        weights = builder.tensor([16, 16], scale=0.004, data=data, name=f"weights_{name}")
        target = builder.tensor([1, 16], scale=0.1, name=name)
        builder.operator("fully_connected", [key, weights, -1], [target])
        key = target
    return builder.build([first], [key])


@model
def odd_address() -> bytes:
    """A bias that a writer without alignment has put at an odd address: its vector is moved to the end of the file."""
    data = bytearray(base())
    file = schema.Model.GetRootAs(bytes(data), 0)
    graph = file.Subgraphs(0)
    buffer = file.Buffers(graph.Tensors(graph.Operators(0).Inputs(2)).Buffer())
    field = buffer._tab.Pos + buffer._tab.Offset(4)
    content = buffer.DataAsNumpy().tobytes()
    place = len(data) + (1 - len(data)) % 4
    data += bytes(place - len(data)) + len(content).to_bytes(4, "little") + content
    data[field : field + 4] = (place - field).to_bytes(4, "little")
    return bytes(data)


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, make in MODELS.items():
        if not names or name in names:
            keras.backend.clear_session()  # names of layers count from one
            data = make()
            (FOLDER / f"{name}.tflite").write_bytes(data)
            print(f"{name}: {len(data):,} B", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
