"""signal_filter_bank, its square root, spectral subtraction and logarithm, and signal_pcan."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.filter_bank import Bands, Subtraction
from tinyedge.boards import Core
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.signal_filter_bank import Logarithm, SignalFilterBank, SignalPcan, SquareRoot

LAYER_CODE_BYTES = 24
LOG_STEM = "te_log_u32"
LOG2_STEM = "te_log2"
LOG_BYTES = 120


def bands_constants(prefix: str, bands: Bands) -> tuple[tuple[Constant, ...], str]:
    """(tables, the struct `<prefix>_bands`) of a filter bank."""
    tables = {
        "starts": (bands.starts, "int16_t", "first bins"),
        "first": (bands.first, "int16_t", "places of first weights"),
        "widths": (bands.widths, "int16_t", "numbers of bins"),
        "weights": (bands.weights.astype(np.uint16), "uint16_t", "shares for a channel"),
        "rests": (bands.rests.astype(np.uint16), "uint16_t", "shares for the next one"),
    }
    constants = tuple(
        Constant(f"{prefix}_{name}", ctype, np.ascontiguousarray(values), 4, comment)
        for name, (values, ctype, comment) in tables.items()
    )
    members: dict[str, Value] = {"channels": bands.channels, **{name: f"{prefix}_{name}" for name in tables}}
    return constants, params_struct("te_signal_filter_bank_params", f"{prefix}_bands", members)


def subtraction_struct(name: str, channels: int, rule: Subtraction) -> str:
    members: dict[str, Value] = {
        "channels": channels,
        "share": array([rule.smoothing, rule.alternate_smoothing]),
        "kept": array([rule.one_minus_smoothing, rule.alternate_one_minus_smoothing]),
        "min_signal_remaining": rule.min_signal_remaining,
        "smoothing_bits": rule.smoothing_bits,
        "bits": rule.bits,
        "clamping": int(rule.clamping),
    }
    return params_struct("te_spectral_subtraction_params", name, members)


class PortableSignalFilterBank(Kernel):
    """Bands of a spectrum."""

    name = "portable/signal_filter_bank"
    operators: ClassVar[tuple[str, ...]] = ("signal_filter_bank",)
    alignment: ClassVar[int] = 8
    stem = "te_signal_filter_bank"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalFilterBank = layer.params
        bands = p.bands
        cycles = 16 * int(bands.widths.sum()) + 30 * len(bands.widths)
        constants = 6 * len(bands.widths) + 4 * len(bands.weights) + 24
        return Cost(cycles, LAYER_CODE_BYTES, constants, ((self.stem, 140),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalFilterBank = layer.params
        constants, struct = bands_constants(operands.prefix, p.bands)
        call = f"{self.stem}(&{operands.prefix}_bands, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=constants, functions=struct, runtime=(self.stem,))


class PortableSquareRoot(Kernel):
    """Square roots of uint64."""

    name = "portable/signal_filter_bank_square_root"
    operators: ClassVar[tuple[str, ...]] = ("signal_filter_bank_square_root",)
    alignment: ClassVar[int] = 8
    stem = "te_signal_filter_bank_square_root"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SquareRoot = layer.params
        return Cost(350 * p.channels, LAYER_CODE_BYTES, 0, ((self.stem, 260),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SquareRoot = layer.params
        values, bits = operands.inputs
        call = f"{self.stem}({values}, {p.channels}u, (uint32_t)*({bits}), {operands.outputs[0]});"
        return Code(call=(call,), runtime=(self.stem,))


class PortableSpectralSubtraction(Kernel):
    """Noise followed in each channel, and taken away."""

    name = "portable/signal_filter_bank_spectral_subtraction"
    operators: ClassVar[tuple[str, ...]] = ("signal_filter_bank_spectral_subtraction",)
    stem = "te_signal_filter_bank_spectral_subtraction"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(50 * layer.inputs[0].elements, LAYER_CODE_BYTES, 28, ((self.stem, 170),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Subtraction = layer.params
        name = f"{operands.prefix}_params"
        struct = subtraction_struct(name, layer.inputs[0].elements, p)
        remaining, noise = operands.outputs
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {noise}, {remaining});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableSignalPcan(Kernel):
    """Gain by the noise of each channel."""

    name = "portable/signal_pcan"
    operators: ClassVar[tuple[str, ...]] = ("signal_pcan",)
    stem = "te_signal_pcan"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalPcan = layer.params
        return Cost(60 * p.channels, LAYER_CODE_BYTES, p.gains.nbytes, ((self.stem, 160),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0 if input_index == 0 else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalPcan = layer.params
        gains = f"{operands.prefix}_gains"
        signal, noise = operands.inputs
        call = f"{self.stem}({gains}, {p.snr_shift}u, {p.channels}u, {signal}, {noise}, {operands.outputs[0]});"
        table = np.ascontiguousarray(p.gains, np.int16)
        return Code(call=(call,), constants=(Constant(gains, "int16_t", table, 4, "gains"),), runtime=(self.stem,))


class PortableLogarithm(Kernel):
    """Logarithms of channels."""

    name = "portable/signal_filter_bank_log"
    operators: ClassVar[tuple[str, ...]] = ("signal_filter_bank_log",)
    stem = "te_signal_filter_bank_log"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Logarithm = layer.params
        return Cost(50 * p.channels, LAYER_CODE_BYTES, 0, ((self.stem, 60), (LOG_STEM, LOG_BYTES), (LOG2_STEM, 260)))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Logarithm = layer.params
        settings = f"{p.channels}u, {p.output_scale}u, {p.correction_bits}u"
        call = f"{self.stem}({operands.inputs[0]}, {settings}, {operands.outputs[0]});"
        return Code(call=(call,), runtime=(self.stem, LOG_STEM, LOG2_STEM))


KERNELS: tuple[Kernel, ...] = (
    PortableSignalFilterBank(),
    PortableSquareRoot(),
    PortableSpectralSubtraction(),
    PortableSignalPcan(),
    PortableLogarithm(),
)
