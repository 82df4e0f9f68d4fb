"""TE404: constants or scales that are kept in a way no runtime for microcontrollers reads."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

_FIXES = {
    "sparse": "Convert without the sparsity optimization; pruned weights stay zeros:\n\n"
    "    converter.optimizations = [tf.lite.Optimize.DEFAULT]",
    "block-wise": "Quantize with one scale for each tensor or channel:\n\n"
    "    tinyedge convert float_model.tflite --data samples.npz",
    "in another file": "Export the model as a single .tflite file.",
    "variant": "Convert without lists of tensors:\n\n    converter._experimental_lower_tensor_list_ops = True",
}


def find(subject: Subject) -> Iterator[Found]:
    for graph in subject.graphs:
        for tensor in graph.tensors:
            if tensor.exotic:
                what = {"block-wise": "its scales are custom or block-wise", "variant": "it is a list of tensors"}
                told = what.get(tensor.exotic, f"its data is {tensor.exotic}")
                yield Found(told, graph.number, tensor=tensor, fix=_FIXES[tensor.exotic])


RULE = Rule(
    Explanation(
        "TE404",
        "storage that cannot be read",
        "error",
        "Sparse tensors, scales by blocks, data in a second file and lists of tensors are for large models on large "
        "machines. TensorFlow Lite Micro does not read them; some versions take what they find for dense data.",
        "It refuses the model.",
        "Convert without the optimization that made them so:\n\n"
        "    converter.optimizations = [tf.lite.Optimize.DEFAULT]",
    ),
    find,
)
