"""average_pool_2d and max_pool_2d: int8 four channels at a time, int16 one by one."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.graph.ir import DType
from tinyedge.kernels.common.pool_2d import Pool2DInC
from tinyedge.kernels.contract import Kernel


class PortableAveragePool2D(Pool2DInC):
    """Any int8 average pooling."""

    name = "portable/average_pool_2d"
    operators: ClassVar[tuple[str, ...]] = ("average_pool_2d",)
    stem = "te_average_pool_2d_s8"
    struct = "te_average_pool_2d_params"
    code = 800
    cycles_per_cell = 4.7
    cycles_per_output = 50.0


class PortableMaxPool2D(Pool2DInC):
    """Any int8 max pooling."""

    name = "portable/max_pool_2d"
    operators: ClassVar[tuple[str, ...]] = ("max_pool_2d",)
    stem = "te_max_pool_2d_s8"
    struct = "te_max_pool_2d_params"
    code = 650
    cycles_per_cell = 5.0
    cycles_per_output = 34.0


class _PortablePool2DS16(Pool2DInC):
    dtype = DType.INT16
    channels_at_once = 1
    struct = "te_pool_2d_s16_params"


class PortableAveragePool2DS16(_PortablePool2DS16):
    """Any int16 average pooling."""

    name = "portable/average_pool_2d_s16"
    operators: ClassVar[tuple[str, ...]] = ("average_pool_2d",)
    stem = "te_average_pool_2d_s16"
    code = 434
    cycles_per_cell = 15.0
    cycles_per_output = 52.0


class PortableMaxPool2DS16(_PortablePool2DS16):
    """Any int16 max pooling."""

    name = "portable/max_pool_2d_s16"
    operators: ClassVar[tuple[str, ...]] = ("max_pool_2d",)
    stem = "te_max_pool_2d_s16"
    code = 418
    cycles_per_cell = 15.0
    cycles_per_output = 42.0


KERNELS: tuple[Kernel, ...] = (
    PortableAveragePool2D(),
    PortableMaxPool2D(),
    PortableAveragePool2DS16(),
    PortableMaxPool2DS16(),
)
