"""The reader of tables: what fits becomes a dataclass, what does not is named by its whole key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from tinyedge.tables import TableError, read_table, read_toml, require_range


@dataclass(frozen=True)
class Wheel:
    size: float
    kind: Literal["front", "back"] = "front"
    spokes: int | None = None

    def __post_init__(self) -> None:
        require_range("size", self.size, 0.5, 3)


@dataclass(frozen=True, kw_only=True)
class Cart:
    name: str
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    by_place: dict[str, Wheel] = field(default_factory=dict)
    extras: dict[str, int | bool] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    manual: Path | None = None


def test_every_kind_of_value_arrives() -> None:
    table = {
        "name": "n",
        "wheels": [{"size": 1}, {"size": 2.5, "kind": "back"}],
        "spare": {"size": 1, "spokes": 12},
        "by_place": {"left": {"size": 1}},
        "extras": {"bell": True, "bags": 2},
        "tags": ["a"],
        "manual": "doc/cart.pdf",
    }
    cart = read_table(Cart, table)
    assert cart == Cart(
        name="n",
        wheels=(Wheel(1.0), Wheel(2.5, "back")),
        spare=Wheel(1.0, spokes=12),
        by_place={"left": Wheel(1.0)},
        extras={"bell": True, "bags": 2},
        tags=["a"],
        manual=Path("doc/cart.pdf"),
    )
    assert isinstance(cart.wheels[0].size, float)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"namee": "n"}, "unknown key `namee`; did you mean `name`?"),
        ({"name": "n", "xyz": 1}, "unknown key `xyz`; known are `name`, `wheels`, `spare`"),
        ({}, "key `name` is missing"),
        ({"name": 3}, "`name` is 3, not of type str"),
        ({"name": "n", "wheels": {"size": 1}}, "`wheels` is {'size': 1}, not a list"),
        ({"name": "n", "wheels": [3]}, "`wheels[1]` is 3, not a table"),
        ({"name": "n", "wheels": [{"size": 1}, {}]}, "key `wheels[2].size` is missing"),
        ({"name": "n", "wheels": [{"size": 1}, {"size": "1"}]}, "`wheels[2].size` is '1', not of type float"),
        ({"name": "n", "wheels": [{"size": 9}]}, "in `wheels[1]`: `size` is 9; it must be in [0.5, 3]"),
        ({"name": "n", "spare": {"sizee": 1}}, "unknown key `spare.sizee`; did you mean `size`?"),
        ({"name": "n", "spare": {"size": 1, "kind": "bak"}}, "`spare.kind` is 'bak'; did you mean `back`?"),
        ({"name": "n", "spare": {"size": 1, "kind": ["back"]}}, "`spare.kind` is ['back']; did you mean `back`?"),
        ({"name": "n", "spare": {"size": 1, "spokes": True}}, "`spare.spokes` is True, not of type int"),
        ({"name": "n", "by_place": {"left": {"size": True}}}, "`by_place.left.size` is True, not of type float"),
        ({"name": "n", "by_place": 4}, "`by_place` is 4, not a table"),
        ({"name": "n", "extras": {"bell": 1.5}}, "`extras.bell` is 1.5, not of type int or bool"),
        ({"name": "n", "tags": ["a", 2]}, "`tags[2]` is 2, not of type str"),
        ({"name": "n", "manual": ["x"]}, "`manual` is ['x'], not of type str"),
        ([], "it is [], not a table"),
    ],
)
def test_what_does_not_fit_is_named(table: Any, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(Cart, table)
    assert str(caught.value).startswith(said)


def test_a_table_in_a_file_is_named_with_where_it_stands() -> None:
    with pytest.raises(TableError, match=r"^unknown key `tool\.cart\.namee`"):
        read_table(Cart, {"namee": "n"}, "tool.cart")
    with pytest.raises(TableError, match=r"^`tool\.cart` is 3, not a table$"):
        read_table(Cart, 3, "tool.cart")


@pytest.mark.parametrize("content", [b"a = ", b"a = 1\na = 2", b'a = "\xff"', b"\x00"])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(TableError, match="cannot be read as TOML"):
        read_toml(tmp_path / "x.toml")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="it is not a file: a folder, a pipe or a device cannot be read"):
        read_toml(tmp_path)
    with pytest.raises(TableError, match=r"it cannot be read: .*director"):
        read_toml(tmp_path / "none.toml")
