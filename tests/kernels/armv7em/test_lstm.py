"""LSTMs with the four gates of a unit as rows in pairs: exact, as fast as stated, refused where sums could go wrong."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.kernel_checks import M4, ON_M4, model_layers, rng_for
from kits.kernel_layers import Rng, parsed
from ops.lstm import lstm
from tinyedge.arithmetic.sigmoid_s16 import logistic_of_steps, tanh_of_steps
from tinyedge.boards import CORES
from tinyedge.kernels.armv7em.lstm import Lstm4Gates, signed_pieces
from tinyedge.ops.contract import Layer
from tinyedge.ops.lstm import Gate, Lstm

KERNEL = Lstm4Gates()


def layers_of(rng: Rng, count: int, **given: Any) -> list[Layer]:
    make = parsed(lambda rng: lstm(rng, **given))
    return [make(rng) for _ in range(count)]


def with_gates(layer: Layer, **changed: Any) -> Layer:
    """The layer with something of every gate changed."""
    p: Lstm = layer.params
    names = ("input_gate", "forget_gate", "cell_gate", "output_gate")
    gates: dict[str, Gate] = {name: dataclasses.replace(getattr(p, name), **changed) for name in names}
    return dataclasses.replace(layer, params=dataclasses.replace(p, **gates))


def with_left_shifts(rng: Rng) -> Layer:
    """Gates nearly all of which saturate."""
    factors = [(int(rng.integers(1 << 30, 1 << 31)), int(rng.integers(0, 4))) for _ in range(2)]
    return with_gates(parsed(lstm)(rng), factor=factors[0], recurrent_factor=factors[1])


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_is_exact(compiler: str, tmp_path: Path) -> None:
    """Any remainder of inputs and units, sums shifted both ways, cells of any scale, with and without a clip."""
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = rng_for("lstm")
    layers = layers_of(rng, 30)
    if compiler == "zig":
        layers += [with_left_shifts(rng) for _ in range(8)]
        layers += [layer for power in (0, -3, -9, -12, -15) for layer in layers_of(rng, 2, cell_scale=2.0**power)]
    found = ON_M4.fitting(KERNEL, layers, 20)
    parameters: list[Lstm] = [layer.params for layer in found]
    assert {p.units % 4 for p in parameters} == {p.inputs % 4 for p in parameters} == {0, 1, 2, 3}
    assert {p.time_major for p in parameters} == {p.cell_clip >= 0 for p in parameters} == {True, False}
    ON_M4.check_kernel(KERNEL, found, tmp_path, rng, compiler)


def test_is_exact_and_fast_on_a_trained_model(shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, "trained_lstm_int8", "unidirectional_sequence_lstm")
    ON_M4.check_kernel(KERNEL, layers, tmp_path / "exact", rng_for("trained"))
    ((instructions, cycles, _),) = ON_M4.check_costs(KERNEL, layers, tmp_path / "costs", rng_for("trained"))
    assert instructions / layers[0].macs < 1.85
    assert cycles / layers[0].macs < 2.6
    ON_M4.check_code_bytes(KERNEL, layers, tmp_path / "size")


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    ON_M4.check_costs(KERNEL, ON_M4.fitting(KERNEL, layers_of(rng, 8), 5), tmp_path, rng)


def by_pieces(steps: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """sigmoid with 16 + `bits` fractional bits as the assembler reads the table."""
    table = signed_pieces().astype(np.int64)
    piece = table[np.clip(steps >> bits, -256, 255) + 256]
    result = ((piece >> 16) << bits) + (steps & (1 << bits) - 1) * (piece & 0xFFFF) + (steps >> 31)
    return np.asarray(result)


def test_pieces_give_both_functions_for_every_argument() -> None:
    steps = np.arange(-32768, 32768) * 3
    assert (by_pieces(steps, 9) + 512 >> 10 == logistic_of_steps(steps)).all()
    wide = np.concatenate([steps, np.arange(-(1 << 20), 1 << 20, 7), [-32768 * 12288, 32767 * 12288]])
    assert (by_pieces(wide, 8) - (1 << 23) + 128 >> 8 == tanh_of_steps(wide)).all()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"factor": (1 << 30, 8)}, "shifted left by 8"),
        ({"recurrent_factor": (0, 0)}, "a scale is 0"),
        ({"bias": np.full(4, 1 << 24)}, "less than 2**23"),
        ({"recurrent": np.full((4, 4), -128)}, "leaves no room"),
    ],
)
def test_refuses(changed: dict[str, Any], reason: str) -> None:
    rng = rng_for("refused")
    layer = next(layer for layer in layers_of(rng, 40) if layer.params.units == 4)
    assert reason in KERNEL.fits(with_gates(layer, **changed), M4)


def test_refuses_int16_and_cores_without_dsp() -> None:
    (layer,) = layers_of(rng_for("core"), 1)
    assert KERNEL.fits(layer, CORES["cortex-m3"]) == "`cortex-m3` has no DSP instructions"
    (wide,) = layers_of(rng_for("core"), 1, dtype="int16")
    assert "its activations are int16" in KERNEL.fits(wide, M4)
