"""The firmware of a model for a board: a project folder and its image, below `<build folder>/<model>/`.

Compiled objects are kept by content in the user's cache.
"""

from __future__ import annotations

from tinyedge.artifacts import Built, Observer
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.runtimes import make_runtime


def build(choices: Choices, observer: Observer) -> Built:
    """The firmware project and its image."""
    runtime = make_runtime(choices.runtime, choices.tflm)
    prepared = prepare(choices, observer, runtime)
    return runtime.build(prepared, choices.compiler, choices.build_dir, observer)
