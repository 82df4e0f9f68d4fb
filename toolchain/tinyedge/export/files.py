"""What the files of several worlds are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyedge import __version__
from tinyedge.artifacts import CLibrary
from tinyedge.generate.render import template_file
from tinyedge.paths import templates_dir
from tinyedge.templates import environment

VERSION = "1.0.0"
"""of an exported library: its owner counts on"""


def values(library: CLibrary, **more: Any) -> dict[str, Any]:
    """What every template may name."""
    titles = ", ".join(model.name for model in library.models)
    return {
        "name": library.name,
        "NAME": library.name.upper(),
        "titles": titles,
        "models": library.models,
        "sources": library.sources,
        "has_assembler": library.has_assembler,
        "core": library.core,
        "portable": library.portable,
        "version": VERSION,
        "tinyedge": __version__,
        **more,
    }


def render(world: str, template: str, library: CLibrary, **more: Any) -> bytes:
    """The text of firmware_templates/export/<world>/<template>.j2."""
    found = environment(templates_dir() / "export").get_template(f"{world}/{template}.j2")
    return found.render(**values(library, **more)).encode()


def rendered(world: str, library: CLibrary, paths: Mapping[str, str], **more: Any) -> dict[str, bytes]:
    """Files by their paths, each from the template that is named."""
    return {path: render(world, template, library, **more) for path, template in paths.items()}


def in_folder(folder: str, library: CLibrary) -> dict[str, bytes]:
    """The C of the library, in one folder."""
    return {f"{folder}/{name}": content for name, content in library.files.items()}


def copied(path: str) -> bytes:
    """A file of firmware_templates/export/ that is used as it is."""
    return template_file(f"export/{path}")


def readme(library: CLibrary, title: str, steps: tuple[str, ...], use: str) -> bytes:
    """README.md: what it is, what to type, how it is used in a program of one's own.

    use  a paragraph of the world, in Markdown
    """
    return render("common", "README.md", library, title=title, steps=steps, use=use.strip())
