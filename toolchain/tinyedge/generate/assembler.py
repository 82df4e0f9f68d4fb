"""The functions in assembler that kernels emit: te_model_kernels.S, and the header by which C knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyedge.errors import InternalError
from tinyedge.generate.render import comment_text, render
from tinyedge.kernels.contract import AsmFunction, Offsets

STEM = "te_model_kernels"
HEADER = f"{STEM}.h"
SOURCE = f"{STEM}.S"


def assembler_files(functions: Iterable[AsmFunction], model: str, core: str) -> dict[str, bytes]:
    """SOURCE and HEADER with each function once, in order; no files when there is no function.

    Raises: InternalError when two that differ have one name, be they functions or `Offsets`
    """
    found: dict[str, AsmFunction] = {}
    for function in functions:
        if found.setdefault(function.name, function) != function:
            raise InternalError(f"two functions in assembler have the name `{function.name}`")
    if not found:
        return {}
    values: dict[str, Any] = {"model": comment_text(model), "core": core, "functions": list(found.values())}
    offsets: dict[str, Offsets] = {}
    for each in (each for function in found.values() for each in function.offsets):
        if offsets.setdefault(each.name, each) != each:
            raise InternalError(f"functions in assembler find members of `{each.name}` in different places")
    structs = sorted((each for each in offsets.values() if each.header), key=lambda each: each.name)
    headers = sorted({each.header for each in structs})
    listed = [offsets[name] for name in sorted(offsets)]
    return {
        SOURCE: render(f"{SOURCE}.j2", **values),
        HEADER: render(f"{HEADER}.j2", **values, offsets=listed, structs=structs, headers=headers),
    }
