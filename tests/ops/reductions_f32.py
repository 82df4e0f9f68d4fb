"""mean, sum, reduce_max, reduce_min and fully_connected in float32, in a model that is quantized otherwise."""

from __future__ import annotations

import numpy as np

from kits.draft import Draft, Entry
from kits.kernel_layers import drafted
from ops.elementwise_f32 import dequantized, pair, quantize
from tinyedge.ops.elementwise_f32 import SUFFIX
from tinyedge.ops.reductions_f32 import NAMES


def reduction_node(operator: str) -> Entry:
    """Over some axes, some counted from the end."""

    def entry(draft: Draft) -> None:
        source = pair(draft, draft.pick("add", "mul"), dequantized(draft, draft.sizes(draft.number(1, 4))))
        rank = len(source.shape)
        axes = [axis for axis in range(rank) if draft.flip(0.5)] or [rank - 1]
        keep = draft.flip(0.5) or len(axes) == rank
        left = tuple(1 if axis in axes else size for axis, size in enumerate(source.shape) if keep or axis not in axes)
        named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis for axis in axes])
        quantize(draft, draft.put(operator, [source, named], left, "float32", keep_dims=keep))

    return entry


def fully_connected_node(draft: Draft) -> None:
    inputs, outputs = draft.number(1, 8), draft.number(1, 6)
    source = pair(draft, "sub", dequantized(draft, (draft.number(1, 3), inputs)))
    weights = draft.constant(draft.chance.normal(0, 1, (outputs, inputs)).astype(np.float32))
    bias = draft.constant(draft.chance.normal(0, 1, outputs).astype(np.float32)) if draft.flip(0.6) else -1
    fused = draft.pick("none", "relu", "relu6", "relu_n1_to_1")
    shape = (source.shape[0], outputs)
    quantize(
        draft,
        draft.put("fully_connected", [source, weights, bias], shape, "float32", fused_activation_function=fused),
    )


NODES = {
    **{name + SUFFIX: reduction_node(name) for name in NAMES},
    "fully_connected_f32": fully_connected_node,
}
LAYERS = {name: drafted(entry, name) for name, entry in NODES.items()}
