"""Conversion to a full-int8 flatbuffer: int8 input and output, batch fixed to 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def convert_model(model: Any, inputs: Any, count: int) -> bytes:
    """The .tflite of a Keras model; kernels of convolutions are quantized per channel.

    inputs  float32 [N, *input shape]; `count` of them, spread evenly, show the range of each activation. They are
            given for quantization-aware models too: what those leave open would become float operators otherwise.
    """
    import tensorflow as tf

    chosen = np.linspace(0, len(inputs) - 1, min(count, len(inputs))).astype(int)

    def representative() -> Iterator[list[Any]]:
        for index in chosen:
            yield [inputs[index : index + 1]]

    # A concrete function of batch 1: a dynamic batch leaves shape arithmetic in the graph.
    function = tf.function(lambda batch: model(batch, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *inputs.shape[1:]), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())
