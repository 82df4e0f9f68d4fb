"""C compiled for this machine with zig on first use, and kept: what tinyedge loads into its own process."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from tinyedge import process
from tinyedge.cache import user_store
from tinyedge.digests import digest
from tinyedge.errors import ToolError, UsageError
from tinyedge.install import package_command
from tinyedge.paths import cache_dir, scratch_folder, write_changed
from tinyedge.zig_cache import zig_cache

_FLAGS = ("-shared", "-O2", "-std=c99", "-fPIC", "-s", "-Wall", "-Wextra", "-Werror")
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_BUILD_TIMEOUT_S = 120.0


def shared_library(name: str, sources: Mapping[str, bytes]) -> Path:
    """The shared library of some sources, built when the cache has none for these. Two processes that build at once
    both end up with a whole one.

    name     of a folder in the user's cache, and what the file's name begins with
    sources  name of a .c or .h -> content, all in one folder

    The file is compared with the checked entry of the cache each time, because what lies in it is loaded and run.

    Raises: ToolError when zig is missing or fails, or the cache cannot be written
    """
    try:
        zig = metadata.version("ziglang")
    except metadata.PackageNotFoundError as error:
        raise ToolError("`ziglang` is not installed", hint=f"`{package_command('ziglang')}` installs it") from error
    content = (part for path, text in sorted(sources.items()) for part in (path, text))
    key = digest(*content, zig, sys.platform, platform.machine(), *_FLAGS)
    try:
        store = user_store(cache_dir() / name)
    except UsageError as error:
        if isinstance(error.__cause__, OSError):  # nobody can be harmed where nothing can be kept
            raise ToolError(error.what, hint=error.hint) from error
        raise
    try:
        built = store.get(key)
        if built is None:
            built = _build(name, sources, store.folder, zig)
            store.put(key, built)
        library = store.folder / f"{name}-{digest(built)[:16]}{_SUFFIX}"
        write_changed(library, built)
    except OSError as error:
        raise ToolError(f"the cache folder {store.folder} cannot be written: {error.strerror}") from error
    return library


def _build(name: str, sources: Mapping[str, bytes], within: Path, zig: str) -> bytes:
    with scratch_folder(name, within) as folder, zig_cache(zig, *_FLAGS) as env:
        for path, text in sources.items():
            (folder / path).write_bytes(text)
        output = folder / f"library{_SUFFIX}"
        compiled = [os.fspath(folder / path) for path in sorted(sources) if path.endswith(".c")]
        command = process.python_module("ziglang", "cc", *_FLAGS, "-o", os.fspath(output), *compiled)
        process.run(command, timeout_s=_BUILD_TIMEOUT_S, env=env, inherit=False)
        return output.read_bytes()
