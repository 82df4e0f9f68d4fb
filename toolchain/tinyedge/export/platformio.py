"""PlatformIO: a library with its manifest, and an example project with environments."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary
from tinyedge.errors import UsageError
from tinyedge.export.files import copied, in_folder, readme, render

_USE = """
In `platformio.ini` of a project of your own:

```ini
lib_deps = symlink://PATH/TO/THIS/FOLDER
```
"""
_BOARDS = {
    "arduino_nano_33_ble": ("nordicnrf52", "nano33ble"),
    "bbc_microbit_v2": ("nordicnrf52", "bbcmicrobit_v2"),
    "bluepill": ("ststm32", "bluepill_f103c8"),
    "esp32c3_devkitm": ("espressif32", "esp32-c3-devkitm-1"),
    "nrf52840dk": ("nordicnrf52", "nrf52840_dk"),
    "nucleo_f446re": ("ststm32", "nucleo_f446re"),
    "nucleo_h743zi": ("ststm32", "nucleo_h743zi"),
    "nucleo_l4r5zi": ("ststm32", "nucleo_l4r5zi"),
    "rpi_pico": ("raspberrypi", "pico"),
    "stm32f4_disco": ("ststm32", "disco_f407vg"),
    "stm32f746g_disco": ("ststm32", "disco_f746ng"),
}
"""board -> PlatformIO's platform and board with the Arduino framework"""


class PlatformIo:
    """The world `platformio`."""

    name: ClassVar[str] = "platformio"
    title: ClassVar[str] = "PlatformIO"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        board = _BOARDS.get(library.project.board.name)
        if board is None and not library.portable:
            raise UsageError(
                f"tinyedge does not know what PlatformIO calls board `{library.project.board.name}`",
                hint=f"leave out `--board`, for plain C99 that runs on any core, or name one of {', '.join(_BOARDS)}",
            )
        example = "examples/selftest"
        native = {f"{example}/src/main.c": render("common", "selftest.c", library)}
        sketch = {f"{example}/src/main.cpp": render("platformio", "main.cpp", library)}
        return {
            **in_folder("src", library),
            "library.json": render("platformio", "library.json", library),
            f"{example}/platformio.ini": render("platformio", "platformio.ini", library, board=board),
            **(sketch if board else native),
            "README.md": readme(library, self.title, self.next_steps(library), _USE),
            ".gitignore": copied("common/gitignore"),
        }

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        if library.project.board.name not in _BOARDS:
            return ("cd examples/selftest", "pio run", ".pio/build/native/program")
        return ("cd examples/selftest", "pio run -t upload", "pio device monitor")


WORLD = PlatformIo()
