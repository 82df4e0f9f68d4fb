"""Builds the native helper with zig on first use. Two processes that build at once both end up with a whole one."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from tinyedge import process
from tinyedge.digests import digest, file_digest
from tinyedge.errors import ToolError
from tinyedge.install import package_command
from tinyedge.paths import cache_dir

SOURCES = tuple(sorted(Path(__file__).with_name("native").glob("*.[ch]")))
_FLAGS = ("-shared", "-O2", "-std=c99", "-fPIC", "-s", "-Wall", "-Wextra", "-Werror")
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_BUILD_TIMEOUT_S = 120.0


def native_helper() -> Path:
    """The shared library with the block hook and the registers, built when the cache has none for these sources.

    Raises: ToolError when zig is missing or fails, or the cache cannot be written
    """
    try:
        zig = metadata.version("ziglang")
    except metadata.PackageNotFoundError as error:
        raise ToolError("`ziglang` is not installed", hint=f"`{package_command('ziglang')}` installs it") from error
    key = digest(file_digest(SOURCES), zig, sys.platform, platform.machine(), *_FLAGS)[:16]
    library = cache_dir() / "unicorn" / f"helper-{key}{_SUFFIX}"
    if not library.is_file():
        _build(library)
    return library


def _build(library: Path) -> None:
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=library.parent, prefix="build-") as folder:
            output = Path(folder) / library.name
            sources = [os.fspath(path) for path in SOURCES if path.suffix == ".c"]
            zig_cache = {"ZIG_GLOBAL_CACHE_DIR": os.fspath(cache_dir() / "zig"), "ZIG_LOCAL_CACHE_DIR": folder}
            command = process.python_module("ziglang", "cc", *_FLAGS, "-o", os.fspath(output), *sources)
            process.run(command, timeout_s=_BUILD_TIMEOUT_S, env=zig_cache)
            output.replace(library)
    except OSError as error:
        raise ToolError(f"the cache folder {library.parent} cannot be written: {error.strerror}") from error
