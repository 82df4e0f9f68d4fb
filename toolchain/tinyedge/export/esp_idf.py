"""ESP-IDF: a component, and an example project that uses it."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary
from tinyedge.errors import UsageError
from tinyedge.export.files import copied, in_folder, readme, render, rendered

_USE = """
Put this folder below `components/` of your project, or name it in `main/idf_component.yml`:

```yaml
dependencies:
  {name}:
    path: PATH/TO/THIS/FOLDER
```
"""
_EXAMPLE = "examples/selftest"


class EspIdf:
    """The world `esp-idf`."""

    name: ClassVar[str] = "esp-idf"
    title: ClassVar[str] = "ESP-IDF"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        if not library.portable:
            raise UsageError(
                f"no ESP32 has the core `{library.core}` of board `{library.project.board.name}`",
                hint="leave out `--board`, for plain C99 that runs on all of them, or name esp32c3_devkitm",
            )
        component = {
            "CMakeLists.txt": "CMakeLists.txt",
            "idf_component.yml": "idf_component.yml",
            f"{_EXAMPLE}/CMakeLists.txt": "example.cmake",
            f"{_EXAMPLE}/main/CMakeLists.txt": "main.cmake",
            f"{_EXAMPLE}/main/idf_component.yml": "main.yml",
        }
        return {
            **in_folder("src", library),
            **rendered("esp_idf", library, component),
            f"{_EXAMPLE}/main/main.c": render("esp_idf", "main.c", library),
            "README.md": readme(library, self.title, self.next_steps(library), _USE.format(name=library.name)),
            ".gitignore": copied("common/gitignore"),
        }

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        del library
        return (f"cd {_EXAMPLE}", "idf.py set-target esp32c3", "idf.py -p PORT flash monitor")


WORLD = EspIdf()
