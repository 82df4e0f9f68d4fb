"""requirements.lock pins what pyproject.toml asks for, within its ranges, and all that comes with it."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tinyedge.install import DISTRIBUTION, LOCK

PLATFORMS = (
    {"sys_platform": "linux", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_machine": "AMD64"},
)
NOT_FROZEN = ("pip", "setuptools", "wheel")
"""what `pip freeze` leaves out"""


def applies(requirement: Requirement, platform: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**platform, "extra": ""})


@pytest.fixture(scope="module")
def pins(root: Path) -> list[Requirement]:
    lines = (root / LOCK).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def wanted(root: Path) -> list[Requirement]:
    """What pyproject.toml asks for, with all extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == DISTRIBUTION
    extras = project["optional-dependencies"]
    assert sorted(extras) == ["data", "dev", "docs", "flash", "import", "train"]
    lines = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    return [Requirement(line) for line in lines]


def pinned(pins: list[Requirement], name: str, platform: dict[str, str]) -> str:
    """The version that holds on a platform."""
    found = [pin for pin in pins if canonicalize_name(pin.name) == canonicalize_name(name) and applies(pin, platform)]
    assert len(found) == 1, f"{LOCK} has {len(found)} lines for `{name}`"
    (specifier,) = found[0].specifier
    assert specifier.operator == "=="
    return specifier.version


def test_every_requirement_is_a_range_with_both_ends(wanted: list[Requirement]) -> None:
    for requirement in wanted:
        assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}, requirement


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform["sys_platform"])
def test_every_requirement_is_pinned_within_its_range(
    wanted: list[Requirement], pins: list[Requirement], platform: dict[str, str]
) -> None:
    for requirement in wanted:
        if applies(requirement, platform):
            version = pinned(pins, requirement.name, platform)
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, but {version} in {LOCK}"


def test_what_requirements_bring_along_is_pinned(wanted: list[Requirement], pins: list[Requirement]) -> None:
    """As far as the pinned versions are installed here, which alone know what they need."""
    versions = {
        canonicalize_name(pin.name): specifier.version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
        for specifier in pin.specifier
    }
    left = [requirement for requirement in wanted if requirement.marker is None or requirement.marker.evaluate()]
    seen: set[str] = set()
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or name in NOT_FROZEN:
            continue
        seen.add(name)
        assert name in versions, f"{LOCK} lacks `{name}`"
        try:
            if metadata.version(name) != versions[name]:
                continue
        except metadata.PackageNotFoundError:
            continue
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            extras = ("", *requirement.extras)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(needed)


def test_the_lock_names_versions_alone(pins: list[Requirement]) -> None:
    """No path and no host of the machine it was made on."""
    for pin in pins:
        assert pin.url is None, pin
