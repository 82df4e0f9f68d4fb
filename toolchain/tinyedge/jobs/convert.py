"""A model of another world converted, and written as a .tflite."""

from __future__ import annotations

from pathlib import Path

from tinyedge.artifacts import Conversion, Observer
from tinyedge.convert import Settings, convert, front_of, refuse
from tinyedge.convert.conversion import source_name
from tinyedge.errors import UsageError
from tinyedge.paths import write_whole


def convert_to_file(
    source: str, data: Path, output: Path | None, settings: Settings, observer: Observer, *, again: bool = False
) -> tuple[Conversion, Path]:
    """The conversion, and where its .tflite was written: `output`, else NAME_TYPES.tflite in the current folder.

    Raises: UsageError when the output would replace the source; else as `convert` does
    """
    path = Path(source)
    refuse(path)
    front_of(path)
    target = output or Path(f"{source_name(path)}_{settings.types}.tflite")
    if target.exists() and path.exists() and target.samefile(path):
        raise UsageError(f"`{target}` is the source itself", hint=f"`-o {path.stem}_int8.tflite`")
    conversion = convert(path, data, settings, observer, again=again)
    write_whole(target, conversion.model.tflite)
    return conversion, target
