"""What must be true of an image with TensorFlow Lite Micro, looked up in the ELF."""

from __future__ import annotations

from pathlib import Path

from tinyedge.build.elf import Elf, read_elf
from tinyedge.errors import InternalError

_MODEL = "te_model_data"
_CONSTRUCTORS = (".init_array", ".ctors", ".preinit_array")


def check_tflm_image(path: Path, tflite: bytes, *, bare: bool) -> None:
    """Check that the image holds the model file byte for byte, and, on `bare` metal, nothing that must run before main.

    Raises: InternalError
    """
    elf = read_elf(path)
    if _content(elf, _MODEL) != tflite:
        raise InternalError(f"`{_MODEL}` in {path.name} is not the model file: please report this")
    constructors = [section.name for section in elf.sections if section.name in _CONSTRUCTORS]
    if bare and constructors:
        raise InternalError(
            f"{path.name} has constructors ({', '.join(constructors)}), which nothing calls: please report the tree"
        )


def _content(elf: Elf, name: str) -> bytes:
    """The stored bytes of an object; empty when there is none."""
    symbol = next((symbol for symbol in elf.symbols if symbol.name == name), None)
    section = None if symbol is None else next((s for s in elf.sections if s.name == symbol.section), None)
    if symbol is None or section is None:
        return b""
    start = section.load_address + symbol.address - section.address
    for segment in elf.segments:
        if segment.address <= start and start + symbol.size <= segment.address + len(segment.data):
            return segment.data[start - segment.address :][: symbol.size]
    return b""
