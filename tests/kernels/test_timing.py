"""What kernels say of their assembler to the timing rules, against what the emulator decodes of its machine code."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from kits.add_layers import add_corners
from kits.conv_layers import depthwise_layer
from kits.kernel_checks import model_layers
from kits.kernel_layers import Rng
from kits.m4_program import LINKER_SCRIPT, build
from kits.operators import LAYERS
from kits.pair_layers import pair_layers
from kits.stored_weights import bits, pruned, shared, with_weights
from ops.conv_2d import conv_layer, relu_layer
from ops.fully_connected import connected_blocks_layer, fully_connected_layer
from ops.lookup import lookup_layer
from ops.mean import mean_layer
from tinyedge.boards import CORES
from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.cycles.thumb import ThumbModel
from tinyedge.errors import InternalError
from tinyedge.kernels import armv6m, armv7em
from tinyedge.kernels.thumb.assembly import Assembly, count_ticks
from tinyedge.kernels.thumb.instructions import is_instruction, parse_instruction, without_label
from tinyedge.ops.contract import Layer
from tinyedge.timing.instruction import BRANCHES, Instruction

CORE_KERNELS = {"cortex-m4f": armv7em.KERNELS, "cortex-m0plus": armv6m.KERNELS}
HALF_TOLD = ("ssat", "pkhbt", "pkhtb", "sxtab16", "vldmia")
"""instructions of which capstone leaves out registers"""
SYNONYMS = {"cmn": "cmp", "mvn": "mov", "movs": "mov"}
"""what an assembler takes instead for the sign of a constant, or capstone says"""
MOST_WEIGHTS = 3000
POINT_OR_3X3 = ((1, 1), (3, 3))
MOST_LINES = 3000
"""of a block: longer ones are weights as immediates, more of the same"""


def random_layers(rng: Rng, shared_models: Path) -> list[Layer]:
    """Layers of all operators these kernels have, among them those with conditions."""
    operators = {name for kernels in CORE_KERNELS.values() for kernel in kernels for name in kernel.operators}
    layers = [LAYERS[name](rng) for name in sorted(operators & LAYERS.keys()) for _ in range(6)]
    makers = (conv_layer, relu_layer, depthwise_layer, connected_blocks_layer)
    layers += [make(rng) for make in makers for _ in range(8)]
    layers += [mean_layer(rng, shape=(1, 3, 5, channels), axes=(1, 2)) for channels in (4, 9, 64)]
    layers += [depthwise_layer(rng, kernel=kernel, folded=True) for kernel in ((3, 3), (5, 5), (10, 4), (1, 7))]
    layers += [
        depthwise_layer(rng, input_channels=8, size=(3, columns), stride=(1, 1), padding=(0, 1), folded=folded)
        for columns, folded in ((5, True), (8, False))
    ]
    layers += add_corners(rng) + pair_layers(rng)
    layers += [clamp_layer(rng, low, high) for low, high in ((0, 127), (-128, 5), (-7, 9))]
    layers += [
        with_weights(rng, layer, draw, healthy=True)
        for layer in [
            *[conv_layer(rng, kernel=(3, 3), output_channels=8) for _ in range(6)],
            *[conv_layer(rng, kernel=(1, 1), stride=(1, 1), size=(5, 7), input_channels=16) for _ in range(3)],
            *[
                conv_layer(rng, kernel=size, size=(6, 7), input_channels=64, output_channels=44)
                for size in POINT_OR_3X3
            ],
        ]
        for draw in (bits(2), bits(4), shared(16), pruned(0.8))
    ]
    connected = fully_connected_layer(rng, weight_zero_point=0, batches=1, inputs=24, outputs=8, corners=False)
    layers.append(with_weights(rng, connected, bits(4), healthy=True))
    for model in ("kws_ref_model", "pretrainedResnet_quant"):
        for name in ("conv_2d", "depthwise_conv_2d"):
            found = model_layers(shared_models, model, name)
            layers += [layer for layer in found if layer.params.weights.size < MOST_WEIGHTS]
    return layers


def clamp_layer(rng: Rng, low: int, high: int) -> Layer:
    """A table that does nothing but clamp."""
    layer = lookup_layer(rng, elements=40)
    table = np.clip(np.arange(-128, 128), low, high).astype(np.int8)
    return dataclasses.replace(layer, params=dataclasses.replace(layer.params, table=table))


@pytest.fixture(scope="module")
def assemblies(shared_models: Path) -> dict[str, list[Assembly]]:
    """Core -> the functions its kernels write for random layers and those of real models."""
    layers = random_layers(np.random.default_rng(8), shared_models)
    found: dict[str, list[Assembly]] = {}
    with pytest.MonkeyPatch.context() as patch:
        made: list[Assembly] = []
        begin = Assembly.__init__
        patch.setattr(Assembly, "__init__", lambda self, *given: (made.append(self), begin(self, *given))[1])
        for core, kernels in CORE_KERNELS.items():
            _forget_functions()
            made.clear()
            for kernel in kernels:
                fitting = [x for x in layers if x.name in kernel.operators and not kernel.fits(x, CORES[core])]
                assert fitting, kernel.name
                for layer in fitting:
                    kernel.cost(layer, CORES[core])
            found[core] = list(made)
    return found


def _forget_functions() -> None:
    """Functions are kept once written; forget them, so that they are written again."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tinyedge.kernels."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def as_function(name: str, lines: list[str]) -> str:
    """Assembler of a block alone: labels that others have lie in front of it and behind it."""
    operands = [line.split()[-1] for line in lines if line]
    labels = {operand[:-1]: operand[-1] for operand in operands if operand[:-1].isdigit() and operand[-1] in "bf"}
    back = [f"{number}:" for number, direction in labels.items() if direction == "b"]
    ahead = [f"{number}:" for number, direction in labels.items() if direction == "f"]
    code = [line for line in lines if not without_label(line).startswith(".")]
    return "\n".join([f"  function {name}", *back, *code, f"  .size {name}, . - {name}", "  .balign 4", *ahead, ""])


def machine_code(folder: Path, blocks: list[list[str]]) -> list[bytes]:
    """Each block assembled."""
    source = ["  function reset\n  nop\n  end_of reset\n"]
    source += [as_function(f"block_{number}", lines) for number, lines in enumerate(blocks)]
    image = build(folder, "".join(source), script_text=LINKER_SCRIPT.replace("256K", "8M"))
    with image.elf.open("rb") as stream:
        elf = ELFFile(stream)
        text = elf.get_section_by_name(".text")
        code, start = text.data(), text["sh_addr"]
        symbols = {s.name: s for s in elf.get_section_by_name(".symtab").iter_symbols()}
    spans = [
        (symbol["st_value"] & ~1, symbol["st_size"]) for symbol in (symbols[f"block_{n}"] for n in range(len(blocks)))
    ]
    return [code[address - start : address - start + size] for address, size in spans]


def check_instruction(line: str, told: Instruction, decoded: Instruction) -> None:
    def certain(i: Instruction) -> tuple[object, ...]:
        return SYNONYMS.get(i.name, i.name), i.address, i.indexed, i.words, i.branches, i.conditional

    assert certain(told) == certain(decoded), line
    beside = {"cpsr", "itstate", "pc"} if told.name in BRANCHES else {"cpsr", "itstate"}
    for ours, theirs in ((told.written, decoded.written), (told.read, decoded.read)):
        if decoded.name in HALF_TOLD:
            assert theirs <= ours, line
        else:
            assert theirs - beside == ours - beside, line


def counted(model: ThumbModel, code: bytes, *, back: list[bool]) -> int:
    """Cycles the emulator counts for a piece of code; `back`: for each of its branches whether it is one back."""
    cycles = at = first = 0
    directions = iter(back)
    for instruction in model.decode(code, 0):
        at += instruction.size_bytes
        if instruction.branches or at == len(code):
            cost = model.block(code[first:at], first)
            cycles += cost.cycles + (cost.taken_cycles if instruction.branches and next(directions) else 0)
            first = at
    return cycles


@pytest.mark.parametrize("core", CORE_KERNELS)
def test_blocks_cost_what_the_emulator_counts(core: str, assemblies: dict[str, list[Assembly]], tmp_path: Path) -> None:
    model = MODELS[core]
    assert isinstance(model, ThumbModel)
    blocks = {tuple(asm.lines(name)): (asm, name) for asm in assemblies[core] for name in asm.names}
    blocks = {lines: block for lines, block in blocks.items() if len(lines) <= MOST_LINES}
    assert len(blocks) > 80
    codes = machine_code(tmp_path, [list(lines) for lines in blocks])
    for (lines, (asm, name)), code in zip(blocks.items(), codes, strict=True):
        instructions = [line for line in map(without_label, lines) if is_instruction(line)]
        decoded = list(model.decode(code, 0))
        assert len(instructions) == len(decoded) == asm.instructions(name)
        told = [parse_instruction(line) for line in instructions]
        for line, ours, theirs in zip(instructions, told, decoded, strict=True):
            check_instruction(line, ours, theirs)
        back = [line.endswith("b") for line, ours in zip(instructions, told, strict=True) if ours.branches]
        ticks = asm.ticks(name)
        assert (ticks.instructions, ticks.cycles) == (len(decoded), counted(model, code, back=back)), (name, lines)


def test_what_nobody_taught_is_an_error() -> None:
    with pytest.raises(InternalError, match="`frob` is not among the instructions"):
        count_ticks(["frob r0, r1"], Assembly.timing)
