"""What zig finds in its cache: nothing, or the libraries that were made for the same use, to the last bit."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tinyedge.zig_cache import zig_cache

LIBRARY = bytes(range(256)) * 40
USE = ("zig 1.2.3", "-target", "thumb")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "zig-libraries"


def work(env: Mapping[str, str]) -> bytes | None:
    """Do what zig does for a link: make a library if there is none. Returns the one it found."""
    folder = Path(env["ZIG_GLOBAL_CACHE_DIR"])
    assert env["ZIG_LOCAL_CACHE_DIR"] == str(folder)
    library = folder / "o" / "0123" / "libcompiler_rt.a"
    if library.exists():
        return library.read_bytes()
    for name in ("h/manifest", "z/parsed.zig", "tmp/x", "o/0123/compiler_rt_zcu.o", "o/0123/libcompiler_rt.a"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(LIBRARY if name.endswith(".a") else b"other")
    return None


def link() -> bytes | None:
    with zig_cache(*USE) as env:
        return work(env)


def test_a_library_is_made_once_for_each_use(cache: Path) -> None:
    assert link() is None
    assert link() == LIBRARY
    with zig_cache("another", *USE[1:]) as env:
        assert work(env) is None
    with zig_cache() as env:
        assert work(env) is None, "what only compiles finds nothing"
    assert len(list(cache.iterdir())) == 2, "two uses, and no folder left"


def test_what_serves_to_make_a_library_is_not_kept() -> None:
    link()
    with zig_cache(*USE) as env:
        folder = Path(env["ZIG_GLOBAL_CACHE_DIR"])
        kept = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert kept == ["h/manifest", "o/0123/libcompiler_rt.a"]


def test_what_zig_made_to_run_can_be_run_again() -> None:
    """Its objcopy is a program that it compiles for itself."""
    with zig_cache(*USE) as env:
        program = Path(env["ZIG_GLOBAL_CACHE_DIR"]) / "o" / "4567" / "objcopy"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nexit 7\n")
        program.chmod(0o755)
    with zig_cache(*USE) as env:
        again = Path(env["ZIG_GLOBAL_CACHE_DIR"]) / "o" / "4567" / "objcopy"
        assert subprocess.run([again], check=False).returncode == 7


def test_damage_in_a_cache_in_use_reaches_nobody_else() -> None:
    link()
    with zig_cache(*USE) as env:
        (library,) = Path(env["ZIG_GLOBAL_CACHE_DIR"]).rglob("*.a")
        library.write_bytes(LIBRARY[::-1])
    assert link() == LIBRARY


def test_a_damaged_entry_is_made_again(cache: Path) -> None:
    link()
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    at = whole.index(LIBRARY)
    for damaged in (b"", whole[: len(whole) // 2], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
        entry.write_bytes(damaged)
        assert link() is None
        assert link() == LIBRARY


def test_a_link_that_fails_keeps_nothing(cache: Path) -> None:
    def interrupted() -> None:
        with zig_cache(*USE) as env:
            work(env)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(cache.iterdir()) == []
