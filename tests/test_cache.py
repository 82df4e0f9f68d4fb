"""Entries of a cache: whatever happens to their files, what is read is what was put, or nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyedge import paths
from tinyedge.cache import Store, user_store
from tinyedge.errors import UsageError

CONTENTS = bytes(range(256)) * 3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "kept", ".x")
    made.put("key", CONTENTS)
    return made


def test_what_is_put_is_got(store: Store) -> None:
    assert store.get("key") == CONTENTS
    assert store.get("other") is None
    store.put("empty", b"")
    assert store.get("empty") == b""


def test_every_flipped_bit_is_seen(store: Store) -> None:
    path = store.path("key")
    whole = path.read_bytes()
    draw = random.Random(0)
    for at in (0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(200))):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert store.get("key") is None, at


def test_every_length_is_seen(store: Store) -> None:
    path = store.path("key")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.get("key") is None, length
    path.write_bytes(whole + b"\n")
    assert store.get("key") is None


def test_an_entry_under_another_name_is_none(store: Store) -> None:
    store.path("key").rename(store.path("other"))
    assert store.get("other") is None


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "objects"
    assert user_store(folder).folder == folder
    assert folder.stat().st_mode & 0o077 == 0
    for path in (folder, folder.parent):
        for mode in (0o777, 0o770):
            path.chmod(mode)
            with pytest.raises(UsageError, match="can be written by others") as caught:
                user_store(folder)
            assert f"chmod go-w {path}" in caught.value.hint
        path.chmod(0o700)
    user_store(folder)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TINYEDGE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    assert paths.cache_dir() == Path("/home/me/.cache/tinyedge")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.cache_dir() == Path("/home/me/.cache/tinyedge")
    monkeypatch.setenv("XDG_CACHE_HOME", "/other")
    assert paths.cache_dir() == Path("/other/tinyedge")
    monkeypatch.setenv("TINYEDGE_CACHE", "mine")
    assert paths.cache_dir() == Path("mine")


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("TINYEDGE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(UsageError, match="no place for the cache") as caught:
        paths.cache_dir()
    assert "TINYEDGE_CACHE" in caught.value.hint


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    token = paths.owner_token()
    dead = token.replace(f"-{os.getpid()}-", f"-{ended_process()}-")
    (tmp_path / f"model.tflite.{dead}.part").touch()
    (tmp_path / f"tinyedge-oracle-{dead}.tmp" / "deep").mkdir(parents=True)
    kept = [f"model.tflite.{token}.part", f"tinyedge-oracle-{token}.tmp", "notes.part", "tinyedge-oracle-mine"]
    for name in kept:
        (tmp_path / name).touch()
    paths.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_what_another_machine_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    _, process, lot = paths.owner_token().split("-")
    young, old = (tmp_path / f"{name}.0123abcd-{process}-{lot}.part" for name in ("young", "old"))
    young.touch()
    old.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    paths.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [young.name]
