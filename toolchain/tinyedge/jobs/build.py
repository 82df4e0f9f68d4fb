"""The firmware of a model for a board: a project folder and its image, below `<build folder>/<model>/`.

Compiled objects are kept by content in the user's cache.
"""

from __future__ import annotations

from tinyedge.artifacts import Built, Observer
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare_with_runtime


def build(choices: Choices, observer: Observer) -> Built:
    """The firmware project and its image."""
    runtime, prepared = prepare_with_runtime(choices, observer)
    return runtime.build(prepared, choices.compiler, choices.build_dir, observer)
