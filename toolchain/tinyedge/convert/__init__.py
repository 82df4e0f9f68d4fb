"""Models of other worlds brought in: float .tflite, Keras, ONNX, PyTorch to full int8, compared with their source.

One front a file, found by discovery; behind all of them one quantizer. Converters run in a child process alone
(`tinyedge.convert.worker`); importing this package imports none of them.
"""

from tinyedge.convert.contract import DEFAULTS, Settings
from tinyedge.convert.conversion import convert, front_of
from tinyedge.convert.layer_types import TYPES
from tinyedge.convert.source import DATA_PAGE, recognize, refuse

__all__ = ["DATA_PAGE", "DEFAULTS", "TYPES", "Settings", "convert", "front_of", "recognize", "refuse"]
