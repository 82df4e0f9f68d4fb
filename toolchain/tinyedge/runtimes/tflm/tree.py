"""A source tree of TensorFlow Lite Micro: what it is, what it can, and which of its files a model needs.

The tree is what TensorFlow Lite Micro's own create_tflm_tree.py writes: tensorflow/, signal/ and third_party/ with
flatbuffers, gemmlowp, ruy and kissfft, and with cmsis and cmsis_nn when it was made for CMSIS-NN kernels. It is read,
never written to.

Which sources are needed follows from their text. A kernel is found by the definition of its `Register_...` function.
From there on a source needs, for each header it includes at any depth, the sources of the same stem beside it
(`conv.h`: conv.cc, conv_common.cc), and of CMSIS-NN, whose headers declare everything, those that define a function or
a table it names. This takes a few files too many, which the linker drops; one too few shows as an undefined symbol.
"""

from __future__ import annotations

import functools
import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Library
from tinyedge.build.compiler import CXX_SUFFIXES
from tinyedge.digests import digest
from tinyedge.errors import ToolError, UsageError
from tinyedge.runtimes.tflm.operators import TflmFeatures

FOLDER = "tflm"
"""where a project keeps the sources"""

_MAKER = "tensorflow/lite/micro/tools/project_generation/create_tflm_tree.py"
HOW_TO_GET_ONE = (
    f"in a checkout of github.com/tensorflow/tflite-micro run `python3 {_MAKER} "
    '--makefile_options="TARGET=cortex_m_generic OPTIMIZED_KERNEL_DIR=cmsis_nn TARGET_ARCH=project_generation" DIR`, '
    "then name DIR with `--tflm DIR`, TINYEDGE_TFLM or `tflm` in tinyedge.toml"
)

_RESOLVER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
_KERNELS = "tensorflow/lite/micro/kernels"
_SCHEMA = "tensorflow/lite/schema/schema_generated.h"
_CMSIS_NN = "third_party/cmsis_nn"
_REQUIRED = (
    (_RESOLVER, "TensorFlow Lite Micro"),
    (_SCHEMA, "TensorFlow Lite Micro"),
    ("third_party/flatbuffers/include/flatbuffers/flatbuffers.h", "third_party/flatbuffers"),
    ("third_party/gemmlowp/fixedpoint/fixedpoint.h", "third_party/gemmlowp"),
    ("third_party/ruy/ruy/profiler/instrumentation.h", "third_party/ruy"),
)
_REQUIRED_CMSIS = (
    (f"{_CMSIS_NN}/Include/arm_nnfunctions.h", _CMSIS_NN),
    ("third_party/cmsis/CMSIS/Core/Include/cmsis_compiler.h", "third_party/cmsis"),
)
_INCLUDE_DIRS = ("", "third_party", "third_party/flatbuffers/include", "third_party/gemmlowp", "third_party/ruy")
_INCLUDE_DIRS_KISSFFT = ("third_party/kissfft",)
_INCLUDE_DIRS_CMSIS = (
    "third_party/cmsis",
    "third_party/cmsis/CMSIS/Core/Include",
    "third_party/cmsis_nn",
    "third_party/cmsis_nn/Include",
)
_DEFINES = ("TF_LITE_STATIC_MEMORY", "TF_LITE_DISABLE_X86_NEON", "NDEBUG")
_DEFINES_CMSIS = ("CMSIS_NN", "KERNELS_OPTIMIZED_FOR_SPEED", "ARM_NN_ENABLE_F16=0", "ARM_NN_ENABLE_F32=0")
_STRIP = "TF_LITE_STRIP_ERROR_STRINGS"

_ROOTS = ("tensorflow/lite/micro/micro_interpreter", "tensorflow/lite/micro/micro_log")
"""what the application uses beside the kernels, without suffix"""
_OURS = frozenset({"debug_log", "micro_time"})
"""platform files: the firmware has its own"""
_UNFOLLOWED = frozenset({_RESOLVER, f"{_KERNELS}/micro_ops.h"})
"""headers that name every kernel"""
_HEADERS = (".h", ".hpp", ".inc")
_SOURCES = (".c", *CXX_SUFFIXES)
_FAST = (f"{_KERNELS}/", "signal/", f"{_CMSIS_NN}/")
"""what TensorFlow Lite Micro's own build compiles for speed; the rest for size"""
_FAST_LEVEL, _CORE_LEVEL = "-O2", "-Os"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">\n]+)[\">]", re.MULTILINE)
_REGISTER = re.compile(r"\bRegister_([A-Z0-9_]+)\s*\(\s*(?:void)?\s*\)")
_REGISTER_DEFINITION = re.compile(r"\bRegister_([A-Z0-9_]+)\s*\(\s*(?:void)?\s*\)\s*\{")
_CMSIS_DEFINITION = re.compile(
    r"^(?![\s#*/]|static\b|extern\b|typedef\b)[^\n;{}()=]*?\b(?!__attribute__)([A-Za-z_]\w*)\s*(?:\(|(?:\[[^;{}()=]*)?=)",
    re.MULTILINE,
)
"""a function, a table or a variable that other files can name, whatever it is called"""
_NAME = re.compile(r"\b[A-Za-z_]\w*")
_FLOAT_PRODUCT = re.compile(rb"static_cast<double>\(\s*input->params\.scale\s*\*\s*filter->params\.scale\s*\)")


@dataclass(frozen=True, eq=False)
class TflmTree:
    """A tree that was read and found complete."""

    folder: Path
    files: Mapping[str, bytes]
    """sources and headers by path within the tree"""
    kernels: str
    """`reference` or `CMSIS-NN`"""
    version: str
    """its first digits of the digest over all files, and the version of flatbuffers: it carries no other"""
    features: TflmFeatures

    @property
    def title(self) -> str:
        """For reports."""
        return f"TensorFlow Lite Micro {self.version}, {self.kernels} kernels"


def find_tree(option: Path | None) -> TflmTree | None:
    """The tree named by an option, else by TINYEDGE_TFLM; None when neither names one.

    Raises: UsageError when what is named is no tree, or one that tinyedge cannot use
    """
    if option is not None:
        return read_tree(option)
    named = os.environ.get("TINYEDGE_TFLM", "")
    return read_tree(Path(named)) if named else None


def missing_tree() -> ToolError:
    """The error of a build that needs a tree."""
    return ToolError(
        "the runtime `tflm` needs a source tree of TensorFlow Lite Micro, and none is named", hint=HOW_TO_GET_ONE
    )


@functools.lru_cache(maxsize=4)
def read_tree(folder: Path) -> TflmTree:
    """Read a tree. Raises: UsageError when it is none, is incomplete or too old."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder `{folder}` with TensorFlow Lite Micro", hint=HOW_TO_GET_ONE)
    if not (folder / _RESOLVER).is_file():
        raise UsageError(f"`{folder}` is no tree of TensorFlow Lite Micro: it lacks {_RESOLVER}", hint=HOW_TO_GET_ONE)
    try:
        files = _read_files(folder)
    except OSError as error:
        raise UsageError(
            f"the tree `{folder}` cannot be read: {error.filename}: {error.strerror}", hint="make it readable"
        ) from error
    cmsis = any(name.startswith(f"{_KERNELS}/cmsis_nn/") for name in files)
    _check_complete(folder, files, _REQUIRED + (_REQUIRED_CMSIS if cmsis else ()))
    _check_age(folder, files)
    return TflmTree(
        folder,
        files,
        "CMSIS-NN" if cmsis else "reference",
        f"{digest(*(part for name in files for part in (name, files[name])))[:12]} (flatbuffers {_flatbuffers(files)})",
        _features(files),
    )


def _read_files(folder: Path) -> dict[str, bytes]:
    """Sources and headers, sorted by path."""
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in (*_SOURCES, *_HEADERS) and path.is_file()
    )
    return {name: (folder / name).read_bytes() for name in names}


def _check_complete(folder: Path, files: Mapping[str, bytes], required: Iterable[tuple[str, str]]) -> None:
    lacking = sorted({part for name, part in required if name not in files})
    if lacking and (folder / _MAKER).is_file():
        raise UsageError(
            f"`{folder}` is a checkout of TensorFlow Lite Micro, not a tree made from it: it lacks "
            f"{', '.join(lacking)}",
            hint=HOW_TO_GET_ONE,
        )
    if lacking:
        raise UsageError(
            f"the tree `{folder}` is incomplete: it lacks {', '.join(lacking)}",
            hint=f"it was copied in part, or made without its downloads: {HOW_TO_GET_ONE}",
        )


def _check_age(folder: Path, files: Mapping[str, bytes]) -> None:
    """The interfaces that the generated code uses are there since the end of 2023."""
    log = files.get("tensorflow/lite/micro/debug_log.h", b"")
    signs = {
        "TFLMRegistration": b"TFLMRegistration" in files[_RESOLVER],
        "DebugLog(format, va_list)": b"va_list" in log,
        "flatbuffers' version check": b"FLATBUFFERS_VERSION_MAJOR" in files[_SCHEMA],
    }
    if missing := [sign for sign, there in signs.items() if not there]:
        raise UsageError(
            f"the tree `{folder}` is too old: it lacks {', '.join(missing)}",
            hint=f"take TensorFlow Lite Micro from 2024 or later: {HOW_TO_GET_ONE}",
        )


def _flatbuffers(files: Mapping[str, bytes]) -> str:
    text = files.get("third_party/flatbuffers/include/flatbuffers/base.h", b"").decode("utf-8", "replace")
    return ".".join(re.findall(r"define FLATBUFFERS_VERSION_(?:MAJOR|MINOR|REVISION) (\d+)", text)) or "unknown"


def _features(files: Mapping[str, bytes]) -> TflmFeatures:
    names: set[str] = set()
    for name, content in files.items():
        if name.endswith((*_HEADERS, *CXX_SUFFIXES)) and name.startswith(("tensorflow/lite/micro/", "signal/")):
            names.update(_REGISTER.findall(content.decode("utf-8", "replace")))
    dense = [content for name, content in files.items() if "/fully_connected" in name and name.startswith(_KERNELS)]
    scales = files.get("tensorflow/lite/kernels/kernel_util.cc", b"")
    return TflmFeatures(
        per_channel_fully_connected=any(b"per_channel" in content for content in dense),
        registrations=frozenset(names),
        float_scale_product=_FLOAT_PRODUCT.search(scales) is not None,
    )


# -- which files a model needs ---------------------------------------------------------------------------------------


def select_library(tree: TflmTree, registrations: Iterable[str], *, texts: bool) -> Library:
    """The part of a tree that a model needs, as the library of a project.

    registrations  what follows `Register_` in the functions the application calls
    texts          with the texts of errors, which cost 18 to 20 KB of flash

    Raises: UsageError when the tree does not define a registration
    """
    index = _index(tree)
    sources, headers = index.select(registrations)
    cmsis = tree.kernels == "CMSIS-NN"
    include_dirs = (
        *_INCLUDE_DIRS,
        *(_INCLUDE_DIRS_KISSFFT if any(name.startswith("third_party/kissfft/") for name in headers) else ()),
        *(_INCLUDE_DIRS_CMSIS if cmsis else ()),
    )
    levels = {f"{FOLDER}/{name}": _FAST_LEVEL if name.startswith(_FAST) else _CORE_LEVEL for name in sorted(sources)}
    ordered = dict(sorted(levels.items(), key=lambda item: (item[1], item[0])))  # as a Makefile lists them: link order
    return Library(
        name=tree.title,
        files={f"{FOLDER}/{name}": tree.files[name] for name in sorted(sources | headers)},
        sources=ordered,
        include_dirs=tuple(f"{FOLDER}/{folder}".rstrip("/") for folder in include_dirs),
        defines=(*_DEFINES, *(_DEFINES_CMSIS if cmsis else ()), *(() if texts else (_STRIP,))),
    )


@functools.lru_cache(maxsize=4)
def _index(tree: TflmTree) -> _Index:
    return _Index(tree)


def _served(stem: str, *, parts: bool) -> list[str]:
    """Stems of the headers that a source implements; `parts`: a header may be spread over sources by their endings.

    >>> _served("conv_common", parts=False), _served("rfft_int16", parts=True)
    (['conv_common', 'conv'], ['rfft_int16', 'rfft'])
    >>> _served("scale_common", parts=True)
    ['scale_common', 'scale', 'scale_kernel']
    """
    words = stem.split("_")
    general = stem.removesuffix("_common")
    if parts:
        of_kernel = [f"{general}_kernel"] if general != stem else []
        return ["_".join(words[:count]) for count in range(len(words), 0, -1)] + of_kernel
    return [stem, general] if general != stem else [stem]


class _Index:
    """What the texts of a tree say of each other."""

    def __init__(self, tree: TflmTree) -> None:
        self.tree = tree
        self.texts = {
            name: _COMMENT.sub(" ", content.decode("utf-8", "replace")) for name, content in tree.files.items()
        }
        self.includes = {name: self._includes(name) for name in self.texts}
        self.beside: dict[str, list[str]] = {}
        """header without suffix -> the sources that implement it: of its stem, in its folder or one below"""
        self.registers: dict[str, list[str]] = {}
        self.cmsis: dict[str, list[str]] = {}
        for name, text in self.texts.items():
            folder, base = posixpath.split(name)
            stem = base.partition(".")[0]
            if not name.endswith(_SOURCES) or stem in _OURS:
                continue
            if name.startswith(f"{_CMSIS_NN}/"):
                for found in set(_CMSIS_DEFINITION.findall(text)):
                    self.cmsis.setdefault(found, []).append(name)
                continue
            for place in (folder, posixpath.dirname(folder)):
                for served in _served(stem, parts=name.startswith("signal/")):
                    self.beside.setdefault(f"{place}/{served}", []).append(name)
            for found in _REGISTER_DEFINITION.findall(text):
                self.registers.setdefault(found, []).append(name)

    def _includes(self, name: str) -> tuple[str, ...]:
        found = []
        for wanted in _INCLUDE.findall(self.texts[name]):
            for folder in (posixpath.dirname(name), *_INCLUDE_DIRS, *_INCLUDE_DIRS_KISSFFT, *_INCLUDE_DIRS_CMSIS):
                path = posixpath.normpath(posixpath.join(folder, wanted))
                if path in self.texts:
                    found.append(path)
                    break
        return tuple(found)

    def select(self, registrations: Iterable[str]) -> tuple[set[str], set[str]]:
        """(sources, headers) that the application and these registrations need."""
        pending = [name for root in _ROOTS for name in self.beside.get(root, ())]
        for registration in registrations:
            pending += self._defining(registration)
        sources: set[str] = set()
        while pending:
            source = pending.pop()
            if source not in sources:
                sources.add(source)
                pending += self._needs(source)
        headers = {_RESOLVER}.union(*(self._reachable(name, frozenset()) for name in (*sources, _RESOLVER)))
        return sources, headers - sources

    def _defining(self, registration: str) -> list[str]:
        """The sources with a registration's kernel; an inline alias in a header stands for the general one."""
        if found := self.registers.get(registration):
            return found
        general = registration.removesuffix("_INT8")
        if general != registration and self.registers.get(general):
            return self.registers[general]
        raise UsageError(
            f"no source in the tree `{self.tree.folder}` defines Register_{registration}",
            hint="the tree is incomplete or of another version: make it anew",
        )

    def _needs(self, source: str) -> list[str]:
        needed: list[str] = []
        for header in self._reachable(source, _UNFOLLOWED):
            needed += self.beside.get(posixpath.splitext(header)[0], ())
        for word in self.cmsis.keys() & set(_NAME.findall(self.texts[source])):
            needed += self.cmsis[word]
        return needed

    def _reachable(self, name: str, unfollowed: frozenset[str]) -> set[str]:
        """What a file includes, at any depth."""
        seen: set[str] = set()
        pending = [name]
        while pending:
            for other in self.includes[pending.pop()]:
                if other not in seen and other not in unfollowed:
                    seen.add(other)
                    pending.append(other)
        return seen
