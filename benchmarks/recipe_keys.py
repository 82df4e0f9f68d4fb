"""`python -m benchmarks.recipe_keys`: docs/recipe-keys.md, every key of recipe.toml by the types that check it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tinyedge.data import DataTable
from tinyedge.features import KINDS
from tinyedge.paths import write_whole
from tinyedge.table_keys import Key, describe_keys
from tinyedge.train.augment import AUGMENTATIONS
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.recipe import RecipeFile

PAGE = Path(__file__).resolve().parents[1] / "docs" / "recipe-keys.md"
_HEAD = """\
# The keys of a recipe

Made from the types that check recipe.toml, by `python -m benchmarks.recipe_keys`. A key that is not here is refused,
with the name that is nearest. [`tinyedge new`](your-own-project.md) writes a recipe in which every key stands with what
it means.
"""
_KINDS: dict[str, tuple[str, Mapping[str, type]]] = {
    "augment": ("technique", AUGMENTATIONS),
    "compress": ("technique", TECHNIQUES),
    "features": ("kind", KINDS),
}
"""tables of several kinds: the key that tells them apart, and the types"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    keys = describe_keys(RecipeFile)
    yield "\n## Keys of the file\n"
    yield from (_line(key) for key in keys if _is_value(key))
    for key in keys:
        if _is_value(key):
            continue
        repeated = key.repeated or key.name in ("augment", "compress")
        yield f"\n## `[[{key.name}]]`\n" if repeated else f"\n## `[{key.name}]`\n"
        yield f"{key.doc[:1].upper()}{key.doc[1:]}."
        if key.name in _KINDS:
            named, kinds = _KINDS[key.name]
            for name, kind in kinds.items():
                yield f'\n### `{named} = "{name}"`\n'
                yield _summary(kind)
                yield from ("", *map(_line, describe_keys(kind)))
        elif key.name == "data":
            yield ""
            yield from map(_line, describe_keys(DataTable))
        elif key.table is not None:
            yield ""
            yield from map(_line, describe_keys(key.table))


def _is_value(key: Key) -> bool:
    return key.table is None and key.takes != "table" and key.name not in _KINDS


def _line(key: Key) -> str:
    default = "needed" if key.needed else f"default `{key.default}`" if key.default else "may be left out"
    return f"- `{key.name}` ({key.takes}; {default}): {key.doc}"


def _summary(kind: type) -> str:
    """The first paragraph of a type's own description."""
    return " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split())


if __name__ == "__main__":
    write_whole(PAGE, page().encode())
