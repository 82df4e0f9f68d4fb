"""Training of weights that are restricted to a form: rounded in each step, while the steps add up unrounded.

Source: the straight-through estimator of Bengio, Leonard and Courville (2013)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tinyedge.train.compress.forms import Form, Masked, form_of, has_zeros
from tinyedge.train.compress.kernels import Kernel, kernels_of


class StraightThrough:
    """Keeps kernels in their forms while a model is trained with `callback`; `finish` leaves them there.

    Between batches the kernels hold what the steps added up to, which is also what a checkpoint keeps.
    """

    def __init__(self, restricted: Sequence[tuple[Kernel, Form]]) -> None:
        self._restricted = list(restricted)
        self._latent: list[Any] = []
        self._rounded: list[Any] = []

    @property
    def is_needed(self) -> bool:
        """Whether any kernel is restricted."""
        return bool(self._restricted)

    def restrict(self, restricted: Sequence[tuple[Kernel, Form]]) -> None:
        """Other forms from now on."""
        self._restricted = list(restricted)

    def callback(self) -> Any:
        """For `Training.fit`."""
        import tf_keras

        return tf_keras.callbacks.LambdaCallback(on_train_batch_begin=self._begin, on_train_batch_end=self._end)

    def finish(self) -> None:
        """The kernels become of their forms."""
        for kernel, form in self._restricted:
            kernel.assign(form.project(kernel.rows()))

    def _begin(self, _batch: int, _logs: Any) -> None:
        self._latent = [kernel.rows() for kernel, _ in self._restricted]
        pairs = zip(self._restricted, self._latent, strict=True)
        self._rounded = [form.project(latent) for (_, form), latent in pairs]
        for (kernel, _), rounded in zip(self._restricted, self._rounded, strict=True):
            kernel.assign(rounded)

    def _end(self, _batch: int, _logs: Any) -> None:
        for (kernel, _), latent, rounded in zip(self._restricted, self._latent, self._rounded, strict=True):
            kernel.assign(latent + (kernel.rows() - rounded))


def zeros_kept(kernels: Iterable[Kernel]) -> list[tuple[Kernel, Form]]:
    """For those kernels that were pruned, what keeps them so."""
    return [(kernel, Masked(rows != 0)) for kernel in kernels if has_zeros(rows := kernel.rows())]


def forms_kept(model: Any, like: Any) -> StraightThrough:
    """What keeps the kernels of `model` in the forms that those of the same layers of `like` have."""
    forms = {
        kernel.layer.name: form
        for kernel in kernels_of(like)
        if (form := form_of(kernel.rows(), per_tensor=kernel.operator == "fully_connected"))
        or (form := form_of(kernel.rows()))
    }
    kernels = [(kernel, kernel.layer.name.removeprefix("quant_")) for kernel in kernels_of(model)]
    return StraightThrough([(kernel, forms[name]) for kernel, name in kernels if name in forms])
