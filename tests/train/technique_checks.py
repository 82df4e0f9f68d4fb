"""What the tests of techniques look at, worked out in a process that may import TensorFlow: JSON on standard output.

Run by test_techniques.py; its functions are named after the keys of that JSON.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tinyedge.errors import TinyEdgeError
from tinyedge.graph.early_exit import find_early_exit
from tinyedge.graph.reader import read_model
from tinyedge.train import checkpoint
from tinyedge.train.adapters import adapted
from tinyedge.train.architectures import depthwise_separable, inverted_residual, shuffled_groups, squeeze_excite
from tinyedge.train.board_costs import board_costs
from tinyedge.train.channels import find_channels
from tinyedge.train.compress import forms
from tinyedge.train.compress.adapt import Adapt
from tinyedge.train.compress.cluster import Cluster
from tinyedge.train.compress.distill import Distill
from tinyedge.train.compress.early_exit import EarlyExit, int8_answers
from tinyedge.train.compress.graft import Graft
from tinyedge.train.compress.hashed import Hashed
from tinyedge.train.compress.importance import channel_scores
from tinyedge.train.compress.int4 import Int4
from tinyedge.train.compress.kernels import kernels_of
from tinyedge.train.compress.l1 import L1
from tinyedge.train.compress.low_rank import LowRank
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.prune_channels import PruneChannels
from tinyedge.train.compress.ptq import PostTraining
from tinyedge.train.compress.quantize_aware import QuantizeAware
from tinyedge.train.compress.targets import Targets, Whole
from tinyedge.train.convert import convert_model
from tinyedge.train.evaluate import check_types, quantize_inputs, run_int8
from tinyedge.train.exit_file import with_early_exit
from tinyedge.train.fit import Training
from tinyedge.train.heads import Head
from tinyedge.train.matching import Matched
from tinyedge.train.rewrite import fold_norms
from tinyedge.train.side_heads import places_of

CLASSES = 3


def training(count: int = 192) -> Training:
    """Three classes of 6x6 images, told by where the bright stripe is."""
    random = np.random.default_rng(5)
    classes = random.integers(0, CLASSES, count + 96)
    images = random.normal(0, 0.4, (count + 96, 6, 6, 1)).astype(np.float32)
    for number, which in enumerate(classes):
        images[number, 2 * which : 2 * which + 2] += 1
    head = Head("classes", "classes", (CLASSES,))
    matched = Matched(
        (images[:count],), (classes[:count],), (images[count:],), (classes[count:],), (head,), input_names=("image",)
    )
    return Training(matched, 32, lambda *_: None)


def model() -> Any:
    """Convolutions with normalization, one of them depthwise, and a residual connection."""
    from tf_keras import Input, Model, layers

    def normalized(tensor: Any, name: str) -> Any:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.8, name=f"{name}_norm")(tensor))

    source = Input((6, 6, 1), name="image")
    first = normalized(layers.Conv2D(8, 3, padding="same", use_bias=False, name="first")(source), "first")
    wide = normalized(layers.Conv2D(16, 3, padding="same", name="wide")(first), "wide")
    deep = normalized(layers.DepthwiseConv2D(3, padding="same", name="deep")(wide), "deep")
    point = layers.BatchNormalization(momentum=0.8, name="point_norm")(layers.Conv2D(16, 1, name="point")(deep))
    joined = layers.ReLU()(layers.Add()([wide, point]))
    head = layers.Dense(12, activation="relu", name="hidden")(layers.GlobalAveragePooling2D()(joined))
    return Model(source, layers.Dense(CLASSES, activation="softmax", name="classes")(head))


_TRAINED: list[Any] = []


def trained() -> Any:
    """A copy of one trained model."""
    from tf_keras.models import clone_model

    if not _TRAINED:
        made = model()
        training().fit(made, "fit", epochs=8, learning_rate=0.01)
        _TRAINED.append(made)
    copy = clone_model(_TRAINED[0])
    copy.set_weights(_TRAINED[0].get_weights())
    return copy


def converted(compressed: Any, technique: Any = None) -> Any:
    """The graph of the .tflite."""
    tflite = convert_model(compressed, training().data.train_inputs, 64)
    return read_model(tflite if technique is None else technique.stored(tflite, training()), "m")


def kernels_in(graph: Any) -> dict[str, Any]:
    """dtype, number of different values, the largest and the zeros of each kernel, in the order of operators."""
    found = {}
    for index, operator in enumerate(graph.operators):
        if operator.name in ("conv_2d", "fully_connected", "depthwise_conv_2d"):
            kernel = graph.tensor(operator.inputs[1])
            found[f"{index} {operator.name}"] = [
                kernel.dtype.value,
                len(np.unique(kernel.data)),
                int(np.abs(kernel.data.astype(int)).max()),
                float(np.mean(kernel.data == 0)),
            ]
    return found


def accuracy(graph: Any) -> float:
    data = training().data
    answers = run_int8(graph, quantize_inputs(data.test_inputs, graph), lambda *_: None)
    return data.score(answers)["accuracy"]


def float_accuracy() -> float:
    return training().score(trained())["accuracy"]


def folded() -> dict[str, Any]:
    """Folding of batch normalization changes no output."""
    made = trained()
    after = fold_norms(made)
    images = training().data.test_inputs[0]
    return {
        "norms": sum("norm" in layer.name for layer in after.layers),
        "difference": float(np.abs(np.asarray(made(images)) - np.asarray(after(images))).max()),
        "same": fold_norms(after) is after,
    }


def ptq() -> dict[str, Any]:
    """Accuracy and the scale of the input, which holds one very large value, by observer."""
    found = {}
    for observer in ("percentile",):
        context = training()
        context.data.train_inputs[0][0, 0, 0, 0] = 60.0
        made = trained()
        norms = [layer.get_weights() for layer in made.layers if "norm" in layer.name]
        technique = PostTraining(observer=observer, percentile=99.9)
        aware = technique.apply(made, context)
        graph = read_model(convert_model(aware, context.data.train_inputs, 64), "m")
        kept = [layer.get_weights() for layer in made.layers if "norm" in layer.name]
        found[observer] = {
            "accuracy": accuracy(graph),
            "input_scale": graph.input_tensors()[0].scale,
            "norms_kept": all(
                np.array_equal(a, b) for x, y in zip(norms, kept, strict=True) for a, b in zip(x, y, strict=True)
            ),
        }
    return found


def pattern() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, sparsity in (("2:4", 0.5), ("1x4", 0.75)):
        technique = Prune(sparsity=sparsity, epochs=1, pattern=name, learning_rate=0.005)
        notes = technique.rehearse(model())[1]
        pruned = technique.apply(trained(), training())
        found[name] = {
            "notes": notes,
            "zeros": {kernel.layer.name: float(np.mean(kernel.rows() == 0)) for kernel in kernels_of(pruned)},
        }
        if name == "2:4":
            rows = next(kernel.rows() for kernel in kernels_of(pruned) if kernel.layer.name == "wide")
            found["most_of_four"] = int((rows.reshape(len(rows), -1, 4) != 0).sum(axis=2).max())
            aware = QuantizeAware(epochs=1).apply(pruned, training())
            found["after_qat"] = kernels_in(converted(aware))
    return found


def cluster() -> dict[str, Any]:
    """Different values of each int8 kernel after clustering, and after pruning, clustering and rounding in training."""
    shared = Cluster(epochs=4).apply(trained(), training())
    graph = converted(shared)
    pruned = Prune(sparsity=0.6, epochs=3, learning_rate=0.005).apply(trained(), training())
    both = Cluster(epochs=2, values=8).apply(pruned, training())
    rounded = converted(QuantizeAware(epochs=2, learning_rate=0.001).apply(both, training()))
    return {
        "notes": Cluster(epochs=1).rehearse(model())[1],
        "kernels": kernels_in(graph),
        "accuracy": accuracy(graph),
        "pcqat": {"kernels": kernels_in(rounded), "accuracy": accuracy(rounded)},
        "operators": [operator.name for operator in rounded.operators],
    }


def int4() -> dict[str, Any]:
    """The .tflite of weights of few bits: alone, with rounding of activations in training, and of some layers."""
    found: dict[str, Any] = {}
    technique = Int4(epochs=4, learning_rate=0.002)
    narrow = technique.apply(trained(), training())
    graph = converted(narrow, technique)
    images = training().data.test_inputs
    integers = run_int8(graph, quantize_inputs(images, graph), lambda *_: None)[0]
    floats = training().predict(narrow, images)[0]
    found["difference"] = float(np.abs(floats - integers.reshape(floats.shape)).max())
    found["4"] = {"kernels": kernels_in(graph), "accuracy": accuracy(graph)}
    technique = Int4(epochs=2, bits=2, learning_rate=0.002)
    aware = QuantizeAware(epochs=1).apply(technique.apply(trained(), training()), training())
    found["2"] = {"kernels": kernels_in(converted(aware, technique)), "accuracy": accuracy(graph)}
    whole = sum(kernel.rows().size for kernel in kernels_of(model()))
    context = training()
    mixed = Int4(epochs=1, target_flash=whole - 500).apply(trained(), context)
    found["mixed"] = {
        k.layer.name: len(np.unique(np.round(forms.normalized(k.rows())[0], 3))) for k in kernels_of(mixed)
    }
    found["told"] = context.notes
    found["too_small"] = refused(lambda: Int4(epochs=1, target_flash=1000).rehearse(model()))
    return found


def refused(action: Any) -> list[Any]:
    """(what, exit code) of the refusal."""
    try:
        action()
    except TinyEdgeError as error:
        return [error.what, error.exit_code]
    return ["not refused", 0]


def channels() -> dict[str, Any]:
    """The small network against the big one whose lost channels are zero, the families, and a whole pruning."""
    made = trained()
    found = find_channels(made)
    families = found.families()
    random = np.random.default_rng(3)
    gone = {label for _, labels in families for label in random.permutation(labels)[: len(labels) // 2].tolist()}
    small = found.without(gone)
    for layer in made.layers:
        labels = found.made.get(layer.name, found.read.get(layer.name))
        if labels is not None:
            left = ~np.isin(found.roots(labels), list(gone))
            for variable in layer.trainable_weights:
                depthwise = "depthwise" in variable.name
                variable.assign(variable * (left[:, None] if depthwise else left))
    images = training().data.test_inputs[0]
    result: dict[str, Any] = {
        "families": [[list(names), len(labels)] for names, labels in families],
        "macs": [found.macs(set()), found.macs(gone), find_channels(small).macs(set())],
        "difference": float(np.abs(np.asarray(made(images)) - np.asarray(small(images))).max()),
        "moved": float(np.abs(np.asarray(trained()(images)) - np.asarray(small(images))).max()),
        "refused": refused(lambda: PruneChannels(macs=0.02, epochs=1).rehearse(model())),
        "no_gamma": refused(lambda: PruneChannels(macs=0.5, epochs=1, score="gamma").rehearse(fold_norms(model()))),
    }
    for score in ("l1", "gamma", "taylor"):
        scores = channel_scores(find_channels(trained()), score, training())
        result[score] = [all(value >= 0 for value in scores.values()), len(set(scores.values()))]
    context = training()
    pruned = PruneChannels(macs=0.5, epochs=4, steps=2, multiple=4, learning_rate=0.01).apply(trained(), context)
    result |= {"notes": context.notes, "accuracy": training().score(pruned)["accuracy"]}
    result["widths"] = {kernel.layer.name: kernel.outputs for kernel in kernels_of(pruned)}
    return result


def shapes() -> dict[str, Any]:
    """Families of a network with a shuffle, a squeeze, a flat head and a grouped convolution."""
    from tf_keras import Input, Model, layers

    source = Input((4, 4, 3))
    first = layers.Conv2D(8, 1, name="first")(source)
    gate = layers.Dense(8, activation="sigmoid", name="gate")(layers.GlobalAveragePooling2D()(first))
    gated = layers.Multiply()([first, layers.Reshape((1, 1, 8))(gate)])
    both = layers.Concatenate()([gated, layers.Conv2D(4, 3, padding="same", name="second")(gated)])
    grouped = layers.Conv2D(8, 1, groups=2, name="grouped")(layers.Conv2D(8, 1, name="before")(both))
    shuffled = layers.Reshape((4, 4, 8))(layers.Permute((1, 2, 4, 3))(layers.Reshape((4, 4, 2, 4))(grouped)))
    last = layers.SeparableConv2D(8, 3, name="last")(shuffled)
    flat = layers.Flatten()(last)
    made = Model(source, layers.Dense(2, activation="softmax", name="classes")(layers.Dense(8, name="wide")(flat)))
    found = find_channels(made)
    gone = {label for _, labels in found.families() for label in labels[:2]}
    small = found.without(gone)
    return {
        "families": [[list(names), len(labels)] for names, labels in found.families()],
        "kept": {layer.name: layer.output_shape[-1] for layer in small.layers if layer.weights},
        "runs": list(small(np.zeros((2, 4, 4, 3), np.float32)).shape),
    }


def low_rank() -> dict[str, Any]:
    """Layers of full rank are equal to the old ones; what saves nothing is left whole or refused."""
    from tf_keras import Input, Model, layers

    source = Input((6, 6, 8))
    first = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="wide")(source)
    point = layers.Conv2D(24, 1, name="point")(first)
    hidden = layers.Dense(20, activation="relu", name="hidden")(layers.Flatten()(point))
    made = Model(source, layers.Dense(3, activation="softmax", name="classes")(hidden))
    random = np.random.default_rng(4)
    for kernel in kernels_of(made):  # of ranks 5, 3 and 4
        name = kernel.layer.name
        rank = {"wide": 5, "point": 3, "hidden": 4, "classes": 3}[name]
        shape = tuple(kernel.variable.shape)
        if name == "wide":
            core = random.normal(size=(3, 3, rank, rank))
            made_of = random.normal(size=(8, rank)), random.normal(size=(rank, 16))
            kernel.variable.assign(np.einsum("hwio,ni,om->hwnm", core, *made_of))
        else:
            matrix = random.normal(size=(shape[-2], rank)) @ random.normal(size=(rank, shape[-1]))
            kernel.variable.assign(matrix.reshape(shape))
    split, told = LowRank(epochs=1, energy=0.9999)._split(made)
    images = random.normal(size=(9, 6, 6, 8)).astype(np.float32)
    probes = [Model(each.inputs, each.layers[-2].output) for each in (made, split)]
    before, after = (np.asarray(probe(images)) for probe in probes)
    context = training()
    thin = LowRank(epochs=2, rank=4, layers=("wide",), learning_rate=0.005).apply(trained(), context)
    return {
        "told": told,
        "layers": [layer.name for layer in split.layers if layer.weights],
        "difference": float(np.abs(before - after).max() / np.abs(before).max()),
        "refused": refused(lambda: LowRank(epochs=1, rank=15, layers=("wide",)).rehearse(model())),
        "unknown": refused(lambda: LowRank(epochs=1, layers=("deep",)).rehearse(model())),
        "accuracy": training().score(thin)["accuracy"],
        "notes": context.notes,
    }


def distill() -> dict[str, Any]:
    """What is kept, and what is said of all that were trained."""
    own = training()
    kept = Distill(epochs=2, learning_rate=0.005).apply(trained(), own)
    taught = training()
    text = (
        "from tf_keras import Sequential, Input, layers\n"
        "def build(classes, input_shape):\n"
        "    return Sequential([Input(input_shape), layers.Conv2D(12, 3, activation='relu', name='theirs'),\n"
        "        layers.Flatten(), layers.Dense(classes, activation='softmax')])\n"
    )
    with TemporaryDirectory() as folder:
        teacher = Path(folder) / "teacher.py"
        teacher.write_text(text)
        technique = Distill(
            epochs=3, teacher=str(teacher), teacher_epochs=3, hints=("wide=theirs",), learning_rate=0.01
        )
        technique.rehearse(model())
        student = technique.apply(model(), taught)
    return {
        "self": own.notes,
        "same_shape": kept.count_params() == trained().count_params(),
        "taught": taught.notes,
        "stages": sorted({row["stage"] for row in taught.rows}),
        "score": training().score(student)["accuracy"],
        "no_file": refused(lambda: Distill(epochs=1, teacher="none.py", teacher_epochs=1).rehearse(model())),
        "no_layer": refused(lambda: Distill(epochs=1, hints=("none=wide",)).rehearse(model())),
        "outputs": len(student.outputs),
    }


def early_exit() -> dict[str, Any]:
    """One file that answers early or late as its two answers do; the control; what makes no sense."""
    context = training()
    technique = EarlyExit(lost=0.02)
    whole, made = trained(), trained()
    both = technique.apply(made, context)
    tflite = convert_model(both, context.data.train_inputs, 64)
    chosen = find_early_exit(read_model(technique.stored(tflite, context), "m"))
    images = context.data.test_inputs
    leads, _, _ = int8_answers(tflite, Matched(images, context.data.test_targets, (), (), context.data.heads))
    middle = int(np.median(leads))
    graph, plain = read_model(with_early_exit(tflite, middle), "m"), read_model(tflite, "m")
    found = find_early_exit(graph)
    assert chosen is not None
    assert found is not None
    answers = run_int8(graph, quantize_inputs(images, graph), lambda *_: None)[0]
    late, early = run_int8(plain, quantize_inputs(images, plain), lambda *_: None)
    leaves = leads > middle
    expected = np.where(leaves.reshape(-1, *[1] * (late.ndim - 1)), early, late)
    joint = EarlyExit(after="re_lu", epochs=1).apply(trained(), (taught := training()))
    again = QuantizeAware(epochs=1).apply(joint, dataclasses.replace(taught, data=EarlyExit().taught(taught.data)))
    cut = EarlyExit(cut=True, after="re_lu").apply(trained(), training())
    return {
        "operators": [operator.name for operator in graph.operators],
        "outputs": [len(graph.outputs), list(graph.output_tensors()[0].shape)],
        "equal": bool(np.array_equal(answers, expected)),
        "thresholds": [chosen.threshold, found.threshold - middle, middle],
        "leaves": [int(leaves.sum()), len(leaves)],
        "early_differs": bool((early != late).any()),
        "trunk_kept": all(map(np.array_equal, whole.get_weights(), both.get_weights())),
        "figures": sorted(context.figures),
        "notes": context.notes,
        "accuracy": context.data.score([answers])["accuracy"],
        "joint": [row["stage"] for row in taught.rows],
        "aware": len(again.outputs),
        "cut": [len(cut.outputs), cut.count_params() < whole.count_params()],
        "no_place": refused(lambda: EarlyExit(after="none").rehearse(model())),
        "too_late": refused(lambda: EarlyExit(after=_last_block()).rehearse(model())),
        "two_outputs": refused(lambda: Distill(epochs=1).rehearse(both)),
    }


def _last_block() -> str:
    """The layer of the hidden units, in front of which nearly all is computed."""
    return next(place.name for place in reversed(places_of(model())) if place.share > 0.9)


NEW_DATA = """
import numpy as np
from tinyedge.train.splits import Splits


def load():
    random = np.random.default_rng(9)
    classes = random.integers(0, 3, 160)
    images = random.normal(0, 0.4, (160, 6, 6, 1)).astype(np.float32)
    for number, which in enumerate(classes):
        images[number, :, 2 * which : 2 * which + 2] -= 1
    return Splits(images[:96], classes[:96], images[96:], classes[96:])
"""


def adapt() -> dict[str, Any]:
    """Stripes that stand upright and are dark, learnt by parts of the parameters."""
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        data = Path(folder) / "new.py"
        data.write_text(NEW_DATA)
        for name, settings in {
            "adapters": {},
            "half": {"share": 0.5},
            "biases": {"trains": "biases"},
            "last": {"trains": "last"},
        }.items():
            context = training()
            technique = Adapt(data=str(data), epochs=4, learning_rate=0.02, **settings)
            start = fold_norms(trained())
            taught = technique.apply(trained(), context)
            pairs = [(layer, start.get_layer(layer.name)) for layer in taught.layers]
            moved = {
                new.name for new, old in pairs if not all(map(np.array_equal, new.get_weights(), old.get_weights()))
            }
            found[name] = context.figures | {
                "moved": sorted(moved),
                "same_shape": taught.count_params() == start.count_params(),
            }
        found["note"] = context.notes[-1]
        found["rank"] = refused(lambda: Adapt(data=str(data), epochs=1, rank=60).rehearse(model()))
    found["no_file"] = refused(lambda: Adapt(data="none.py", epochs=1).rehearse(model()))
    adapters = adapted(fold_norms(trained()), 2)[0]
    images = training().data.test_inputs[0]
    found["unchanged"] = float(np.abs(np.asarray(adapters(images)) - np.asarray(trained()(images))).max())
    return found


def graft() -> dict[str, Any]:
    """The network cut, with its controls."""
    context = training()
    grafted = Graft(epochs=2, macs=0.9, learning_rate=0.01).apply(donor := trained(), context)
    return {
        "figures": context.figures,
        "notes": context.notes,
        "smaller": grafted.count_params() < donor.count_params(),
        "donor_kept": all(map(np.array_equal, donor.get_weights(), trained().get_weights())),
        "accuracy": training().score(grafted)["accuracy"],
        "layers": [layer.name for layer in grafted.layers][-2:],
        "operators": sorted(
            {operator.name for operator in converted(Graft(epochs=1, macs=0.9).rehearse(model())[0]).operators}
        ),
        "too_small": refused(lambda: Graft(epochs=1, macs=0.01).rehearse(model())),
        "no_layer": refused(lambda: Graft(epochs=1, cut="none").rehearse(model())),
    }


def hashed() -> dict[str, Any]:
    """Kernels of few values, whose places are a matter of chance."""
    notes = Hashed(epochs=1, values=64).rehearse(model())[1]
    shared = Hashed(epochs=3, values=16, learning_rate=0.01).apply(trained(), training())
    return {"notes": notes, "kernels": kernels_in(converted(shared))}


def cp_form() -> dict[str, Any]:
    """A kernel of CP rank 3 becomes three thin layers that compute the same."""
    from tf_keras import Input, Model, layers

    source = Input((6, 6, 8))
    made = Model(source, layers.Conv2D(16, 3, strides=2, padding="same", name="wide")(source))
    random = np.random.default_rng(2)
    factors = random.normal(size=(3, 3, 3)), random.normal(size=(8, 3)), random.normal(size=(16, 3))
    made.get_layer("wide").set_weights([np.einsum("hwr,nr,mr->hwnm", *factors), random.normal(size=16)])
    split, told = LowRank(epochs=1, energy=0.9999, form="cp")._split(made)
    images = random.normal(size=(5, 6, 6, 8)).astype(np.float32)
    before, after = np.asarray(made(images)), np.asarray(split(images))
    return {
        "told": told,
        "layers": [type(layer).__name__ for layer in split.layers if layer.weights],
        "difference": float(np.abs(before - after).max() / np.abs(before).max()),
        "rehearsed": len(LowRank(epochs=1, form="cp", layers=("wide",)).rehearse(model())[0].layers),
        "refused": refused(lambda: LowRank(epochs=1, rank=60, layers=("wide",), form="cp").rehearse(model())),
    }


def on_a_board() -> dict[str, Any]:
    """Channels go until a board has enough; targets it cannot come to are refused."""
    targets = Targets(board="nrf52840dk", instructions=0.7)
    channels_ = find_channels(model())
    whole = Whole.of(channels_, targets)
    pruned = PruneChannels(epochs=1, board="nrf52840dk", instructions=0.7).rehearse(model())[0]
    left = board_costs(pruned, "nrf52840dk")
    assert whole.costs is not None
    return {
        "share": left.instructions / whole.costs.instructions,
        "fewer": pruned.count_params() < model().count_params(),
        "told": whole.told(pruned),
        "flash": refused(lambda: PruneChannels(epochs=1, board="nrf52840dk", max_flash=4096).rehearse(model())),
        "unknown": refused(lambda: PruneChannels(epochs=1, board="host", max_flash=4096).rehearse(model())),
    }


def l1() -> dict[str, Any]:
    context = training()
    sparse = L1(strength=0.3, epochs=3, learning_rate=0.01).apply(trained(), context)
    zeros = {kernel.layer.name: float(np.mean(kernel.rows() == 0)) for kernel in kernels_of(sparse)}
    return {"zeros": zeros, "notes": context.notes, "accuracy": training().score(sparse)["accuracy"]}


def int16() -> dict[str, Any]:
    """A model with activations of int16."""
    tflite = convert_model(trained(), training().data.train_inputs, 64, "int16")
    graph = read_model(tflite, "m")
    check_types(graph, "int16")
    found = kernels_in(graph)
    images = training().data.test_inputs
    integers = run_int8(graph, quantize_inputs(images, graph), lambda *_: None)[0]
    floats = training().predict(trained(), images)[0]
    return {
        "kernels": sorted({kernel[0] for kernel in found.values()}),
        "input": graph.input_tensors()[0].dtype.value,
        "difference": float(np.abs(floats - integers.reshape(floats.shape)).max()),
        "refused": refused(lambda: check_types(graph)),
    }


def networks() -> dict[str, Any]:
    """Parameters by width and depth, that normalization folds, and that channels can be pruned."""
    made = {}
    for build in (depthwise_separable, inverted_residual, shuffled_groups, squeeze_excite):
        whole, narrow, deep = (build((8, 8, 1), 4, **size) for size in ({}, {"width": 0.5}, {"depth": 2}))
        ties_all = build is shuffled_groups  # a group and a shuffle fix their channels
        small = narrow if ties_all else PruneChannels(macs=0.6, epochs=1).rehearse(whole)[0]
        made[build.__name__] = {
            "parameters": [each.count_params() for each in (narrow, whole, deep)],
            "folded": not any("batch_norm" in layer.name for layer in fold_norms(whole).layers),
            "pruned": small.count_params() < whole.count_params(),
            "outputs": list(small(np.zeros((2, 8, 8, 1), np.float32)).shape),
        }
    return made


def resumed() -> dict[str, bool]:
    """Whether a technique that was interrupted in its second epoch ends with the weights of one that was not."""
    import tf_keras

    checkpoint.EVERY_S = 0.0
    found = {}
    chain = (Cluster(epochs=3, learning_rate=0.01), Prune(0.5, epochs=3, pattern="2:4", learning_rate=0.01))
    for technique in chain:
        ended = []
        for interrupted in (False, True):
            with TemporaryDirectory() as folder:
                for attempt in range(1 + interrupted):
                    tf_keras.utils.set_random_seed(7)
                    start = trained()

                    def progress(_stage: str, done: int, _total: int, stop: bool = interrupted and not attempt) -> None:
                        if stop and done == 9:  # of 6 steps an epoch
                            raise InterruptedError

                    keeper = checkpoint.Keeper(Path(folder), "a")
                    context = dataclasses.replace(training(), keeper=keeper, progress=progress)
                    with contextlib.suppress(InterruptedError):
                        ended.append(technique.apply(start, context).get_weights())
        found[technique.name] = len(ended) == 2 and all(map(np.array_equal, *ended))
    return found


CHECKS = (
    float_accuracy,
    folded,
    ptq,
    pattern,
    cluster,
    int4,
    channels,
    shapes,
    low_rank,
    distill,
    early_exit,
    adapt,
    graft,
    hashed,
    cp_form,
    on_a_board,
    l1,
    int16,
    networks,
    resumed,
)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import tf_keras

    chosen = sys.argv[1:]
    results = {}
    for check in CHECKS:
        if not chosen or check.__name__ in chosen:
            tf_keras.utils.set_random_seed(1)
            results[check.__name__] = check()
    json.dump(results, answers, indent=1)
    answers.close()


if __name__ == "__main__":
    sys.exit(main())
