"""Images: a folder of them for each class, read by Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.data.classes import IMAGES, Entry, choose_classes, class_entries, has_most
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.data.unequal import odd_one
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.install import require_package

MOST_PIXELS = 1 << 26
"""of one image as it is stored"""
MOST_BYTES = 4 << 30
"""of all images as float32"""
_GREY = ("1", "L", "I", "I;16", "F", "LA")


class _Images:
    title = "a folder of images"
    layout = "`class/*.png`, also .jpg, .bmp, .pgm, .ppm, .gif, .tif, .webp"
    split = "`train/class/*.png` and `test/class/*.png`"
    is_general = True

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return has_most(names, IMAGES)

    def read(self, path: Path, table: DataTable) -> Recordings:
        return read_images(path, class_entries(path, IMAGES, "images"), table)


def read_images(path: Path, entries: Sequence[Entry], table: DataTable) -> Recordings:
    """The images of the chosen classes, float32 [height, width, channels] in [0, 1].

    Raises: UsageError for sizes that differ, a damaged image, and one of more pixels than any board has memory for;
            MissingToolError without Pillow
    """
    require_package("images", "pillow", "data")
    chosen = choose_classes([entry.name for entry in entries], table)
    kept = [entries[number] for number in chosen.numbers]
    if not kept:
        raise UsageError(f"`{path}` holds no image of the classes", hint="`classes` in [data] names them")
    bytes_found: list[Array] = []
    resized, total = 0, 0
    for entry in kept:
        image, is_resized = _image(path / entry.file, table)
        resized += is_resized
        bytes_found.append(image)
        total += 4 * image.size
        if total > MOST_BYTES:
            raise UsageError(
                f"the images of `{path}` take more than {MOST_BYTES:,} B", hint="a smaller `size` in [data]"
            )
    coloured = sum(image.shape[2] == 3 for image in bytes_found)
    grey = len(kept) - coloured
    if 0 < grey < coloured:
        bytes_found = [image.repeat(3, axis=2) if image.shape[2] == 1 else image for image in bytes_found]
    _refuse_unequal(path, kept, [image.shape for image in bytes_found])
    values = np.stack(bytes_found).astype(np.float32) / np.float32(255)
    height, width = values.shape[1:3]
    notes = [f"{resized:,} of {len(kept):,} images are resized to {height} x {width}"] if resized else []
    if 0 < grey < coloured:
        notes.append(f"{grey:,} of {len(kept):,} images have no colours, and are read as if they had")
    return Recordings(
        inputs={"image": values},
        sources=[entry.file for entry in kept],
        labels=chosen.labels,
        class_names=chosen.class_names,
        parts=[entry.part for entry in kept],
        axes=("grey",) if values.shape[-1] == 1 else ("red", "green", "blue"),
        notes=(*chosen.notes, *notes),
    )


def _refuse_unequal(path: Path, entries: Sequence[Entry], shapes: Sequence[tuple[int, ...]]) -> None:
    """Raises: UsageError with the image that is unlike most others."""
    odd = odd_one(shapes)
    if odd is None:
        return
    wrong, usual = (shapes[number] for number in odd)
    hint = f"`size = [{usual[0]}, {usual[1]}]` in [data] resizes all"
    if wrong[:2] == usual[:2]:
        hint = "`grey = true` in [data] makes all grey"
    files = [f"`{path / entries[number].file}`" for number in odd]
    raise UsageError(f"{files[0]} is {_told(wrong)}, {files[1]} is {_told(usual)}", hint=hint)


def _image(path: Path, table: DataTable) -> tuple[Array, bool]:
    """(uint8 [height, width, 1 or 3], whether it was resized)."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                width, height = opened.size
                if width * height > MOST_PIXELS:
                    raise UsageError(
                        f"`{path}` unpacks to {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are read",
                        hint="make it smaller, or leave it out",
                    )
                return _converted(opened, table)
    except UsageError:
        raise
    except Exception as error:  # Pillow's plugins raise what they please for damaged files
        told = str(error).splitlines()
        raise UsageError(
            f"`{path}` is no readable image: {told[0] if told else type(error).__name__}",
            hint="save it again, or leave it out",
        ) from error


def _converted(opened: Any, table: DataTable) -> tuple[Array, bool]:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(opened)  # a phone that was held upright says so, and stores the picture lying
    if image.mode.startswith(("I;16", "I")):  # 16 bits: what is kept is the upper half
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    image = image.convert("L" if table.grey or image.mode in _GREY else "RGB")
    is_resized = table.size is not None and image.size != (table.size[1], table.size[0])
    if is_resized and table.size is not None:
        image = image.resize((table.size[1], table.size[0]), Image.Resampling.BILINEAR)
    values = np.asarray(image)
    return values[..., None] if values.ndim == 2 else values, is_resized


def _told(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]} {'grey' if shape[2] == 1 else 'in colours'}"


FORMAT = _Images()
