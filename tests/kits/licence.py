"""What the first line of a file in a user's product says."""

from __future__ import annotations

_HEAD = b"SPDX-License-Identifier: Apache-2.0"
_COMMENTS = ((b"/* ", b" */"), (b"# ", b""), (b"; ", b""), (b"<!-- ", b" -->"), (b"{# ", b" #}"))


def has_licence(content: bytes) -> bool:
    """Whether the first line is the SPDX head as a comment of C, make, .ini, Markdown or a template.

    >>> has_licence(b"# SPDX-License-Identifier: Apache-2.0\\nall:\\n"), has_licence(b"all:\\n")
    (True, False)
    """
    first = content.partition(b"\n")[0]
    return first in {begin + _HEAD + end for begin, end in _COMMENTS}
