"""From a Keras recipe or any trained model to measured firmware on a microcontroller.

For Python: `tinyedge.convert`, `.train`, `.check`, `.build`, `.run`, `.verify` and what they give, all described in
`tinyedge.api`. That is imported when it is first used.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyedge.api import Built as Built
    from tinyedge.api import Diagnosis as Diagnosis
    from tinyedge.api import QuantizedModel as QuantizedModel
    from tinyedge.api import Recipe as Recipe
    from tinyedge.api import Report as Report
    from tinyedge.api import TinyEdgeError as TinyEdgeError
    from tinyedge.api import build as build
    from tinyedge.api import check as check
    from tinyedge.api import convert as convert
    from tinyedge.api import run as run
    from tinyedge.api import train as train
    from tinyedge.api import verify as verify

__version__ = "0.1.0"

_API = (
    *("Built", "Diagnosis", "QuantizedModel", "Recipe", "Report", "TinyEdgeError"),
    *("build", "check", "convert", "run", "train", "verify"),
)


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module `tinyedge` has no attribute `{name}`")
    from tinyedge import api

    return sys.modules.get(f"{__name__}.{name}") or getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})


class _Room(ModuleType):
    """A package that has the name of a function of the API: calling it calls that."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from tinyedge import api

        return getattr(api, self.__name__.rpartition(".")[2])(*arguments, **options)


class _TinyEdge(ModuleType):
    """This package: whoever imports a room first, it can be called as the function of its name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _API and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _TinyEdge
