"""Names in C: what stands in front of every symbol of a model, and is its header's name."""

from __future__ import annotations

import re

from tinyedge.errors import UsageError

_HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
    "stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar unistd wchar wctype "
    "alloca arduino endian malloc memory sched semaphore spi wire"
)
"""whose `<name>.h` others include, by <> too"""
_PREFIXES = "cnd mtx pthread_attr pthread_cond pthread_mutex sem te thrd tss"
"""in front of `_init` and its like in C libraries, and of tinyedge's own runtime"""
_WORDS = (
    "alignas alignof and asm auto bool case catch char class const constexpr default delete do double else enum "
    "explicit export extern false for friend goto if inline int long main mutable namespace new not null nullptr "
    "operator or private protected public register restrict return short signed sizeof static struct switch template "
    "this throw true try typedef typeid typename union unsigned using virtual void volatile while xor"
)
_RESERVED = frozenset((*_HEADERS.split(), *_PREFIXES.split(), *_WORDS.split()))


def c_name(name: str) -> str:
    """The C name of a model: its own with `_` for what C does not take, behind `model_` where C or its libraries have
    that name already.

    >>> c_name("kws_ref_model"), c_name("my-net.v2"), c_name("3d"), c_name("math"), c_name("te_net")
    ('kws_ref_model', 'my_net_v2', 'model_3d', 'model_math', 'model_te_net')
    """
    word = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return word if _is_free(word) else f"model_{word.lstrip('_')}"


def check_c_name(name: str) -> None:
    """Raises: UsageError when a model cannot be called so in C."""
    if not name.isascii() or not name.isidentifier():
        raise UsageError(f"`{name}` is no C identifier", hint=f"letters, digits and `_`: `--name {c_name(name)}`")
    if not _is_free(name):
        raise UsageError(
            f"`{name}` is a name of C, of a library or of tinyedge's runtime: `{name}.h` or `{name}_init` would be "
            "taken for theirs",
            hint=f"`--name {c_name(name)}`",
        )


def _is_free(word: str) -> bool:
    known = word.lower() in _RESERVED or word.lower().startswith("te_")
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", word) is not None and not known
