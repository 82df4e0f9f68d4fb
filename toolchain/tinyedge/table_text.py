"""TOML files that explain themselves: every key of the dataclass that checks them, those left alone commented out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyedge.errors import InternalError
from tinyedge.table_keys import Key, describe_keys, to_toml

_COLUMNS = 110


@dataclass(frozen=True)
class Kinds:
    """A table that is one of several kinds, which its key `named` tells apart: `technique = "prune"`."""

    named: str
    kinds: Mapping[str, type]
    repeated: bool = True
    """a list of them, `[[key]]`"""


@dataclass(frozen=True)
class Explained:
    """What stands in a file, beside what its types say.

    values   of its keys, as TOML has them: the ones that are set
    reasons  why a key has its value, or what a table is for: by its whole name, `fit.epochs`
    tables   the types of tables that the types of the file leave open: by their key
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, type | Kinds] = field(default_factory=dict)


def toml_text(kind: type, said: Explained) -> str:
    """A file whose whole table is `kind`: keys in their order, then tables.

    Raises: InternalError for a value that no key takes
    """
    keys = describe_keys(kind)
    _check_names(said.values, [key.name for key in keys], "")
    lines: list[str] = []
    for key in keys:
        if _is_value(key, said):
            lines += _key_lines(key, said.values, said.reasons, "")
    for key in keys:
        if not _is_value(key, said):
            lines += ["", *_table_lines(key, said)]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def _is_value(key: Key, said: Explained) -> bool:
    return key.table is None and key.name not in said.tables and key.takes != "table"


def _check_names(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in values:
        if name not in known:
            raise InternalError(f"no key takes the value of `{where}{name}`")


def _key_lines(key: Key, values: Mapping[str, Any], reasons: Mapping[str, str], where: str) -> Iterator[str]:
    """What a key means, why it has its value, and the key; one that is left alone is commented out."""
    yield from _comment(f"{key.doc} ({key.takes})" if key.doc else key.takes)
    if why := reasons.get(f"{where}{key.name}"):
        yield from _comment(f"-> {why}")
    if key.name in values:
        yield f"{key.name} = {to_toml(values[key.name])}"
    else:
        yield f"# {key.name} = {key.default or '...'}"


def _table_lines(key: Key, said: Explained) -> Iterator[str]:
    found = said.tables.get(key.name, key.table)
    yield from _comment(f"[{key.name}]: {key.doc}" if key.doc else f"[{key.name}]")
    if why := said.reasons.get(key.name):
        yield from _comment(f"-> {why}")
    value = said.values.get(key.name)
    if isinstance(found, Kinds):
        yield from _kinds_lines(key.name, found, value, said)
    elif found is None:  # a table of whatever names
        yield f"[{key.name}]" if value else f"# [{key.name}]"
        yield from (f"{name} = {to_toml(part)}" for name, part in (value or {}).items())
    else:
        head = f"[{key.name}]"
        yield from _one_table(head, found, value, said.reasons, f"{key.name}.")


def _kinds_lines(name: str, found: Kinds, value: Any, said: Explained) -> Iterator[str]:
    """The tables that are set in their order, then every other kind, commented out."""
    head = f"[[{name}]]" if found.repeated else f"[{name}]"
    chosen = [] if value is None else list(value) if found.repeated else [value]
    for table in chosen:
        kind = table[found.named]
        rest = {key: part for key, part in table.items() if key != found.named}
        first = f"{found.named} = {to_toml(kind)}"
        yield from _one_table(head, found.kinds[kind], rest, said.reasons, f"{name}.{kind}.", first=first)
        yield ""
    for kind in found.kinds:
        if kind not in [table[found.named] for table in chosen]:
            first = f"{found.named} = {to_toml(kind)}"
            yield from _one_table(head, found.kinds[kind], None, said.reasons, f"{name}.{kind}.", first=first)
            yield ""


def _one_table(
    head: str,
    kind: type,
    values: Mapping[str, Any] | None,
    reasons: Mapping[str, str],
    where: str,
    *,
    first: str = "",
) -> Iterator[str]:
    """A table with its keys; None: all of it commented out."""
    off = values is None
    _check_names(values or {}, [key.name for key in describe_keys(kind)], where)
    yield f"# {head}" if off else head
    if first:
        yield f"# {first}" if off else first
    for key in describe_keys(kind):
        yield from _key_lines(key, values or {}, reasons, where)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)
