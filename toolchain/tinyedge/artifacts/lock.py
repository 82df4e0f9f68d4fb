"""What a firmware was made from, by versions and digests: the content of tinyedge.lock, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LockedBuild:
    """One firmware of one model. Digests are SHA-256; empty where there is no such thing."""

    source: str
    """the model as it is named from the folder of the lock: a path, or a recipe's name"""
    model: str
    """its name"""
    board: str
    """its name in boards/"""
    compiler: str
    """name and version"""
    runtime: str
    optimize: str
    board_digest: str
    """of the board file"""
    data: str = ""
    """what `--data` named, from the folder of the lock"""
    recipe_digest: str = ""
    """of recipe.toml and the Python files beside it; of a converted model its source's"""
    data_digest: str = ""
    """of the data that the recipe or `--data` names"""
    model_digest: str = ""
    """of the .tflite, as given or as training or conversion made it"""
    project_digest: str = ""
    """of all generated files"""
    image_digest: str = ""
    """of the ELF, on the system that locked it"""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What one is found by: the compiler's name without its version."""
        return self.model, self.board, self.runtime, self.compiler.partition(" ")[0]


@dataclass(frozen=True)
class Lock:
    """The content of a tinyedge.lock.

    tinyedge   version of tinyedge
    code       digest of its sources
    templates  digest of the firmware templates
    python     version
    system     operating system and processor
    packages   version of each package that takes part
    builds     the firmwares that were locked
    """

    tinyedge: str
    code: str
    templates: str
    python: str
    system: str
    packages: Mapping[str, str] = field(default_factory=dict)
    builds: tuple[LockedBuild, ...] = ()


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it was locked."""

    what: str
    locked: str
    here: str

    def __str__(self) -> str:
        return f"{self.what}: locked {_short(self.locked)}, here {_short(self.here)}"


def environment_drifts(locked: Lock, here: Lock) -> tuple[Drift, ...]:
    """Where tinyedge, Python and packages differ. Packages that are not in the lock do not count, nor does the last
    part of Python's version."""
    drifts = [
        Drift(what, getattr(locked, key), getattr(here, key))
        for what, key in (
            ("tinyedge", "tinyedge"),
            ("code of tinyedge", "code"),
            ("firmware templates", "templates"),
        )
        if getattr(locked, key) != getattr(here, key)
    ]
    if _minor(locked.python) != _minor(here.python):
        drifts.append(Drift("python", locked.python, here.python))
    drifts += [
        Drift(f"package {name}", version, here.packages.get(name, ""))
        for name, version in locked.packages.items()
        if here.packages.get(name, "") != version
    ]
    return tuple(drifts)


_BUILD_FACTS = {
    "compiler": "compiler",
    "board_digest": "board file",
    "recipe_digest": "recipe",
    "data_digest": "data",
    "optimize": "optimized for",
    "model_digest": "model",
    "project_digest": "generated project",
    "image_digest": "image",
}


def build_drifts(locked: LockedBuild, here: LockedBuild) -> tuple[Drift, ...]:
    """Where a firmware differs; what `here` does not know yet does not count."""
    return tuple(
        Drift(f"{what} of {locked.model} on {locked.board}", getattr(locked, name), getattr(here, name))
        for name, what in _BUILD_FACTS.items()
        if getattr(here, name) and getattr(locked, name) != getattr(here, name)
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _short(text: str) -> str:
    """A digest by its first 16 digits."""
    return (text[:16] if len(text) == 64 else text) or "nothing"
