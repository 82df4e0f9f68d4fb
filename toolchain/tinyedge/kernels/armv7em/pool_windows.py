"""What pooling and means over height and width share: the cells of one window, channel by channel in words.

A function reduces one window: sixteen channels at a time by LDM, then four, and of the last four only those that are
left (they are read with some of the channels before them, so that nothing behind the tensor is read). What is done
with a word of four channels is a `Reduction`. Windows are walked over in C, unless there is but one.

The function reads the words of its `Reduction.window`: those of every window, then what the reduction wants.
"""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Mapping

from tinyedge.arithmetic.window import Window, taps
from tinyedge.kernels.contract import AsmFunction, Offsets, SharedFunction, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks

SIXTEEN, FOUR = 16, 4
LEAST_CHANNELS = 4
WALK_BYTES, WALK_TICKS, WALK_WINDOW_TICKS = 115, 30, 50
"""of the C around the function: code, and cycles in all and for each window"""
PROTOTYPE = "void NAME(const uint32_t *window, const int8_t *input, int8_t *output)"

_SLOTS = ("window", "input", "output", "left", "rows", "row_end", "skip", "spare")
FRAME_BYTES = 4 * len(_SLOTS)


def slot(name: str) -> str:
    """A variable of the function on its stack."""
    return f"[sp, #{4 * _SLOTS.index(name)}]"


def window_offsets(name: str, **wanted: str) -> Offsets:
    """The words of a window, and those that a reduction wants, with their meanings."""
    words = {
        "rows": "of the window",
        "row_bytes": "of the cells of a row",
        "skip": "bytes from behind a row's cells to the next row's",
        "channels": "which are the bytes of a cell",
    }
    return word_offsets(name, {**words, **wanted})


class Reduction(abc.ABC):
    """What is done with the cells of a window.

    r0 walks over cells, r1 holds their distance; the rest is free. Words of cells come in the registers `cells` names.
    At the end r0 holds the address of the window's words, r1 that of the output.
    """

    window: Offsets
    """made by `window_offsets`"""
    cells16: str
    """four registers, as LDM lists them; of groups of four channels the word comes in r2"""
    end: str
    """a register that is free when a cell has been taken"""

    @abc.abstractmethod
    def clear(self, asm: Assembly, words: int) -> None:
        """Begin with some words of channels."""

    @abc.abstractmethod
    def take16(self, asm: Assembly) -> None: ...

    @abc.abstractmethod
    def take4(self, asm: Assembly) -> None: ...

    @abc.abstractmethod
    def finish16(self, asm: Assembly) -> None: ...

    @abc.abstractmethod
    def finish4(self, asm: Assembly) -> None:
        """Of the four channels, as many as r8 says are not to be written."""


def emit_window(reduction: Reduction) -> Assembly:
    """The function that reduces one window."""
    asm = Assembly({}, reduction.window)
    asm("push {r4-r11, lr}", f"sub sp, sp, #{FRAME_BYTES}", "stm sp, {r0-r2}")
    asm(f"ldr r3, [r0, #{reduction.window['channels']}]")
    asm(f"str r3, {slot('left')}", "tst r3, #3", "bne.w 4f")
    asm.block("group16", "sixteen channels")
    asm(f"1: ldr r3, {slot('left')}", f"cmp r3, #{SIXTEEN}", "blo.w 4f")
    reduction.clear(asm, FOUR)
    _cells(asm, reduction, SIXTEEN)
    reduction.finish16(asm)
    asm(*_advance(SIXTEEN), "b.w 1b")
    asm.block("group4", "four channels, or those that are left")
    asm(f"4: ldr r3, {slot('left')}", "cmp r3, #0", "ble.w 9f", "rsbs r3, r3, #4", "it mi", "movmi r3, #0")
    asm(f"str r3, {slot('skip')}", f"ldr r4, {slot('input')}", "sub r4, r4, r3", f"str r4, {slot('input')}")
    asm(f"ldr r4, {slot('output')}", "sub r4, r4, r3", f"str r4, {slot('output')}")
    reduction.clear(asm, 1)
    _cells(asm, reduction, FOUR)
    asm(f"ldr r8, {slot('skip')}")
    reduction.finish4(asm)
    asm(*_advance(FOUR), "b.w 4b")
    asm.block("end")
    asm(f"9: add sp, sp, #{FRAME_BYTES}", "pop {r4-r11, pc}")
    return asm


def _advance(channels: int) -> list[str]:
    lines = []
    for name, step in (("input", channels), ("output", channels), ("left", -channels)):
        change = f"{'add' if step > 0 else 'sub'} r3, r3, #{abs(step)}"
        lines += [f"ldr r3, {slot(name)}", change, f"str r3, {slot(name)}"]
    return lines


def _cells(asm: Assembly, reduction: Reduction, channels: int) -> None:
    """Walk over the window; leaves the addresses of its words and of the output in r0 and r1."""
    row, cell = ("12", "13") if channels == SIXTEEN else ("14", "15")
    end = reduction.end

    def word(name: str) -> str:
        return f"[{end}, #{reduction.window[name]}]"

    asm(f"ldr {end}, {slot('window')}", f"ldr r0, {word('rows')}", f"str r0, {slot('rows')}")
    asm(f"ldr r1, {word('channels')}", f"ldr r0, {slot('input')}")
    asm.block(f"row{channels}")
    asm(f"{row}: ldr {end}, {slot('window')}", f"ldr {end}, {word('row_bytes')}")
    asm(f"add {end}, r0, {end}", f"str {end}, {slot('row_end')}")
    asm.block(f"cell{channels}", f"a cell of {channels} channels")
    if channels == SIXTEEN:
        asm(f"{cell}: ldm r0, {{{reduction.cells16}}}", "add r0, r0, r1")
        reduction.take16(asm)
    else:
        asm(f"{cell}: ldr r2, [r0]", "add r0, r0, r1")
        reduction.take4(asm)
    asm(f"ldr {end}, {slot('row_end')}", f"cmp r0, {end}", f"bne {cell}b")
    asm.block(f"row{channels}")
    asm(f"ldr {end}, {slot('window')}", f"ldr {end}, {word('skip')}", f"add r0, r0, {end}")
    asm(f"ldr {end}, {slot('rows')}", f"subs {end}, {end}, #1", f"str {end}, {slot('rows')}", f"bne {row}b")
    asm.block(f"group{channels}")
    asm(f"ldr r0, {slot('window')}", f"ldr r1, {slot('output')}")


def windows_ticks(asm: Assembly, window: Window, channels: int) -> Ticks:
    """What all windows take, without walking over them."""
    cells, rows = cells_and_rows(window)
    count = window.output_h * window.output_w
    sixteens = channels // SIXTEEN if channels % FOUR == 0 else 0
    fours = -(-(channels - SIXTEEN * sixteens) // FOUR)
    total = count * (asm.ticks("start") + asm.ticks("end"))
    for groups, size in ((sixteens, SIXTEEN), (fours, FOUR)):
        each = count * asm.ticks(f"group{size}") + rows * asm.ticks(f"row{size}") + cells * asm.ticks(f"cell{size}")
        total += groups * each
    return total


def cells_and_rows(window: Window) -> tuple[int, int]:
    """How many cells of the input all windows have, and how many rows."""
    cells = sum(
        len(range(*tap.outputs[0].indices(window.output_h))) * len(range(*tap.outputs[1].indices(window.output_w)))
        for tap in taps(window)
    )
    if is_one(window):
        return cells, only_window(window, 1)["rows"]
    above = [row * window.stride_h - window.pad_top for row in range(window.output_h)]
    rows = sum(min(window.input_h, top + window.kernel_h) - max(0, top) for top in above)
    return cells, window.output_w * rows


def is_one(window: Window) -> bool:
    """Whether the only window lies inside the input altogether, or covers it."""
    return window.output_h == window.output_w == 1


def only_window(window: Window, channels: int) -> dict[str, int]:
    """The words of the only window, which begins at the first cell of the input."""
    rows = min(window.input_h, window.kernel_h - window.pad_top)
    columns = min(window.input_w, window.kernel_w - window.pad_left)
    skip = (window.input_w - columns) * channels
    if skip == 0:
        return {"rows": 1, "row_bytes": rows * columns * channels, "skip": 0, "channels": channels}
    return {"rows": rows, "row_bytes": columns * channels, "skip": skip, "channels": channels}


def walk_function(stem: str, reduce: AsmFunction, window: Offsets, wanted: Mapping[str, str]) -> SharedFunction:
    """C that calls `reduce` for every window.

    wanted  what the reduction wants beside the words of every window, in terms of `cells` and `p`
    """
    words = {
        "rows": "bottom - top",
        "row_bytes": "(right - left) * channels",
        "skip": "(input_w - (right - left)) * channels",
        "channels": "channels",
        **wanted,
    }
    assert words.keys() == window.members.keys()
    listed = "".join(f"        [{window[name]} / 4] = (uint32_t)({value}),\n" for name, value in words.items())
    text = f"""\
/*
 * Calls {reduce.name} for each window of an image.
 *
 * p  input and output height and width, height and width of the windows, strides, borders above and to the left,
 *    channels; then what the reduction wants
 */
__attribute__((noinline)) static void NAME(const int32_t *p, const int8_t *input, int8_t *output) {{
  const int32_t input_h = p[0], input_w = p[1], channels = p[10];
  for (int32_t row = 0; row < p[2]; row++) {{
    const int32_t above = row * p[6] - p[8];
    const int32_t top = above < 0 ? 0 : above;
    const int32_t bottom = above + p[4] < input_h ? above + p[4] : input_h;
    for (int32_t column = 0; column < p[3]; column++) {{
      const int32_t before = column * p[7] - p[9];
      const int32_t left = before < 0 ? 0 : before;
      const int32_t right = before + p[5] < input_w ? before + p[5] : input_w;
      const int32_t cells = (bottom - top) * (right - left);
      const uint32_t window[{len(words)}] = {{
{listed}      }};
      (void)cells;
      {reduce.name}(window, input + (top * input_w + left) * channels, output);
      output += channels;
    }}
  }}
}}
"""
    name = f"{stem}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return SharedFunction(name, text.replace("NAME", name))


def walk_words(window: Window, channels: int) -> list[int]:
    """The geometry that `walk_function` reads."""
    w = window
    sizes = [w.input_h, w.input_w, w.output_h, w.output_w, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w]
    return [*sizes, w.pad_top, w.pad_left, channels]
