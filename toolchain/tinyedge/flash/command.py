"""The flash tools that are programs: how they are found, run, and believed."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.errors import Interrupted, ToolError
from tinyedge.flash.contract import TIMEOUT_S, UNTOUCHED, Availability, FlashError, half_written
from tinyedge.flash.words import Reach, Saying, hint_of, reach_of
from tinyedge.install import extra_command
from tinyedge.paths import write_whole

_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_VERSION_TIMEOUT_S = 30.0
_HOW_FAR = {Reach.NOWHERE: "did not reach the board", Reach.CHIP: "reached the chip, and stopped before it wrote"}


class CommandFlasher:
    """Base of the tools that are programs. A subclass gives the data below and `commands`.

    A program that ends with exit code 0 is believed only if it says the words of `proofs`: some of these tools end
    that way after a failure.
    """

    name = ""
    programs: tuple[str, ...] = ()
    """names of the program, in order of preference; `commands` begin with the first"""
    module = ""
    """the Python package that is this program, too"""
    install = ""
    extra = ""
    """the extra of tinyedge that brings it, where one does"""
    verifies = True
    reaches = ""
    option_is = ""
    probe_is = ""
    needs_probe = True
    version_arguments: tuple[str, ...] = ("--version",)
    """what makes it tell its version; none for a program that would touch hardware"""
    oldest_version: tuple[int, ...] = ()
    prepares = 0
    """how many of the commands, at the start, touch this computer alone"""
    proofs: tuple[str, ...] = ()
    """what each command prints when it worked; empty where exit code 0 is enough"""
    complaints: tuple[str, ...] = ()
    """words of a failure that leave exit code 0"""
    sayings: tuple[Saying, ...] = ()
    """what its words mean; the first row that fits gives the hint"""
    announces = False
    """whether it always says, in words of `sayings`, that it begins to write: without them nothing was written"""

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """See `Flasher`."""
        raise NotImplementedError

    def files(self, image: Image, board: Board, probe: str) -> dict[Path, str]:
        """See `Flasher`."""
        del image, board, probe
        return {}

    def find_probe(self, board: Board, console_port: str) -> str:
        """See `Flasher`."""
        del board, console_port
        return ""

    def describe(self, image: Image, board: Board, probe: str) -> list[str]:
        """The command lines, behind the scripts they read."""
        lines = []
        for path, text in self.files(image, board, probe).items():
            lines.append(f"{path}:")
            lines += [f"    {line}" for line in text.splitlines()]
        return lines + [shlex.join(command) for command in self.commands(image, board, probe)]

    def available(self) -> Availability:
        """See `Flasher`; a version that is too old counts as missing."""
        try:
            program = self._program()
        except ToolError:
            return Availability("", self._how_to_get())
        version = self._version(program)
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[: len(self.oldest_version)])
        if self.oldest_version and numbers < self.oldest_version:
            return Availability("", f"{self._how_to_get()} (here is {version}, which is too old)")
        return Availability(version, self._how_to_get())

    def _how_to_get(self) -> str:
        return f"`{extra_command(self.extra)}`" if self.extra else self.install

    def write(self, image: Image, board: Board, probe: str, timeout_s: float = TIMEOUT_S) -> None:
        """See `Flasher`."""
        program = self._program()
        commands = self.commands(image, board, probe)
        for path, text in self.files(image, board, probe).items():
            write_whole(path, text.encode())
        for step, command in enumerate(commands):
            touched = UNTOUCHED if step < self.prepares else half_written(board)
            try:
                completed = process.run([*program, *command[1:]], timeout_s=timeout_s, check=False)
            except ToolError as error:
                hint = self._hint(error.what, board, probe) or error.hint
                raise FlashError(error.what, touched, hint=hint) from error
            except KeyboardInterrupt:
                raise Interrupted(f"interrupted while `{self.name}` ran\n       {touched}") from None
            if reason := self._doubt(step, completed):
                reach = self._reach(completed.output) if step <= self.prepares else Reach.FLASH
                if reach is not Reach.FLASH:
                    touched = f"{UNTOUCHED}: `{self.name}` {_HOW_FAR[reach]}"
                hint = self._hint(completed.output, board, probe) or (
                    f"check cable, power and probe; the command was `{shlex.join(completed.argv)}`"
                )
                raise FlashError(reason, touched, hint=hint, reached=reach is not Reach.NOWHERE)

    def _doubt(self, step: int, completed: process.Completed) -> str:
        """Why the command is not believed to have worked; empty when it is."""
        quoted = process.quote_log(completed.output, empty="; it printed nothing")
        if completed.returncode != 0:
            return f"`{self.name}` {process.describe_exit(completed.returncode)}{quoted}"
        proof = self.proofs[step] if step < len(self.proofs) else ""
        complaint = next((words for words in self.complaints if words in completed.output), "")
        if not complaint and proof in completed.output:
            return ""
        why = f"says `{complaint}`" if complaint else f"did not say `{proof}`"
        return f"`{self.name}` ended with exit code 0, but {why}{quoted}"

    def _reach(self, output: str) -> Reach:
        """How far it came; the worst that is possible where its words do not tell."""
        return reach_of(self.sayings, output) or (Reach.NOWHERE if self.announces else Reach.FLASH)

    def _hint(self, output: str, board: Board, probe: str) -> str:
        hint = hint_of(self.sayings, output)
        return hint.format(option=self.option_words(board), probe=probe, board=board.name)

    def option_words(self, board: Board) -> str:
        """What stands for `{option}` in a hint."""
        return board.flash_options.get(self.name, "")

    def _program(self) -> list[str]:
        """The words that start the program. Raises: ToolError when it is not installed."""
        for name in self.programs:
            if found := process.find(name):
                return [str(found)]
        if self.module and importlib.util.find_spec(self.module) is not None:
            return process.python_module(self.module)
        raise ToolError(f"`{self.programs[0]}` is not installed, or not on PATH", hint=self._how_to_get())

    def _version(self, program: Sequence[str]) -> str:
        if not self.version_arguments:
            return "of unknown version"
        try:
            completed = process.run([*program, *self.version_arguments], timeout_s=_VERSION_TIMEOUT_S, check=False)
        except ToolError:
            return "of unknown version"
        found = _VERSION.search(completed.output)
        return found[0] if found else "of unknown version"
