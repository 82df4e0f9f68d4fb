"""`python -m benchmarks.reference`: pages made from what they describe: commands, settings, the serial protocol."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tinyedge import wire
from tinyedge.artifacts.budget import BudgetFigures
from tinyedge.cli import COMMANDS
from tinyedge.cli.config import Config
from tinyedge.jobs.sidecar import SidecarFile
from tinyedge.paths import write_whole
from tinyedge.report.compare.thresholds import Thresholds
from tinyedge.table_keys import Key, describe_keys

DOCS = Path(__file__).resolve().parents[1] / "docs"
_EVERYWHERE = ("as_json", "verbose", "plain")
"""options that every command has"""
_COMMANDS_HEAD = """\
# Commands

Made from the commands themselves, by `python -m benchmarks.reference`; `tinyedge COMMAND --help` says the same.

Results go to stdout, everything for people to stderr. Every command has

- `--json`: one JSON document on stdout, which names its schema; keys may be added to a schema, never renamed or removed
- `-v`, `--verbose`: more on stderr; `-vv` shows every program that is started
- `--plain`: for scripts: a tab between the cells of tables, nothing folded, no bars
- `-h`, `--help`; before the command `--debug` shows tracebacks, and `--version` the version

Tables fold to the width of a terminal and come whole through a pipe. NO_COLOR takes the colours from progress bars.

Exit codes: 0 all is well; 1 a check, a budget or a model failed; 2 wrong usage; 3 a tool is missing; 4 a device failed,
or was silent for too long; 70 a defect of tinyedge; 130 interrupted."""
_SETTINGS_HEAD = """\
# The keys of settings

Made from the types that check the files, by `python -m benchmarks.reference`. A key that is not here is refused, with
the name that is nearest. The keys of a recipe are [by themselves](recipe-keys.md).

## tinyedge.toml

What every command in its folder and below begins with; options go over it. The same keys stand under `[tool.tinyedge]`
of a pyproject.toml. The nearest folder that has either counts, up to the one with a `.git`. Paths are relative to the
file.
"""


def commands_page() -> str:
    """Every command with its arguments and options."""
    return "\n".join(_commands()) + "\n"


def _commands() -> Iterator[str]:
    yield _COMMANDS_HEAD
    for name in sorted(COMMANDS):
        command: click.Command = importlib.import_module(f"tinyedge.cli.{name}").command
        yield f"\n## tinyedge {name}\n"
        yield " ".join(["tinyedge", name, *command.collect_usage_pieces(click.Context(command))])
        yield ""
        yield inspect.cleandoc(command.help or "").replace("\b\n", "")
        yield ""
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in _EVERYWHERE and not parameter.hidden:
                yield _option(parameter, command)
        if command.epilog:
            yield ""
            yield from (f"    {line}" for line in _examples(command.epilog))


def _option(option: click.Option, command: click.Command) -> str:
    record = option.get_help_record(click.Context(command))
    names, text = record or ("", "")
    return f"- `{names}`: {text}"


def _examples(epilog: str) -> list[str]:
    """The lines of an epilog without the word in front."""
    text = re.sub(r"^Examples?: ", "", epilog.replace("\b", "").strip())
    return [line.strip() for line in text.splitlines()]


def settings_page() -> str:
    """Every key of tinyedge.toml, of a budget, of thresholds, and of a model.toml."""
    return "\n".join(_settings()) + "\n"


def _settings() -> Iterator[str]:
    yield _SETTINGS_HEAD
    yield from _with_tables(Config)
    yield "\n## budget.toml\n"
    yield "At its top and in tables `[<board>]` and `[<board>-<compiler>]`: [budgets](budgets.md).\n"
    yield from map(_key, describe_keys(BudgetFigures))
    yield "\n## Thresholds of a comparison\n"
    yield "The file of `tinyedge compare --thresholds`: [comparing](compare.md).\n"
    yield from _with_tables(Thresholds)
    yield "\n## model.toml\n"
    yield "Beside a model's file, or `<name>.model.toml`: what the file does not say.\n"
    yield from map(_key, describe_keys(SidecarFile))


def _with_tables(kind: type) -> Iterator[str]:
    """The keys of a table, then those of each table in it."""
    keys = describe_keys(kind)
    yield from map(_key, keys)
    for key in keys:
        if key.table is not None:
            yield f"\n### `[{key.name}]`\n"
            yield from map(_key, describe_keys(key.table))


def _key(key: Key) -> str:
    default = "needed" if key.needed else f"default `{key.default}`" if key.default else "may be left out"
    return f"- `{key.name}` ({key.takes}; {default}): {key.doc}"


def protocol_page() -> str:
    """The serial protocol, from the module that declares it."""
    text = inspect.cleandoc(wire.__doc__ or "")
    _, _, rest = text.partition("\n\n")
    listed = "\n".join(f"- `err {code}`: {meaning}" for code, meaning in wire.ERRORS.items())
    return f"""\
# The serial protocol

What a firmware and `tinyedge run` or `verify` say to each other. Made from `tinyedge/wire.py`, which declares every
token once, by `python -m benchmarks.reference`; the firmware's `te_protocol.h` is made from it too.

Version {wire.PROTOCOL}: {wire.DEFAULT_BAUD:,} baud, lines of at most LINE_BYTES = {wire.LINE_BYTES} bytes, at most
CHUNK_BYTES = {wire.CHUNK_BYTES} bytes of payload in each.

{rest}

The line of a request to run, as number 7:

    {wire.encode_line(">", 7, "run").decode().strip()}

Errors:

{listed}
"""


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings-keys.md": settings_page,
    "protocol.md": protocol_page,
}

if __name__ == "__main__":
    for name, made in PAGES.items():
        write_whole(DOCS / name, made().encode())
