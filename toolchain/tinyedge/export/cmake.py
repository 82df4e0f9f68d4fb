"""CMake: a library target that is added as a folder, fetched, or installed and found."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary
from tinyedge.export.files import copied, in_folder, readme, render, rendered

_USE = """
In a program of your own, one of

```cmake
add_subdirectory({name})                     # beside your CMakeLists.txt
find_package({name} CONFIG REQUIRED)         # after `cmake --install build --prefix PREFIX`
```

and then

```cmake
target_link_libraries(your_program PRIVATE {name}::{name})
```

The example is built when this folder is the whole project and the program can run here; for a microcontroller give
your toolchain file and link the library with `-Wl,--gc-sections`.
"""


class Cmake:
    """The world `cmake`."""

    name: ClassVar[str] = "cmake"
    title: ClassVar[str] = "CMake"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        lists = {"CMakeLists.txt": "CMakeLists.txt", f"cmake/{library.name}Config.cmake": "Config.cmake"}
        return {
            **in_folder("src", library),
            **rendered("cmake", library, lists),
            "examples/selftest/main.c": render("common", "selftest.c", library),
            "README.md": readme(library, self.title, self.next_steps(library), _USE.format(name=library.name)),
            ".gitignore": copied("common/gitignore"),
        }

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        return ("cmake -B build", "cmake --build build", f"./build/{library.name}_selftest")


WORLD = Cmake()
