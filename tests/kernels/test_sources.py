"""Runtime files: stems resolved with the headers they include, those of the core's folder first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyedge.boards import Isa
from tinyedge.errors import InternalError
from tinyedge.kernels import sources
from tinyedge.kernels.sources import runtime_files
from tinyedge.paths import templates_dir


def test_a_stem_brings_the_headers_it_includes() -> None:
    files = runtime_files(("te_softmax_s8",), Isa.ARMV7M)
    assert list(files) == [
        "te_fixed_point.h",
        "te_requantize.h",
        "te_softmax_exp.h",
        "te_softmax_s8.c",
        "te_softmax_s8.h",
    ]


def test_a_header_alone_is_a_stem() -> None:
    assert list(runtime_files(("te_copy",), Isa.NATIVE)) == ["te_copy.h"]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "runtime"
    for name, text in {
        "portable/te_a.c": '#include "te_a.h"\n',
        "portable/te_a.h": '#  include "te_b.h"\n#include <stdint.h>\n',
        "portable/te_b.h": "portable b\n",
        "armv7em/te_b.h": "dsp b\n",
        "armv7em/te_a.c": '#include "te_a.h"\ndsp a\n',
        "armv81m/te_a.c": '#include "te_gone.h"\n',
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(sources, "templates_dir", lambda: tmp_path)
    return root


def test_the_folder_of_the_core_overrides_file_by_file(folders: Path) -> None:
    plain = runtime_files(("te_a",), Isa.ARMV6M)
    fast = runtime_files(("te_a",), Isa.ARMV7EM)
    assert plain["te_b.h"] == b"portable b\n"
    assert fast["te_b.h"] == b"dsp b\n"
    assert fast["te_a.c"].endswith(b"dsp a\n")
    assert fast["te_a.h"] == plain["te_a.h"]


def test_missing_files_are_named(folders: Path) -> None:
    with pytest.raises(InternalError, match=r"`te_c\.c` or `te_c\.h`"):
        runtime_files(("te_c",), Isa.NATIVE)
    with pytest.raises(InternalError, match=r"`te_gone\.h`"):
        runtime_files(("te_a",), Isa.ARMV81M)


SOURCES = sorted((templates_dir() / "runtime").rglob("te_*.c"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_holds_the_function_of_its_name_and_little_of_the_c_library(path: Path) -> None:
    text = path.read_text()
    defined = rf"[ (]{path.stem}(_\w+)?[(,]"  # in a macro's arguments, too
    assert re.search(defined, text), "file, function and header share one name, up to the type"
    assert set(re.findall(r"#include <([^>]+)>", text)) <= {"arm_mve.h", "stddef.h", "stdint.h", "string.h"}
    assert max(len(line) for line in text.splitlines()) <= 120
