"""Arduino: a library for the Library Manager's layout, with a sketch that tests it."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary
from tinyedge.export.files import in_folder, readme, render, rendered

_USE = """
Put this folder into the `libraries` folder of your sketchbook, or add it as a .zip (Sketch > Include Library > Add .ZIP
Library). The library is linked as an archive, so that other libraries of tinyedge may be in the same sketch.
"""


class Arduino:
    """The world `arduino`."""

    name: ClassVar[str] = "arduino"
    title: ClassVar[str] = "Arduino"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        return {
            **in_folder("src", library),
            **rendered("arduino", library, {"library.properties": "library.properties"}),
            "examples/SelfTest/SelfTest.ino": render("arduino", "SelfTest.ino", library),
            "README.md": readme(library, self.title, self.next_steps(library), _USE),
        }

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        fqbn = "--fqbn arduino:mbed_nano:nano33ble"
        sketch = "examples/SelfTest"
        return (
            f"arduino-cli compile {fqbn} --library . {sketch}",
            f"arduino-cli upload {fqbn} -p PORT {sketch}",
            "arduino-cli monitor -p PORT --config 115200",
        )


WORLD = Arduino()
