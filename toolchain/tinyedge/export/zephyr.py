"""Zephyr: a module with its Kconfig, and a sample that twister can run."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary
from tinyedge.export.files import copied, in_folder, readme, render, rendered

_USE = """
Name this folder in `EXTRA_ZEPHYR_MODULES`, or as a project in the manifest of your workspace:

```yaml
manifest:
  projects:
    - name: {name}
      url: URL-OF-A-REPOSITORY-WITH-THIS-FOLDER
      revision: main
      path: modules/lib/{name}
```

and set `CONFIG_TINYEDGE_{upper}=y` in `prj.conf`.
"""
_SAMPLE = "samples/selftest"
_NAMES = {
    "host": "native_sim",
    "mps2_an386": "mps2/an386",
    "mps2_an500": "mps2/an500",
    "mps3_an547": "mps3/corstone300/an547",
    "nrf52840dk": "nrf52840dk/nrf52840",
    "nrf5340dk": "nrf5340dk/nrf5340/cpuapp",
    "rpi_pico2": "rpi_pico2/rp2350a/m33",
    "seeed_xiao_nrf52840": "xiao_ble",
}
"""board -> Zephyr's name, where it is another or has qualifiers (since Zephyr 3.7)"""


class Zephyr:
    """The world `zephyr`."""

    name: ClassVar[str] = "zephyr"
    title: ClassVar[str] = "Zephyr"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        module = {
            "zephyr/module.yml": "module.yml",
            "zephyr/CMakeLists.txt": "CMakeLists.txt",
            "zephyr/Kconfig": "Kconfig",
            f"{_SAMPLE}/CMakeLists.txt": "sample.cmake",
            f"{_SAMPLE}/prj.conf": "prj.conf",
            f"{_SAMPLE}/sample.yaml": "sample.yaml",
        }
        use = _USE.format(name=library.name, upper=library.name.upper())
        return {
            **in_folder("src", library),
            **rendered("zephyr", library, module, board=self._board(library)),
            f"{_SAMPLE}/src/main.c": render("common", "selftest.c", library),
            "README.md": readme(library, self.title, self.next_steps(library), use),
            ".gitignore": copied("common/gitignore"),
        }

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        module = '-DEXTRA_ZEPHYR_MODULES="$PWD"'
        last = "./build/zephyr/zephyr.exe" if library.project.board.name == "host" else "west flash"
        return (f"west build -b {self._board(library)} {_SAMPLE} -- {module}", last)

    @staticmethod
    def _board(library: CLibrary) -> str:
        name = library.project.board.name
        return _NAMES.get(name, name)


WORLD = Zephyr()
