"""The classes of a model, where its file names them: TensorFlow Lite's metadata packs a text of labels behind it."""

from __future__ import annotations

import io
import zipfile
import zlib

_MOST_BYTES = 1 << 18
_MOST_NAMES = 10_000
_DAMAGED = (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, NotImplementedError, RuntimeError, EOFError, ValueError)


def read_class_names(tflite: bytes) -> tuple[str, ...]:
    """A line for each class, of the one file in the archive behind the model that is a text of labels; else empty.

    Source: TensorFlow Lite Metadata, `pack_associated_files`: a .zip that ends the file
    """
    try:
        with zipfile.ZipFile(io.BytesIO(tflite)) as packed:
            texts = [entry for entry in packed.infolist() if _is_labels(entry)]
            if len(texts) != 1:
                return ()
            with packed.open(texts[0]) as opened:
                content = opened.read(_MOST_BYTES + 1)
    except _DAMAGED:
        return ()
    if len(content) > _MOST_BYTES:
        return ()
    try:
        names = tuple(line.strip() for line in content.decode("utf-8").splitlines() if line.strip())
    except UnicodeDecodeError:
        return ()
    return names if len(names) <= _MOST_NAMES and all(name.isprintable() for name in names) else ()


def _is_labels(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.lower()
    return "label" in name and name.endswith(".txt")
