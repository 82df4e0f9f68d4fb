"""Builds the native helper with zig on first use. Two processes that build at once both end up with a whole one."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from tinyedge import process
from tinyedge.cache import user_store
from tinyedge.digests import digest, file_digest
from tinyedge.errors import ToolError, UsageError
from tinyedge.install import package_command
from tinyedge.paths import cache_dir, scratch_folder, write_changed
from tinyedge.zig_cache import zig_cache

SOURCES = tuple(sorted(Path(__file__).with_name("native").glob("*.[ch]")))
_FLAGS = ("-shared", "-O2", "-std=c99", "-fPIC", "-s", "-Wall", "-Wextra", "-Werror")
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_BUILD_TIMEOUT_S = 120.0


def native_helper() -> Path:
    """The shared library with the block hook and the registers, built when the cache has none for these sources.

    Its file is compared with the checked entry of the cache each time, because what lies in it is loaded and run.

    Raises: ToolError when zig is missing or fails, or the cache cannot be written
    """
    try:
        zig = metadata.version("ziglang")
    except metadata.PackageNotFoundError as error:
        raise ToolError("`ziglang` is not installed", hint=f"`{package_command('ziglang')}` installs it") from error
    key = digest(file_digest(SOURCES), zig, sys.platform, platform.machine(), *_FLAGS)
    try:
        store = user_store(cache_dir() / "unicorn")
    except UsageError as error:
        if isinstance(error.__cause__, OSError):  # nobody can be harmed where nothing can be kept
            raise ToolError(error.what, hint=error.hint) from error
        raise
    try:
        built = store.get(key)
        if built is None:
            built = _build(store.folder, zig)
            store.put(key, built)
        library = store.folder / f"helper-{digest(built)[:16]}{_SUFFIX}"
        write_changed(library, built)
    except OSError as error:
        raise ToolError(f"the cache folder {store.folder} cannot be written: {error.strerror}") from error
    return library


def _build(within: Path, zig: str) -> bytes:
    with scratch_folder("helper", within) as folder, zig_cache(zig, *_FLAGS) as env:
        output = folder / f"helper{_SUFFIX}"
        sources = [os.fspath(path) for path in SOURCES if path.suffix == ".c"]
        command = process.python_module("ziglang", "cc", *_FLAGS, "-o", os.fspath(output), *sources)
        process.run(command, timeout_s=_BUILD_TIMEOUT_S, env=env, inherit=False)
        return output.read_bytes()
