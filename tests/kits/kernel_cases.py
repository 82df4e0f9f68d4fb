"""Kernel test cases as C: many layers in one file, each a function over one arena of bytes.

A runner (native in `kits.host_kernels`, an emulator elsewhere) compiles `c_source`, and for each trial writes the
bytes of `Case.arena` into memory, calls `te_case_<n>(arena)`, and gives back the same number of bytes. What a kernel
may not touch lies between its buffers as poison, which `Case.outputs` checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kits.kernel_layers import Array, Rng, random_inputs
from tinyedge.boards import Core, Isa
from tinyedge.generate import assembler
from tinyedge.kernels.contract import Code, Kernel, Operands
from tinyedge.kernels.sources import runtime_files
from tinyedge.literals import c_values
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_layer

NATIVE = Core("native", Isa.NATIVE, fpu="double")
GUARD = 64
"""bytes of poison around each buffer"""
POISON = 0xA5


@dataclass(frozen=True)
class Region:
    """Bytes of an arena that a kernel may touch."""

    offset: int
    bytes: int

    @property
    def end(self) -> int:
        return self.offset + self.bytes


@dataclass(frozen=True, eq=False)
class Case:
    """A layer, a kernel, and where its tensors lie."""

    layer: Layer
    kernel: Kernel
    core: Core
    inputs: tuple[Region, ...]
    outputs_at: tuple[Region, ...]
    scratch: Region | None
    arena_bytes: int
    title: str

    @property
    def regions(self) -> tuple[Region, ...]:
        scratch = () if self.scratch is None else (self.scratch,)
        return (*self.inputs, *self.outputs_at, *scratch)

    def arena(self, inputs: Sequence[Array]) -> bytes:
        """The arena before the run: inputs in place, poison everywhere else."""
        arena = bytearray([POISON]) * self.arena_bytes
        for region, array in zip(self.inputs, inputs, strict=True):
            arena[region.offset : region.end] = np.ascontiguousarray(array).tobytes()
        return bytes(arena)

    def outputs(self, arena: bytes) -> tuple[Array, ...]:
        """The outputs in the arena after the run. Raises: AssertionError when bytes of no buffer changed."""
        touched = np.zeros(self.arena_bytes, bool)
        for region in self.regions:
            touched[region.offset : region.end] = True
        stray = np.flatnonzero(~touched & (np.frombuffer(arena, np.uint8) != POISON))
        assert not stray.size, f"{self.title}: wrote outside its buffers at arena bytes {stray[:8].tolist()}"
        return tuple(
            np.frombuffer(arena[region.offset : region.end], tensor.dtype.numpy).reshape(tensor.shape)
            for region, tensor in zip(self.outputs_at, self.layer.outputs, strict=True)
        )


def make_case(
    layer: Layer,
    kernel: Kernel,
    core: Core = NATIVE,
    *,
    overlap: int | None = None,
    shared_input: int = 0,
    alignment: int | None = None,
) -> Case:
    """Place the tensors of a layer, apart from each other; with `overlap`, the output so many bytes below an input.

    A tensor that is both read and written has one place.

    alignment  of tensors; the kernel's if not given
    """
    reason = kernel.fits(layer, core)
    assert not reason, f"{kernel.name} does not fit: {reason}"
    step = alignment or kernel.alignment
    cursor = GUARD

    def take(size: int) -> Region:
        nonlocal cursor
        region = Region(-(-cursor // 16) * 16, size)
        cursor = region.end + GUARD
        return region

    outputs: tuple[Region, ...] = ()
    if overlap is not None:
        below = max(overlap, -(-overlap // step) * step)
        cursor += max(below, 0)
    inputs = [take(tensor.bytes) for tensor in layer.inputs]
    if overlap is None:
        state = {tensor.index: region for tensor, region in zip(layer.inputs, inputs, strict=True)}
        outputs = tuple(state.get(tensor.index) or take(tensor.bytes) for tensor in layer.outputs)
    else:
        # The shared pair goes last, so that neither grows into another tensor.
        shared = take(layer.inputs[shared_input].bytes + max(below, 0))
        source = Region(-(-(shared.offset + max(below, 0)) // step) * step, layer.inputs[shared_input].bytes)
        inputs[shared_input] = source
        outputs = (Region(source.offset - below, layer.outputs[0].bytes),)
        cursor = max(source.end, outputs[0].end) + GUARD
    scratch_bytes = kernel.scratch_bytes(layer, core)
    scratch = take(scratch_bytes) if scratch_bytes else None
    title = f"{kernel.name} {_text(layer)}" + (
        "" if overlap is None else f" overlapping by an in-place offset of {overlap}"
    )
    return Case(layer, kernel, core, tuple(inputs), outputs, scratch, -(-cursor // 16) * 16, title)


def _text(layer: Layer) -> str:
    """The layer in one line, without its arrays."""
    plain = {k: v for k, v in vars(layer.params).items() if not isinstance(v, np.ndarray)}
    return f"{layer.name} {plain}"


# -- C ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sources:
    """A C file with a function `void te_case_<n>(uint8_t *arena)` per case, and the runtime files it needs, those of
    functions in assembler among them."""

    cases: bytes
    runtime: Mapping[str, bytes]


def c_source(cases: Sequence[Case]) -> Sources:
    """The C of some cases, all for one core."""
    isas = {case.core.isa for case in cases}
    assert len(isas) == 1, "one compilation is for one core"
    codes = [case.kernel.emit(case.layer, case.core, _operands(case, number)) for number, case in enumerate(cases)]
    stems = sorted({stem for code in codes for stem in code.runtime})
    runtime = runtime_files(stems, isas.pop())
    functions = [function for code in codes for function in code.assembler]
    in_assembler = assembler.assembler_files(functions, "cases", "cases", cases[0].core.name)
    includes = {name if name[:1] in '<"' else f"<{name}>" for code in codes for name in code.includes}
    includes |= {"<stdbool.h>", "<stdint.h>"}
    own = [f"{stem}.h" for stem in stems if f"{stem}.h" in runtime]
    own += [name for name in in_assembler if name.endswith(".h")]
    headers = sorted(includes) + [f'"{name}"' for name in own]
    parts = [f"#include {header}\n" for header in headers]
    shared = {function.name: function.text for code in codes for function in code.shared}
    parts += shared.values()
    parts += [_case_text(case, number, code) for number, (case, code) in enumerate(zip(cases, codes, strict=True))]
    return Sources("".join(parts).encode(), {**runtime, **in_assembler})


def _operands(case: Case, number: int) -> Operands:
    tensors = case.layer
    return Operands(
        inputs=tuple(
            f"({'' if tensor.is_variable else 'const '}{tensor.dtype.c_name} *)(void *)(arena + {region.offset})"
            for tensor, region in zip(tensors.inputs, case.inputs, strict=True)
        ),
        outputs=tuple(
            f"({tensor.dtype.c_name} *)(void *)(arena + {region.offset})"
            for tensor, region in zip(tensors.outputs, case.outputs_at, strict=True)
        ),
        scratch="" if case.scratch is None else f"(arena + {case.scratch.offset})",
        prefix=f"te_case_{number}",
    )


def _case_text(case: Case, number: int, code: Code) -> str:
    constants = "".join(
        f"const {c.ctype} {c.name}[{c.values.size}] __attribute__((aligned({c.align}))) = {{\n"
        f"{c_values(c.values, c.ctype)}\n}};\n"
        for c in code.constants
    )
    call = "\n  ".join(code.call)
    body = f"void te_case_{number}(uint8_t *arena);\nvoid te_case_{number}(uint8_t *arena) {{\n  {call}\n}}\n"
    return f"\n/* {number}: {case.title.replace('*/', '* /')} */\n{constants}{code.functions}\n{body}"


# -- checking --------------------------------------------------------------------------------------------------------

Trial = tuple[int, bytes]
"""number of a case, arena before"""
Runner = Callable[[Sequence[Case], Sequence[Trial]], list[bytes]]
"""compiles the cases, runs the trials in order, returns the arenas after"""


def trials_of(cases: Sequence[Case], rng: Rng, samples: int) -> list[tuple[int, tuple[Array, ...]]]:
    """Random inputs for each case, `samples` times."""
    return [(number, random_inputs(rng, case.layer)) for number, case in enumerate(cases) for _ in range(samples)]


def count_mismatches(cases: Sequence[Case], runner: Runner, rng: Rng, samples: int = 3) -> list[int]:
    """Run every case over random inputs; per case, in how many samples an output differs from the reference."""
    trials = trials_of(cases, rng, samples)
    arenas = runner(cases, [(number, cases[number].arena(inputs)) for number, inputs in trials])
    mismatches = [0] * len(cases)
    for (number, inputs), arena in zip(trials, arenas, strict=True):
        case = cases[number]
        expected = run_layer(case.layer, inputs)
        same = all(_equal(e, a) for e, a in zip(expected, case.outputs(arena), strict=True))
        mismatches[number] += not same
    return mismatches


def _equal(one: Array, other: Array) -> bool:
    """Whether all values are equal; what is no number has no bits that all cores agree on."""
    return np.array_equal(one, other, equal_nan=one.dtype == np.float32)


def check_exact(cases: Sequence[Case], runner: Runner, rng: Rng, samples: int = 3) -> None:
    """Every case gives the bytes of the numpy reference. Raises: AssertionError naming the first that does not."""
    assert cases, "no case fits the kernel"
    mismatches = count_mismatches(cases, runner, rng, samples)
    wrong = [case.title for case, count in zip(cases, mismatches, strict=True) if count]
    assert not wrong, f"{len(wrong)} of {len(cases)} cases differ from the reference, e.g.\n" + "\n".join(wrong[:5])
