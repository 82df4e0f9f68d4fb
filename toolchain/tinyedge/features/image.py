"""A camera's picture, cropped, resized and in the colours of a network."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyedge.errors import UsageError
from tinyedge.features.contract import Array, FeatureCode, Features
from tinyedge.features.resize import Axis, Resize, axis_of
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Constant
from tinyedge.tables import require_range

Format = Literal["grey", "rgb", "rgb565", "rgb565_little", "yuyv", "uyvy"]
Levels = Literal["0..1", "-1..1", "0..255"]
_BYTES: Mapping[Format, int] = {"grey": 1, "rgb": 3, "rgb565": 2, "rgb565_little": 2, "yuyv": 2, "uyvy": 2}
"""of a pixel"""
_LEVELS: Mapping[Levels, tuple[int, int, float]] = {
    "0..1": (1, 0, 1 / 255),
    "-1..1": (2, -255, 1 / 255),
    "0..255": (1, 0, 1.0),
}
"""what black and white are to the network -> factor, offset, unit"""
_LONGEST_SIDE = 2048


@dataclass(frozen=True)
class Image(Features):
    """Parameters of the kind `image`. A row is a picture, [height, width, colours]."""

    kind = "image"
    sample_dtype = DType.UINT8

    camera: tuple[int, ...] = ()
    """[height, width] of the camera's picture"""
    size: tuple[int, ...] = ()
    """[height, width] of the network's picture"""
    format: Format = "grey"
    """of the camera: grey, rgb (3 bytes), rgb565 (high byte first, or `_little`), yuyv or uyvy (YUV 4:2:2)"""
    colors: Literal["grey", "rgb"] = "grey"
    """of the network's picture"""
    crop: tuple[int, ...] = ()
    """[top, left, height, width] of the part of the camera's picture that is used; empty: all of it"""
    resize: Resize = "area"
    """area: the mean of what a pixel covers; bilinear: between the nearest pixels' middles; nearest"""
    levels: Levels = "0..1"
    """what black and white are to the network"""

    def __post_init__(self) -> None:
        for name, sides, count in (("camera", self.camera, 2), ("size", self.size, 2), ("crop", self._crop, 4)):
            if len(sides) != count:
                told = "[top, left, height, width]" if count == 4 else "[height, width]"
                raise ValueError(f"`{name}` has {len(sides)} numbers; it is {told}")
            for side in sides[-2:]:
                require_range(name, side, 1, _LONGEST_SIDE)
        top, left, height, width = self._crop
        if top < 0 or left < 0 or top + height > self.camera[0] or left + width > self.camera[1]:
            raise ValueError(f"`crop` {list(self._crop)} leaves the picture of {list(self.camera)}")
        if self.format in ("yuyv", "uyvy") and self.camera[1] % 2:
            raise ValueError(f"`camera` is {self.camera[1]} wide; two pixels of `{self.format}` share their colour")

    @property
    def rate_hz(self) -> int:
        return 0

    @property
    def axes(self) -> int:
        """Bytes of a pixel."""
        return _BYTES[self.format]

    @property
    def window(self) -> int:
        """Pixels of the camera's picture."""
        return self.camera[0] * self.camera[1]

    @property
    def stride(self) -> int:
        return self.window

    @property
    def channels(self) -> int:
        return self.size[0] * self.size[1] * self._planes

    @property
    def unit(self) -> float:
        return _LEVELS[self.levels][2]

    @property
    def _planes(self) -> int:
        return 3 if self.colors == "rgb" else 1

    @property
    def _crop(self) -> tuple[int, ...]:
        return self.crop or (0, 0, *self.camera)

    @functools.cached_property
    def _axes(self) -> tuple[Axis, Axis]:
        top, left, height, width = self._crop
        return (
            axis_of(self.resize, height, self.size[0], top, self.camera[0]),
            axis_of(self.resize, width, self.size[1], left, self.camera[1]),
        )

    def to_samples(self, values: Array) -> Array:
        """The bytes of pictures, as the camera sends them.

        Shape:   floats from 0 to 1, or uint8, [..., height, width], perhaps with 1 or 3 colours behind; or what the
                 camera sends, uint8 [pixels, bytes] or [bytes] -> uint8 [pixels, bytes]
        Raises:  UsageError when they are of another size than `camera`
        """
        is_flat = values.ndim == 1 or (values.ndim == 2 and values.shape[1] == self.axes)
        if is_flat and values.dtype == np.uint8 and values.size % (self.window * self.axes) == 0:
            return values.reshape(-1, self.axes)
        has_colors = values.ndim > 2 and values.shape[-1] in (1, 3)
        sides = values.shape[-3:-1] if has_colors else values.shape[-2:]
        if tuple(sides) != tuple(self.camera):
            raise UsageError(
                f"pictures are {list(values.shape)}; the camera of the features `image` gives {list(self.camera)}",
                hint="`camera` of [features] says the size, or resize the pictures to it",
            )
        levels = values if values.dtype == np.uint8 else np.clip(np.rint(values * 255.0), 0, 255).astype(np.uint8)
        colors = levels if has_colors else levels[..., None]
        return _encoded(colors.reshape(-1, *self.camera, colors.shape[-1]), self.format).reshape(-1, self.axes)

    def reference(self, samples: Array) -> Array:
        """Shape: uint8 [instants, bytes] -> int16 [pictures, channels]."""
        count = len(samples) // self.window
        pictures = samples[: count * self.window].reshape(count, *self.camera, self.axes)
        colors = _decoded(pictures, self.format, grey=self.colors == "grey").astype(np.int64)
        rows, columns = self._axes
        lines = (columns.weighted(colors, axis=2) + 8) >> 4
        levels = (rows.weighted(lines, axis=1) + (1 << 19)) >> 20
        factor, offset, _ = _LEVELS[self.levels]
        return (levels * factor + offset).reshape(count, self.channels).astype(np.int16)

    def float_values(self, samples: Array) -> Array:
        """The same with weights in float64."""
        count = len(samples) // self.window
        pictures = samples[: count * self.window].reshape(count, *self.camera, self.axes)
        colors = _decoded(pictures, self.format, grey=self.colors == "grey").astype(np.float64)
        rows, columns = self._axes
        levels = rows.exact(columns.exact(colors, axis=2), axis=1)
        factor, offset, _ = _LEVELS[self.levels]
        return (levels * factor + offset).reshape(count, self.channels)

    def emit(self, prefix: str) -> FeatureCode:
        rows, columns = self._axes
        factor, offset, _ = _LEVELS[self.levels]
        name = f"{prefix}_params"
        members: dict[str, Value] = {
            "format": f"TE_PICTURE_{self.format.upper()}",
            "width": self.camera[1],
            "colors": self._planes,
            "rows": rows.members(f"{prefix}_row"),
            "columns": columns.members(f"{prefix}_column"),
            "factor": factor,
            "offset": offset,
        }
        constants = [
            Constant(f"{prefix}_{which}_{what}", "uint16_t", values.reshape(-1).astype(np.uint16))
            for which, axis in (("row", rows), ("column", columns))
            for what, values in (("starts", axis.starts), ("weights", axis.weights))
        ]
        return FeatureCode(
            function="te_picture",
            params_name=name,
            params=params_struct("te_picture_params", name, members),
            constants=tuple(constants),
        )


def _decoded(pictures: Array, format: Format, *, grey: bool) -> Array:
    """Levels of pictures. Shape: uint8 [count, height, width, bytes] -> int64 [..., 1 or 3]."""
    x = pictures.astype(np.int64)
    match format:
        case "grey":
            return x if grey else np.repeat(x, 3, axis=-1)
        case "rgb":
            colors = x
        case "rgb565" | "rgb565_little":
            high, low = (x[..., 0], x[..., 1]) if format == "rgb565" else (x[..., 1], x[..., 0])
            word = high << 8 | low
            red, green, blue = word >> 11, word >> 5 & 63, word & 31
            colors = np.stack([red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2], axis=-1)
        case _:
            at = 0 if format == "yuyv" else 1
            y = x[..., at]
            if grey:
                return y[..., None]
            pairs = x[..., 1 - at].reshape(*y.shape[:-1], -1, 2)
            u, v = (np.repeat(pairs[..., i], 2, axis=-1) - 128 for i in (0, 1))
            parts = [y + (359 * v + 128 >> 8), y + (-88 * u - 183 * v + 128 >> 8), y + (454 * u + 128 >> 8)]
            colors = np.clip(np.stack(parts, axis=-1), 0, 255)
    return (colors @ np.array([77, 150, 29]) + 128 >> 8)[..., None] if grey else colors


def _encoded(pictures: Array, format: Format) -> Array:
    """What a camera sends of pictures. Shape: uint8 [count, height, width, 1 or 3] -> uint8 [..., bytes]."""
    x = pictures.astype(np.int64)
    if format == "grey":
        return pictures if x.shape[-1] == 1 else _decoded(pictures, "rgb", grey=True).astype(np.uint8)
    red, green, blue = (x[..., min(i, x.shape[-1] - 1)] for i in range(3))
    match format:
        case "rgb":
            parts = [red, green, blue]
        case "rgb565" | "rgb565_little":
            five = [(level * 31 + 127) // 255 for level in (red, blue)]
            word = five[0] << 11 | (green * 63 + 127) // 255 << 5 | five[1]
            parts = [word >> 8, word & 255]
            parts = parts if format == "rgb565" else parts[::-1]
        case _:
            y = np.rint(0.299 * red + 0.587 * green + 0.114 * blue)
            u = np.rint((blue - y) * 0.564 + 128).reshape(*y.shape[:-1], -1, 2).mean(axis=-1)
            v = np.rint((red - y) * 0.713 + 128).reshape(*y.shape[:-1], -1, 2).mean(axis=-1)
            shared = np.stack([u, v], axis=-1).reshape(y.shape)
            parts = [y, shared] if format == "yuyv" else [shared, y]
    return np.clip(np.rint(np.stack(parts, axis=-1)), 0, 255).astype(np.uint8)


KIND = Image
