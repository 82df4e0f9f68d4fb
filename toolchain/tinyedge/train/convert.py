"""Conversion to a flatbuffer of integers: int8 or int16 inputs (int32 of tokens) and outputs, batch fixed to 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from tinyedge.train.matching import one_or_all
from tinyedge.train.unread_results import all_results_read

Activations = Literal["int8", "int16"]


def convert_model(model: Any, inputs: Sequence[Any], count: int, activations: Activations = "int8") -> bytes:
    """The .tflite of a Keras model; kernels of convolutions are quantized per channel.

    inputs  one array [N, *input shape] for each input; `count` samples, spread evenly, show the range of each
            activation. They are given for quantization-aware models too: what those leave open would become float
            operators otherwise.
    """
    import tensorflow as tf

    chosen = np.linspace(0, len(inputs[0]) - 1, min(count, len(inputs[0]))).astype(int)

    names = ["batch", *(f"batch_{index}" for index in range(1, len(inputs)))]

    def representative() -> Iterator[Any]:
        for index in chosen:
            # By name: the converter puts inputs into an order of its own.
            yield {name: array[index : index + 1] for name, array in zip(names, inputs, strict=True)}

    # A concrete function of batch 1: a dynamic batch leaves shape arithmetic in the graph.
    function = tf.function(lambda *batches: model(one_or_all(batches), training=False))
    concrete = function.get_concrete_function(
        *(
            tf.TensorSpec((1, *array.shape[1:]), array.dtype, name=name)
            for name, array in zip(names, inputs, strict=True)
        )
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if activations == "int8" else wide]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, activations)
    with all_results_read():
        tflite = bytes(converter.convert())
    return in_order_of_signature(tflite)


def in_order_of_signature(tflite: bytes) -> bytes:
    """The same flatbuffer with inputs and outputs in the order of the Keras model, which its signature tells."""
    from ai_edge_litert.schema_py_generated import Model

    data = bytearray(tflite)
    parsed = Model.GetRootAs(data)
    if parsed.SignatureDefsLength():
        signature, graph = parsed.SignatureDefs(0), parsed.Subgraphs(0)
        inputs = [signature.Inputs(i) for i in range(signature.InputsLength())]
        outputs = [signature.Outputs(i) for i in range(signature.OutputsLength())]
        for order, tensors in ((graph.InputsAsNumpy(), inputs), (graph.OutputsAsNumpy(), outputs)):
            if len(tensors) == len(order):
                order[:] = [tensor.TensorIndex() for tensor in sorted(tensors, key=_number)]
    return bytes(data)


def _number(tensor: Any) -> int:
    """The number at the end of the name of an input or output in a signature, as of `batch_1`."""
    digits = re.search(rb"_([0-9]+)$", tensor.Name())
    return int(digits[1]) if digits else 0
