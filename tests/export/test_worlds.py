"""Exported projects: complete, reproducible, and built by the tools of their worlds where these are here."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from kits.libraries import WARNINGS, compiler, library_of, planned, run, write_files
from kits.licence import has_licence
from tinyedge.artifacts import CLibrary
from tinyedge.boards import load_board
from tinyedge.errors import UsageError
from tinyedge.export import find_world, to_zip, worlds

MODELS = Path(__file__).parent.parent / "cases" / "models"
NAMES = ("arduino", "cmake", "esp-idf", "make", "platformio", "zephyr")
TITLES = "k3_cnn_flatten", "stream_state"


@pytest.fixture(scope="module")
def library() -> CLibrary:
    host = load_board("host")
    return library_of([planned(MODELS / f"{name}.tflite", host) for name in TITLES], shared_arena=True)


@pytest.fixture(scope="module")
def for_m4() -> CLibrary:
    board = load_board("arduino_nano_33_ble")
    return library_of([planned(MODELS / "k3_cnn_flatten.tflite", board)], board.name, "k3_cnn_flatten")


# -- every world -----------------------------------------------------------------------------------------------------


def test_all_are_found() -> None:
    assert tuple(worlds()) == NAMES
    with pytest.raises(UsageError, match="no world `make2`"):
        find_world("make2")
    with pytest.raises(UsageError) as raised:
        find_world("zip")
    assert "--zip" in raised.value.hint


@pytest.mark.parametrize("name", NAMES)
def test_files_are_whole_text_of_the_world(name: str, library: CLibrary, root: Path) -> None:
    world = find_world(name)
    files = world.files(library)
    assert files == world.files(library)
    for path, content in files.items():
        text = content.decode()
        assert not re.search(r"\{\{|%%|\{#", text), f"{path} holds template syntax"
        assert str(root) not in text
        assert has_licence(content) or path.endswith(".json"), path
        assert not Path(path).is_absolute()
        assert ".." not in path
    steps = world.next_steps(library)
    assert 1 <= len(steps) <= 3
    if name != "make":
        readme = files["README.md"].decode()
        assert all(f"    {step}\n" in readme for step in steps)
        assert set(library.files.values()) <= set(files.values())
        assert "self-test ok" in readme


@pytest.mark.parametrize("name", NAMES)
def test_the_archive_is_the_same_every_time(name: str, library: CLibrary) -> None:
    files = find_world(name).files(library)
    archive = to_zip("nets", files)
    backwards = dict(reversed(list(files.items())))
    assert hashlib.sha256(archive).digest() == hashlib.sha256(to_zip("nets", backwards)).digest()
    with zipfile.ZipFile(BytesIO(archive)) as read:
        assert {entry.filename: read.read(entry) for entry in read.infolist()} == {
            f"nets/{path}": content for path, content in files.items()
        }
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in read.infolist())


# -- cmake -----------------------------------------------------------------------------------------------------------

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake: `apt-get install cmake`")
_FLAGS = f"-DCMAKE_C_FLAGS={' '.join(WARNINGS)}"


@needs_cmake
@pytest.mark.slow
def test_cmake_builds_installs_and_finds_it(library: CLibrary, tmp_path: Path) -> None:
    """As the whole project; then installed, and found by another in C++."""
    folder = write_files(find_world("cmake").files(library), tmp_path / "nets")
    run(["cmake", "-B", "build", _FLAGS], folder)
    run(["cmake", "--build", "build"], folder)
    assert run(["build/nets_selftest"], folder) == "".join(f"{name}: self-test ok\n" for name in TITLES)
    run(["cmake", "--install", "build", "--prefix", str(tmp_path / "there")], folder)
    user = write_files(
        {
            "CMakeLists.txt": b"cmake_minimum_required(VERSION 3.13)\nproject(user LANGUAGES CXX)\n"
            b"find_package(nets 1.0 CONFIG REQUIRED)\nadd_executable(user main.cc)\n"
            b"target_link_libraries(user PRIVATE nets::nets)\n",
            "main.cc": b'#include "stream_state_selftest.h"\nint main() { return stream_state_selftest() ? 0 : 1; }\n',
        },
        tmp_path / "user",
    )
    run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'there'}"], user)
    run(["cmake", "--build", "build"], user)
    run(["build/user"], user)


@needs_cmake
@pytest.mark.slow
def test_cmake_builds_it_with_clang(library: CLibrary, tmp_path: Path) -> None:
    """That of tinyedge's own compiler."""
    ziglang = pytest.importorskip("ziglang", reason="needs the compiler: pip install ziglang")
    program = Path(ziglang.__file__).with_name("zig")
    folder = write_files(find_world("cmake").files(library), tmp_path)
    run(["cmake", "-B", "build", _FLAGS, f"-DCMAKE_C_COMPILER={program};cc"], folder)
    run(["cmake", "--build", "build"], folder)
    assert run(["build/nets_selftest"], folder) == "".join(f"{name}: self-test ok\n" for name in TITLES)


@needs_cmake
@pytest.mark.slow
def test_cmake_for_a_microcontroller_in_a_main_of_ones_own(for_m4: CLibrary, tmp_path: Path) -> None:
    """A toolchain file of the user's, a folder beside theirs, and what is not used left out."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    write_files(find_world("cmake").files(for_m4), tmp_path / "net")
    write_files(
        {
            "m4.cmake": b"set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_C_COMPILER arm-none-eabi-gcc)\n"
            b"set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)\nset(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n"
            b'set(cpu "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16")\n'
            b'set(CMAKE_C_FLAGS_INIT "${cpu}")\nset(CMAKE_ASM_FLAGS_INIT "${cpu}")\n',
            "CMakeLists.txt": b"cmake_minimum_required(VERSION 3.13)\nproject(user LANGUAGES C ASM)\n"
            b"add_subdirectory(net)\nadd_executable(user main.c)\n"
            b"target_link_libraries(user PRIVATE k3_cnn_flatten::k3_cnn_flatten)\n"
            b'target_link_options(user PRIVATE --specs=nosys.specs --specs=nano.specs "-Wl,--gc-sections,-Map=map")\n',
            "main.c": b'#include "k3_cnn_flatten.h"\n'
            b"static uint8_t arena[K3_CNN_FLATTEN_ARENA_BYTES]\n"
            b"    __attribute__((aligned(K3_CNN_FLATTEN_ARENA_ALIGNMENT)));\n"
            b"int main(void) { return k3_cnn_flatten_invoke_in(arena); }\n",
        },
        tmp_path,
    )
    run(["cmake", "-B", "build", "-DCMAKE_TOOLCHAIN_FILE=m4.cmake"], tmp_path)
    run(["cmake", "--build", "build"], tmp_path)
    symbols = run(["arm-none-eabi-nm", "build/user"], tmp_path)
    assert " k3_cnn_flatten_invoke_in\n" in symbols
    assert " k3_cnn_flatten_arena\n" not in symbols, "the library's own arena is left out"
    assert "te_selftest" not in symbols


# -- arduino ---------------------------------------------------------------------------------------------------------

_ARDUINO_H = b"""
#include <stdint.h>
#include <stdio.h>
struct SerialPort {
  void begin(unsigned long) {}
  explicit operator bool() const { return true; }
  void print(const char *text) { printf("%s", text); }
  void println(const char *text) { printf("%s\\n", text); }
  void println(unsigned long) { printf("NUMBER\\n"); }
};
static SerialPort Serial;
static inline unsigned long millis() { return 0; }
static inline unsigned long micros() { return 0; }
static inline void delay(unsigned long) {}
"""


@pytest.mark.slow
def test_arduino_compiles_all_of_src_and_the_sketch(library: CLibrary, tmp_path: Path) -> None:
    """As the builder does: every C, C++ and assembler file below src/, and the sketch as C++ behind Arduino.h."""
    folder = write_files(find_world("arduino").files(library), tmp_path)
    (folder / "core").mkdir()
    (folder / "core/Arduino.h").write_bytes(_ARDUINO_H)
    sketch = (folder / "examples/SelfTest/SelfTest.ino").read_text()
    (folder / "sketch.cpp").write_text(
        f"#include <Arduino.h>\nvoid setup();\nvoid loop();\n#line 1\n{sketch}\nint main() {{ setup(); loop(); }}\n"
    )
    sources = sorted(path for path in (folder / "src").rglob("*") if path.suffix in (".c", ".cpp", ".S"))
    objects = []
    for source in sources:
        objects.append(f"{source.name}.o")
        run([compiler(), "-std=gnu11", "-Os", "-w", "-Isrc", "-Icore", "-c", source, "-o", objects[-1]], folder)
    run(["ar", "rcs", "library.a", *objects], folder)  # dot_a_linkage
    run([compiler("c++"), "-std=gnu++14", "-Os", "-Isrc", "-Icore", "sketch.cpp", "library.a", "-o", "sketch"], folder)
    printed = run([folder / "sketch"], folder)
    assert all(f"{name}: self-test ok\n" in printed for name in TITLES)


def test_arduino_says_what_the_library_manager_asks_for(library: CLibrary) -> None:
    text = find_world("arduino").files(library)["library.properties"].decode()
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(f"[library]\n{text}")
    found = parser["library"]
    about = ("author", "maintainer", "sentence", "paragraph", "url")
    asked = ("name", "version", *about, "category", "architectures", "includes")
    assert all(found[key] for key in asked)
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])
    assert found["category"] == "Data Processing"
    assert found["dot_a_linkage"] == "true"
    assert found["includes"].split(",") == [f"{name}.h" for name in TITLES]


# -- platformio ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["library", "for_m4"])
def test_platformio_accepts_its_manifest(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    reason = "no platformio: `pip install platformio`"
    parser = pytest.importorskip("platformio.package.manifest.parser", reason=reason)
    schema = pytest.importorskip("platformio.package.manifest.schema", reason=reason)
    files = find_world("platformio").files(request.getfixturevalue(which))
    write_files(files, tmp_path)
    raw = parser.ManifestParserFactory.new_from_file(str(tmp_path / "library.json")).as_dict()
    assert raw.pop("license") == "Apache-2.0"  # its list of licences comes over the network
    assert schema.ManifestSchema().load_manifest(raw)["name"]
    assert raw["headers"]


def test_platformio_names_a_board_it_knows(library: CLibrary, for_m4: CLibrary) -> None:
    for given, section, platform, main in (
        (library, "env:native", "native", "main.c"),
        (for_m4, "env:nano33ble", "nordicnrf52", "main.cpp"),
    ):
        files = find_world("platformio").files(given)
        parser = configparser.ConfigParser()
        parser.read_string(files["examples/selftest/platformio.ini"].decode())
        assert parser[section]["platform"] == platform
        assert f"examples/selftest/src/{main}" in files
        assert json.loads(files["library.json"])["name"] == given.name


# -- zephyr ----------------------------------------------------------------------------------------------------------


def test_zephyr_reads_its_module(library: CLibrary, tmp_path: Path) -> None:
    """With the schema of the Zephyr tree that ZEPHYR_BASE names, where there is one."""
    yaml = pytest.importorskip("yaml", reason="no yaml: `pip install pyyaml`")
    files = find_world("zephyr").files(library)
    module = yaml.safe_load(files["zephyr/module.yml"])
    assert module["build"] == {"cmake": "zephyr", "kconfig": "zephyr/Kconfig"}
    assert all(f"{module['build']['cmake']}/{name}" in files for name in ("CMakeLists.txt", "Kconfig"))
    sample = yaml.safe_load(files["samples/selftest/sample.yaml"])
    assert sample["tests"]["sample.tinyedge.nets"]["harness_config"]["regex"] == [
        f"{name}: self-test ok" for name in TITLES
    ]
    if base := os.environ.get("ZEPHYR_BASE"):
        write_files(files, tmp_path)
        script = Path(base) / "scripts/zephyr_module.py"
        printed = run(
            ["python3", script, "--zephyr-base", base, "--modules", tmp_path, "--kconfig-out", "/dev/stdout"], tmp_path
        )
        assert "zephyr/Kconfig" in printed


def test_west_takes_the_manifest_of_the_readme(library: CLibrary) -> None:
    manifest = pytest.importorskip("west.manifest", reason="no west: `pip install west`")
    yaml = pytest.importorskip("yaml", reason="no yaml: `pip install pyyaml`")
    readme = find_world("zephyr").files(library)["README.md"].decode()
    text = readme.partition("```yaml\n")[2].partition("```")[0]
    found = manifest.Manifest.from_data(yaml.safe_load(text), import_flags=manifest.ImportFlag.IGNORE)
    assert {project.name: project.path for project in found.projects}["nets"] == "modules/lib/nets"


@pytest.mark.parametrize("name", ["zephyr", "esp-idf", "cmake"])
def test_every_source_is_listed(name: str, library: CLibrary) -> None:
    path = {"zephyr": "zephyr/CMakeLists.txt", "esp-idf": "CMakeLists.txt", "cmake": "CMakeLists.txt"}[name]
    lists = find_world(name).files(library)[path].decode()
    assert all(source in lists for source in library.sources)


# -- esp-idf ---------------------------------------------------------------------------------------------------------


def test_esp_idf_refuses_kernels_of_other_cores(for_m4: CLibrary) -> None:
    with pytest.raises(UsageError, match="no ESP32 has the core `cortex-m4f`"):
        find_world("esp-idf").files(for_m4)


def test_platformio_refuses_a_core_that_no_board_of_it_has() -> None:
    board = load_board("mps2_an386")
    library = library_of([planned(MODELS / "k3_cnn_flatten.tflite", board)], board.name)
    with pytest.raises(UsageError, match="what PlatformIO calls board `mps2_an386`"):
        find_world("platformio").files(library)


@pytest.mark.parametrize("name", ["esp-idf", "platformio", "zephyr"])
def test_plain_c_for_a_risc_v_is_taken_as_it_is(name: str) -> None:
    board = load_board("esp32c3_devkitm")
    library = library_of([planned(MODELS / "k3_cnn_flatten.tflite", board)], board.name)
    readme = find_world(name).files(library)["README.md"].decode()
    assert "plain C99 for any core" in readme
    assert name != "zephyr" or "west build -b esp32c3_devkitm" in readme
