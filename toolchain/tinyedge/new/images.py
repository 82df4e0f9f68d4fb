"""Images: one class for each."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal
from tinyedge.new.shared import data_table, facts_of, fit_table, merged
from tinyedge.new.sizing import chain, fit_width, scaled

_SMALL = ((24, 3, 2), (32, 3, 2), (64, 3, 1), (64, 1, 1))
_LARGE = ((16, 3, 2), *_SMALL)
"""(channels, kernel, stride) of the convolutions; the second for images of `_LARGE_SIDE` pixels and more"""
_LARGE_SIDE = 64
_SIDES = (96, 64, 48, 32, 24, 16)
"""that larger images become, the largest that the board's RAM allows"""
_CLASSES = ("circle", "cross", "square")
_SIDE = 24


class _Images:
    name = "images"
    title = "tells images apart"
    sort = "images"
    assumed = Found("images", (_SIDE, _SIDE, 1), _CLASSES, table={"size": [_SIDE, _SIDE], "grey": True})
    layout = tuple((f"{name}/*.png", f"images of `{name}` (or .jpg, .bmp, .pgm and others)") for name in _CLASSES)

    def propose(self, found: Found | None, board: Board) -> Proposal:
        assert found is not None
        found, why = _resized(found, board)
        height, wide, channels = found.shape
        steps = _LARGE if min(height, wide) >= _LARGE_SIDE else _SMALL
        width, size = fit_width(
            lambda width: chain(
                height,
                wide,
                channels,
                [(scaled(outputs, width), (kernel, kernel), (stride, stride)) for outputs, kernel, stride in steps],
                max(2, len(found.classes)),
            ),
            board,
        )
        data, fit = data_table(found), fit_table(found, 30, 0.003)
        most = max(1, min(height, wide) // 14)
        values, reasons = merged(
            ({"data": data[0]}, data[1] | why),
            ({"fit": fit[0]}, fit[1]),
            (
                {"augment": [{"technique": "shift", "most": most, "axes": [0, 1]}]},
                {"augment.shift.most": "nothing lies in the same place twice"},
            ),
        )
        reasons["augment.flip.axis"] = "left out: letters and many signs are others in the mirror"
        return Proposal(
            "images, told apart",
            {"task": "classification", **values},
            reasons,
            {
                "channels": [scaled(outputs, width) for outputs, _, _ in steps],
                "kernels": [kernel for _, kernel, _ in steps],
                "strides": [stride for _, _, stride in steps],
            },
            (
                *facts_of(found, f"{'grey' if channels == 1 else 'colour'} images, read as {height} x {wide}"),
                ("network", f"convolutions: {size}"),
            ),
        )

    def example(self) -> Mapping[PurePosixPath, bytes]:
        random = np.random.default_rng(3)
        return {
            PurePosixPath(f"{name}/{number:02}.png"): png(_drawn(name, random))
            for name in _CLASSES
            for number in range(24)
        }


def _resized(found: Found, board: Board) -> tuple[Found, dict[str, str]]:
    """Images as the recipe reads them: those too large for the board become smaller.

    The largest of what lives at once is the input and the first layer's output, which has a quarter of its pixels.
    """
    height, wide, channels = found.shape
    ram = board.ram.size_bytes if board.memories else 1 << 20
    side = max(height, wide)
    fitting = [each for each in _SIDES if each * each * (channels + 24 / 4) <= ram / 4] or [_SIDES[-1]]
    if side <= fitting[0] and "size" not in found.table:
        return found, {}
    if side <= fitting[0]:
        return found, {"data.size": "the images are of several sizes"}
    share = fitting[0] / side
    shape = (max(1, round(height * share)), max(1, round(wide * share)))
    why = f"they are {height} x {wide}; larger ones would take more than a quarter of the board's RAM"
    if fitting[0] == _SIDES[0]:
        why = f"they are {height} x {wide}; more than {_SIDES[0]} pixels a side takes more than most boards can compute"
    table = {**found.table, "size": list(shape)}
    return Found(**{**vars(found), "shape": (*shape, channels), "table": table}), {"data.size": why}


def _drawn(name: str, random: np.random.Generator) -> npt.NDArray[Any]:
    """A shape that nobody drew, light on dark: uint8 [side, side]."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    middle = _SIDE / 2 + random.uniform(-3, 3, 2)
    radius = random.uniform(5, 8)
    down, right = np.abs(rows - middle[0]), np.abs(columns - middle[1])
    if name == "circle":
        inside = np.abs(np.hypot(down, right) - radius) < 1.3
    elif name == "square":
        inside = np.abs(np.maximum(down, right) - radius) < 1.3
    else:
        inside = (np.abs(down - right) < 1.3) & (np.maximum(down, right) < radius)
    noise = random.normal(0, 12, inside.shape)
    drawn: npt.NDArray[Any] = np.clip(40 + 170 * inside + noise, 0, 255).astype(np.uint8)
    return drawn


def png(image: npt.NDArray[Any]) -> bytes:
    """A grey image [height, width] as a .png.

    >>> png(np.zeros((2, 3), np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


TEMPLATE = _Images()
