"""The default compiler: `zig cc` of the wheel `ziglang`, clang and lld without any set-up."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyedge import process
from tinyedge.boards import Core
from tinyedge.build.compiler import Compiler
from tinyedge.build.flags import zig_flags
from tinyedge.errors import ToolError
from tinyedge.install import package_command
from tinyedge.zig_cache import zig_cache


@dataclass(frozen=True)
class _Zig(Compiler):
    """zig, which needs a cache, and for a link the libraries that it made for such a link before."""

    @contextlib.contextmanager
    def at_work(self, *, linking: bool = False) -> Iterator[Mapping[str, str]]:
        use = (self.identity, *self.driver, *self.flags.link, *self.flags.library_link) if linking else ()
        with zig_cache(*use) as env:
            yield env


def zig_compiler(core: Core) -> Compiler:
    """zig set up for a core. Raises: ToolError when it is not installed."""
    driver = _driver()
    return _Zig("zig", f"zig {_version(driver)}", (*driver, "cc"), zig_flags(core), cxx_driver=(*driver, "c++"))


def _driver() -> tuple[str, ...]:
    """The program inside the wheel, called directly because a Python in between doubles the time of a compilation."""
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("zig", "zig.exe"):
            if (Path(folder) / name).is_file():
                return (str(Path(folder) / name),)
    return tuple(process.python_module("ziglang"))


@functools.cache
def _version(driver: tuple[str, ...]) -> str:
    text = process.run([*driver, "version"], timeout_s=60, inherit=False).stdout.strip()
    if not text:
        raise ToolError(f"`{driver[0]}` does not say its version", hint=f"`{package_command('ziglang')}` installs it")
    return text
