"""The functions in assembler that kernels emit: `<name>_kernels.S`, and the header by which C knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyedge.errors import InternalError
from tinyedge.generate.render import comment_text, render
from tinyedge.kernels.contract import AsmFunction, Offsets


def assembler_files(
    functions: Iterable[AsmFunction], model: str, c: str, core: str, feature: str = ""
) -> dict[str, bytes]:
    """`<c>_kernels.S` and `.h` with each function once, in order; no files when there is no function.

    c        the model's name in C
    feature  macro that compilers define for cores that can run it

    Raises: InternalError when two that differ have one name, be they functions or `Offsets`
    """
    found: dict[str, AsmFunction] = {}
    for function in functions:
        if found.setdefault(function.name, function) != function:
            raise InternalError(f"two functions in assembler have the name `{function.name}`")
    if not found:
        return {}
    values: dict[str, Any] = {
        "model": comment_text(model),
        "c": c,
        "C": c.upper(),
        "core": core,
        "feature": feature,
        "functions": list(found.values()),
    }
    offsets: dict[str, Offsets] = {}
    for each in (each for function in found.values() for each in function.offsets):
        if offsets.setdefault(each.name, each) != each:
            raise InternalError(f"functions in assembler find members of `{each.name}` in different places")
    structs = sorted((each for each in offsets.values() if each.header), key=lambda each: each.name)
    headers = sorted({each.header for each in structs})
    listed = [offsets[name] for name in sorted(offsets)]
    return {
        f"{c}_kernels.S": render("model_kernels.S.j2", folder="library", **values),
        f"{c}_kernels.h": render(
            "model_kernels.h.j2", folder="library", **values, offsets=listed, structs=structs, headers=headers
        ),
    }
