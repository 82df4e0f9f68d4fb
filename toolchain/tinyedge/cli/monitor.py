"""`tinyedge monitor`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import click

from tinyedge import wire
from tinyedge.boards import load_board
from tinyedge.console.serial import SerialConsole
from tinyedge.errors import DeviceError, UsageError
from tinyedge.jobs.board import baud_of, open_console, port_of

_KINDS = {wire.MARK_REQUEST: "request", wire.MARK_REPLY: "reply", wire.MARK_RECORD: "record"}
_LISTEN_S = 0.5
"""how long one look at the line takes: what bounds the wait after Ctrl-C on systems that cannot interrupt it"""
_LOST_S = 3600.0
"""how long a lost port is waited for"""
_INTERRUPTED = 130


class Printer:
    """Prints what comes, as text or as one JSON document a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._start = time.monotonic()

    def line(self, line: bytes) -> None:
        """A line of the firmware; empty ones, which only end what a reset cut short, are left out."""
        if line.strip():
            event = describe(line)
            if self._as_json:
                self._print_json(event)
            else:
                click.echo(
                    event["text"] if event["kind"] in ("noise", "record") else f"{event['kind']}: {event['text']}"
                )

    def event(self, kind: str, text: str) -> None:
        """Something that happened to the connection."""
        if self._as_json:
            self._print_json({"kind": kind, "text": text})
        else:
            click.echo(f"{kind}: {text}", err=True)

    def _print_json(self, event: dict[str, Any]) -> None:
        head = {"schema": "tinyedge.monitor/1", "seconds": round(time.monotonic() - self._start, 3)}
        click.echo(json.dumps(head | event))


def describe(line: bytes) -> dict[str, Any]:
    """A line as an event: its kind, its text in printable characters, and for a record its name and fields.

    >>> describe(b"hi\\xff")
    {'kind': 'noise', 'text': 'hi\\\\xff'}
    """
    decoded = wire.decode_line(line)
    if decoded is None:
        return {"kind": "noise", "text": printable(line.decode("utf-8", "backslashreplace"))}
    mark, number, words = decoded
    event: dict[str, Any] = {"kind": _KINDS[mark], "text": printable(words)}
    if mark != wire.MARK_RECORD:
        return event | {"number": number}
    name, *pairs = words.split(" ")
    fields = {key: value for key, found, value in (pair.partition("=") for pair in pairs) if found}
    return event | {"record": name, "fields": fields}


def printable(text: str) -> str:
    """Text that cannot steer a terminal.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def watch(find: Callable[[], str], baud: int, printer: Printer) -> None:
    """Print what comes, and connect again whenever the connection is lost; ends with an exception alone.

    Raises: DeviceError when there is no port at the start, or a lost one does not come back
    """
    url, console = open_console(find, baud, 0.0)
    while True:
        printer.event("connected", f"{url}, {baud:,} baud; Ctrl-C ends")
        try:
            listen(console, printer)
        except DeviceError as error:
            printer.event("lost", f"{error.what}; waiting for it")
        finally:
            console.close()
        url, console = open_console(find, baud, _LOST_S)


def listen(console: SerialConsole, printer: Printer) -> None:
    """Print every line. Raises: DeviceError when the port is gone."""
    while True:
        for line in console.lines(_LISTEN_S):
            printer.line(line)


@click.command("monitor", epilog="Example: tinyedge monitor --board nrf52840")
@click.option("-b", "--board", help="The board, whose USB ids and baud rate are used.")
@click.option("--port", help="A serial port, socket://host:port or rfc2217://host:port.")
@click.option("--baud", type=click.IntRange(min=1), help="Default: the board's, else 115,200.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line on stdout.")
def command(board: str | None, port: str | None, baud: int | None, as_json: bool) -> None:
    """Show what a board sends; connect again after a reset or an unplugged cable. Ctrl-C ends it."""
    if board is None and port is None:
        raise UsageError("which board, or which port?", hint="`--board nrf52840` or `--port /dev/ttyACM0`")
    chosen = None if board is None else load_board(board)

    def find() -> str:
        if port is not None:
            return port
        assert chosen is not None
        return port_of(chosen)

    rate = baud or (wire.DEFAULT_BAUD if chosen is None else baud_of(chosen))
    try:
        watch(find, rate, Printer(as_json=as_json))
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_INTERRUPTED) from None
