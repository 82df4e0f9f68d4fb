"""The types a layer can have: what its activations and weights are stored in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class LayerType:
    """Bits of activations and weights, and where the type exists."""

    title: str
    activation_bits: int
    weight_bits: int
    operators: tuple[str, ...] = ("*",)
    """the quantizer's names of the operators that it changes; others stay int8"""
    per_tensor: tuple[str, ...] = ()
    """of these, those whose weights have one scale alone in TensorFlow Lite Micro's kernel"""


TYPES: Mapping[str, LayerType] = MappingProxyType(
    {
        "int8": LayerType("int8 activations and weights", 8, 8),
        "int16x8": LayerType("int16 activations, int8 weights", 16, 8),
        "int4": LayerType(
            "int8 activations, int4 weights of conv_2d and fully_connected",
            8,
            4,
            ("CONV_2D", "FULLY_CONNECTED"),
            ("FULLY_CONNECTED",),
        ),
    }
)
