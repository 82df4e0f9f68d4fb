"""The firmware of one or several models for a board: a project folder and its image, below `<build folder>/<model>/`.

Compiled objects are kept by content in the user's cache.
"""

from __future__ import annotations

from dataclasses import replace

from tinyedge.artifacts import Built, Observer
from tinyedge.errors import UsageError
from tinyedge.generate.joint import check_distinct
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare_with_runtime


def build(choices: Choices, observer: Observer) -> Built:
    """The firmware project and its image; of several models, what it is to the first."""
    return build_each(choices, observer)[0]


def build_each(choices: Choices, observer: Observer) -> tuple[Built, ...]:
    """One firmware, and what it is to each of its models, in the order they were chosen.

    Raises: UsageError when two have the same name in C, or the runtime or the protocol takes one only
    """
    if choices.protocol == "mlperf":
        if choices.runtime != "aot":
            raise UsageError("`--protocol mlperf` is for the runtime `aot`", hint="leave `--runtime` out")
        if choices.others:
            raise UsageError("the protocol `mlperf` is about one model", hint="build each by itself")
        choices = replace(choices, keep_inputs=True)  # they are loaded once for many inferences
    pairs = [prepare_with_runtime(chosen, observer) for chosen in choices.of_each_model()]
    runtime, prepared = pairs[0][0], [each for _, each in pairs]
    if not choices.others:
        return (runtime.build(prepared[0], choices.compiler, choices.build_dir, observer, protocol=choices.protocol),)
    check_distinct([each.model.name for each in prepared])
    return runtime.build_joint(
        [replace(each, budget=None) for each in prepared],  # a budget is of a firmware of its model alone
        choices.compiler,
        choices.build_dir,
        observer,
        shared_arena=choices.arena == "shared",
    )
