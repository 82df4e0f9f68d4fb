"""Counts of single layers on emulated cores, for `benchmarks.rates`: parts of kernels that whole models seldom meet.

    python -m benchmarks.rates_probes probes.jsonl [KERNEL...]

The layers are those that the tests of operators and kernels draw, always the same ones; each kernel runs some of them
on each core. So a new kernel is counted as soon as it has tests: with names, these kernels alone are counted anew, and
what the file holds of others stays. It runs from a checkout, and needs QEMU for the Cortex-M55.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rates_counts import COMPILERS
from tinyedge.boards import CORES, Core, Isa
from tinyedge.build.flags import supports_gcc
from tinyedge.cost.work import layer_work
from tinyedge.errors import ModelError
from tinyedge.kernels import KERNELS
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

_TESTS = Path(__file__).resolve().parents[1] / "tests"
_SEED = 7
_PER_MAKER, _PER_KERNEL = 4, 8
_MOST_MACS, _MOST_ELEMENTS = 60_000, 20_000
"""larger layers take long in an emulator, and say no more"""
_BATCH = 250
"""layers that are compiled into one program"""
_COUNTED_ALIKE = ("rv32imac",)
"""cores for which nothing is compiled that is not compiled for another"""


def draw_layers() -> list[Layer]:
    """Layers of every operator, and those that tests of single kernels draw beside them."""
    from kits.operators import KERNEL_CASES, LAYERS
    from ops.conv_2d import blocks_layer
    from ops.depthwise_conv_2d import depthwise_3x3_layer
    from ops.fully_connected import connected_blocks_layer

    rng = np.random.default_rng(_SEED)
    makers = [*LAYERS.values(), *(case.layers for case in KERNEL_CASES.values() if case.layers is not None)]
    makers += [blocks_layer, connected_blocks_layer, depthwise_3x3_layer]
    found = []
    for maker in makers:
        for _ in range(_PER_MAKER):
            try:
                found.append(maker(rng))
            except ModelError:  # the rules of an operator refuse a few random ones
                continue
    return [layer for layer in found if layer.macs <= _MOST_MACS and _elements(layer) <= _MOST_ELEMENTS]


def _elements(layer: Layer) -> int:
    return sum(tensor.elements for tensor in layer.outputs)


def pair(layers: Sequence[Layer], core: Core, names: Sequence[str]) -> list[tuple[Layer, Kernel]]:
    """Layers with kernels that run them on a core, no kernel more than `_PER_KERNEL` times."""
    seen: Counter[str] = Counter()
    found = []
    for layer in layers:
        for kernel in KERNELS:
            wanted = layer.name in kernel.operators and (not names or kernel.name in names)
            if wanted and seen[kernel.name] < _PER_KERNEL and not kernel.fits(layer, core):
                seen[kernel.name] += 1
                found.append((layer, kernel))
    return found


def count_pairs(
    pairs: Sequence[tuple[Layer, Kernel]], core: Core, compiler: str, folder: Path
) -> Iterator[dict[str, Any]]:
    """A record of each pair: what it took, call and return included, and what it executes."""
    from kits.core_kernels import CoreRunner
    from kits.kernel_cases import make_case
    from kits.kernel_layers import random_inputs
    from kits.qemu_kernels import QemuRunner

    rng = np.random.default_rng(_SEED)
    timed = core.name != "cortex-m55"
    for at in range(0, len(pairs), _BATCH):
        some = pairs[at : at + _BATCH]
        cases = [make_case(layer, kernel, core) for layer, kernel in some]
        runner = CoreRunner(folder, core, compiler) if timed else QemuRunner(folder, compiler)
        runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
        for (layer, kernel), count in zip(some, runner.counts, strict=True):
            yield {
                "core": core.name,
                "compiler": compiler,
                "kernel": kernel.name,
                "n": count.instructions,
                "c": count.cycles if timed else None,
                "work": [[kernel.name, part, times] for part, times in layer_work(kernel, layer, core).items()],
            }


def main(arguments: Sequence[str]) -> None:
    """See the module."""
    sys.path.insert(0, str(_TESTS))
    out, names = Path(arguments[0]), arguments[1:]
    known = {kernel.name for kernel in KERNELS}
    if unknown := sorted(set(names) - known):
        sys.exit(f"no such kernel: {', '.join(unknown)}")
    old = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() and names else []
    kept = [record for record in old if record["kernel"] not in names and record["kernel"] in known]
    layers = draw_layers()
    with tempfile.TemporaryDirectory() as folder:
        for core in CORES.values():
            pairs = pair(layers, core, names) if core.isa is not Isa.NATIVE and core.name not in _COUNTED_ALIKE else []
            for compiler in COMPILERS if pairs else ():
                if compiler == "zig" or supports_gcc(core):
                    kept += count_pairs(pairs, core, compiler, Path(folder))
                    print(core.name, compiler, len(pairs), flush=True)  # noqa: T201
    out.write_text("".join(json.dumps(record) + "\n" for record in kept))


if __name__ == "__main__":
    main(sys.argv[1:])
