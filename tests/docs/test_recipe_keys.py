"""docs/recipe-keys.md is what the types say, and they say of every key what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.recipe_keys import PAGE, page

from tinyedge.data import DataTable
from tinyedge.features import KINDS
from tinyedge.table_keys import Key, describe_keys
from tinyedge.table_text import Explained, Kinds, toml_text
from tinyedge.train.recipe import RecipeFile


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m benchmarks.recipe_keys"


def test_every_key_has_a_sentence() -> None:
    for kind in (RecipeFile, DataTable, *KINDS.values()):
        assert [key.name for key in describe_keys(kind) if not key.doc] == [], kind.__name__


@dataclass(frozen=True)
class Inner:
    """A table."""

    size: int = 3
    """how large"""


@dataclass(frozen=True)
class Outer:
    needed: int
    """in two
    lines"""
    colour: Literal["red", "green"] = "red"
    """which"""
    place: Path | None = None
    inner: Inner = field(default_factory=Inner)
    """what is inside"""
    kinds: tuple[dict[str, int], ...] = ()
    """of several"""


def test_keys_are_described_from_their_types() -> None:
    assert describe_keys(Outer)[:3] == (
        Key("needed", "whole number", "", True, "in two lines"),
        Key("colour", '"red" or "green"', '"red"', False, "which"),
        Key("place", "path", "", False, ""),
    )


def test_a_file_explains_what_is_set_and_what_is_not() -> None:
    said = Explained(
        {"needed": 1, "kinds": [{"kind": "a", "size": 4}]},
        {"needed": "because", "kinds.a.size": "so"},
        {"kinds": Kinds("kind", {"a": Inner, "b": Inner})},
    )
    assert toml_text(Outer, said) == (
        "# in two lines (whole number)\n# -> because\nneeded = 1\n"
        '# which ("red" or "green")\n# colour = "red"\n'
        "# path\n# place = ...\n\n"
        "# [inner]: what is inside\n# [inner]\n# how large (whole number)\n# size = 3\n\n"
        '# [kinds]: of several\n[[kinds]]\nkind = "a"\n# how large (whole number)\n# -> so\nsize = 4\n\n'
        '# [[kinds]]\n# kind = "b"\n# how large (whole number)\n# size = 3\n'
    )
