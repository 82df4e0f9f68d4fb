"""The samples a model is fed with: from a .npy file, from a generator anyone can write in three lines, or zeros."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts.input_ranges import InputRange, RangedInput, ranged_inputs
from tinyedge.errors import UsageError
from tinyedge.features.quantize import FeatureInput
from tinyedge.graph.ir import Graph, Tensor

Array = npt.NDArray[Any]
DEFAULT_SAMPLES = 20
"""how many `random:SEED` and `zeros` make when nobody says"""
_MULTIPLIER = 1_664_525
_INCREMENT = 1_013_904_223
_BLOCK = 1 << 16
_INT32_END = 2.0**31
_MOST_BYTES = 1 << 30
_RANDOM = re.compile(r"random:([0-9]{1,10})")
_HINT = "`--inputs FILE.npy`, `--inputs random:1` or `--inputs zeros`"


def load_inputs(spec: str, graph: Graph, count: int | None = None) -> list[Array]:
    """One array [N, *shape of the input] for each input of the graph.

    spec   `zeros`; `random:SEED`: byte after byte of all inputs of sample 0, then of sample 1, and on, x >> 24 with
           x = x * 1664525 + 1013904223 mod 2^32 starting from SEED, where four bytes of a float32 input or of one that
           picks rows of a table are a number modulo the values it may take; or `FILE.npy`: an array [N, *shape] of the
           input's type (the batch dimension of 1 may be left out), or, when there are several inputs, of their bytes
           [N, bytes]
    count  N; None: all of a file, else DEFAULT_SAMPLES

    Raises: UsageError when the specification or the file is wrong, or the file holds fewer than `count` samples
    """
    inputs = ranged_inputs(graph)
    tensors = [tensor for tensor, _ in inputs]
    sample_bytes = sum(tensor.bytes for tensor in tensors)
    number = DEFAULT_SAMPLES if count is None else count
    if spec == "zeros":
        return _split(np.zeros((number, sample_bytes), np.uint8), tensors)
    if match := _RANDOM.fullmatch(spec):
        arrays = _random(int(match[1]), number, tensors)
        return [_drawn(array, limits) for array, (_, limits) in zip(arrays, inputs, strict=True)]
    if not spec.endswith(".npy"):
        raise UsageError(f"`{spec}` names no inputs", hint=_HINT)
    given = _from_file(Path(spec), tensors, count)
    _check_values(spec, given, inputs)
    return given


def load_raw(spec: str, filled: FeatureInput, count: int | None = None) -> Array:
    """Samples that fill an input of features, [N, instants, axes].

    spec, count  as `load_inputs` takes them; a file holds [N, instants, axes] of the sensor's type, or [N, instants]

    Raises: UsageError when the specification or the file is wrong, or the file holds fewer than `count` samples
    """
    features = filled.features
    shape = (filled.instants, features.axes)
    tensor = Tensor(0, f"of the features `{features.kind}`", shape, features.sample_dtype)
    if match := _RANDOM.fullmatch(spec):
        return _random(int(match[1]), DEFAULT_SAMPLES if count is None else count, [tensor])[0]
    if spec == "zeros":
        return np.zeros((DEFAULT_SAMPLES if count is None else count, *shape), features.sample_dtype.numpy)
    if not spec.endswith(".npy"):
        raise UsageError(f"`{spec}` names no inputs", hint=_HINT)
    flat = replace(tensor, shape=shape[:1]) if features.axes == 1 and _rank_of(Path(spec)) == 2 else tensor
    return _from_file(Path(spec), [flat], count)[0].reshape(-1, *shape)


def _rank_of(path: Path) -> int:
    """How many axes the array in a file has; 0 where there is none."""
    try:
        return np.lib.format.open_memmap(path, mode="r").ndim
    except (OSError, ValueError, EOFError, MemoryError):
        return 0


def _random(seed: int, number: int, tensors: Sequence[Tensor]) -> list[Array]:
    """What `random:SEED` stands for, as bytes. Raises: UsageError."""
    if seed >= 2**32:
        raise UsageError(f"seed {seed:,} is too large: the largest is {2**32 - 1:,}", hint=_HINT)
    sample_bytes = sum(tensor.bytes for tensor in tensors)
    return _split(random_bytes(seed, number * sample_bytes).reshape(number, sample_bytes), tensors)


def _drawn(array: Array, limits: InputRange | None) -> Array:
    """Random bytes as values that the input may take."""
    return array if limits is None else limits.drawn(array)


def random_bytes(seed: int, count: int) -> npt.NDArray[np.uint8]:
    """The first `count` bytes of the generator: x >> 24 with x = x * 1664525 + 1013904223 mod 2^32 from `seed`.

    >>> random_bytes(1, 4).tolist()
    [60, 94, 129, 180]
    """
    size = min(count, _BLOCK)
    factors = np.cumprod(np.full(size, _MULTIPLIER, np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.concatenate([np.ones(min(size, 1), np.uint32), factors[:-1]]), dtype=np.uint32)
    terms = sums * np.uint32(_INCREMENT)
    result = np.empty(count, np.uint8)
    x = np.uint32(seed)
    for start in range(0, count, _BLOCK):
        states = factors * x + terms  # states[k] is k + 1 steps from x
        piece = states[: count - start]
        result[start : start + len(piece)] = piece >> np.uint32(24)
        x = states[-1]
    return result


def _split(data: npt.NDArray[np.uint8], tensors: Sequence[Tensor]) -> list[Array]:
    """Bytes [N, bytes of all inputs] as one array for each input."""
    arrays: list[Array] = []
    start = 0
    for tensor in tensors:
        piece = np.ascontiguousarray(data[:, start : start + tensor.bytes])
        arrays.append(piece.view(tensor.dtype.numpy).reshape(len(data), *tensor.shape))
        start += tensor.bytes
    return arrays


def _from_file(path: Path, tensors: Sequence[Tensor], count: int | None) -> list[Array]:
    if path.exists() and not path.is_file():
        raise UsageError(f"`{path}` is not a file: a folder, a pipe or a device cannot be read", hint=_HINT)
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # reads one array, never an archive or an object
    except FileNotFoundError:
        raise UsageError(f"there is no file `{path}`", hint=_HINT) from None
    except (OSError, ValueError, EOFError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"`{path}` is no readable .npy file: {reason}", hint="write it with numpy.save") from None
    several = len(tensors) > 1
    if several:
        _check_bytes(path, array, sum(tensor.bytes for tensor in tensors))
    else:
        _check_array(path, array, tensors[0])
    number = len(array) if count is None else count
    if number > len(array):
        raise UsageError(f"`{path}` holds {len(array):,} samples, not {number:,}", hint=f"`--samples {len(array)}`")
    held = number * sum(tensor.bytes for tensor in tensors)
    if held > _MOST_BYTES:
        fit = max(1, _MOST_BYTES * number // held)
        raise UsageError(
            f"{number:,} samples of `{path}` are {held:,} B; at most {_MOST_BYTES:,} B are read at once",
            hint=f"`--samples {fit}`",
        )
    taken = np.array(array[:number])
    if several:
        return _split(taken.view(np.uint8), tensors)
    return [taken.reshape(number, *tensors[0].shape)]


def _check_array(path: Path, array: Array, tensor: Tensor) -> None:
    wanted = f"{tensor.dtype.value} [N, {', '.join(map(str, tensor.shape))}]"
    given = f"{array.dtype.name} {list(array.shape)}"
    shapes = [tensor.shape, *([tensor.shape[1:]] if tensor.shape[:1] == (1,) else [])]
    if array.ndim == 0 or array.shape[1:] not in shapes or len(array) == 0:
        raise UsageError(f"`{path}` holds {given}; input `{tensor.name}` takes {wanted}", hint="reshape it")
    if array.dtype != tensor.dtype.numpy:
        hint = f"convert it to {tensor.dtype.value}"
        if array.dtype.kind == "f" and tensor.quantization is not None:
            hint = f"quantize it: round(x / {tensor.scale:.9g}) + {tensor.zero_point}, limited to {tensor.dtype.value}"
        raise UsageError(f"`{path}` holds {given}; input `{tensor.name}` takes {wanted}", hint=hint)


def _check_bytes(path: Path, array: Array, sample_bytes: int) -> None:
    if array.dtype not in (np.int8, np.uint8) or array.ndim != 2 or array.shape[1] != sample_bytes or len(array) == 0:
        raise UsageError(
            f"`{path}` holds {array.dtype.name} {list(array.shape)}; the model has several inputs and takes "
            f"int8 [N, {sample_bytes}]",
            hint="give the bytes of all inputs of a sample one after the other",
        )


def _check_values(path: str, arrays: Sequence[Array], inputs: Sequence[RangedInput]) -> None:
    """Refuse samples with values that no firmware can be held to.

    Raises: UsageError that names the value, its place and the limit
    """
    for array, (tensor, limits) in zip(arrays, inputs, strict=True):
        if limits is None or not limits.is_limit:
            continue
        with np.errstate(all="ignore"):
            quotient = np.abs(array / np.float32(limits.scale or 1.0))
        wrong = ~(quotient < _INT32_END) if limits.scale else (array < 0) | (array >= limits.count)
        if not wrong.any():
            continue
        sample, *place = (int(index) for index in np.argwhere(wrong)[0])
        what = f"`{path}`, sample {sample}: input `{tensor.name}` {place} is {array[(sample, *place)]}"
        if limits.scale:
            raise UsageError(
                f"{what}; divided by the scale {limits.scale:.9g} of its quantize that leaves int32, which TensorFlow "
                "Lite Micro leaves undefined",
                hint=f"keep inputs between {-_INT32_END * limits.scale:.6g} and {_INT32_END * limits.scale:.6g}; "
                f"what the model can tell apart lies between {limits.first * limits.scale:.6g} and "
                f"{(limits.first + limits.count - 1) * limits.scale:.6g}",
            )
        raise UsageError(
            f"{what}, but it picks from a table of {limits.count:,} rows",
            hint=f"give numbers from 0 to {limits.count - 1}",
        )
