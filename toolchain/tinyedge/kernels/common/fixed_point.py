"""gemmlowp's fixed point in C, which kernels of several operators call."""

from __future__ import annotations

FIXED_POINT = ("te_fixed_point", 172)
"""reciprocal and leading zeros: the stem and its bytes"""
