"""signal_window, signal_fft_auto_scale, signal_rfft and signal_energy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.fft import order, real_twiddles, twiddles
from tinyedge.boards import Core
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.signal_spectrum import SignalEnergy, SignalFftAutoScale, SignalRfft, SignalWindow

LAYER_CODE_BYTES = 24
FFT_STEM = "te_rfft_s16"
FFT_PARAMS_BYTES = 16


def fft_constants(prefix: str, length: int) -> tuple[tuple[Constant, ...], str]:
    """(tables, the struct `<prefix>_fft`) of a transform of so many real samples."""
    points = length // 2
    turns = twiddles(points)[: 3 * points // 4].reshape(-1)
    constants = (
        Constant(f"{prefix}_twiddles", "int16_t", turns, 4, "of the FFT"),
        Constant(f"{prefix}_real_twiddles", "int16_t", real_twiddles(points).reshape(-1), 4, "of its last step"),
        Constant(f"{prefix}_order", "uint16_t", order(points), 2, "of its samples"),
    )
    members: dict[str, Value] = {
        "points": points,
        "twiddles": f"{prefix}_twiddles",
        "real_twiddles": f"{prefix}_real_twiddles",
        "order": f"{prefix}_order",
    }
    return constants, params_struct("te_rfft_params", f"{prefix}_fft", members)


class PortableSignalWindow(Kernel):
    """Samples times a window."""

    name = "portable/signal_window"
    operators: ClassVar[tuple[str, ...]] = ("signal_window",)
    stem = "te_signal_window"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalWindow = layer.params
        return Cost(14 * layer.inputs[0].elements, LAYER_CODE_BYTES, 16 + p.weights.nbytes, ((self.stem, 70),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalWindow = layer.params
        prefix = operands.prefix
        members: dict[str, Value] = {
            "windows": p.windows,
            "size": len(p.weights),
            "shift": p.shift,
            "weights": f"{prefix}_weights",
        }
        weights = np.ascontiguousarray(p.weights, np.int16)
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(Constant(f"{prefix}_weights", "int16_t", weights, 4, "window"),),
            functions=params_struct("te_signal_window_params", f"{prefix}_params", members),
            runtime=(self.stem,),
        )


class PortableSignalFftAutoScale(Kernel):
    """Samples shifted left as far as their type lets them."""

    name = "portable/signal_fft_auto_scale"
    operators: ClassVar[tuple[str, ...]] = ("signal_fft_auto_scale",)
    stem = "te_signal_fft_auto_scale"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalFftAutoScale = layer.params
        return Cost(16 * p.elements, LAYER_CODE_BYTES, 0, ((self.stem, 110),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalFftAutoScale = layer.params
        call = f"{self.stem}({operands.inputs[0]}, {p.elements}u, {operands.outputs[0]}, {operands.outputs[1]});"
        return Code(call=(call,), runtime=(self.stem,))


class PortableSignalRfft(Kernel):
    """The FFT of real int16 samples."""

    name = "portable/signal_rfft"
    operators: ClassVar[tuple[str, ...]] = ("signal_rfft",)

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalRfft = layer.params
        points = p.length // 2
        cycles = p.rows * points * (40 + 18 * points.bit_length())
        return Cost(cycles, LAYER_CODE_BYTES, FFT_PARAMS_BYTES + 7 * points, ((FFT_STEM, 800),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalRfft = layer.params
        prefix = operands.prefix
        constants, struct = fft_constants(prefix, p.length)
        calls = tuple(
            f"{FFT_STEM}(&{prefix}_fft, {operands.inputs[0]} + {row * p.size}, {p.size}u, "
            f"{operands.outputs[0]} + {row * (p.length + 2)});"
            for row in range(p.rows)
        )
        return Code(call=calls, constants=constants, functions=struct, runtime=(FFT_STEM,))


class PortableSignalEnergy(Kernel):
    """Squared magnitudes of a spectrum."""

    name = "portable/signal_energy"
    operators: ClassVar[tuple[str, ...]] = ("signal_energy",)
    stem = "te_signal_energy"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SignalEnergy = layer.params
        return Cost(13 * p.bins, LAYER_CODE_BYTES, 0, ((self.stem, 60),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SignalEnergy = layer.params
        limits = f"{p.bins}u, {p.start}u, {p.end}u"
        call = f"{self.stem}({operands.inputs[0]}, {limits}, {operands.outputs[0]});"
        return Code(call=(call,), runtime=(self.stem,))


KERNELS: tuple[Kernel, ...] = (
    PortableSignalWindow(),
    PortableSignalFftAutoScale(),
    PortableSignalRfft(),
    PortableSignalEnergy(),
)
