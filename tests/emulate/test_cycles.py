"""Timing models against costs worked out by hand from the tables they cite."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from kits.m4_program import build
from tinyedge.boards import CORES, load_board
from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.cycles.thumb import ThumbModel
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.timing.thumb import BlockCost


@dataclasses.dataclass(frozen=True)
class Case:
    """A basic block, and its cost on the Cortex-M4: cycles, and those of a taken branch on top."""

    code: str
    instructions: int
    cycles: int
    taken: int = 0


M4 = {
    # one cycle each: data processing, DSP, multiplications of any width
    "data processing": Case("adds r0, r1, r2; eors r0, r1; lsls r3, r4, #2; ubfx r5, r6, #1, #3; clz r7, r7", 5, 5),
    "dsp": Case("smlad r0, r1, r2, r0; smlald r0, r1, r2, r3; sxtab16 r4, r5, r6, ror #8; pkhbt r4, r5, r6", 4, 4),
    "multiplications": Case("mul r0, r1, r2; mla r0, r1, r2, r3; umull r0, r1, r2, r3; smmul r4, r5, r6", 4, 4),
    "saturation": Case("ssat r0, #8, r1; usat r2, #7, r3; qadd r4, r5, r6; sel r0, r1, r2", 4, 4),
    "division": Case("sdiv r0, r1, r2; udiv r3, r4, r5", 2, 14),  # 2 to 12 each: 7
    # loads: 2, a following load or store overlaps
    "one load": Case("ldr r0, [r1]", 1, 2),
    "two loads": Case("ldr r0, [r1]; ldr r2, [r3]", 2, 3),
    "three loads": Case("ldr r0, [r1, r5]; ldrb r1, [r2]; ldrsh r2, [r3, #4]", 3, 4),
    "loads that move on": Case("ldr r0, [r1], #4; ldr r2, [r3], #4", 2, 3),
    "load from a loaded address": Case("ldr r0, [r1]; ldr r2, [r0]", 2, 4),
    "load at a moved address": Case("ldr r0, [r1], #4; ldr r2, [r1]", 2, 4),
    "load from a computed address": Case("adds r0, r0, #4; ldr r1, [r0]", 2, 4),  # 1 + 2 + 1 not forwarded
    "load with a computed index": Case("lsls r2, r2, #1; ldrh r1, [r0, r2]", 2, 4),
    "load of an address from two before": Case("adds r0, r0, #4; nop; ldr r1, [r0]", 3, 4),
    "compare in front of a load": Case("cmp r0, #4; ldr r1, [r0]", 2, 3),
    # stores: 1, with an index 2 unless behind a load
    "store": Case("str r0, [r1, #4]; strb r2, [r3]", 2, 2),
    "indexed store": Case("str r0, [r1, r2]", 1, 2),
    "load and store": Case("ldr r0, [r1, r2]; str r0, [r3, #20]", 2, 3),
    "load and indexed store": Case("ldr r0, [r1, r2]; str r1, [r3, r2]", 2, 3),
    "load behind a store": Case("str r0, [r1]; ldr r2, [r3]", 2, 3),
    # several registers: 1 + N
    "ldrd": Case("ldrd r0, r1, [r2]", 1, 3),
    "strd": Case("strd r0, r1, [r2, #8]", 1, 3),
    "load behind ldrd": Case("ldrd r0, r1, [r2]; ldr r3, [r4]", 2, 5),
    "ldm": Case("ldmia r0!, {r1, r2, r3}", 1, 4),
    "ldm at a computed address": Case("adds r0, #4; ldmia r0!, {r1, r2, r3}", 2, 6),
    "stm": Case("stmia r0!, {r1, r2, r3, r4}", 1, 5),
    "push": Case("push {r4-r7, lr}", 1, 6),
    "pop": Case("pop {r4-r7}", 1, 5),
    "pop and return": Case("pop {r4, pc}", 1, 1 + 2 + 2),
    # branches: 1, taken 2 more
    "branch": Case("b 1f; 1:", 1, 3),
    "conditional branch": Case("subs r0, #1; bne 1f; 1:", 2, 2, 2),
    "compare and branch": Case("cbz r0, 1f; nop; 1:", 2, 2, 2),
    "call": Case("bl reset", 1, 3),
    "return": Case("bx lr", 1, 3),
    "call of a register": Case("blx r3", 1, 3),
    "table branch": Case("tbb [pc, r0]", 1, 4),
    "jump by load": Case("ldr pc, [r0]", 1, 4),
    # IT folds into a 16-bit instruction in front of it
    "it behind 16 bits": Case("cmp r0, #1; it eq; moveq r0, #2", 3, 2),
    "it behind 32 bits": Case("cmp.w r0, #1; itte eq; addeq r0, #1; addeq r1, #1; movne r2, #0", 5, 5),
    "it first": Case("it eq; moveq r0, #2", 2, 2),
    "return in it": Case("cmp r0, #1; it eq; bxeq lr", 3, 2, 2),
    # floating point
    "float": Case("vadd.f32 s0, s1, s2; vmul.f32 s3, s4, s5; vcvt.f32.s32 s6, s6; vabs.f32 s7, s7", 4, 4),
    "float multiply and add": Case("vmla.f32 s0, s1, s2; vfma.f32 s0, s1, s2", 2, 6),
    "float division": Case("vdiv.f32 s0, s1, s2; vsqrt.f32 s3, s4", 2, 28),
    "float load and store": Case("vldr s0, [r0]; vldr d1, [r0]; vstr s0, [r1]", 3, 7),
    "float load multiple": Case("vldmia r0!, {s0-s3}; vpush {d8-d9}; vpop {d8-d9}", 3, 15),
    "float moves": Case("vmov s0, r1; vmov r0, r1, s2, s3", 2, 3),
    # system
    "system": Case("mrs r0, primask; msr primask, r0; cpsid i; nop; dsb; isb", 6, 2 + 2 + 2 + 1 + 1 + 3),
}  # fmt: skip

M0PLUS = {
    "data processing": Case("adds r0, r1, r2; muls r0, r1, r0; uxtb r2, r2", 3, 3),
    "loads and stores": Case("ldr r0, [r1]; ldr r2, [r3]; strb r0, [r1]", 3, 6),
    "several": Case("ldmia r0!, {r1, r2}; stmia r0!, {r1, r2, r3}; push {r4, lr}; pop {r4}", 4, 3 + 4 + 3 + 2),
    "pop and return": Case("pop {r4, pc}", 1, 3 + 2),
    "branch": Case("b 1f; 1:", 1, 2),
    "conditional branch": Case("subs r0, #1; bne 1f; 1:", 2, 2, 1),
    "call": Case("bl reset", 1, 3),
    "return": Case("bx lr", 1, 2),
    "system": Case("mrs r0, primask; dsb; nop", 3, 7),
}
M3 = {
    "multiply": Case("mul r0, r1, r2; mla r0, r1, r2, r3; mls r0, r1, r2, r3", 3, 1 + 2 + 2),
    "long multiply": Case("umull r0, r1, r2, r3; smlal r0, r1, r2, r3", 2, 4 + 5),
    "loads": Case("ldr r0, [r1]; ldr r2, [r3]", 2, 3),
}
M7 = {
    "two that pair": Case("adds r0, r1, r2; adds r3, r4, r5", 2, 1),
    "two that depend": Case("adds r0, r1, r2; adds r3, r0, r5", 2, 2),
    "one multiplier": Case("smlad r0, r1, r2, r0; smlad r3, r4, r5, r3", 2, 2),
    "multiply and load": Case("smlad r0, r1, r2, r0; ldr r6, [r7]", 2, 1),
    "one store unit": Case("str r0, [r1]; str r2, [r3]", 2, 2),
    "three in a row": Case("adds r0, r1, r2; adds r3, r4, r5; adds r6, r7, r5", 3, 2),
}
CASES = {
    (core, name): case
    for core, cases in (
        ("cortex-m4f", M4),
        ("cortex-m0plus", M0PLUS),
        ("cortex-m3", M3),
        ("cortex-m7f", M7),
        ("cortex-m33f", {name: M4[name] for name in ("dsp", "two loads", "conditional branch")}),
    )
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, bytes]]:
    """(address, code) of each case, all of them assembled at once."""
    source = ["  function reset", "  nop", "  end_of reset"]
    for number, case in enumerate(CASES.values()):
        source += [f"  function case_{number}", *case.code.split(";"), f"  .size case_{number}, . - case_{number}"]
    image = build(tmp_path_factory.mktemp("cycles"), "\n".join(source) + "\n")
    with image.elf.open("rb") as stream:
        elf = ELFFile(stream)
        text = elf.get_section_by_name(".text")
        symbols = {
            s.name: (s["st_value"] & ~1, s["st_size"]) for s in elf.get_section_by_name(".symtab").iter_symbols()
        }
        code, start = text.data(), text["sh_addr"]
    return {
        key: (address, code[address - start : address - start + size])
        for number, key in enumerate(CASES)
        for address, size in (symbols[f"case_{number}"],)
    }


@pytest.mark.parametrize(("core", "name"), CASES)
def test_cost_of_a_block(core: str, name: str, blocks: dict[tuple[str, str], tuple[int, bytes]]) -> None:
    address, code = blocks[core, name]
    case = CASES[core, name]
    assert MODELS[core].block(code, address) == BlockCost(case.instructions, case.cycles, case.taken)


def test_unknown_bytes_count_as_instructions() -> None:
    cost = MODELS["cortex-m4f"].block(bytes.fromhex("00bf ffff ffff 00bf"), 0)
    assert cost.instructions >= 3
    assert cost.cycles == cost.instructions


@pytest.mark.parametrize("core", MODELS)
def test_each_model_names_a_core_and_its_error(core: str) -> None:
    model = MODELS[core]
    assert core == model.core
    assert core in CORES
    assert 0 < model.error_percent <= 100
    rules = model.timing if isinstance(model, ThumbModel) else model
    assert "Error:" in (type(rules).__doc__ or "")


def test_the_docs_state_the_errors(root: Path) -> None:
    text = (root / "docs" / "emulators.md").read_text()
    table = text.split("<!-- models -->")[1].split("<!-- /models -->")[0]
    stated = {match[1]: float(match[2]) for match in re.finditer(r"\| `(\S+)` \| (\S+) % \|", table)}
    assert stated == {core: model.error_percent for core, model in MODELS.items()}


@pytest.mark.parametrize("core", MODELS)
def test_the_emulator_states_the_error_of_its_core(core: str) -> None:
    board = dataclasses.replace(load_board("nrf52840dk"), core=CORES[core], calibration=None)
    assert UnicornEmulator(board).counting.error_percent == MODELS[core].error_percent
