"""Objects by content: what was compiled once with the same sources, headers, flags and compiler is not compiled again.

The cache is shared by all projects of the user and by builds that run at the same time: an object appears in it
whole, under the digest of everything that determines it, or not at all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from tinyedge import paths, process
from tinyedge.artifacts import FirmwareProject
from tinyedge.build.compiler import CXX_SUFFIXES, Compiler
from tinyedge.cache import user_store
from tinyedge.digests import digest

KEEP_OBJECTS = 4000
"""objects the cache may hold; the least recently used go first"""
_COMPILE_TIMEOUT_S = 300.0
_HEADERS = (".h", ".hpp", ".inc")
_CODE = (".c", ".S", *CXX_SUFFIXES, *_HEADERS)
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*(?:[\"<]([^\">\n]+)[\">]|(\S))", re.MULTILINE)


def object_keys(project: FirmwareProject, compiler: Compiler) -> dict[str, str]:
    """The digest of everything that determines the object of each source."""
    contents = {name: digest(content) for name, content in project.files.items()}
    code = [name for name in project.files if name.endswith(_CODE)]
    graph = {name: _includes(project, name) for name in code}
    keys = {}
    for source in project.sources:
        command = [*compiler.driver[1:], *compiler.source_flags(source, project.include_dirs, project.library)]
        files = sorted(_reachable(graph, source))
        parts = [part for name in files for part in (name, contents[name])]
        keys[source] = digest(compiler.identity, str(len(command)), *command, source, *parts)
    return keys


def _includes(project: FirmwareProject, name: str) -> frozenset[str]:
    """Files of the project that a file may include, whatever its #if say; all headers when a macro names the file.

    A library's files include files of the library alone, so its objects serve other projects too.
    """
    library = project.library
    foreign = library is not None and name in library.files
    files = library.files if library is not None and foreign else project.files
    folders = (() if foreign else project.include_dirs) + (library.include_dirs if library is not None else ())
    found = set()
    for match in _INCLUDE.finditer(project.files[name]):
        if match[1] is None:
            return frozenset(other for other in files if other.endswith(_HEADERS))
        wanted = match[1].decode("utf-8", "replace")
        for folder in (posixpath.dirname(name), *folders):
            candidate = posixpath.normpath(posixpath.join(folder, wanted))
            if candidate in files:
                found.add(candidate)
    return frozenset(found)


def _reachable(graph: dict[str, frozenset[str]], start: str) -> set[str]:
    seen = {start}
    pending = [start]
    while pending:
        for name in graph.get(pending.pop(), frozenset()) - seen:
            seen.add(name)
            pending.append(name)
    return seen


def compile_objects(
    project: FirmwareProject,
    folder: Path,
    compiler: Compiler,
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, bytes]:
    """The object of each source, compiled in `folder` where the cache does not have it.

    Raises: ToolError with the compiler's words when a source does not compile; UsageError when the cache cannot be
    written, or others can write it
    """
    cache = user_store(paths.cache_dir() / "objects", ".o")
    keys = object_keys(project, compiler)
    objects = {source: data for source, key in keys.items() if (data := cache.get(key)) is not None}
    missing = [source for source in project.sources if source not in objects]
    partials = [paths.partial_of(cache.path(keys[source])) for source in missing]
    done = len(objects)
    if progress is not None:
        progress(done, len(project.sources))

    def store(index: int, _: process.Completed) -> None:
        nonlocal done
        source = missing[index]
        objects[source] = partials[index].read_bytes()
        cache.put(keys[source], objects[source])
        partials[index].unlink()
        done += 1
        if progress is not None:
            progress(done, len(project.sources))

    if not missing:
        return objects
    try:
        with compiler.at_work() as env:
            process.run_parallel(
                [
                    compiler.compile_command(source, str(partial), project.include_dirs, project.library)
                    for source, partial in zip(missing, partials, strict=True)
                ],
                jobs=jobs,
                timeout_s=_COMPILE_TIMEOUT_S,
                on_done=store,
                cwd=folder,
                env=env,
                inherit=False,
            )
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)
    cache.trim(KEEP_OBJECTS)
    return objects
