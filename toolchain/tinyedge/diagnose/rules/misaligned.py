"""TE402: constants that do not lie at multiples of their size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_SIZES = {"int16": 2, "float16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 4, "uint64": 4, "float64": 4}
"""bytes at whose multiples a 32-bit core wants the elements; 64-bit numbers are read as two words"""


def find(subject: Subject) -> Iterator[Found]:
    for graph in subject.graphs:
        for tensor in graph.tensors:
            size = _SIZES.get(tensor.dtype)
            if size is not None and tensor.offset is not None and tensor.offset % size:
                count = 0 if tensor.stored is None else tensor.stored.size // np.dtype(tensor.dtype).itemsize
                yield Found(
                    f"its {counted(count, 'value')} of {tensor.dtype} begin at byte {tensor.offset:,} of the file, no "
                    f"multiple of {size}",
                    graph.number,
                    tensor=tensor,
                )


RULE = Rule(
    Explanation(
        "TE402",
        "misaligned constants",
        "warning",
        "An interpreter reads constants where they lie in the file. A word at an odd address is a hard fault on "
        "Cortex-M0+, a trap on many RISC-V cores, and slow on others. Tools that splice files do that; so does a C "
        "array without alignment, which no check of the file can see.",
        "Compiled models have their constants laid out anew. With `--runtime tflm` the file is what it is.",
        "Export the file again with the converter, and give the array its alignment in C:\n\n"
        "    alignas(16) const unsigned char model[] = { ... };",
    ),
    find,
)
