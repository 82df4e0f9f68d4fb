"""`python -m benchmarks.mobilenet FILE.tflite`: MobileNetV2 0.35 at 160x160 in int8, with weights drawn by lot.

What the memory of a network of this kind needs does not depend on what it was trained for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

SIZE, ALPHA, CLASSES, SEED = 160, 0.35, 10, 1
_SAMPLES = 8


@click.command(epilog="Example: python -m benchmarks.mobilenet mobilenet_v2.tflite")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def main(file: Path) -> None:
    """Write the network to FILE."""
    file.write_bytes(make_network())


def make_network() -> bytes:
    """The .tflite, int8 from end to end."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(SEED)
    shape = (SIZE, SIZE, 3)
    model = tf_keras.applications.MobileNetV2(shape, ALPHA, weights=None, classes=CLASSES, classifier_activation=None)
    chance = np.random.default_rng(SEED)

    def representative() -> Any:
        for _ in range(_SAMPLES):
            yield [chance.uniform(-1, 1, (1, SIZE, SIZE, 3)).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


if __name__ == "__main__":
    main()
