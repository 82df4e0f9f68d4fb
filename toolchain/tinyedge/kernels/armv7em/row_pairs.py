"""Rows of weights in pairs, four of which are multiplied at once: what fully_connected and LSTM share.

Each 16-bit half of a weight word holds w_a + 256 w_b of two rows a, b. The word as it is multiplies two inputs by
SMLAD and yields S_a + 256 S_b; one SXTB16 in place leaves w_a, and a second SMLAD yields S_a. So four products cost
three instructions, and weights take one byte each. The difference of the two sums is 256 S_b exactly, modulo 2**32,
which is S_b as long as |S_b| < 2**23: proved for each row from its weights and bias.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.thumb.assembly import Assembly

ROWS = 4
"""rows of weights computed together"""
LANES = 4
"""inputs in a word"""

Int64Array = npt.NDArray[np.int64]


def pairs_fit(weights: Int64Array) -> str:
    """Empty when rows in pairs have room in 16 bits, else why not. Shape: weights [rows, inputs]"""
    if weights.size and (weights.min() < -128 or weights.max() > 127):
        return f"weights less their zero point reach from {weights.min()} to {weights.max()}, beyond int8"
    second = weights[1::2]
    packed = weights[: 2 * len(second) : 2] + 256 * second
    if packed.size and packed.min() < -(1 << 15):
        return "a weight is -128, and the one beside it leaves no room for it in 16 bits"
    return ""


def rows_fit(weights: Int64Array, bias: Int64Array) -> str:
    """Empty when `pairs_fit`, and the sums of the second row of each pair have room in 24 bits; else why not.

    Shape:  weights [rows, inputs], bias [rows]
    """
    largest = int((np.abs(bias) + 128 * np.abs(weights).sum(axis=1)).max())
    too_large = f"a sum could reach {largest:,}, the kernel takes less than 2**23" if largest >= 1 << 23 else ""
    return pairs_fit(weights) or too_large


def row_blocks(weights: Int64Array, bias: Int64Array) -> Int64Array:
    """Per four rows their four biases, then for each four inputs four words of weights; zeros where rows or inputs end.

    Shape:  weights [rows, inputs], bias [rows] -> [blocks, 4 + 4 * words of input]
    """
    words, blocks = -(-weights.shape[1] // LANES), -(-len(weights) // ROWS)
    padded = np.zeros((blocks * ROWS, words * LANES), np.int64)
    padded[: weights.shape[0], : weights.shape[1]] = weights
    starts = np.zeros(blocks * ROWS, np.int64)
    starts[: len(bias)] = bias

    def in_pairs(values: Int64Array) -> Int64Array:
        """[rows, ...] -> [rows / 2, ...]: first + 256 * second"""
        return values[0::2] + 256 * values[1::2]

    biases = np.stack([starts[0::2], in_pairs(starts)], axis=1).reshape(-1, ROWS)
    quads = in_pairs(padded).reshape(-1, words, 2, 2)  # pair of rows, input word, 0/2 or 1/3, even/odd
    pairs = rounding.halfwords(quads[:, :, 0, :], quads[:, :, 1, :])  # inputs (0, 2), (1, 3) as SXTB16 gives them
    products = pairs.reshape(-1, 2, words, 2).transpose(0, 2, 3, 1).reshape(blocks, -1)
    return np.concatenate([biases, products], axis=1)


def multiply_rows(asm: Assembly, sums: Sequence[str], weights: Sequence[str], even: str, odd: str) -> None:
    """Four inputs with four rows, whose words are at r1: 13 instructions, which leave nothing useful in `weights`.

    sums       a, a + 256 b, c, c + 256 d
    weights    four registers in ascending order
    even, odd  inputs (0, 2) and (1, 3), as `assembly.widen` leaves them
    """
    asm(f"ldm r1!, {{{weights[0]}-{weights[3]}}}")
    for word, (first, both), inputs in zip(weights, (sums[:2], sums[2:]) * 2, (even, even, odd, odd), strict=True):
        asm(f"smlad {both}, {word}, {inputs}, {both}", f"sxtb16 {word}, {word}")
        asm(f"smlad {first}, {word}, {inputs}, {first}")


def plain_blocks(weights: Int64Array, bias: Int64Array) -> Int64Array:
    """The same of rows that are not paired: for each four inputs a word of four weights of each row.

    Shape:  weights [rows, inputs], bias [rows] -> [blocks, 4 + 4 * words of input]
    """
    words, blocks = -(-weights.shape[1] // LANES), -(-len(weights) // ROWS)
    padded = np.zeros((blocks * ROWS, words * LANES), np.int64)
    padded[: weights.shape[0], : weights.shape[1]] = weights
    starts = np.zeros((blocks, ROWS), np.int64)
    starts.reshape(-1)[: len(bias)] = bias
    rows = padded.astype(np.int8).view("<u4").astype(np.int64)
    return np.concatenate([starts, rows.reshape(blocks, ROWS, words).transpose(0, 2, 1).reshape(blocks, -1)], axis=1)


def multiply_plain_rows(asm: Assembly, sums: Sequence[str], even: str, odd: str) -> None:
    """Four inputs with four rows of `plain_blocks`, at r1: 20 instructions, which change r9 and r10."""
    for each in sums:
        asm("ldr r9, [r1], #4", "sxtb16 r10, r9, ror #8", "sxtb16 r9, r9")
        asm(f"smlad {each}, r9, {even}, {each}", f"smlad {each}, r10, {odd}, {each}")


def part_sums(asm: Assembly, sums: Sequence[str]) -> None:
    """a, a + 256 b, c, c + 256 d become a, b, c, d."""
    asm(*(f"sub {both}, {both}, {first}" for first, both in (sums[:2], sums[2:])))
    asm(*(f"asr {both}, {both}, #8" for _, both in (sums[:2], sums[2:])))
