"""A stream of rows as a kernel: a table of calls, and a case for each layer that names its kernel and its addresses.

To the planner a group of layers is one layer with one kernel: its scratch is the strip. The kernels of the layers run
as they are, each asked for the layer of some rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import Operator
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.mean import Mean
from tinyedge.plan.addresses import Place, PlacedCall
from tinyedge.plan.flow import Call
from tinyedge.plan.row_buffers import ALIGNMENT, arrives
from tinyedge.plan.rows import cells_of, height
from tinyedge.plan.stream import STATE_BYTES, Stream

STEM = "te_rows"
OPERATOR = "stream"
"""the name of the layer that stands for a group"""
_MOST_CASES = 255


class StreamKernel(Kernel):
    """The one kernel of a group of layers."""

    operators: ClassVar[tuple[str, ...]] = (OPERATOR,)

    def __init__(self, stream: Stream, name: str = "stream/rows") -> None:
        self.stream = stream
        self.name = name  # type: ignore[misc]  # of one stream among several for the same layers

    def fits(self, layer: Layer, core: Core) -> str:
        cases = len({_case_key(self.stream, call) for call in self.stream.calls})
        return f"{cases} cases are more than the {_MOST_CASES} it tells apart" if cases > _MOST_CASES else ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        return self.stream.cost

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self.stream.strip_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return self.stream.leads[layer.inputs[input_index].index]

    def reads_behind(self, layer: Layer, core: Core) -> int:
        return self.stream.reads_behind

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        return _Text(self.stream, core, operands).code()


def stream_layer(stream: Stream) -> Layer:
    """The layer that stands for a group: what it reads from outside, and what it computes."""
    tensors = stream.flow.tensors
    first = stream.layers[0]
    operator = Operator(first.index, OPERATOR, stream.inputs, (stream.output,))
    inputs = tuple(tensors[key] for key in stream.inputs)
    return Layer(operator, stream, inputs, (tensors[stream.output],), sum(layer.macs for layer in stream.layers))


def _sums_state(stream: Stream, call: Call) -> tuple[bool, bool]:
    """Whether a call is the first, and the last, of a layer that sums."""
    if call.action != "run" or stream.flow.readings[call.of].kind != "sums":
        return False, False
    rows = height(stream.flow.layers[call.of].inputs[0])
    return call.first == 0, call.first + call.count == rows


def _case_key(stream: Stream, placed: PlacedCall) -> tuple[object, ...]:
    """Calls of one key are one case: they differ in nothing but where whole tensors are read and written."""

    def where(place: Place | None) -> object:
        if place is None or place.whole:
            return None
        return place.tensor, place.offset, place.rows

    call = placed.call
    run = call.action == "run"
    return (
        call.action,
        call.of,
        call.count if run else 0,
        tuple(where(place) for place in placed.reads),
        where(placed.write),
        placed.slide,
        placed.border,
        _sums_state(stream, call),
    )


@dataclass(eq=False)
class _Text:
    """The code of a stream while it is put together."""

    stream: Stream
    core: Core
    operands: Operands
    parts: dict[tuple[int, int], Code] = field(default_factory=dict)
    constants: dict[tuple[int, str, bytes], Constant] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    """C variable -> the tensor it walks through"""

    def code(self) -> Code:
        cases: dict[tuple[object, ...], int] = {}
        bodies: list[str] = []
        table = []
        for placed in self.stream.calls:
            key = _case_key(self.stream, placed)
            if key not in cases:
                cases[key] = len(cases)
                bodies += self._case(cases[key], placed)
            table.append(cases[key])
        name = f"{self.operands.prefix}_calls"
        calls = Constant(name, "uint8_t", np.array(table, np.uint8), 1, "calls of a stream, in order")
        codes = list(self.parts.values())
        definitions = [text for code in codes if (text := code.functions.strip("\n"))]
        return Code(
            call=(self._call(),),
            constants=(*self.constants.values(), calls),
            functions="\n\n".join([*definitions, self._function(bodies, len(table))]),
            runtime=tuple(sorted({STEM, *(stem for code in codes for stem in code.runtime)})),
            includes=tuple(sorted({"string.h", *(name for code in codes for name in code.includes)})),
            shared=tuple({shared.name: shared for code in codes for shared in code.shared}.values()),
            assembler=tuple({made.name: made for code in codes for made in code.assembler}.values()),
        )

    @property
    def arrives(self) -> bool:
        """Whether the rows of its one input are given one by one."""
        return arrives(self.stream.flow, self.stream.first)

    @property
    def tells(self) -> bool:
        """Whether somebody is told of each call."""
        return self.operands.first_step is not None

    def _call(self) -> str:
        arguments = [*self.operands.inputs, *self.operands.outputs, self.operands.scratch or "0"]
        arguments += ["done", "context"] * self.tells
        given_back = "return " if self.arrives else ""
        return f"{given_back}{self.operands.prefix}_stream({', '.join(arguments)});"

    def _function(self, bodies: Sequence[str], calls: int) -> str:
        prefix, tensors = self.operands.prefix, self.stream.flow.tensors
        parameters = [f"const {tensors[key].dtype.c_name} *input{i}" for i, key in enumerate(self.stream.inputs)]
        parameters += [f"{tensors[self.stream.output].dtype.c_name} *output", "uint8_t *strip"]
        parameters += ["void (*done)(void *context, uint32_t layer)", "void *context"] * self.tells
        used = "\n".join(bodies)
        unused = [name for name in ("strip",) if not re.search(rf"\b{name}\b", used)]
        result = "int" if self.arrives else "void"
        head = [f"static {result} {prefix}_stream({', '.join(parameters)}) {{"]
        head += [f"  (void){name};" for name in unused]
        head += [f"  const uint8_t *{name} = (const uint8_t *){source};" for name, source in self.pointers.items()]
        if self.arrives:
            state = self.stream.strip_bytes - STATE_BYTES
            head.append(f"  uint32_t *state = (uint32_t *)(void *)(strip + {state});")
            head.append("  uint8_t *target = (uint8_t *)output + state[1];")
        elif re.search(r"\btarget\b", used):
            head.append("  uint8_t *target = (uint8_t *)output;")
        layer = ["    uint32_t layer;"] * self.tells
        done = ["    if (done) {", "      done(context, layer);", "    }"] * self.tells
        begin = "state[0]" if self.arrives else "0"
        end = ["  state[0] = 0;", "  state[1] = 0;", "  return 1;"] * self.arrives
        loop = [f"  for (uint32_t at = {begin}; at < {calls}; ++at) {{", *layer, f"    switch ({prefix}_calls[at]) {{"]
        return "\n".join(
            [*head, *loop, *bodies, "      default:", "        continue;", "    }", *done, "  }", *end, "}"]
        )

    def _case(self, number: int, placed: PlacedCall) -> list[str]:
        call, flow = placed.call, self.stream.flow
        lines = []
        if placed.slide is not None:
            slide = placed.slide
            lines.append(f"te_rows_slide(strip + {slide.to}, {slide.by}, {slide.bytes});")
        if placed.border is not None:
            offset, size, value = placed.border
            lines.append(f"memset(strip + {offset}, {value}, {size});")
        if call.action == "load" and self.arrives:
            target = placed.write
            assert target is not None
            give = ["if (!input0) {", "  state[0] = at;", "  state[1] = (uint32_t)(target - (uint8_t *)output);"]
            return self._braced(
                number,
                f"a row of {_short(flow.tensors[call.of].name)} arrives",
                [*give, "  return 0;", "}", *lines, *self._take(target), "continue;"],
            )
        if call.action == "load":
            (source,), target = placed.reads, placed.write
            assert target is not None
            name = self._pointer(f"rows_of_{self._number(call.of)}", call.of)
            lines.append(f"memcpy(strip + {target.offset}, {name}, {source.bytes});")
            lines.append(f"{name} += {source.bytes};")
        if call.action != "run":
            title = {"begin": "the border of", "border": "a row of border of", "load": "a row of"}[call.action]
            return self._braced(number, f"{title} {_short(flow.tensors[call.of].name)}", [*lines, "continue;"])
        layer = flow.layers[call.of]
        lines += self._sums(placed) if flow.readings[call.of].kind == "sums" else self._part(placed)
        if self.tells:
            assert self.operands.first_step is not None
            step = self.operands.first_step + call.of - self.stream.first
            lines += [f"layer = {step};", "break;"]
        else:
            lines.append("continue;")
        rows = f"{call.count} row{'s' * (call.count > 1)}"
        kernel = self.stream.parts[call.of, call.count].kernel
        by = kernel.name if kernel is not None else STEM
        return self._braced(number, f"{layer.name}, operator {layer.index}: {rows} by {by}", lines)

    def _take(self, target: Place) -> list[str]:
        """Take the row that was given."""
        return [f"memcpy(strip + {target.offset}, input0, {target.bytes});", "input0 = 0;"]

    def _braced(self, number: int, title: str, lines: Sequence[str]) -> list[str]:
        return [f"      case {number}: {{ /* {title} */", *(f"        {line}" for line in lines), "      }"]

    def _number(self, tensor: int) -> int:
        return self.stream.inputs.index(tensor)

    def _pointer(self, name: str, tensor: int) -> str:
        """A variable that walks through a tensor that lies whole."""
        self.pointers.setdefault(name, f"input{self._number(tensor)}")
        return name

    def _source(self, placed: PlacedCall, position: int) -> tuple[str, list[str]]:
        """The expression for the first row of an input, and what moves on to the next call's."""
        call, place = placed.call, placed.reads[position]
        tensor = self.stream.flow.tensors[place.tensor]
        cast = f"(const {tensor.dtype.c_name} *)(const void *)"
        if not place.whole:
            return f"{cast}(strip + {place.offset})", []
        name = self._pointer(f"rows_{call.of - self.stream.first}_{position}", place.tensor)
        rows = call.count * self.stream.flow.readings[call.of].step
        return f"{cast}{name}", [f"{name} += {rows * place.pitch};"]

    def _target(self, placed: PlacedCall) -> tuple[str, list[str]]:
        place = placed.write
        assert place is not None
        tensor = self.stream.flow.tensors[place.tensor]
        cast = f"({tensor.dtype.c_name} *)(void *)"
        if not place.whole:
            return f"{cast}(strip + {place.offset})", []
        return f"{cast}target", [f"target += {place.rows * place.bytes};"]

    def _part(self, placed: PlacedCall) -> list[str]:
        call = placed.call
        part = self.stream.parts[call.of, call.count]
        assert part.kernel is not None
        sources = [self._source(placed, position) for position in range(len(placed.reads))]
        target, moved = self._target(placed)
        local = call.of - self.stream.first
        prefix = f"{self.operands.prefix}_{local:02d}" + (f"x{call.count}" if call.count > 1 else "")
        scratch = f"(strip + {self.stream.scratch[call.of]})" if part.scratch_bytes else ""
        operands = Operands(tuple(text for text, _ in sources), (target,), scratch, prefix)
        code = self._shared_constants(call.of, part.kernel.emit(part.layer, self.core, operands))
        self.parts.setdefault((call.of, call.count), code)
        return [*code.call, *(line for _, lines in sources for line in lines), *moved]

    def _shared_constants(self, position: int, code: Code) -> Code:
        """Constants that parts of one layer have in common are there once."""
        renamed = {}
        for constant in code.constants:
            key = position, f"{constant.ctype} {constant.align}", constant.values.tobytes()
            first = self.constants.setdefault(key, constant)
            if first.name != constant.name:
                renamed[constant.name] = first.name
        if not renamed:
            return code
        pattern = re.compile(r"\b(" + "|".join(map(re.escape, renamed)) + r")\b")

        def rename(text: str) -> str:
            return pattern.sub(lambda found: renamed[found[1]], text)

        return replace(code, call=tuple(map(rename, code.call)), functions=rename(code.functions))

    def _sums(self, placed: PlacedCall) -> list[str]:
        call = placed.call
        layer = self.stream.flow.layers[call.of]
        first, last = _sums_state(self.stream, call)
        source, moved = self._source(placed, 0)
        _, _, columns, channels = layer.inputs[0].shape
        sums = f"(int32_t *)(void *)(strip + {self.stream.scratch[call.of]})"
        lines = [f"memset(strip + {self.stream.scratch[call.of]}, 0, {4 * channels});"] * first
        lines.append(f"te_rows_add_s8({source}, {sums}, {call.count * columns}, {channels});")
        lines += moved
        if last and isinstance(layer.params, Mean):
            p = layer.params
            offset = -p.input_zero_point * cells_of(layer)
            numbers = f"{offset}, {p.multiplier}, {p.shift}, {p.output_zero_point}"
            lines.append(f"te_rows_rescale_s8({sums}, {channels}, {numbers}, output);")
        elif last:
            p = layer.params
            numbers = f"{cells_of(layer)}, {p.activation_min}, {p.activation_max}"
            lines.append(f"te_rows_average_s8({sums}, {channels}, {numbers}, output);")
        return lines


def _short(name: str) -> str:
    text = name.partition(";")[0].replace("*/", "* /")
    return text if len(text) <= 40 else f"...{text[-37:]}"


assert StreamKernel.alignment == ALIGNMENT
