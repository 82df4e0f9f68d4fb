"""Tables of TOML read into frozen dataclasses: unknown keys, missing keys and wrong types are refused in words.

Boards, recipes, settings, budgets and lab files are all read here. A dataclass says what a table may hold: its fields
are int, float, str, bool, Path, a Literal of choices, a dataclass, or a list, tuple or dict of such, each with
`| None` where there is no default. `msgspec` builds it; what it refuses is named by its whole key.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import msgspec

T = TypeVar("T")


class TableError(ValueError):
    """A table breaks a rule. The text names the key and the rule; whoever knows the file adds its name."""


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises: TableError when it cannot be read, or is no TOML."""
    if path.exists() and not path.is_file():
        raise TableError("it is not a file: a folder, a pipe or a device cannot be read")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"it cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TableError(f"it cannot be read as TOML: {error}") from error


def read_table(kind: type[T], table: Any, where: str = "") -> T:
    """`table` as an instance of the dataclass `kind`; `where` is what the table is called, empty for a whole file.

    An int may stand for a float. Rules between values are the business of `kind.__post_init__`, which raises
    ValueError.

    Raises: TableError, which names the key as `where.key`
    """
    try:
        _check_keys(kind, table, where)
        return typing.cast(T, _convert(kind, table))
    except msgspec.ValidationError as error:
        raise _blame(kind, table, where, error) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """The half sentence that helps after a wrong name: the nearest known one, else all of them.

    >>> nearest("epoch", ["epochs", "seed"])
    'did you mean `epochs`?'
    >>> nearest("qqq", ["epochs", "seed"])
    'known are `epochs`, `seed`'
    """
    names = list(known)
    near = near_name(name, names)
    return f"did you mean `{near}`?" if near else f"known are {', '.join(f'`{known}`' for known in names)}"


def near_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`; empty when none is like it."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


def require_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises: ValueError when `value` is outside [low, high], or not a number.

    >>> require_range("epochs", 0, 1)
    Traceback (most recent call last):
    ValueError: `epochs` is 0; it must be at least 1
    """
    if not low <= value <= high:
        limit = f"at least {_number(low)}" if high == float("inf") else f"in [{_number(low)}, {_number(high)}]"
        raise ValueError(f"`{name}` is {_number(value)}; it must be {limit}")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _convert(kind: Any, value: Any) -> Any:
    return msgspec.convert(value, kind, dec_hook=_from_text)


def _from_text(kind: type, value: Any) -> Any:
    """What is written as a string and is none; None for what is not."""
    return Path(value) if kind is Path and isinstance(value, str) else None


def _check_keys(kind: Any, value: Any, where: str) -> None:
    """Raises: TableError for the first key that no dataclass has, or that one needs and is not there."""
    if _is_table(kind, value):
        fields = {field.name: field for field in dataclasses.fields(_bare(kind))}
        for key in value:
            if key not in fields:
                raise TableError(f"unknown key `{_join(where, key)}`; {nearest(key, fields)}")
        for name, field in fields.items():
            if name not in value and field.default is field.default_factory is dataclasses.MISSING:
                raise TableError(f"key `{_join(where, name)}` is missing")
    for key, inner, part in _parts(kind, value, where):
        _check_keys(inner, part, key)


def _blame(kind: Any, value: Any, where: str, error: msgspec.ValidationError) -> TableError:
    """The error of the innermost value that is not what it should be; `error` is what was said of the whole."""
    for key, inner, part in _parts(kind, value, where):
        try:
            _convert(inner, part)
        except msgspec.ValidationError as cause:
            return _blame(inner, part, key, cause)
    if _is_table(kind, value):  # all its values are right, and together they break a rule
        return TableError(f"in `{where}`: {error}" if where else str(error))
    if choices := _choices(kind):
        return TableError(f"`{where}` is {value!r}; {nearest(str(value), map(str, choices))}")
    return TableError(f"`{where}` is {value!r}, {_not_of(kind)}" if where else f"it is {value!r}, {_not_of(kind)}")


def _parts(kind: Any, value: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """(whole key, type, value) of what a value holds, as far as its type says what that must be."""
    kind = _bare(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if _is_table(kind, value):
        hints = typing.get_type_hints(kind)
        yield from ((_join(where, key), hints[key], part) for key, part in value.items() if key in hints)
    elif origin is dict and isinstance(value, Mapping):
        yield from ((_join(where, key), arguments[1], part) for key, part in value.items())
    elif origin in (list, tuple) and isinstance(value, list):
        yield from ((f"{where}[{number}]", arguments[0], part) for number, part in enumerate(value, 1))


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is_table(kind: Any, value: Any) -> bool:
    return dataclasses.is_dataclass(_bare(kind)) and isinstance(value, Mapping)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types of a union, without None."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        return tuple(each for each in typing.get_args(kind) if each is not types.NoneType)
    return (kind,)


def _bare(kind: Any) -> Any:
    """A type without `| None`."""
    found = _alternatives(kind)
    return found[0] if len(found) == 1 else kind


def _choices(kind: Any) -> tuple[str | int, ...]:
    """The values of a Literal; empty for other types."""
    return typing.get_args(_bare(kind)) if typing.get_origin(_bare(kind)) is Literal else ()


def _not_of(kind: Any) -> str:
    bare = _bare(kind)
    origin = typing.get_origin(bare)
    if dataclasses.is_dataclass(bare) or origin is dict:
        return "not a table"
    if origin in (list, tuple):
        return "not a list"
    names = ["str" if each is Path else each.__name__ for each in _alternatives(kind)]
    return f"not of type {' or '.join(filter(None, (', '.join(names[:-1]), names[-1])))}"
