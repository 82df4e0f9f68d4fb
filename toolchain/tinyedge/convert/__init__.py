"""Models of other worlds brought in: float .tflite, Keras, ONNX, PyTorch to full int8, compared with their source.

One front a file, found by discovery; behind all of them one quantizer. Converters run in a child process alone
(`tinyedge.convert.worker`); importing this package imports none of them.

`tinyedge.convert(model, data)` is `tinyedge.convert.api.convert_model`.
"""

from tinyedge.convert.api import convert_model
from tinyedge.convert.contract import DEFAULTS, Settings, model_of
from tinyedge.convert.conversion import convert, front_of
from tinyedge.convert.layer_types import TYPES
from tinyedge.convert.source import DATA_PAGE, recognize, refuse

__all__ = [
    "DATA_PAGE",
    "DEFAULTS",
    "TYPES",
    "Settings",
    "convert",
    "convert_model",
    "front_of",
    "model_of",
    "recognize",
    "refuse",
]
