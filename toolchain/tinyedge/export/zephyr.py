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
        last = "./build/zephyr/zephyr.exe" if library.portable else "west flash"
        return (f"west build -b {self._board(library)} {_SAMPLE} -- {module}", last)

    @staticmethod
    def _board(library: CLibrary) -> str:
        """Zephyr's name: tinyedge's boards carry it, but for its qualifiers."""
        return "native_sim" if library.portable else library.project.board.name


WORLD = Zephyr()
