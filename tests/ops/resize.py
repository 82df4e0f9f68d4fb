"""resize_bilinear and resize_nearest_neighbor."""

from __future__ import annotations

from kits.draft import Draft, Entry
from kits.kernel_layers import drafted
from kits.operator_models import OneOperator
from tinyedge.ops.resize import ONE, BilinearAxis


def resized(
    name: str = "resize_bilinear",
    *,
    dtype: str = "int8",
    source: tuple[int, ...] = (1, 3, 4, 2),
    size: tuple[int, ...] = (5, 2),
    output: tuple[int, ...] = (1, 5, 2, 2),
    align_corners: bool = False,
    half_pixel_centers: bool = False,
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(source, dtype), model.numbers(size)]
    options = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    return model.build(name, keys, [model.tensor(output, dtype)], **options)


def test_places_of_bilinear_outputs() -> None:
    before, behind, weight = BilinearAxis(3, 6, ONE // 2, ONE // 4 - ONE // 2).places()
    assert before.tolist() == [0, 0, 0, 1, 1, 2]
    assert behind.tolist() == [0, 1, 1, 2, 2, 2]
    assert weight.tolist() == [-256, 256, 768, 256, 768, 256]


CORNERS = [
    resized("resize_nearest_neighbor", dtype="int16", align_corners=True, half_pixel_centers=True),
    resized(size=(1, 1), output=(1, 1, 1, 2), align_corners=True),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (resized(**arguments), rule)
    for arguments, rule in (
        ({"dtype": "int16"}, "int8"),
        ({"align_corners": True, "half_pixel_centers": True}, "Not both"),
        ({"size": (5, 3)}, "height and width of the output"),
        ({"source": (1, 3, 4, 3)}, "equal channels"),
        (
            {"source": (1, 7, 1, 1), "size": (9001, 1), "output": (1, 9001, 1, 1)},
            "No output lies behind the last cell",
        ),
    )
]
"""models that are refused, and words of the rule they break"""


def resize_node(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        source = draft.image()
        size = (draft.number(1, 8), draft.number(1, 8))
        corners, centers = draft.pick((False, False), (True, False), (False, True))
        draft.same(
            operator, [source, draft.shape_constant(size)], (1, *size, source.shape[3]), source,
            align_corners=corners, half_pixel_centers=centers,
        )  # fmt: skip

    return entry


NODES = {name: resize_node(name) for name in ("resize_bilinear", "resize_nearest_neighbor")}
LAYERS = {name: drafted(node, name) for name, node in NODES.items()}
