"""The keys of a TOML table, from the dataclass that checks it: what each is, takes and defaults to.

What a key means stands in the source as a string below its field. Files with every key commented, and pages that list
keys, are made from this, so that they say what is checked.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union

_NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


@dataclass(frozen=True)
class Key:
    """One key of a table.

    takes    what it takes, in words: `whole number`, `"zig" or "gcc"`, `table`
    default  as TOML; empty where there is none, or it is nothing that TOML can say
    needed   whether the table is refused without it
    doc      what it means: the string below the field, on one line
    table    the dataclass of what is a table, or a list of tables
    """

    name: str
    takes: str
    default: str
    needed: bool
    doc: str
    table: type | None = None
    repeated: bool = False
    """a list of such tables, `[[name]]`"""


def describe_keys(kind: type) -> tuple[Key, ...]:
    """The keys of the dataclass `kind`, in their order."""
    docs = _docs(kind)
    hints = typing.get_type_hints(kind)
    return tuple(_key(field, hints[field.name], docs.get(field.name, "")) for field in dataclasses.fields(kind))


def _key(field: dataclasses.Field[Any], hint: Any, doc: str) -> Key:
    bare = _bare(hint)
    inner = typing.get_args(bare)[0] if typing.get_origin(bare) in (list, tuple) else None
    table = next((each for each in (bare, inner) if dataclasses.is_dataclass(each)), None)
    factory = field.default_factory
    needed = field.default is dataclasses.MISSING and factory is dataclasses.MISSING
    default = field.default if factory is dataclasses.MISSING else factory()
    shown = "" if needed or table is not None or default is None else to_toml(default)
    return Key(
        field.name, _takes(hint), shown, needed, doc, typing.cast("type | None", table), inner is table is not None
    )


def to_toml(value: Any) -> str:
    """A value as TOML states it; empty for what TOML cannot say.

    >>> to_toml("a"), to_toml(0.001), to_toml((1, 2)), to_toml({"a": True}), to_toml(None)
    ('"a"', '0.001', '[1, 2]', '{ a = true }', '')
    """
    if isinstance(value, bool | str | Path):
        return json.dumps(value if isinstance(value, bool) else str(value), ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {to_toml(part)}" for key, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return repr(value) if isinstance(value, int | float) else ""


def _takes(hint: Any) -> str:
    """What a value of a type is, in words.

    >>> _takes(int | None), _takes(Literal["zig", "gcc"]), _takes(tuple[str, ...]), _takes(str | tuple[str, ...])
    ('whole number', '"zig" or "gcc"', 'list of text', 'text or list of text')
    """
    bare = _bare(hint)
    origin, arguments = typing.get_origin(bare), typing.get_args(bare)
    if origin is Literal:
        return " or ".join(map(to_toml, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_takes(each) for each in arguments if each is not types.NoneType))
    if origin in (list, tuple):
        return f"list of {_takes(arguments[0])}"
    if origin is dict or dataclasses.is_dataclass(bare):
        return "table"
    return _NAMES.get(bare, getattr(bare, "__name__", "value"))


def _bare(hint: Any) -> Any:
    """A type without `| None`."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        kept = [each for each in typing.get_args(hint) if each is not types.NoneType]
        return kept[0] if len(kept) == 1 else hint
    return hint


def _docs(kind: type) -> dict[str, str]:
    """The strings below the fields of a class and of those it is made from, each on one line."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if dataclasses.is_dataclass(each):
            found |= dict(_strings(each))
    return found


def _strings(kind: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    for statement, below in zip(definition.body, definition.body[1:], strict=False):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
