"""What the first line of a file in a user's product says."""

from __future__ import annotations

_HEAD = b"SPDX-License-Identifier: Apache-2.0"
_COMMENTS = ((b"/* ", b" */"), (b"# ", b""), (b"; ", b""), (b"<!-- ", b" -->"), (b"{# ", b" #}"))


def has_licence(content: bytes) -> bool:
    """Whether the first line, behind one that names an interpreter, is the SPDX head as a comment of C, make, a shell,
    .ini, Markdown or a template.

    >>> has_licence(b"# SPDX-License-Identifier: Apache-2.0\\nall:\\n"), has_licence(b"all:\\n")
    (True, False)
    """
    lines = content.split(b"\n", 2)
    first = lines[1] if lines[0].startswith(b"#!") else lines[0]
    return first in {begin + _HEAD + end for begin, end in _COMMENTS}
