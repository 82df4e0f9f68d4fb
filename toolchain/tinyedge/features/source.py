"""The C of features: `<name>_features.h` and `.c`, and the files of functions that they call."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.boards import Isa
from tinyedge.features.contract import FeatureCode
from tinyedge.features.quantize import FeatureInput
from tinyedge.kernels.contract import Constant
from tinyedge.kernels.sources import runtime_files
from tinyedge.literals import c_values
from tinyedge.paths import templates_dir
from tinyedge.templates import environment

_WORD = 8


@dataclass(frozen=True, eq=False)
class FeatureSource:
    """Files of one model's features, and what a state of them takes.

    own      `<c>_features.c` and `.h`
    runtime  what they call; the same for all models
    """

    own: dict[str, bytes]
    runtime: dict[str, bytes]
    state_bytes: int
    """of a `<c>_features_state`"""


def feature_source(filled: FeatureInput, c: str, title: str, isa: Isa) -> FeatureSource:
    """The C of features for an input of a network.

    c      what every C name begins with
    title  the model, for comments
    """
    features = filled.features
    code = features.emit(f"{c}_features")
    kept, scratch = _words(code.state_bytes), _words(code.scratch_bytes)
    words = kept + scratch + _words(2 * features.channels)
    multiplier, shift = filled.factor
    values = {
        "c": c,
        "C": c.upper(),
        "title": title,
        "kind": features.kind,
        **{name: getattr(features, name) for name in ("rate_hz", "axes", "window", "stride", "channels")},
        "rows": filled.rows,
        "instants": filled.instants,
        "state_bytes": code.state_bytes,
        "state_words": words,
        "kept_words": kept,
        "scratch_words": scratch,
        "sample_ctype": features.sample_dtype.c_name,
        "value_ctype": filled.dtype.c_name,
        "value_suffix": f"s{8 * filled.dtype.bytes}",
        "zero_point": filled.zero_point,
        "multiplier": multiplier,
        "shift": shift,
        "function": code.function,
        "params": code.params,
        "params_name": code.params_name,
        "constants": [_constant(constant) for constant in code.constants],
    }
    templates = environment(templates_dir() / "features")
    own = {
        f"{c}_features.{suffix}": templates.get_template(f"features.{suffix}.j2").render(**values).encode()
        for suffix in "ch"
    }
    return FeatureSource(own, runtime_files(_stems(code), isa), words * _WORD)


def _stems(code: FeatureCode) -> list[str]:
    return sorted({code.function, "te_features", *code.runtime})


def _words(count: int) -> int:
    return -(-count // _WORD)


def _constant(constant: Constant) -> dict[str, str | int]:
    return {
        "ctype": constant.ctype,
        "name": constant.name,
        "length": constant.values.size,
        "align": constant.align,
        "comment": f" /* {constant.comment} */" if constant.comment else "",
        "body": c_values(constant.values, constant.ctype),
    }
