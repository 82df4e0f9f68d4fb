"""install.py: the commands it names fit the way tinyedge was installed."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyedge import install
from tinyedge.cli.doctor import command as doctor


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that holds tinyedge as a wheel; it has pip, and is not activated."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(install, "checkout", lambda: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    return tmp_path


def make_pip(folder: Path) -> None:
    (folder / "pip").touch(mode=0o755)


def test_a_wheel(environment: Path) -> None:
    python = environment / "bin" / "python"
    assert install.extra_command("train") == f"{python} -m pip install 'tinyedge-toolchain[train]'"
    assert install.package_command("ziglang") == f"{python} -m pip install ziglang"
    assert install.package_command("x", prerelease=True) == f"{python} -m pip install --pre x"


def test_a_wheel_below_the_current_folder(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(environment)
    assert install.package_command("ziglang") == "bin/python -m pip install ziglang"


def test_a_wheel_in_an_active_environment(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pip(environment / "bin")
    monkeypatch.setenv("PATH", str(environment / "bin"))
    assert install.extra_command("flash") == "pip install 'tinyedge-toolchain[flash]'"


def test_the_pip_of_another_python_is_not_named(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = environment / "other"
    other.mkdir()
    make_pip(other)
    monkeypatch.setenv("PATH", str(other))
    assert install.package_command("ziglang").startswith(str(environment / "bin" / "python"))


def test_an_environment_of_uv_without_pip(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment / "uv").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(environment))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.chdir(environment)
    assert install.package_command("ziglang") == "uv pip install --python bin/python ziglang"


def test_pipx(environment: Path) -> None:
    (environment / "pipx_metadata.json").touch()
    assert install.extra_command("train") == "pipx install --force 'tinyedge-toolchain[train]'"
    assert install.package_command("x", prerelease=True) == "pipx inject --pip-args=--pre tinyedge-toolchain x"


def test_uv_tool(environment: Path) -> None:
    (environment / "uv-receipt.toml").touch()
    assert install.extra_command("train") == "uv tool install 'tinyedge-toolchain[train]'"
    allowed = "uv tool install --prerelease allow --with x tinyedge-toolchain"
    assert install.package_command("x", prerelease=True) == allowed


def test_a_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(root / ".venv" / "bin" / "python"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert install.extra_command("train") == ".venv/bin/python -m pip install -c requirements.lock -e '.[train]'"
    monkeypatch.chdir(root.parent)
    name = root.name
    assert install.extra_command("train") == (
        f"{name}/.venv/bin/python -m pip install -c {name}/requirements.lock -e '{name}[train]'"
    )
    assert (root / install.LOCK).is_file()


def test_a_foreign_distribution_is_found_and_the_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    assert install.foreign_distribution() == ""
    monkeypatch.undo()
    foreign = tmp_path / "tinyedge-9.9.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyedge\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert install.foreign_distribution() == "tinyedge 9.9"
    done = CliRunner().invoke(doctor)
    assert "warning: `tinyedge 9.9` is installed too" in done.stderr
    assert "tinyedge 9.9" not in done.stdout
