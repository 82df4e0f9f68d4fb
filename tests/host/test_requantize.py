"""te_requantize.h against the reference arithmetic, at the corners of its ranges and at random."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import numpy as np

from kits.host_kernels import WARNINGS, compile_c, native_compiler
from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier, requantize
from tinyedge.boards import Isa
from tinyedge.kernels.sources import runtime_files

_PROGRAM = r"""
#include <stdio.h>
#include "te_requantize.h"

/* Reads (x, multiplier, shift, zero point, min, max) and writes (rescaled, output) for each. */
int main(void) {
  int32_t in[6];
  while (fread(in, sizeof in, 1, stdin) == 1) {
    const int32_t out[2] = {te_requantize(in[0], in[1], in[2]),
                            te_output_s8(in[0], in[1], in[2], in[3], in[4], in[5])};
    fwrite(out, sizeof out, 1, stdout);
  }
  return 0;
}
"""

EXTREMES = (-(2**31), -(2**31) + 1, -(2**30), -65537, -3, -2, -1, 0, 1, 2, 3, 65536, 2**30 - 1, 2**31 - 2, 2**31 - 1)
MULTIPLIERS = (0, 1, 2**29, 2**30, 2**30 + 1, 3 * 2**29, 2**31 - 2, 2**31 - 1)
SHIFTS = (-31, -30, -17, -2, -1, 0, 1, 8, 29, 30)
CLAMPS = ((-128, -128, 127), (127, -128, 127), (0, 0, 90), (-5, -5, -5))


def test_requantize_equals_the_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    corners = [(x, m, s, *c) for x, m, s, c in itertools.product(EXTREMES, MULTIPLIERS, SHIFTS, CLAMPS)]
    random = np.stack(
        [
            rng.integers(-(2**31), 2**31, 200_000) >> rng.integers(0, 31, 200_000),
            rng.integers(0, 2**31, 200_000),
            rng.integers(-31, 31, 200_000),
            rng.integers(-128, 128, 200_000),
            np.full(200_000, -128),
            np.full(200_000, 127),
        ],
        axis=1,
    )
    cases = np.concatenate([np.array(corners), random]).astype(np.int32)
    for name, content in runtime_files(("te_requantize",), Isa.NATIVE).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "main.c").write_text(_PROGRAM)
    compile_c([*native_compiler(), *WARNINGS, "-O1", "-o", "main", "main.c"], tmp_path)
    done = subprocess.run([tmp_path / "main"], input=cases.tobytes(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    actual = np.frombuffer(done.stdout, np.int32).reshape(-1, 2)
    x, multiplier, shift, zero_point, low, high = cases.T.astype(np.int64)
    rescaled = multiply_by_quantized_multiplier(x, multiplier, shift)
    np.testing.assert_array_equal(actual[:, 0], rescaled)
    np.testing.assert_array_equal(actual[:, 1], np.clip(rescaled + zero_point, low, high))
    first = cases[0].tolist()
    assert actual[0, 1] == requantize(*first[:3], zero_point=first[3], low=first[4], high=first[5])


def test_average_pool_divides_exactly_by_reciprocals() -> None:
    """The claim of te_average_pool_2d_s8.c: floor(v * (2^24 / n + 1) / 2^24) = floor(v / n) for n < 361."""
    for cells in range(1, 361):
        values = np.arange(128 * cells + cells // 2 + 1, dtype=np.uint64)
        product = values * np.uint64((1 << 24) // cells + 1)
        assert int(product[-1]) < 1 << 32
        np.testing.assert_array_equal(product >> np.uint64(24), values // np.uint64(cells))
