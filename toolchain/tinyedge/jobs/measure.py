"""Samples streamed through a firmware that was started, every output byte compared: what `run` and `verify` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tinyedge.artifacts import Built, Measured, Observer, Prepared, Run, Samples, Target
from tinyedge.errors import DeviceError, UsageError
from tinyedge.jobs.data import Given, feature_arrays, labelled_samples
from tinyedge.measure.exits import exits_of
from tinyedge.measure.patience import banner_timeout_s
from tinyedge.measure.reference import layer_crcs
from tinyedge.measure.run import RunFailedError, run_samples
from tinyedge.measure.samples import load_inputs, load_raw
from tinyedge.measure.session import Session


class BrokenRunError(Exception):
    """The device failed in the middle of a run: `partial` is what was measured before, `error` what happened."""

    def __init__(self, partial: Measured, error: DeviceError) -> None:
        super().__init__(str(error))
        self.partial = partial
        self.error = error


def measure(
    built: Built,
    observer: Observer,
    start: Callable[[], Target],
    inputs: str | None = None,
    samples: int | None = None,
    given: Given | None = None,
) -> Measured:
    """Stream samples through the firmware that `start` brings up, which must be this image, and compare every byte.

    inputs   `FILE.npy`, `random:SEED` or `zeros`, of samples where the model has features; None: what is given, else
             the recipe's test set, else `random:1`
    given    labelled data of a user's own
    samples  how many; None: all of the test set or file, else as many as `load_inputs` makes

    Raises: BrokenRunError with what was measured when the firmware fails in the middle; DeviceError before that;
    TinyEdgeError when another image runs
    """
    prepared = built.prepared
    if inputs is None and given is not None:
        chosen = labelled_samples(given, prepared, samples, observer)
    else:
        chosen = _samples(prepared, inputs, samples)
    expected = prepared.reference.outputs(chosen.arrays, observer)
    target = start()

    def measured(result: Run) -> Measured:
        notes = (*result.notes, *target.console.notes(), *prepared.reference.notes)
        exits = exits_of(prepared.original, chosen, result.counted, result.samples, observer)
        run = replace(result, notes=notes, exits=exits)
        return Measured(built, target.label, run, target.console.statistics(), chosen)

    try:
        patience_s = banner_timeout_s(prepared.plan, prepared.board.clock_hz, emulated=target.emulated)
        patience_s *= built.model_count  # each tests itself first
        session = Session.with_target(target, patience_s)
        session.wait_for_image(built.project.digest, patience_s)
        if built.model_index is not None:
            session.choose_model(built.model_index)
        with observer.progress(f"{target.label}: run and verify") as report:
            return measured(
                run_samples(
                    session,
                    target,
                    plan=prepared.plan,
                    samples=chosen,
                    expected=expected,
                    layer_crcs=lambda i: layer_crcs(prepared.plan, [array[i] for array in chosen.arrays]),
                    clock_hz=prepared.board.clock_hz,
                    rows=0 if chosen.raw is None or prepared.feature_input is None else prepared.feature_input.rows,
                    progress=report,
                )
            )
    except RunFailedError as error:
        raise BrokenRunError(measured(error.partial), error) from error
    finally:
        target.console.close()


def _samples(prepared: Prepared, inputs: str | None, count: int | None) -> Samples:
    """Those the user names, else those that came with the model and their labels, else random ones."""
    model = prepared.model
    if inputs is None and model.samples is not None:
        total = len(model.samples[0])
        stop = total if count is None else count
        if stop > total:
            raise UsageError(
                f"`{model.name}` has {total:,} test samples, not {stop:,}",
                hint=f"`--samples {total}`, or `--inputs random:1` for any number",
            )
        arrays = [array[:stop] for array in model.samples]
        raw = None if model.raw_samples is None else model.raw_samples[:stop]
        return Samples(arrays, model.labels, model.further_labels, model.class_names, raw=raw)
    filled = prepared.feature_input
    if filled is not None:
        raw = load_raw(inputs or "random:1", filled, count)
        return Samples([feature_arrays(filled, raw, prepared.original.input_tensors()[0].shape)], raw=raw)
    return Samples(load_inputs(inputs or "random:1", prepared.original, count))
