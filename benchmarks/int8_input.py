"""`python -m benchmarks.int8_input MODEL.tflite FILE.tflite`: a quantized model without the quantization in front.

Of a float32 input that an operator turns into int8 at once, the int8 tensor becomes the input: what the network computes
stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(epilog="Example: python -m benchmarks.int8_input mcunet_vww.tflite vww_int8.tflite")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def main(model: Path, file: Path) -> None:
    """Write MODEL with an int8 input to FILE."""
    file.write_bytes(with_int8_input(model.read_bytes()))


def with_int8_input(data: bytes) -> bytes:
    """The .tflite whose inputs are what its first operators make of them. Raises: ValueError where these do not."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph = model.subgraphs[0]
    # Old files have the code in a field of one byte.
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    quantized = {
        int(operator.inputs[0]): int(operator.outputs[0])
        for operator in graph.operators
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.QUANTIZE
    }
    given = [int(key) for key in graph.inputs]
    if not given or any(key not in quantized for key in given):
        raise ValueError("not every input of the model is quantized by its first operators")
    graph.operators = [operator for operator in graph.operators if int(operator.inputs[0]) not in given]
    graph.inputs = [quantized[key] for key in given]
    model.signatureDefs = []
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


if __name__ == "__main__":
    main()
