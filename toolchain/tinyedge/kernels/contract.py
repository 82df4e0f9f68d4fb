"""The contract of a kernel: what can run a layer on a core, at what cost, and the code it becomes.

A kernel is a class with one instance in the registry (`tinyedge.kernels.KERNELS`). Two forms share the contract:
portable C99 files under firmware_templates/runtime/ that are called with a parameter struct, and functions emitted
for one layer on one core, in C or in assembler. The planner asks `fits`, then takes the cheapest by `cost`; nothing
else chooses kernels.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.ops.contract import Layer


@dataclass(frozen=True)
class Storage:
    """How the weights of a layer lie in flash, where that is not as they are, a byte each.

    form            e.g. `int4`, `nonzeros`, `16 values`
    stored_bytes    of the weights in this form, tables for them included; biases and factors are not counted
    unpacked_bytes  of the same weights a byte each
    """

    form: str
    stored_bytes: int
    unpacked_bytes: int


@dataclass(frozen=True)
class Cost:
    """Estimated cost of one run of a layer; compared, never reported as a measurement."""

    cycles: int
    code_bytes: int
    """machine code this layer adds; a shared portable function counts once, at its first use"""
    constant_bytes: int
    """weights, biases, multipliers, tables: what goes to flash beside code"""
    shared_code: tuple[tuple[str, int], ...] = ()
    """(file stem under runtime/, or name of a SharedFunction or AsmFunction, bytes) of functions that count once for
    all layers that name them; then `code_bytes` is what the layer adds beside them"""
    storage: Storage | None = None
    """of the weights; None: as they are, or no weights"""
    instructions: int = 0
    """of functions in assembler, where their number does not hang on a compiler; 0: not known"""


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant array of the generated C: `const <ctype> <name>[...]`, placed in flash."""

    name: str
    ctype: str
    values: npt.NDArray[Any]
    """one-dimensional, of the numpy type that matches `ctype`"""
    align: int = 4
    comment: str = ""


@dataclass(frozen=True)
class Operands:
    """C expressions for what a layer reads and writes; pointers to the tensor's element type.

    inputs, outputs  in the order of `Layer.inputs` and `Layer.outputs`
    scratch          expression of type `uint8_t *`, aligned to `Kernel.alignment`; empty when scratch_bytes is 0
    prefix           unique prefix for every C name this layer defines, e.g. `digits_l03`
    first_step       of a kernel that runs several layers: the step of the first, so that it calls `done(context, step)`
                     after each call of a layer; None: it tells nobody

    They name `arena` and `state`, parameters of the function that `Code.call` becomes the body of.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    scratch: str
    prefix: str
    first_step: int | None = None


@dataclass(frozen=True)
class SharedFunction:
    """C at file level that several layers may use: it is written once, in front of the first layer that names it.

    Two of one name must have the same text, so the name is best made of a digest of the content.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Offsets:
    """Where the members of a struct, or the words of an array, lie that assembler reads: a macro for each.

    name      of the struct in C, or what stands in front of the macros for an array
    members   bytes from the start
    header    the file under runtime/ that declares the struct: C then refuses to compile where a member lies
              elsewhere. Empty for an array, which must be laid out by `words`
    meanings  of members, where their names do not say it

    >>> size = word_offsets("te_size", {"width": "", "height": "in rows"})
    >>> size["height"], size.macros, size.words(height=2, width=3)
    ('TE_SIZE_HEIGHT', {'TE_SIZE_WIDTH': 0, 'TE_SIZE_HEIGHT': 4}, [3, 2])
    """

    name: str
    members: Mapping[str, int]
    header: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, member: str) -> str:
        """The macro that stands for a member's offset."""
        assert member in self.members, f"`{self.name}` has no `{member}`"
        return f"{self.name}_{member}".upper()

    @property
    def macros(self) -> dict[str, int]:
        return {self[member]: offset for member, offset in self.members.items()}

    def words(self, **values: int) -> list[int]:
        """The words of an array, every member given by its name."""
        assert values.keys() == self.members.keys(), sorted(values.keys() ^ self.members.keys())
        assert list(self.members.values()) == [4 * at for at in range(len(values))]
        return [values[member] for member in self.members]


def word_offsets(name: str, words: Mapping[str, str]) -> Offsets:
    """The offsets of an array's words, which are given in order, with their meanings."""
    meanings = {word: meaning for word, meaning in words.items() if meaning}
    return Offsets(name, {word: 4 * at for at, word in enumerate(words)}, meanings=meanings)


@dataclass(frozen=True)
class AsmFunction:
    """A function in assembler: it is written once to <name>_kernels.S, for all layers that name it.

    name       best made of a digest of the content: two of one name must be the same, but for the comment
    prototype  its declaration in C, of types of <stdint.h> and those that headers of `offsets` declare
    comment    what it does, registers, cost; the first of several functions of one name says it for all
    lines      labels, instructions and comments, in unified syntax
    offsets    of what it reads by name
    """

    name: str
    prototype: str
    comment: str = field(compare=False)
    lines: tuple[str, ...]
    offsets: tuple[Offsets, ...] = ()


@dataclass(frozen=True)
class Code:
    """The code of one layer.

    call       statements that run the layer, line by line
    constants  arrays the call or the functions name
    functions  definitions at file level (specialised functions, parameter structs), readable and commented
    runtime    file stems under firmware_templates/runtime/ to be compiled in, e.g. `te_conv_2d_s8`; each is a `.c`
               with a `.h` of the same stem (or a header alone). A file in the folder of the core overrides portable/.
    includes   system or runtime headers `functions` needs beyond those of `runtime`
    shared     functions in C other layers may name too, each before those it is used by
    assembler  functions in assembler, the layer's own and those other layers may name too
    """

    call: tuple[str, ...]
    constants: tuple[Constant, ...] = ()
    functions: str = ""
    runtime: tuple[str, ...] = ()
    includes: tuple[str, ...] = field(default=())
    shared: tuple[SharedFunction, ...] = ()
    assembler: tuple[AsmFunction, ...] = ()


class ExactOffset(int):
    """An in-place offset to be kept exactly: the output starts so far below the input and no further, or apart from it.

    For kernels that go through memory channel by channel: a channel's outputs may only lie on that channel's inputs.
    """


class Kernel(abc.ABC):
    """One way to run one or more operators.

    Scratch and tensors live in the arena. `in_place_offset` is what lets an output share memory with a dying input:
    the output may start anywhere at or below `input address - offset`; 0 means the same address is safe
    (element-wise), None means the two must be disjoint. A test runs every kernel at its tightest overlap.
    """

    name: ClassVar[str]
    """unique, e.g. `portable/conv_2d`, `armv7em/conv_2d_k1`"""
    operators: ClassVar[tuple[str, ...]]
    alignment: ClassVar[int] = 4
    """bytes to which tensors and scratch must be aligned for this kernel"""

    @abc.abstractmethod
    def fits(self, layer: Layer, core: Core) -> str:
        """Empty when the kernel can run the layer on the core, otherwise the reason it cannot, as `-v` prints it."""

    @abc.abstractmethod
    def cost(self, layer: Layer, core: Core) -> Cost:
        """The estimated cost; only asked where it fits."""

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        """Bytes of scratch in the arena, alive during this layer only."""
        return 0

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """How far the (only) output must start below input `input_index` to overlap it; None: not at all.

        An `ExactOffset` allows that one place only.
        """
        return None

    def reads_behind(self, layer: Layer, core: Core) -> int:
        """How many bytes it may read behind the end of its tensors, whatever they hold: plans keep them readable."""
        return 0

    @abc.abstractmethod
    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        """The code of the layer; pure and deterministic."""


def cheapest_first(costs: Sequence[tuple[Kernel, Cost]]) -> list[tuple[Kernel, Cost]]:
    """Candidates by cycles, then flash, then name: a total order, so that builds are reproducible."""
    return sorted(costs, key=lambda kc: (kc[1].cycles, kc[1].code_bytes + kc[1].constant_bytes, kc[0].name))
