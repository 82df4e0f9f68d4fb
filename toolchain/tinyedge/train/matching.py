"""Data matched to a model before time is spent on it: every input and target where it belongs, in one form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError
from tinyedge.train.anomaly import auc, reconstruction_errors
from tinyedge.train.heads import Head, Kind, canonical_targets
from tinyedge.train.layers import activation_name, find_unfinite, inbound_layers
from tinyedge.train.splits import Arrays, Splits, arrays_in_order, named_arrays

Array = npt.NDArray[Any]
_LOOKED_AT = 256
"""samples that are put through the untrained model"""
_PASSES_ON = frozenset({"Reshape", "Flatten", "Dropout", "Permute", "Cropping1D", "Cropping2D"})
"""layers that leave values as they are: the activation is that of a layer before them"""


@dataclass(frozen=True, eq=False)
class Matched:
    """What a model is trained on.

    train_inputs, test_inputs    one array for each input, in the model's order
    train_targets, test_targets  one for each of `heads`, as `canonical_targets` makes them
    heads                        the outputs that have targets: the first ones of the model
    notes                        what a person should know of how the data was read
    validation_...               as those of the test; None when there is no validation data
    input_names                  of the model
    test_recordings              [N], what each test sample is a part of; None when that is not known
    signals, features            what the training inputs are worked out from, and by what; None: they are given
    """

    train_inputs: tuple[Array, ...]
    train_targets: tuple[Array, ...]
    test_inputs: tuple[Array, ...]
    test_targets: tuple[Array, ...]
    heads: tuple[Head, ...]
    notes: tuple[str, ...] = ()
    validation_inputs: tuple[Array, ...] | None = None
    validation_targets: tuple[Array, ...] | None = None
    input_names: tuple[str, ...] = ()
    test_recordings: Array | None = None
    signals: Array | None = None
    features: Callable[[Array], Array] | None = None

    @property
    def reconstructs(self) -> bool:
        """Whether the model is trained to give its input back: an anomaly detector."""
        return self.heads[0].kind == "anomaly"

    def score(self, outputs: Sequence[Array], inputs: Sequence[Array] = ()) -> dict[str, float]:
        """The metrics of answers to the test split: `accuracy` of the first head, `<head>_accuracy` of the others.

        `recordings_accuracy` is that of whole recordings, by the class most of their samples are given.

        inputs  what was answered to, which an anomaly detector is judged by
        """
        if self.reconstructs:
            return {"auc": auc(reconstruction_errors(inputs[0], outputs[0]), self.test_targets[0])}
        scores = {
            head.metric if index == 0 else f"{head.name}_{head.metric}": head.score(answers, targets)
            for index, (head, answers, targets) in enumerate(
                zip(self.heads, outputs[: len(self.heads)], self.test_targets, strict=True)
            )
        }
        head = self.heads[0]
        if self.test_recordings is not None and head.kind in ("classes", "binary") and not head.places:
            said = head.classes(outputs[0]).reshape(-1)
            scores["recordings_accuracy"] = recordings_accuracy(said, self.test_targets[0], self.test_recordings)
        return scores

    def judge(self, outputs: Sequence[Array]) -> dict[str, float]:
        """`loss` of answers to the validation data, over all heads, and the metric of the first head."""
        assert self.validation_inputs is not None
        assert self.validation_targets is not None
        if self.reconstructs:
            return self._judge_anomaly(reconstruction_errors(self.validation_inputs[0], outputs[0]))
        pairs = list(zip(self.heads, outputs, self.validation_targets, strict=False))
        head, answers, targets = pairs[0]
        return {
            "loss": sum(head.mean_loss(answers, targets) for head, answers, targets in pairs),
            head.metric: head.score(answers, targets),
        }

    def _judge_anomaly(self, errors: Array) -> dict[str, float]:
        assert self.validation_targets is not None
        states = self.validation_targets[0]
        judged = {"loss": float(errors[states == 0].mean())}
        return judged | ({"auc": auc(errors, states)} if states.any() else {})


def recordings_accuracy(said: Array, targets: Array, recordings: Array) -> float:
    """The share of recordings whose most frequent answer is right; of equally frequent ones the smallest counts.

    Shape:  all [N]

    >>> recordings_accuracy(np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1]), np.array([7, 7, 7, 8]))
    0.5
    """
    names = np.unique(recordings)
    right = [np.bincount(said[recordings == name]).argmax() == targets[recordings == name][0] for name in names]
    return float(np.mean(right))


def one_or_all(arrays: Sequence[Any]) -> Any:
    """What Keras takes where there may be one array or several."""
    return arrays[0] if len(arrays) == 1 else list(arrays)


def match_data(model: Any, splits: Splits, task: str | Sequence[str]) -> Matched:
    """The data as this model takes it. Raises: ModelError when it does not fit, with the shapes and how to mend it."""
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelError(
            "the model has no `Input`: it is subclassed, or a Sequential that does not begin with one",
            hint="build a functional model, or begin with `Input(shape)`",
        )
    names = splits.names
    inputs = [_inputs(model, _featured(splits, split), f"{split}_inputs") for split in names]
    _check_tokens(model, inputs, names)
    answers = _answers(model, inputs[0])
    targets = [_targets(model, getattr(splits, f"{split}_targets"), f"{split}_targets") for split in names]
    tasks = [task] * len(targets[0]) if isinstance(task, str) else list(task)
    if len(tasks) != len(targets[0]):
        raise ModelError(
            f"`task` in recipe.toml names {len(tasks)}, data.py gives {len(targets[0])} targets",
            hint='one for each, as `task = ["classification", "regression"]`',
        )
    heads = []
    notes: dict[str, None] = {}
    canonical: list[list[Array]] = [[] for _ in names]
    for index, (wanted, values) in enumerate(zip(tasks, answers, strict=False)):
        head = _head(model, index, wanted, values, targets[0][index])
        heads.append(head)
        for into, given, split in zip(canonical, targets, names, strict=True):
            called = f"{split}_targets" if len(tasks) == 1 else f"{split}_targets of `{head.name}`"
            array, note = canonical_targets(head, given[index], called)
            into.append(array)
            if note and split == "train":
                notes[note] = None
    for name in model.output_names[len(heads) :]:
        notes[f"output `{name}` has no targets in data.py: nothing trains it but what it shares with the others"] = None
    if any(head.kind == "anomaly" for head in heads):
        _check_anomaly(heads, inputs, canonical, names)
    validation = names.index("validation") if "validation" in names else None
    return Matched(
        inputs[0],
        tuple(canonical[0]),
        inputs[-1],
        tuple(canonical[-1]),
        tuple(heads),
        tuple(notes),
        validation_inputs=None if validation is None else inputs[validation],
        validation_targets=None if validation is None else tuple(canonical[validation]),
        input_names=tuple(model.input_names),
        test_recordings=None if splits.test_recordings is None else np.asarray(splits.test_recordings),
        signals=None if splits.features is None else np.asarray(splits.train_inputs),
        features=splits.features,
    )


def _featured(splits: Splits, split: str) -> Arrays:
    """What the model takes of a split: its features, where data.py says how these are worked out."""
    given: Arrays = getattr(splits, f"{split}_inputs")
    return given if splits.features is None else splits.features(np.asarray(given))


def _check_anomaly(
    heads: Sequence[Head], inputs: Sequence[Sequence[Array]], targets: Sequence[Sequence[Array]], names: Sequence[str]
) -> None:
    """Raises: ModelError when a model or its data is none of an anomaly detector."""
    shapes = [array.shape[1:] for array in inputs[0]]
    if len(heads) > 1 or len(shapes) > 1 or math.prod(shapes[0]) != math.prod(heads[0].shape):
        raise ModelError(
            f"an anomaly detector gives its one input back; the model has inputs {[list(shape) for shape in shapes]} "
            f"and outputs {[list(head.shape) for head in heads]}",
            hint="end the model with as many values as it begins with",
        )
    states = {name: given[0] for name, given in zip(names, targets, strict=True)}
    if "validation" not in states or not (states["validation"] == 0).any():
        raise ModelError(
            "the threshold of an anomaly detector is chosen with normal validation data, and there is none",
            hint="give Splits `validation_inputs` and `validation_targets`",
        )
    if states["train"].any():
        raise ModelError(
            f"{int(states['train'].sum()):,} of {len(states['train']):,} train_targets are not normal",
            hint="train an anomaly detector with normal samples alone: their target is 0",
        )
    if len(set(states["test"].tolist())) < 2:
        raise ModelError("the test data of an anomaly detector needs normal samples and others")


def _inputs(model: Any, given: Arrays, called: str) -> tuple[Array, ...]:
    shapes = [list(tensor.shape[1:]) for tensor in model.inputs]
    arrays = arrays_in_order(given, model.input_names)
    if arrays is None or len(arrays) != len(shapes):
        has = ", ".join(f"`{name}` {shape}" for name, shape in zip(model.input_names, shapes, strict=True))
        gives = ", ".join(f"{name} {list(array.shape[1:])}" for name, array in named_arrays(called, given).items())
        raise ModelError(
            f"the model has {len(shapes)} input{'s' * (len(shapes) > 1)}, {has}; data.py gives {gives}",
            hint="give Splits a tuple with an array for each input, as `Splits((a, b), targets, (c, d), targets)`"
            if len(shapes) > 1
            else "give Splits one array",
        )
    result = []
    for tensor, name, array in zip(model.inputs, model.input_names, arrays, strict=True):
        wanted, shape = list(tensor.shape[1:]), list(array.shape[1:])
        if len(wanted) != len(shape) or any(w is not None and w != s for w, s in zip(wanted, shape, strict=True)):
            of = "the model" if len(shapes) == 1 else f"input `{name}`"
            raise ModelError(
                f"{of} takes {wanted}, the data is {shape}", hint="make `Input` in model.py and data.py equal"
            )
        floating = tensor.dtype.is_floating
        if floating != (array.dtype == np.float32):
            raise ModelError(
                f"input `{name}` takes {tensor.dtype.name}, {called} are {array.dtype}",
                hint="convert them by `.astype(numpy.float32)`"
                if floating
                else "give whole numbers, by `.astype(numpy.int32)`",
            )
        result.append(array if floating else _as_int32(array, called))
    return tuple(result)


def _as_int32(array: Array, called: str) -> Array:
    limits = np.iinfo(np.int32)
    if array.min() < limits.min or array.max() > limits.max:
        raise ModelError(f"{called} hold {array.max():,}, which int32 cannot", hint=f"the largest is {limits.max:,}")
    return array.astype(np.int32)


def _check_tokens(model: Any, inputs: Sequence[Sequence[Array]], names: Sequence[str]) -> None:
    """Raises: ModelError when a token is no row of the embedding its input feeds, or is given as a real number."""
    for layer in model.layers:
        if type(layer).__name__ != "Embedding":
            continue
        for source in inbound_layers(layer):
            if source.name not in model.input_names:
                continue
            index = model.input_names.index(source.name)
            for arrays, split in zip(inputs, names, strict=True):
                tokens = arrays[index]
                if tokens.dtype != np.int32:
                    raise ModelError(
                        f"{split}_inputs are {tokens.dtype} tokens of embedding `{layer.name}`: int8 cannot hold them",
                        hint=f'give them as int32, and write Input({tuple(tokens.shape[1:])}, dtype="int32")',
                    )
                wrong = np.argwhere((tokens < 0) | (tokens >= layer.input_dim))
                if len(wrong):
                    token = tokens[tuple(wrong[0])]
                    raise ModelError(
                        f"{split}_inputs hold the token {token} in sample {wrong[0][0]}; "
                        f"the embedding `{layer.name}` has the rows 0 to {layer.input_dim - 1}",
                        hint=f"give `{layer.name}` an input_dim of at least {int(tokens.max()) + 1}",
                    )


def _answers(model: Any, inputs: Sequence[Array]) -> list[Array]:
    """What the untrained model says to the first samples. Raises: ModelError when that is not finite."""
    import tensorflow as tf

    first = [array[:_LOOKED_AT] for array in inputs]
    answers = [np.asarray(answer) for answer in tf.nest.flatten(model(one_or_all(first), training=False))]
    if not all(np.isfinite(answer).all() for answer in answers):
        layer, count = find_unfinite(model, first)
        raise ModelError(
            f"the loss would not be a number from epoch 1 on: layer `{layer}` of the untrained model gives values that "
            f"are not finite for {count:,} of {len(first[0]):,} samples",
            hint=f"keep what `{layer}` is given within what it is defined for, as a logarithm above 0",
        )
    return answers


def _targets(model: Any, given: Arrays, called: str) -> tuple[Array, ...]:
    arrays = arrays_in_order(given, model.output_names)
    names = ", ".join(f"`{name}`" for name in model.output_names)
    if arrays is None:
        raise ModelError(
            f"{called} do not name the outputs of the model, {names}, from the first on",
            hint="name the output layers in model.py so",
        )
    if len(arrays) > len(model.outputs):
        raise ModelError(
            f"data.py gives {len(arrays)} {called}, the model has {len(model.outputs)}: {names}",
            hint="give Splits a tuple with an array for each output",
        )
    return arrays


def _head(model: Any, index: int, task: str, answers: Array, targets: Array) -> Head:
    """The head of one output. Raises: ModelError when the output is none of its task."""
    name, shape = model.output_names[index], tuple(int(extent) for extent in answers.shape[1:])
    if task == "regression":
        return Head(name, "values", shape)
    if task == "anomaly":
        return Head(name, "anomaly", shape)
    kind = classifier_kind(model, index, answers, targets)
    if kind is None:
        several = f" of output `{name}`" if len(model.outputs) > 1 else ""
        sigmoid = math.prod(shape[-1:]) == 1
        raise ModelError(
            f"the model's outputs{several} are no probabilities: "
            + ("they are one value and no sigmoid" if sigmoid else "they do not add up to 1"),
            hint='end a classifier with activation="sigmoid" for two classes, or "softmax"'
            if sigmoid
            else 'end a classifier with activation="softmax"',
        )
    return Head(name, kind, shape)


def classifier_kind(model: Any, index: int, answers: Array, targets: Array) -> Kind | None:
    """What kind of classifier an output is; None when it is none."""
    activation = _activation(model.outputs[index])
    within = bool(answers.min() >= 0 and answers.max() <= 1 + 1e-3)
    if answers.shape[-1] > 1 and within and np.allclose(answers.sum(axis=-1), 1.0, atol=1e-3):
        return "classes"
    if activation == "sigmoid" and within:
        if answers.shape[-1] == 1:
            return "binary"
        if targets.shape[1:] == answers.shape[1:]:
            return "labels"
    return None


def _activation(tensor: Any) -> str:
    """The name of the activation an output comes from, empty where it is not known."""
    layer = tensor._keras_history.layer
    while type(layer).__name__ in _PASSES_ON:
        before = inbound_layers(layer)
        if len(before) != 1:
            return ""
        layer = before[0]
    if type(layer).__name__ in ("Sequential", "Functional"):
        return _activation(layer.outputs[0])
    return activation_name(layer)
