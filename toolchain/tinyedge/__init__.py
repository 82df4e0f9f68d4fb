"""From a Keras recipe or any trained model to measured firmware on a microcontroller.

`tinyedge.convert(model, data)` is the way in for Python: see `tinyedge.convert.api`. It is imported when it is used.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "convert":
        import importlib

        return importlib.import_module("tinyedge.convert")
    raise AttributeError(f"module `tinyedge` has no attribute `{name}`")
