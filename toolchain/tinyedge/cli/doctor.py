"""`tinyedge doctor`."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from tinyedge import process
from tinyedge.build import compiler_version
from tinyedge.cli.config import load_config
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.convert.torch import VARIABLE, torch_versions
from tinyedge.emulate import emulator
from tinyedge.errors import ToolError, UsageError
from tinyedge.flash import FLASHERS, flasher
from tinyedge.flash.contract import Flasher
from tinyedge.install import DISTRIBUTION, extra_command, foreign_distribution, package_command
from tinyedge.report.json import doctor_document
from tinyedge.report.text import render_table
from tinyedge.runtimes.tflm.tree import find_tree, missing_tree


@dataclass(frozen=True)
class Check:
    """One line of the doctor's table. `needed_for` is empty when the main job needs it."""

    name: str
    version: Callable[[], str]
    hint: str
    needed_for: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check found; `version` is empty when the thing is missing."""

    name: str
    version: str
    needed_for: str
    hint: str

    @property
    def required(self) -> bool:
        return not self.needed_for


def _package(name: str) -> Callable[[], str]:
    def version() -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError as error:
            raise ToolError(f"the package `{name}` is not installed") from error

    return version


def _program(name: str, argument: str = "--version") -> Callable[[], str]:
    def version() -> str:
        completed = process.run([process.require(name, ""), argument], timeout_s=20, check=False)
        return next((line.strip() for line in completed.output.splitlines() if line.strip()), "present")

    return version


def _tflm_tree() -> str:
    """The source tree of TensorFlow Lite Micro that the settings or TINYEDGE_TFLM name."""
    try:
        tree = find_tree(load_config(Path.cwd()).tflm)
    except UsageError as error:
        raise ToolError(error.what) from error
    if tree is None:
        raise missing_tree()
    return f"{tree.version}, {tree.kernels}"


def _checks() -> tuple[Check, ...]:
    training = extra_command("train")
    oracle = package_command("tflite-micro", prerelease=True)
    return (
        Check("python", lambda: sys.version.split()[0], "install Python 3.11 or newer"),
        Check("zig (compiler)", lambda: compiler_version("zig"), package_command("ziglang")),
        Check("unicorn (emulator)", lambda: emulator("unicorn").version(), package_command("unicorn")),
        Check("tflite-micro (oracle)", _package("tflite-micro"), f"{oracle} (Linux x86_64)"),
        Check("tensorflow", _package("tensorflow"), training, "training"),
        Check("tensorflow-model-optimization", _package("tensorflow-model-optimization"), training, "training"),
        Check("ai-edge-quantizer", _package("ai-edge-quantizer"), extra_command("import"), "bringing models in"),
        Check("onnx", _package("onnx"), extra_command("import"), "ONNX models"),
        Check("pillow", _package("pillow"), extra_command("data"), "data in images"),
        Check("cbor2", _package("cbor2"), extra_command("data"), "data in CBOR"),
        Check(
            "torch, litert-torch",
            lambda: torch_versions(None),
            f"docs/bring-your-own.md says how; set {VARIABLE}",
            "PyTorch models",
        ),
        Check(
            "arm-none-eabi-gcc", lambda: compiler_version("gcc"), "apt-get install gcc-arm-none-eabi", "--compiler gcc"
        ),
        Check("qemu-system-arm", _program("qemu-system-arm"), "apt-get install qemu-system-arm", "the QEMU emulator"),
        Check("TFLM's sources", _tflm_tree, "docs/tflm.md says how; set TINYEDGE_TFLM", "--runtime tflm"),
        Check("renode", _program("renode"), "get it from renode.io and put it on PATH", "the Renode emulator"),
        *(_flasher_check(flasher(name)) for name in FLASHERS if name != "uf2"),
    )


def _flasher_check(tool: Flasher) -> Check:
    found = tool.available()
    return Check(tool.name, lambda: found.version, found.install.replace("`", ""), f"flashing: {tool.reaches}")


def examine(checks: tuple[Check, ...]) -> tuple[Finding, ...]:
    """Run every check; a missing tool is a finding, never an error."""
    findings = []
    for check in checks:
        try:
            version = check.version()
        except ToolError:
            version = ""
        findings.append(Finding(check.name, version, check.needed_for, check.hint))
    return tuple(findings)


@click.command("doctor", epilog="Example: tinyedge doctor")
@shared
def command(ui: Ui) -> None:
    """Check the tools: which are there, which version, how to install what is missing.

    Exits 3 when the main job (build and run in the embedded emulator) could not run.
    """
    findings = examine(_checks())
    rows = [
        (
            "ok" if finding.version else "MISSING" if finding.required else "-",
            finding.name,
            finding.version or finding.hint,
            finding.needed_for or "the main job",
        )
        for finding in findings
    ]
    missing = [finding for finding in findings if finding.required and not finding.version]
    ui.result(
        render_table(("", "tool", "version, or how to get it", "needed for"), rows),
        doctor_document([vars(finding) | {"required": finding.required} for finding in findings], ok=not missing),
    )
    if foreign := foreign_distribution():
        ui.note(
            f"warning: `{foreign}` is installed too: another project's package of the same name, in the same folder as "
            f"{DISTRIBUTION}\n\nhint: take it away with pip's `uninstall tinyedge`, then install {DISTRIBUTION} again"
        )
    if missing:
        raise ToolError(
            f"the main job needs {', '.join(f'`{finding.name}`' for finding in missing)}",
            hint="; ".join(finding.hint for finding in missing),
        )
