"""The serial protocol: every token declared once. The firmware's te_protocol.h is generated from these constants.

A line is printable ASCII: `<mark><seq> <words> ~<crc>` and a line feed, where `crc` is CRC-32 as in zlib in eight hex
digits over everything before ` ~`. Requests are marked `>`, replies `<`, unsolicited records
`#` (their seq is 0). The host numbers requests 1..65535; the reply carries the number of its request. A request whose
number and checksum equal those of the last one answered is not executed again: the stored reply is sent once more, so
the host may repeat any request it got no good answer to. A line that is broken, too long or fails its checksum is
dropped in silence by the firmware (the host repeats after a time-out) and by the host.

Requests (`key=value` words in replies; integers decimal, digests hex, data base64):

    hello                    protocol, model, board, runtime, image, ticks_hz, inputs, outputs, layers, arena, selftest
    model I                  where there are several: the requests behind it are about model I; the words of `hello`
    tensor KIND I            KIND `in` or `out`: bytes, type, shape=1x8x8x1, scale, zero_point
    in I OFFSET B64          writes up to CHUNK_BYTES bytes of input I
    feed OFFSET B64          where input 0 is computed of samples: up to CHUNK_BYTES bytes of them, in order; OFFSET 0
                             begins a signal, and whenever a window is whole a row of the input: rows, ticks (of all
                             rows since then)
    features OFFSET N        up to CHUNK_BYTES bytes of that input: data
    stream OFFSET B64        where the model listens: the next up to CHUNK_BYTES bytes of a signal, whole instants;
                             OFFSET 0 begins one: nothing, or, when a row was completed, rows, runs, row_crc, out_crc,
                             heard_crc (over all rows, outputs and results since OFFSET 0), ticks since they were told
                             last, and of inferences among them: network
    run                      one inference: ticks, in_crc, out_crc
    profile                  one inference, ticks and output CRC-32 kept per layer: ticks, layers, in_crc, out_crc
    layer I                  of the last profile, in order of execution: index (operator's), ticks, crc (or `-`), in_crc
    out I OFFSET N           up to CHUNK_BYTES bytes of output I: data
    mem                      stack_peak, stack_size, ram_static, arena
    reset                    variables back to their start values (streaming models)

`in_crc` and `out_crc` are CRC-32 over the bytes of all inputs as they were before the inference, and of all outputs
after it: they tell a reset in the middle, which wipes the inputs, from a good run. An inference may overwrite its
inputs, so the host writes them before each one. Ticks wrap at 2^32.

After reset requests are about model 0. Models may share their arena: the inputs of one do not outlast another's run.

A reply starts with `ok` or with `err CODE` (a token of ERRORS). Records: `#0 hello ...` after reset, with the words of
the reply to `hello`; `#0 fault pc=... lr=... cfsr=...` on a fault, in hex, pc and lr 0 when the stack overflowed.
"""

from __future__ import annotations

import zlib

PROTOCOL = 2
MARK_REQUEST = ">"
MARK_REPLY = "<"
MARK_RECORD = "#"
CHECK_MARK = " ~"
CHECK_DIGITS = 8
LINE_BYTES = 240
"""longest line without its line feed; longer ones are noise"""
CHUNK_BYTES = 96
"""payload bytes of one `in` or `out`"""
DEFAULT_BAUD = 115_200

VERBS = (
    "hello",
    "model",
    "tensor",
    "in",
    "feed",
    "features",
    "stream",
    "run",
    "profile",
    "layer",
    "out",
    "mem",
    "reset",
)
ERRORS = {
    "verb": "the firmware does not know the request",
    "args": "the request's arguments are malformed or out of range",
    "model": "the model failed to initialise",
    "run": "the inference failed",
    "order": "no profile has been taken yet, or samples are missing that come before these",
}
OK = "ok"
ERR = "err"


def encode_line(mark: str, sequence: int, words: str) -> bytes:
    """One complete line.

    >>> encode_line(">", 7, "run")
    b'>7 run ~93B67104\\n'
    """
    body = f"{mark}{sequence} {words}".encode("ascii")
    return body + f"{CHECK_MARK}{zlib.crc32(body):08X}\n".encode("ascii")


def decode_line(line: bytes) -> tuple[str, int, str] | None:
    """(mark, sequence, words) of a good line without its line end; None for noise."""
    line = line.rstrip(b"\r\n")
    body, found, check = line.rpartition(CHECK_MARK.encode())
    if not found or len(check) != CHECK_DIGITS or len(line) > LINE_BYTES or check != b"%08X" % zlib.crc32(body):
        return None
    text = body.decode("ascii", "replace")
    head, _, words = text.partition(" ")
    if head[:1] not in (MARK_REQUEST, MARK_REPLY, MARK_RECORD) or not head[1:].isdecimal() or len(head) > 6:
        return None
    return head[0], int(head[1:]), words
