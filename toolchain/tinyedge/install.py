"""How tinyedge was installed, and the commands that add to it in that same way."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from importlib import metadata
from pathlib import Path

from tinyedge.errors import MissingToolError
from tinyedge.paths import checkout

DISTRIBUTION = "tinyedge-toolchain"
"""what pip calls tinyedge; the distribution `tinyedge` is another project's and holds a package of the same name"""
LOCK = "requirements.lock"
"""the versions that were tested together, in the checkout"""


def extra_command(extra: str) -> str:
    """The command that adds an extra of tinyedge, such as `train`, to the Python that runs it."""
    if root := checkout():
        return shlex.join([*_pip_install(), "-c", _shown(root / LOCK), "-e", f"{_shown(root)}[{extra}]"])
    wanted = f"{DISTRIBUTION}[{extra}]"
    if _is_pipx():
        return shlex.join(["pipx", "install", "--force", wanted])
    if _is_uv_tool():
        return shlex.join(["uv", "tool", "install", wanted])
    return shlex.join([*_pip_install(), wanted])


def require_package(work: str, package: str, extra: str) -> None:
    """Raises: MissingToolError when `work` needs a package of an extra that is not installed."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        raise MissingToolError(
            f"{work} needs the Python package `{package}`, which is not installed",
            hint=f"`{extra_command(extra)}` installs it",
        ) from None


def package_command(package: str, *, prerelease: bool = False) -> str:
    """The command that adds a package to the Python that runs tinyedge."""
    if _is_pipx():
        return shlex.join(["pipx", "inject", *(["--pip-args=--pre"] if prerelease else []), DISTRIBUTION, package])
    if _is_uv_tool():
        allowed = ["--prerelease", "allow"] if prerelease else []
        return shlex.join(["uv", "tool", "install", *allowed, "--with", package, DISTRIBUTION])
    return shlex.join([*_pip_install(), *(["--pre"] if prerelease else []), package])


def foreign_distribution() -> str:
    """`tinyedge VERSION` when a distribution of that name is installed, whose files lie among ours; else empty."""
    try:
        return f"tinyedge {metadata.version('tinyedge')}"
    except metadata.PackageNotFoundError:
        return ""


def _pip_install() -> list[str]:
    """pip of the Python that runs tinyedge, by its short name where that is the one the shell finds."""
    here = Path(sys.executable).parent
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", _shown(Path(sys.executable))]
    found = shutil.which("pip")
    if found and Path(found).parent == here:
        return ["pip", "install"]
    return [_shown(Path(sys.executable)), "-m", "pip", "install"]


def _is_pipx() -> bool:
    return (Path(sys.prefix) / "pipx_metadata.json").is_file()


def _is_uv_tool() -> bool:
    return (Path(sys.prefix) / "uv-receipt.toml").is_file()


def _shown(path: Path) -> str:
    """A path as it is typed in the current folder: relative when it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
