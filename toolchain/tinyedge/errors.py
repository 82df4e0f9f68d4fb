"""The errors a user can meet: a fact, a hint that can be typed, and an exit code."""

from __future__ import annotations


class TinyEdgeError(Exception):
    """A check, a budget or a model failed (exit code 1).

    `what` states the fact with its numbers and units and puts names in backticks;
    `hint` is something the user can type or change; `code` is that of a trouble which `tinyedge explain` describes.
    """

    exit_code = 1

    def __init__(self, what: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return self.what

    def to_json(self) -> dict[str, str]:
        """What a process of its own tells the one that started it; `error_told` reads it."""
        return {"kind": type(self).__name__, "what": self.what, "hint": self.hint, "code": self.code}


class ModelError(TinyEdgeError):
    """The model file is broken, of the wrong type, or holds what no kernel can run."""


class CheckError(TinyEdgeError):
    """A verification, a budget or a memory limit was not met."""


class FitError(CheckError):
    """A model needs more memory than the board has."""


class UsageError(TinyEdgeError):
    """The command line or a configuration file is wrong."""

    exit_code = 2


class ToolError(TinyEdgeError):
    """A tool is missing, or ran and failed."""

    exit_code = 3


class MissingToolError(ToolError):
    """A tool is not installed."""


class DeviceError(TinyEdgeError):
    """A board or an emulator failed, or did not answer in time."""

    exit_code = 4


class InternalError(TinyEdgeError):
    """A defect of tinyedge itself."""

    exit_code = 70


class Interrupted(TinyEdgeError):  # noqa: N818 - a state, not a failure
    """The user pressed Ctrl-C."""

    exit_code = 130


def error_told(told: dict[str, str]) -> TinyEdgeError:
    """The error that a process told by its `to_json`.

    >>> error_told(UsageError("no board", hint="`--board`").to_json()).exit_code
    2
    """
    kind: type[TinyEdgeError] = globals()[told["kind"]]
    return kind(told["what"], hint=told["hint"], code=told.get("code", ""))
