"""Compiles and links a firmware project, and says what it takes of the board."""

from tinyedge.build.flags import make_flags, make_library_flags
from tinyedge.build.gcc import check_cxx
from tinyedge.build.image import COMPILERS, build_image, compiler_version, select_compiler
from tinyedge.build.size import check_size, measure_size

__all__ = [
    "COMPILERS",
    "build_image",
    "check_cxx",
    "check_size",
    "compiler_version",
    "make_flags",
    "make_library_flags",
    "measure_size",
    "select_compiler",
]
