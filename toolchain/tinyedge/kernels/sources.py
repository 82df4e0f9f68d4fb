"""Runtime sources: file stems that kernels name, resolved to C files, those of the core's folder first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tinyedge.boards import Isa
from tinyedge.errors import InternalError
from tinyedge.paths import templates_dir

_FEATURES = "features"
"""folder under firmware_templates/ whose files serve all cores, as those of runtime/portable do"""
_FOLDERS: dict[Isa, tuple[str, ...]] = {
    Isa.ARMV6M: ("armv6m", "portable"),
    Isa.ARMV7M: ("portable",),
    Isa.ARMV7EM: ("armv7em", "portable"),
    Isa.ARMV8M_DSP: ("armv7em", "portable"),
    Isa.ARMV81M: ("armv81m", "armv7em", "portable"),
    Isa.RV32IMC: ("rv32", "portable"),
    Isa.NATIVE: ("portable",),
}
"""folders under firmware_templates/runtime/, the first that has a file wins"""

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def runtime_files(stems: Iterable[str], isa: Isa) -> dict[str, bytes]:
    """The files of some stems and all headers they include, name -> content, sorted by name.

    A stem is a `.c` with a `.h`, or one of them alone; each file is taken from the folder of the core that has it,
    so that a core can override a single header or function.

    Raises: InternalError when a stem has no file, or an included header is missing
    """
    found: dict[str, bytes] = {}
    wanted: list[str] = []
    for stem in stems:
        names = [name for name in (f"{stem}.c", f"{stem}.h") if _find(name, isa)]
        if not names:
            raise InternalError(f"no runtime file `{stem}.c` or `{stem}.h` for {isa.value} cores")
        wanted += names
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        path = _find(name, isa)
        if path is None:
            raise InternalError(f"runtime header `{name}` is missing for {isa.value} cores")
        found[name] = path.read_bytes()
        wanted += _INCLUDE.findall(found[name].decode())
    return dict(sorted(found.items()))


def _find(name: str, isa: Isa) -> Path | None:
    root = templates_dir()
    folders = (*(root / "runtime" / folder for folder in _FOLDERS[isa]), root / _FEATURES)
    return next((path for folder in folders if (path := folder / name).is_file()), None)
