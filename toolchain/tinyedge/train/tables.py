"""Tables of TOML or JSON read into frozen dataclasses: unknown keys, missing keys and wrong types are refused."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class TableError(ValueError):
    """A table breaks a rule. The text names the key and the rule; whoever knows the file adds its name."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The half sentence that helps after a wrong name: the nearest known one, else all of them.

    >>> nearest("epoch", ["epochs", "seed"])
    'did you mean `epochs`?'
    >>> nearest("qqq", ["epochs", "seed"])
    'known are `epochs`, `seed`'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{known}`' for known in names)}"


def read_table(cls: type[T], table: Any, where: str, *, skip: frozenset[str] = frozenset()) -> T:
    """`table` as an instance of the dataclass `cls`, whose fields are int, float, str or bool.

    An int may stand for a float. `skip` names keys that the caller has read. Rules between values are the business
    of `cls.__post_init__`, which raises ValueError.

    Raises: TableError, which names the key as `where.key`
    """
    if not isinstance(table, Mapping):
        raise TableError(f"`{where}` is {table!r}, not a table")
    assert dataclasses.is_dataclass(cls)
    types = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in skip:
            continue
        if key not in fields:
            raise TableError(f"unknown key `{where}.{key}`; {nearest(key, fields)}")
        values[key] = _typed(value, types[key], f"{where}.{key}")
    for name, field in fields.items():
        if name not in values and field.default is dataclasses.MISSING:
            raise TableError(f"key `{where}.{name}` is missing")
    try:
        return typing.cast(T, cls(**values))
    except ValueError as error:
        raise TableError(f"in `{where}`: {error}") from None


def _typed(value: Any, wanted: type, key: str) -> Any:
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise TableError(f"`{key}` is {value!r}, not of type {wanted.__name__}")
    return value


def require_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises: ValueError when `value` is outside [low, high], or not a number."""
    if not low <= value <= high:
        limit = f"at least {low:g}" if high == float("inf") else f"in [{low:g}, {high:g}]"
        raise ValueError(f"`{name}` is {value:g}; it must be {limit}")
