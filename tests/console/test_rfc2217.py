"""The serial console over RFC 2217, as ser2net and terminal servers speak it: data, baud rate, a lost connection."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import serial
from serial import rfc2217

from kits.fake_firmware import FakeFirmware, fake_layers
from tinyedge.console.serial import SerialConsole
from tinyedge.errors import DeviceError
from tinyedge.measure.session import Session

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name).. is deprecated:DeprecationWarning")  # pySerial


class PortBehind:
    """What the server's side of the protocol looks at: the settings and lines of a serial port."""

    def __init__(self) -> None:
        self.baudrate = 9600
        self.bytesize, self.parity, self.stopbits = serial.EIGHTBITS, serial.PARITY_NONE, serial.STOPBITS_ONE
        self.xonxoff = self.rtscts = False
        self.rts = self.dtr = True
        self.cts = self.dsr = self.cd = True
        self.ri = False
        self.break_condition = False

    def reset_input_buffer(self) -> None:
        """Nothing is kept."""

    def reset_output_buffer(self) -> None:
        """Nothing is kept."""


class Server:
    """A terminal server with a board that runs the firmware in Python."""

    def __init__(self, connection: socket.socket) -> None:
        self.port = PortBehind()
        self.firmware = FakeFirmware()
        self._connection = connection
        self._manager = rfc2217.PortManager(self.port, self)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send to the client, for the manager too."""
        self._connection.sendall(data)

    def send(self, data: bytes) -> None:
        """Send what the board says, its escapes doubled."""
        self.write(b"".join(self._manager.escape(data)))

    def hang_up(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._connection.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._connection.recv(4096):
                answer = self.firmware.receive(b"".join(self._manager.filter(data)))
                if answer:
                    self.send(answer)


@pytest.fixture
def connected() -> Iterator[tuple[SerialConsole, Server]]:
    """(console, server) with a connection between them, opened at 230,400 baud."""
    servers: list[Server] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            servers.append(Server(connection))

        thread = threading.Thread(target=accept)
        thread.start()
        console = SerialConsole(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", 230_400)
        thread.join()
    yield console, servers[0]
    console.close()
    servers[0].hang_up()


def use(console: SerialConsole) -> None:
    """Read and write until it fails."""
    for _ in range(100):
        list(console.lines(0.2))
        console.write(b"x" * 100)


def test_a_session(connected: tuple[SerialConsole, Server]) -> None:
    console, server = connected
    assert server.port.baudrate == 230_400
    server.send(server.firmware.reset())
    session = Session(console)
    assert session.wait_for_banner().model == "fake"
    data = bytes(range(106, 256))
    assert session.infer([data]).outputs == (fake_layers([data])[1],)


def test_bytes_that_the_protocol_escapes(connected: tuple[SerialConsole, Server]) -> None:
    console, server = connected
    server.send(b"a\xff\xffb\xfd\n")
    assert next(console.lines(5.0)) == b"a\xff\xffb\xfd"


def test_a_connection_that_ends(connected: tuple[SerialConsole, Server]) -> None:
    console, server = connected
    server.hang_up()
    start = time.monotonic()
    with pytest.raises(DeviceError, match="lost the connection to `rfc2217://"):
        use(console)
    assert time.monotonic() - start < 10


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeviceError, match="cannot open `rfc2217://"):
        SerialConsole(f"rfc2217://127.0.0.1:{port}", 115_200)


def test_a_server_that_speaks_another_protocol() -> None:
    """It accepts, then says nothing the protocol knows: opening ends in bounded time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        with pytest.raises(DeviceError, match="cannot open `rfc2217://"):
            SerialConsole(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", 115_200)
        assert time.monotonic() - start < 20
